# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a migration would do with each object, for check mode: the action, the changes as a patch, and the notes.

Deterministic and free of secrets: a Secret's values do not appear in any form, nor do passwords in URLs that stand in
other kinds' text. What every object loses (status, uid ...) is not repeated for each.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ..cluster.api import Cluster
from .context import TransformContext
from .existing import Finding, State, preview
from .inventory import reference
from .manifest import LAST_APPLIED, Manifest, group_kind
from .order import rank
from .transforms import transform
from .transforms_metadata import server_owned

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
Path = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One object. ``reference`` says where it will be; ``patch`` holds operations in the manner of RFC 6902."""

    reference: str
    source: str
    action: str
    patch: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]
    differences: tuple[str, ...]
    """In which fields what exists differs from what would be sent."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "object": self.reference,
            "source": self.source,
            "action": self.action,
            "patch": list(self.patch),
            "notes": list(self.notes),
            "differences": list(self.differences),
        }


def predict(
    objects: Iterable[Manifest], context: TransformContext, destination: Cluster | None, *, concurrency: int = 16
) -> list[Prediction]:
    """One prediction for each object of the source that the plan moves, in the order of creation, then by name.

    Reads the destination and writes nothing. Without a destination everything is predicted as created.
    """
    pairs: list[tuple[Manifest, Manifest, tuple[str, ...]]] = []
    for obj in objects:
        result = transform(obj, context)
        if result.object is not None:
            pairs.append((obj, result.object, tuple(str(note) for note in result.notes)))
    pairs.sort(key=lambda pair: (rank(pair[1]), reference(pair[1])))
    sent = [pair[1] for pair in pairs]
    found = (
        preview(destination, sent, concurrency=concurrency)
        if destination is not None
        else [Finding(reference(obj), State.ABSENT) for obj in sent]
    )
    return [
        Prediction(
            reference=finding.reference,
            source=reference(before),
            action=ACTIONS[finding.state],
            patch=tuple(patch(before, after, context)),
            notes=notes,
            differences=finding.differences,
        )
        for (before, after, notes), finding in zip(pairs, found, strict=True)
    ]


def patch(before: Manifest, after: Manifest, context: TransformContext) -> Iterator[dict[str, Any]]:
    """From the source's object, less what servers own, to what is sent; values are shortened and masked for reading."""
    secret = group_kind(before) == ("", "Secret")
    stripped, _notes = server_owned(before, context)
    for operation, path, old, new in _changes(stripped, after, ()):
        told: dict[str, Any] = {"op": operation, "path": _pointer(path)}
        if operation != "remove":
            told["value"] = _readable(path, old, new, secret=secret)
        yield told


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


def _readable(path: Path, old: Any, new: Any, *, secret: bool) -> Any:
    if LAST_APPLIED in path:
        return "(with the new namespace)"
    if secret and path[0] != "metadata":
        return MASKED
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
