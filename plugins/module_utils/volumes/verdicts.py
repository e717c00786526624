# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the outcome of a check to a verdict: is the destination volume what the source volume is?

Only three things together make it good: rsync's metadata dry run has nothing to do, no content differs among the
files that had to be read, and both sides count the same files and bytes.
"""

from __future__ import annotations

from . import facts
from .facts import Outcome
from .itemize import Complaints, Statistics, complaints, item_names, statistics
from .model import SettledProfile, Verdict, VolumeMove
from .passes import PARTIAL, failure
from .profiles import downgrades

JUDGED = (0, PARTIAL, 24, facts.DIFFERS)
"""Exit codes with which a check says something of the volume; others say that it could not be made."""
_ROOT = ("./",)


def verdict(move: VolumeMove, outcome: Outcome, profile: SettledProfile) -> Verdict:
    """Judge. Raises VolumeFailed when the check could not be made (a broken connection, an unmounted volume)."""
    if outcome.exit_code not in JUDGED:
        raise failure(move, outcome, final=True, profile=profile)
    said = complaints(outcome.errors)
    here = statistics(outcome.text("stats"))
    there = statistics(outcome.text("there"))
    content = tuple(outcome.lines("content"))
    unlike = item_names(outcome.lines("unlike"))
    lost = list(outcome.downgrades)
    unlike_count = outcome.number("unlike_count")
    if profile == "restricted" and unlike_count == 1 and unlike == _ROOT:
        lost.append("owner, mode and time of the volume's root directory")
        unlike, unlike_count = (), 0
    reasons = _reasons(outcome, said, here, there, unlike_count)
    checked, total = outcome.number("checked"), outcome.number("total")
    return Verdict(
        move=move,
        ok=not reasons,
        files=here.entries if here else 0,
        bytes=here.bytes_total if here else 0,
        proven_earlier=max(total - checked, 0),
        checked_now=checked,
        differing=tuple(dict.fromkeys((*content, *unlike))),
        unreadable=said.failed,
        downgrades=downgrades(profile, lost),
        seconds=outcome.seconds,
        reason="; ".join(reasons),
        mended=outcome.number("mended"),
        excluded=outcome.number("excluded"),
    )


def _reasons(
    outcome: Outcome, said: Complaints, here: Statistics | None, there: Statistics | None, unlike: int
) -> list[str]:
    reasons = []
    if content := outcome.number("content_count"):
        reasons.append(f"the content of {content} file(s) differs")
    if unlike:
        reasons.append(f"{unlike} entr{'y' if unlike == 1 else 'ies'} differ in attributes or exist on one side only")
    if outcome.exit_code in (PARTIAL, 24):
        reasons.append(f"{max(len(said.failed) + len(said.vanished), 1)} file(s) could not be compared")
    if here is None or there is None:
        reasons.append("a side could not be counted")
    elif (here.entries, here.bytes_total) != (there.entries, there.bytes_total):
        reasons.append(
            f"the source has {here.entries} entries of {here.bytes_total} bytes, "
            f"the destination {there.entries} of {there.bytes_total}"
        )
    return reasons
