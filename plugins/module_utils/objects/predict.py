# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a migration would do with each object, for check mode: the action, the changes as a patch, and the notes.

Deterministic and free of secrets: a Secret's values do not appear in any form, nor do passwords in URLs that stand in
other kinds' text. What every object loses (status, uid ...) and gets (the labels of the run) is not repeated.
"""

from __future__ import annotations

import difflib
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

from .context import Transformed
from .existing import Finding, State
from .inventory import OWN_LABELS, autoscaled, canonical, digest, reference
from .manifest import LAST_APPLIED, Manifest, group_kind, pruned
from .order import rank
from .transforms_metadata import without_server_owned

ACTIONS: Final = {
    State.ABSENT: "create",
    State.LEAVING: "create",
    State.EQUAL: "equal",
    State.OURS: "adopt",
    State.FOREIGN: "foreign",
    State.MERGED: "merge",
    State.UNSERVED: "unserved",
}
MASKED: Final = "(masked)"
_LONG = 120
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
Path: TypeAlias = "tuple[str | int, ...]"


def predict(transformed: Iterable[Transformed], findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """One row for each object that is sent, in the order of creation, then by name.

    ``findings`` are preview()'s, one for each transformed object that is sent, in the same order. A row holds
    ``reference`` (where it will be), ``source``, ``action``, ``form`` (a digest of what is sent), ``patch`` (lines
    ``<operation> <pointer>: <value>`` in the manner of RFC 6902), ``notes``, and ``differences``: in which fields what
    exists there is not what would be sent.
    """
    rows: list[tuple[int, dict[str, Any]]] = []
    transformed = list(transformed)
    scaled = autoscaled(item.object for item in transformed if item.object is not None)
    sent = (item for item in transformed if item.object is not None)
    for item, finding in zip(sent, findings, strict=True):
        if item.object is None or item.source is None:
            continue
        row = {
            "reference": finding.reference,
            "source": reference(item.source),
            "action": ACTIONS[finding.state],
            "form": digest(item.object, key=_key(item.source), autoscaled=finding.reference in scaled),
            "patch": list(patch(item.source, item.object)),
            "notes": [note.sentence for note in item.notes],
            "differences": list(finding.differences),
        }
        rows.append((rank(item.object), row))
    return [row for _rank, row in sorted(rows, key=lambda pair: (pair[0], pair[1]["reference"]))]


def patch(before: Manifest, after: Manifest) -> Iterator[str]:
    """From the source's object, less what servers own, to what is sent; values are shortened and masked for reading."""
    key = _key(before) if group_kind(before) == ("", "Secret") else None
    for label in OWN_LABELS:
        after = pruned(after, "metadata", "labels", label)
    for operation, path, old, new in _changes(without_server_owned(before), after, ()):
        line = f"{operation} {_pointer(path)}"
        if operation == "remove":
            yield line
        else:
            value = _readable(path, old, new, key=key)
            yield f"{line}: {value if isinstance(value, str) else json.dumps(value, sort_keys=True)}"


def _changes(before: Any, after: Any, path: Path) -> Iterator[tuple[str, Path, Any, Any]]:
    if before is after or before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            if key not in after:
                yield "remove", (*path, key), before[key], None
            elif key not in before:
                yield "add", (*path, key), None, after[key]
            else:
                yield from _changes(before[key], after[key], (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changes(old, new, (*path, index))
    else:
        yield "replace", path, before, after


def _pointer(path: Path) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def _key(source: Manifest) -> bytes:
    """For digests that nobody can try guesses on who has nothing but them: the UID is told to those only who may read
    the object, and stays as long as it does."""
    return str(source["metadata"].get("uid", "")).encode()


def _readable(path: Path, old: Any, new: Any, *, key: bytes | None) -> Any:
    if LAST_APPLIED in path:
        return "(with the new namespace)"
    if key is not None and path[0] != "metadata":
        return f"(masked, digest {hmac.new(key, canonical(new), hashlib.sha256).hexdigest()[:12]})"
    if isinstance(old, str) and isinstance(new, str) and (len(new) > _LONG or "\n" in new):
        lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
        new = "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
    return _without_credentials(new)


def _without_credentials(value: Any) -> Any:
    if isinstance(value, str):
        return _CREDENTIALS.sub(MASKED, value)
    if isinstance(value, list):
        return [_without_credentials(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_credentials(item) for key, item in value.items()}
    return value
