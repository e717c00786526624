# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Progress in the shapes in which MTC shows it: the status of a DirectVolumeMigration and of a
DirectVolumeMigrationProgress, and the lines of a MigMigration's pipeline. Pure functions of ``Transfer.progress()``.

Unlike upstream the percentage is never a sum over attempts, and a failed volume keeps its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from .progress import duration

_LISTS: Final = {
    "succeeded": "successfulPods",
    "failed": "failedPods",
    "running": "runningPods",
    "pending": "pendingPods",
}
_PHASES: Final = {"succeeded": "Succeeded", "failed": "Failed", "running": "Running", "pending": "Pending"}
_WORDS: Final = {"succeeded": "Completed", "failed": "Failed", "running": "Running", "pending": "Pending"}


def dvm_status(progress: Iterable[Mapping[str, Any]], *, failed: bool = False) -> dict[str, Any]:
    """The lists of a DirectVolumeMigration's status. All four are always there, so that a merge empties old ones.

    ``failed``: the run has failed; volumes that have not succeeded by then never will.
    """
    lists: dict[str, list[dict[str, Any]]] = {name: [] for name in _LISTS.values()}
    operations: list[dict[str, Any]] = []
    for item in sorted(progress, key=lambda each: (each["namespace"], each["claim"])):
        state = "failed" if failed and item["state"] != "succeeded" else item["state"]
        reference = {"namespace": item["namespace"], "name": item["claim"]}
        lists[_LISTS[state]].append(
            {
                "namespace": item["namespace"],
                "name": item["pod"],
                "pvcRef": reference,
                "lastObservedProgressPercent": f"{item['percent']}%",
                "lastObservedTransferRate": item["rate_text"],
                "totalElapsedTime": duration(item["seconds"]),
            }
        )
        operations.append(
            {
                "pvcReference": reference,
                "currentAttempt": item["attempt"],
                "succeeded": state == "succeeded",
                "failed": state == "failed",
            }
        )
    return {**lists, "rsyncOperations": operations}


def dvmp_status(item: Mapping[str, Any]) -> dict[str, Any]:
    """The status of a DirectVolumeMigrationProgress for one entry."""
    status: dict[str, Any] = {
        "podName": item["pod"],
        "phase": _PHASES[item["state"]],
        "lastObservedProgressPercent": f"{item['percent']}%",
        "lastObservedTransferRate": item["rate_text"],
        "containerElapsedTime": duration(item["seconds"]),
        "rsyncElapsedTime": duration(item["seconds"]),
        "totalProgressPercentage": f"{item['percent']}%",
        "logMessage": item["failure"] or item["waiting"],
    }
    if item["state"] in ("succeeded", "failed"):
        status["exitCode"] = 0 if item["state"] == "succeeded" else 1
    return status


def progress_line(item: Mapping[str, Any]) -> str:
    """One volume as a line of the pipeline."""
    attempt = f" - Attempt {item['attempt']}" if item["attempt"] > 1 else ""
    percent = f" {item['percent']}% completed" if item["state"] in ("running", "succeeded") else ""
    rate = f" (Transfer rate {item['rate_text']})" if item["rate_text"] else ""
    spent = f" ({duration(item['seconds'])})" if item["seconds"] else ""
    why = item["failure"] or (item["waiting"] if item["state"] == "pending" else "")
    told = f": {why}" if why else ""
    return f"[{item['claim']}] {item['pod']}: {_WORDS[item['state']]}{attempt}{percent}{rate}{spent}{told}"


def summary_line(progress: Sequence[Mapping[str, Any]]) -> str:
    """How many volumes are in which state."""
    counts = {state: sum(item["state"] == state for item in progress) for state in _LISTS}
    return (
        f"{len(progress)} total volumes; {counts['succeeded']} successful; "
        f"{counts['running'] + counts['pending']} running; {counts['failed']} failed"
    )
