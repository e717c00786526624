# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was sent against what is there: fields that got lost or have another value, by path and without their values.

Two questions, two functions. After a creation: did the server take everything (what it added is its business)? Of an
object that was there before: is it the same one (more of what a user writes is a difference, for example another key
in a ConfigMap)? Texts are never told: an environment variable may be a password.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from ..resources import quantity
from .inventory import OWN_LABELS
from .manifest import GroupKind, Manifest, group_kind, join, pruned
from .transforms_accounts import TOKEN_TYPE

CONTENT: Final = frozenset(
    {
        "args",
        "binaryData",
        "command",
        "containers",
        "data",
        "egress",
        "endpoints",
        "env",
        "envFrom",
        "hard",
        "hosts",
        "ingress",
        "initContainers",
        "matchExpressions",
        "matchLabels",
        "metrics",
        "nodeSelector",
        "podSelector",
        "ports",
        "rules",
        "selector",
        "subjects",
        "subsets",
        "tls",
        "volumeClaimTemplates",
    }
)
"""Fields to which no server adds anything: more in them than was sent means that somebody else wrote them."""

GENERATED: Final[Mapping[GroupKind, frozenset[str]]] = {
    ("batch", "Job"): frozenset({"selector", "matchLabels"}),
}
"""Where a server does add: the selector of a Job."""

MEANINGFUL: Final = frozenset({"emptyDir", "namespaceSelector", "podSelector"})
"""Fields in which ``{}`` says something: everything, or a volume. Elsewhere empty and absent are the same."""

IDENTITIES: Final = ("name", "mountPath", "containerPort", "key", "ip")
"""By what items of a list are recognised when a server has put others between them."""

_TEXTS: Final = frozenset({"annotations", "binaryData", "data", "labels", "stringData"})
_UNITS: Final[Mapping[str, Fraction]] = {
    **{f"{letter}i": Fraction(1024) ** (power + 1) for power, letter in enumerate("KMGTPE")},
    **{letter: Fraction(1000) ** (power + 2) for power, letter in enumerate("MGTPE")},
    "k": Fraction(1000),
    "m": Fraction(1, 1000),
    "u": Fraction(1, 1000**2),
    "n": Fraction(1, 1000**3),
}


def differences(sent: Manifest, live: Manifest) -> list[str]:
    """The paths of what was sent and is not there, or not so. What the server filled in is no difference."""
    return list(_mapping(sent, live, "", frozenset()))


def content_differences(sent: Manifest, live: Manifest) -> list[str]:
    """The same for an object that existed: more content than was sent counts too. The labels of runs do not count."""
    for label in OWN_LABELS:
        sent = pruned(sent, "metadata", "labels", label)
    return list(_mapping(sent, live, "", content_fields(sent)))


def content_fields(obj: Manifest) -> frozenset[str]:
    """The fields of an object of this kind to which no server adds anything."""
    content = CONTENT - GENERATED.get(group_kind(obj), frozenset())
    if "aggregationRule" in obj:
        content -= {"rules"}
    return content - {"data"} if obj.get("type") == TOKEN_TYPE else content


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def _mapping(sent: Mapping[str, Any], live: Mapping[str, Any], path: str, content: frozenset[str]) -> Iterator[str]:
    for key, value in sent.items():
        where = join(path, key)
        if _empty(value) and not (value == {} and key in MEANINGFUL):
            if key in content and not _empty(live.get(key)):
                yield f"{where} (more than was sent)"
        elif live.get(key) is None:
            yield f"{where} (missing)"
        else:
            compare = _texts if key in _TEXTS else _value
            yield from compare(value, live[key], where, content, exact=key in content)
    for key in sorted(content & live.keys() - sent.keys()):
        if not _empty(live[key]):
            yield f"{join(path, key)} (more than was sent)"


def _value(sent: Any, live: Any, path: str, content: frozenset[str], *, exact: bool = False) -> Iterator[str]:
    if isinstance(sent, dict) and isinstance(live, dict):
        yield from _mapping(sent, live, path, content)
        if exact:
            yield from (
                f"{join(path, key)} (more than was sent)" for key in sorted(live.keys() - sent.keys() - content)
            )
    elif isinstance(sent, list) and isinstance(live, list):
        yield from _items(sent, live, path, content, exact=exact)
    elif not _same(sent, live):
        told = all(isinstance(value, (bool, int, float)) for value in (sent, live))
        yield f"{path} (sent {_text(sent)}, is {_text(live)})" if told else f"{path} (another value)"


def _texts(sent: Any, live: Any, path: str, content: frozenset[str], *, exact: bool = False) -> Iterator[str]:
    """Labels, annotations and data: keys are the user's own, and no value is a form of another one."""
    if not isinstance(sent, dict) or not isinstance(live, dict):
        yield from _value(sent, live, path, content)
        return
    for key, value in sent.items():
        if key not in live:
            yield f"{join(path, key)} (missing)"
        elif live[key] != value:
            yield f"{join(path, key)} (another value)"
    for key in sorted(live.keys() - sent.keys()) if exact else ():
        yield f"{join(path, key)} (more than was sent)"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _items(sent: list[Any], live: list[Any], path: str, content: frozenset[str], *, exact: bool) -> Iterator[str]:
    if len(sent) == len(live):
        for index, (one, other) in enumerate(zip(sent, live, strict=True)):
            yield from _value(one, other, f"{path}[{index}]", content)
        return
    if exact or len(sent) > len(live):
        yield f"{path} (sent {len(sent)} items, has {len(live)})"
        return
    # The server has put items of its own between ours: each of ours must still be there, in order.
    start = 0
    for index, one in enumerate(sent):
        found = next((at for at in range(start, len(live)) if _is_item(one, live[at])), None)
        if found is None:
            yield f"{path}[{index}] (missing)"
        else:
            yield from _value(one, live[found], f"{path}[{index}]", content)
            start = found + 1


def _is_item(sent: Any, live: Any) -> bool:
    if isinstance(sent, dict) and isinstance(live, dict):
        for key in IDENTITIES:
            if key in sent:
                return bool(sent[key] == live.get(key))
        return not any(_mapping(sent, live, "", frozenset()))
    return _same(sent, live)


def _same(sent: Any, live: Any) -> bool:
    if isinstance(sent, bool) or isinstance(live, bool):
        return sent is live
    if sent == live:
        return True
    if isinstance(sent, (str, int)) and isinstance(live, (str, int)):
        if str(sent) == str(live):
            return True
        exact = _quantity(sent)
        return exact is not None and exact == _quantity(live)
    return False


def _quantity(value: str | int) -> Fraction | None:
    """The exact number; quantity.parse() rounds up to whole bytes, by which 100m and 200m would be the same."""
    if not quantity.is_quantity(value):
        return None
    text = str(value)
    for suffix, factor in _UNITS.items():
        if text.endswith(suffix):
            return Fraction(text.removesuffix(suffix)) * factor
    return Fraction(text)
