# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the outcome of a copying pass means: a result, or a failure that names the volume, the files and the mend.

A pass is good when everything was copied. Files that vanished are normal while the application runs and a fault after
it has been stopped; errors of single files are never passed over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..resources import quantity
from ..resources.errors import VolumeFailed
from . import facts
from .facts import Outcome
from .itemize import Complaints, Statistics, complaints, statistics
from .model import PassResult, SettledProfile, VolumeMove
from .profiles import downgrades

VANISHED: Final = 24
PARTIAL: Final = 23
FILE_IO: Final = 11
LOGIN: Final = 5
TRANSPORT: Final = (10, 12, 30, 35)
SHOWN: Final = 10
_MIB: Final = 1024**2
_GIB: Final = 1024**3


def result(move: VolumeMove, outcome: Outcome, *, final: bool, profile: SettledProfile) -> PassResult:
    """The figures of a good pass. Raises VolumeFailed for any other."""
    said = complaints(outcome.errors)
    lost = list(outcome.downgrades)
    excused = outcome.exit_code == 0 or (outcome.exit_code == VANISHED and not final)
    if not excused and outcome.exit_code == PARTIAL and profile == "restricted" and _root_only(said):
        # The volume's root directory belongs to whoever provisioned it; a user that is not root cannot change it.
        excused = True
        lost.append("owner, mode and time of the volume's root directory")
    if not excused:
        raise failure(move, outcome, final=final, profile=profile)
    figures = statistics(outcome.text("stats")) or Statistics()
    return PassResult(
        files_total=figures.files_total,
        files_transferred=figures.files_transferred,
        bytes_total=figures.bytes_total,
        bytes_transferred=figures.bytes_transferred,
        files_deleted=figures.files_deleted,
        seconds=outcome.seconds,
        exit_code=outcome.exit_code,
        vanished=outcome.exit_code == VANISHED,
        attempts=outcome.attempts,
        downgrades=downgrades(profile, lost),
        bytes_sent=figures.bytes_sent,
    )


def _root_only(said: Complaints) -> bool:
    return bool(said.failed) and set(said.failed) <= {".", "/.", "/"}


def failure(move: VolumeMove, outcome: Outcome, *, final: bool, profile: SettledProfile) -> VolumeFailed:
    """The error for a pass that is not good."""
    said = complaints(outcome.errors)
    told = _explain(move, outcome, said, final=final, profile=profile)
    return VolumeFailed(
        subject=move.subject, attempt=told.attempt, reason=told.reason, mend=told.mend, files=told.files
    )


@dataclass(frozen=True, kw_only=True)
class _Explanation:
    attempt: str
    reason: str
    mend: str
    files: Sequence[str] = ()


def _explain(
    move: VolumeMove, outcome: Outcome, said: Complaints, *, final: bool, profile: SettledProfile
) -> _Explanation:
    what = "the last pass failed" if final else "copying failed"
    code = outcome.exit_code
    if code in (facts.NOT_MOUNTED, facts.UNREADABLE, facts.EMPTY_SOURCE, facts.LINKS):
        return _not_begun(move, outcome)
    if said.disk_full:
        size = quantity.to_text(proposed_size(move, outcome))
        return _Explanation(
            attempt=what,
            reason=f"the destination volume of {quantity.to_text(move.size)} is full",
            mend=(
                f"Give {move.target_claim} at least {size}, delete the claim on the destination and run the task again"
            ),
            files=said.failed,
        )
    if code == VANISHED:
        return _Explanation(
            attempt=what,
            reason=f"files vanished although the application is stopped: {listed(said.vanished)}",
            mend="Something still writes to the volume. Stop it and run the task again",
            files=said.vanished,
        )
    if code == PARTIAL:
        mend = "Mend these files (or exclude them) and run the task again"
        if profile == "restricted":
            mend += "; the root profile needs Pod Security baseline on both namespaces"
        reason = f"{_counted(outcome, said)}: {listed(said.failed or said.lines)}"
        return _Explanation(attempt=what, reason=reason, mend=mend, files=said.failed)
    if code in TRANSPORT or code == LOGIN:
        cause = said.cause or f"rsync exit {code}"
        return _Explanation(
            attempt=what,
            reason=f"the connection to the destination broke {outcome.attempts} time(s), last: {cause}",
            mend="Look at the network between the clusters and at the server pod, then run the task again",
        )
    if code == facts.STOPPED:
        return _Explanation(attempt=what, reason="it was stopped by a newer run", mend="Wait for the newer run")
    return _Explanation(
        attempt=what,
        reason=f"rsync exit {code}: {said.cause or outcome.why}",
        mend="Look at the log of the transfer pod, mend the cause and run the task again",
        files=said.failed,
    )


def _not_begun(move: VolumeMove, outcome: Outcome) -> _Explanation:
    attempt = "nothing was copied" if outcome.kind == "copy" else "it cannot be compared"
    files = tuple(name for name in outcome.text("unreadable").split("\0") if name)
    count = outcome.number("unreadable_count")
    if outcome.exit_code == facts.LINKS:
        return _Explanation(
            attempt=attempt,
            reason=f"{count} symbolic link(s) cannot be kept as they are without root: {listed(files)}",
            mend="Allow the root profile (Pod Security baseline on both namespaces), or make these links relative, "
            "without detours and within the volume",
            files=files,
        )
    if outcome.exit_code == facts.UNREADABLE:
        return _Explanation(
            attempt=attempt,
            reason=f"the transfer's user cannot read {count} file(s): {listed(files)}",
            mend="Allow the root profile (Pod Security baseline on the namespace), or name the application's user",
            files=files,
        )
    if outcome.exit_code == facts.EMPTY_SOURCE:
        claim = f"{move.target_namespace}/{move.target_claim}"
        return _Explanation(
            attempt=attempt,
            reason="the source volume is empty and the destination volume is not",
            mend=(
                f"Look whether the source is really mounted. If it was emptied on purpose, delete the claim {claim} on "
                "the destination and run the task again"
            ),
        )
    return _Explanation(
        attempt=attempt,
        reason="the source volume is not mounted in the transfer pod",
        mend="Look at the pod's events on its node",
    )


def _counted(outcome: Outcome, said: Complaints) -> str:
    return f"{max(len(said.failed), 1) if outcome.error_lines < 40 else outcome.error_lines} file(s) failed"


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def proposed_size(move: VolumeMove, outcome: Outcome) -> int:
    """A size that holds what the source holds with a tenth to spare, and more than the present one.

    In whole GiB, or in MiB below one GiB.
    """
    held = statistics(outcome.text("size"))
    needed = max((held.bytes_total if held else 0) * 11 // 10, move.size * 5 // 4)
    unit = _GIB if needed >= _GIB else _MIB
    return math.ceil(needed / unit) * unit
