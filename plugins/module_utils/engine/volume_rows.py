# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What became of each volume of a DirectVolumeMigration, as plain rows: recorded, returned, told and judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..resources.errors import VolumeFailed, subject_of
from ..volumes.model import PassResult, Verdict, VolumeMove

Row = dict[str, Any]
SHOWN_FILES = 10


def _copied(move: VolumeMove, result: PassResult | None, writers: Sequence[str]) -> Row:
    return {
        "source": f"{move.source_namespace}/{move.source_claim}",
        "target": f"{move.target_namespace}/{move.target_claim}",
        "storage_class": move.storage_class,
        "size": move.size,
        "files": result.files_total if result else 0,
        "bytes": result.bytes_total if result else 0,
        "files_copied": result.files_transferred if result else 0,
        "bytes_copied": result.bytes_transferred if result else 0,
        "files_deleted": result.files_deleted if result else 0,
        "seconds": result.seconds if result else 0.0,
        "excluded": 0,
        "downgrades": list(result.downgrades) if result else [],
        "writers": list(writers),
        "differing": [],
        "unreadable": [],
    }


def row(verdict: Verdict, result: PassResult | None, writers: Sequence[str]) -> Row:
    """A volume that was compared."""
    return {
        **_copied(verdict.move, result, writers),
        "proven": verdict.ok,
        "reason": verdict.reason,
        "files": verdict.files,
        "bytes": verdict.bytes,
        "excluded": verdict.excluded,
        "downgrades": list(verdict.downgrades),
        "differing": list(verdict.differing),
        "unreadable": list(verdict.unreadable),
    }


def staged_row(move: VolumeMove, result: PassResult | None, writers: Sequence[str], verdict: Verdict | None) -> Row:
    """A volume that was staged while somebody could write to it: what a comparison says of it does not last."""
    made = row(verdict, result, writers) if verdict else _copied(move, result, writers)
    found = f"; when compared: {verdict.reason or 'equal'}" if verdict else ""
    reason = f"not proven while written: {', '.join(writers)} had it mounted{found}"
    return {**made, "proven": False, "reason": reason}


def is_good(found: Mapping[str, Any], *, stage: bool) -> bool:
    """Equal; or staged under a writer, which is all that can be had then."""
    return bool(found["proven"] or (stage and found["writers"]))


def describe(found: Mapping[str, Any]) -> str:
    """One row as a line."""
    lost = f"; not preserved: {', '.join(found['downgrades'])}" if found["downgrades"] else ""
    state = "equal" if found["proven"] else found["reason"] or "DIFFERS"
    lost = f"; {found['excluded']} files excluded{lost}" if found["excluded"] else lost
    copied = f"{found['files_copied']} files and {found['bytes_copied']} bytes copied"
    return f"{state}; {found['files']} files, {found['bytes']} bytes, of these {copied}{lost}"


def failure(bad: Sequence[Mapping[str, Any]]) -> VolumeFailed:
    """The error for volumes that are not equal to their source."""
    files = [f"{found['source']}:{name}" for found in bad for name in (*found["unreadable"], *found["differing"])]
    namespace, _slash, name = str(bad[0]["source"]).partition("/")
    shown = ", ".join(files[:SHOWN_FILES])
    more = f" and {len(files) - SHOWN_FILES} more" if len(files) > SHOWN_FILES else ""
    why = "; ".join(dict.fromkeys(str(found["reason"]) for found in bad if found["reason"]))
    return VolumeFailed(
        subject=subject_of("PersistentVolumeClaim", name, namespace),
        attempt=f"the copy is not equal to the source ({len(bad)} volume(s))",
        reason=": ".join(part for part in (why, shown + more) if part),
        mend="Look why these files differ (does anything write to them?), then run the task again",
        files=files,
    )
