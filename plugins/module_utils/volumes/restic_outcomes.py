# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the end of a job of restic's means: figures, a snapshot, a verdict, or a failure with volume, cause and mend."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ..resources import quantity
from ..resources.errors import PermanentError, VolumeFailed
from . import facts
from .facts import Outcome
from .model import PassResult, SettledProfile, Verdict, VolumeMove
from .passes import listed
from .repository import Repository, Snapshot
from .script_leave_out import MOST_PATTERNS

PARTIAL: Final = 3
"""restic's: something of the source could not be read."""
DEVICE: Final = 95
TOO_MANY: Final = 97
NOT_FOUND: Final = 2
"""The kernel's number for what is not there."""
FULL: Final = "no space left on device"

LOST: Final[dict[SettledProfile, tuple[str, ...]]] = {
    "root": ("holes in files are filled with zeros",),
    "restricted": (
        "holes in files are filled with zeros",
        "owners and groups are those of the transfer's user",
        "owner, mode and time of the volume's root directory",
    ),
}
"""What is lost always, by the profile of the destination's pod."""


def summary(outcome: Outcome, name: str = "summary") -> Mapping[str, Any]:
    """restic's own figures of a backup; empty when it did not come to them."""
    try:
        found = json.loads(outcome.text(name))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def require_open(outcome: Outcome, repository: Repository) -> None:
    """Raises PermanentError when the repository could not be opened."""
    if outcome.exit_code == 0:
        return
    mend = "Let the pods of both clusters reach the store, look at its rights, then run the task again"
    if outcome.why == "password":
        mend = (
            "The Secret beside the plan does not hold this repository's password: bring the former one back, or remove "
            "the repository from the store"
        )
    raise PermanentError(
        subject=f"Repository {repository.address}",
        attempt="it cannot be opened",
        reason=_last(repository.told(outcome.errors)) or outcome.why,
        mend=mend,
    )


def backed_up(move: VolumeMove, outcome: Outcome, repository: Repository, *, final: bool) -> PassResult:
    """The figures of a good backup. Raises VolumeFailed for any other. While an application runs, files may go."""
    found = summary(outcome)
    errors = _errors(outcome.errors)
    only_gone = bool(errors) and len(errors) >= outcome.error_lines and all(code == NOT_FOUND for _n, code in errors)
    vanished = outcome.exit_code == PARTIAL and not final and only_gone and bool(found.get("snapshot_id"))
    if outcome.exit_code != 0 and not vanished:
        raise _backup_failure(move, outcome, repository)
    return PassResult(
        files_total=int(found.get("total_files_processed", 0)),
        files_transferred=int(found.get("files_new", 0)) + int(found.get("files_changed", 0)),
        bytes_total=int(found.get("total_bytes_processed", 0)),
        bytes_transferred=int(found.get("data_added", 0)),
        files_deleted=0,
        seconds=outcome.seconds,
        exit_code=outcome.exit_code,
        vanished=vanished,
        bytes_sent=int(found.get("data_added", 0)),
    )


def snapshot(outcome: Outcome) -> Snapshot:
    """Of a good backup."""
    found = summary(outcome)
    return Snapshot(
        volume=str(found.get("snapshot_id", "")),
        manifest=str(summary(outcome, "manifest").get("snapshot_id", "")),
        entries=outcome.number("entries"),
        files=outcome.number("files"),
        excluded=outcome.number("excluded"),
        bytes=int(found.get("total_bytes_processed", 0)),
    )


def verdict(
    move: VolumeMove, outcome: Outcome, made: Snapshot, repository: Repository, profile: SettledProfile
) -> Verdict:
    """Whether what was restored is what the source held. Raises VolumeFailed when that could not be found out."""
    if outcome.exit_code not in (0, facts.DIFFERS):
        raise _restore_failure(move, outcome, repository)
    content, unlike = outcome.number("content_count"), outcome.number("unlike_count")
    reasons = []
    if content:
        reasons.append(f"the content of {content} file(s) differs")
    if unlike:
        reasons.append(f"{unlike} entr{'y' if unlike == 1 else 'ies'} differ in attributes or exist on one side only")
    return Verdict(
        move=move,
        ok=not reasons and bool(made.manifest),
        files=made.entries,
        bytes=made.bytes,
        proven_earlier=0,
        checked_now=made.files,
        differing=tuple(dict.fromkeys((*outcome.lines("content"), *outcome.lines("unlike")))),
        downgrades=LOST[profile],
        seconds=outcome.seconds,
        reason="; ".join(reasons),
        excluded=made.excluded,
    )


def _errors(text: str) -> list[tuple[str, int]]:
    """(path, error number) of restic's JSON messages; a line that was cut off counts for nothing."""
    found = []
    for line in text.splitlines():
        try:
            message = json.loads(line)
            error = message["error"]
            found.append((str(message.get("item") or error.get("Path") or ""), int(error.get("Err", 0))))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def _last(text: str) -> str:
    """The line in which restic says why it gave up; where there is none, the last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if line.startswith("Fatal: ")), lines[-1] if lines else "")


def _backup_failure(move: VolumeMove, outcome: Outcome, repository: Repository) -> VolumeFailed:
    files = [name.removeprefix("/volume/") for name, _code in _errors(outcome.errors)]
    attempt, reason = "it was not backed up", _last(repository.told(outcome.errors)) or outcome.why
    mend = "Look at the store and at the pod's log, then run the task again"
    if outcome.exit_code == facts.NOT_MOUNTED:
        reason, mend = "the volume is not mounted in the stage pod", "Look at the pod's events on its node"
    elif outcome.exit_code == DEVICE:
        reason = f"it holds a device node: {reason.removeprefix('/volume/')}"
        mend = "Remove it, or copy this volume directly: device nodes are not carried"
    elif outcome.exit_code == TOO_MANY:
        reason = f"excludes match {outcome.why} separate entries, and restic can be told of {MOST_PATTERNS}"
        mend = "Exclude whole folders, or copy this volume directly"
    elif outcome.exit_code in (PARTIAL, facts.UNREADABLE):
        reason = f"{len(files) or outcome.error_lines} file(s) could not be read: {listed(files) or reason}"
        mend = "Mend these files, or allow the root profile (Pod Security baseline on the namespace), and run it again"
    return VolumeFailed(subject=move.subject, attempt=attempt, reason=reason, mend=mend, files=files)


def _restore_failure(move: VolumeMove, outcome: Outcome, repository: Repository) -> VolumeFailed:
    claim = f"{move.target_namespace}/{move.target_claim}"
    reason = _last(repository.told(outcome.errors)) or outcome.why
    mend = "Look at the store and at the pod's log, then run the task again"
    if FULL in outcome.errors:
        reason = f"the destination volume of {quantity.to_text(move.size)} is full"
        mend = f"Give {move.target_claim} a larger size, delete the claim on the destination and run the task again"
    elif outcome.exit_code == facts.NOT_MOUNTED:
        reason, mend = "the volume is not mounted in the pod", "Look at the pod's events on its node"
    return VolumeFailed(subject=move.subject, attempt=f"it was not restored into {claim}", reason=reason, mend=mend)
