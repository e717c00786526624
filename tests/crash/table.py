# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table as data: which run is disturbed, where, by what, and what has to come of it.

A new row is one line here; a new fault a line here and a function in ``faults.py``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

SAME_END = "same end"
"""The same command, given again if it had ended, comes to the end of a run that nobody disturbed."""
CLEAR_FAILURE = "clear failure, nothing left, source running"

AT_ONCE = "killed when the phase begins"
SOMEWHERE = "killed inside"

SLOW: Mapping[str, Any] = {"mtc_bandwidth": 512}
"""KiB per second, so that a copy of a few MiB takes seconds."""
LATE_COPY: Mapping[str, Any] = {**SLOW, "mtc_pre_copy": False}
"""All of the copy falls into the last pass."""


@dataclass(frozen=True)
class Row:
    """One row. ``run`` is the command that is disturbed, ``walk`` the itinerary in which ``phase`` is met."""

    run: str
    walk: str
    phase: str
    fault: str
    expected: str = SAME_END
    point: float = 0.0
    """For a kill inside a phase: after which part of the time that the phase takes."""
    options: Mapping[str, Any] = field(default_factory=dict)
    alone: bool = False
    """It disturbs a whole cluster, so nothing else may run on it."""

    @property
    def key(self) -> str:
        """Names the row in the file of results."""
        return f"{self.run}/{self.walk}/{self.phase or 'Created'}/{self.fault}"


STAGE_PODS = (
    "EnsureStagePodsFromRunning",
    "EnsureStagePodsFromTemplates",
    "EnsureStagePodsFromOrphanedPVCs",
    "StagePodsCreated",
)
PHASES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("final", "Final"): (
        "",
        "Started",
        "StartRefresh",
        "WaitForRefresh",
        "CleanStaleStagePods",
        "WaitForStaleStagePodsTerminated",
        "PreBackupHooks",
        "CreateDirectVolumeMigrationStage",
        "EnsureInitialBackup",
        "InitialBackupCreated",
        "QuiesceSourceApplications",
        "EnsureSrcQuiesced",
        "CreateDirectVolumeMigrationFinal",
        "WaitForDirectVolumeMigrationToComplete",
        "PostBackupHooks",
        "PreRestoreHooks",
        "EnsureFinalRestore",
        "FinalRestoreCreated",
        "PostRestoreHooks",
        "DeleteRegistries",
        "Verification",
        "Completed",
    ),
    ("final indirect", "Final"): (
        "",
        "Started",
        "StartRefresh",
        "WaitForRefresh",
        "CleanStaleStagePods",
        "WaitForStaleStagePodsTerminated",
        "PreBackupHooks",
        "EnsureInitialBackup",
        "InitialBackupCreated",
        "QuiesceSourceApplications",
        "EnsureSrcQuiesced",
        *STAGE_PODS,
        "EnsureStageBackup",
        "StageBackupCreated",
        "EnsureStageRestore",
        "StageRestoreCreated",
        "EnsureStagePodsDeleted",
        "EnsureStagePodsTerminated",
        "PostBackupHooks",
        "PreRestoreHooks",
        "EnsureFinalRestore",
        "FinalRestoreCreated",
        "PostRestoreHooks",
        "DeleteRegistries",
        "Verification",
        "Completed",
    ),
    ("stage", "Stage"): (
        "",
        "Started",
        "StartRefresh",
        "WaitForRefresh",
        "CleanStaleStagePods",
        "WaitForStaleStagePodsTerminated",
        "CreateDirectVolumeMigrationStage",
        "WaitForDirectVolumeMigrationToComplete",
        "DeleteRegistries",
        "Completed",
    ),
    ("stage indirect", "Stage"): (
        *STAGE_PODS,
        "EnsureStageBackup",
        "StageBackupCreated",
        "EnsureStageRestore",
        "StageRestoreCreated",
        "EnsureStagePodsDeleted",
        "EnsureStagePodsTerminated",
    ),
    ("cancel", "Cancel"): (
        "Canceling",
        "DeleteRestores",
        "DeleteRegistries",
        "DeleteHookJobs",
        "DeleteDirectVolumeMigrationResources",
        "UnQuiesceSrcApplications",
        "Canceled",
        "Completed",
    ),
    ("cancel indirect", "Cancel"): ("EnsureStagePodsDeleted",),
    ("rollback", "Rollback"): (
        "",
        "Rollback",
        "DeleteRegistries",
        "QuiesceDestinationApplications",
        "EnsureDestQuiesced",
        "DeleteMigrated",
        "EnsureMigratedDeleted",
        "UnQuiesceSrcApplications",
        "Completed",
    ),
    ("rollback with copy", "Rollback"): (
        "CreateDirectVolumeMigrationRollback",
        "WaitForDirectVolumeMigrationToRollbackComplete",
    ),
    ("rollback indirect", "Rollback"): ("EnsureStagePodsDeleted",),
    ("failing final", "Failed"): ("MigrationFailed", "DeleteRegistries", "Completed"),
}
"""Every phase that a run walks through, in order; of a run beside another one only what is its own. A unit test holds
this against the itineraries."""

LONG: Mapping[tuple[str, str], Mapping[str, Mapping[str, Any]]] = {
    ("final", "Final"): {
        "PreBackupHooks": {},
        "CreateDirectVolumeMigrationStage": SLOW,
        "EnsureSrcQuiesced": {},
        "WaitForDirectVolumeMigrationToComplete": LATE_COPY,
        "PreRestoreHooks": {},
        "EnsureFinalRestore": {},
        "DeleteRegistries": {},
        "Verification": {},
    },
    ("final indirect", "Final"): {
        "EnsureInitialBackup": SLOW,
        "StageBackupCreated": LATE_COPY,
        "StageRestoreCreated": SLOW,
    },
    ("stage", "Stage"): {"CreateDirectVolumeMigrationStage": SLOW},
    ("stage indirect", "Stage"): {"StageBackupCreated": SLOW, "StageRestoreCreated": SLOW},
    ("cancel", "Cancel"): {"UnQuiesceSrcApplications": {}},
    ("rollback", "Rollback"): {"EnsureDestQuiesced": {}, "EnsureMigratedDeleted": {}, "UnQuiesceSrcApplications": {}},
    ("failing final", "Failed"): {"MigrationFailed": {}},
}
"""Phases that take long enough to be met inside, and the options that make them so."""
THE_SAME: Mapping[str, Mapping[str, Any]] = dict.fromkeys(("final indirect", "stage", "stage indirect"), SLOW)
"""Options of the kills at once, by run, where they are to be in one chain with kills inside of phases."""
POINTS = 3
SEED = 8431


def _kills() -> Iterator[Row]:
    for (run, walk), phases in PHASES.items():
        expected = CLEAR_FAILURE if run == "failing final" else SAME_END
        for phase in phases:
            yield Row(run, walk, phase, AT_ONCE, expected, options=THE_SAME.get(run, {}))
    for (run, walk), long in LONG.items():
        expected = CLEAR_FAILURE if run == "failing final" else SAME_END
        for phase, options in long.items():
            chosen = random.Random(f"{SEED} {run} {phase}")
            for point in sorted(round(chosen.uniform(0.05, 0.95), 2) for _number in range(POINTS)):
                yield Row(run, walk, phase, f"{SOMEWHERE}, after {point:.0%} of it", expected, point, options)


def _others() -> Iterator[Row]:
    copying, last_pass = "CreateDirectVolumeMigrationStage", "WaitForDirectVolumeMigrationToComplete"
    for phase, options in ((copying, SLOW), (last_pass, LATE_COPY)):
        for pod in ("sending", "receiving"):
            yield Row("final", "Final", phase, f"{pod} pod deleted", options=options)
        yield Row("final", "Final", phase, "watch and connections cut", options=options)
        yield Row("final", "Final", phase, "destination volume filled", CLEAR_FAILURE, options=options)
        for cluster in ("source", "destination"):
            yield Row("final", "Final", phase, f"API server of the {cluster} restarted", options=options, alone=True)
    for phase in ("QuiesceSourceApplications", "EnsureFinalRestore"):
        yield Row("final", "Final", phase, "watch and connections cut")
    yield Row("final", "Final", "EnsureFinalRestore", "API server of the destination restarted", alone=True)
    yield Row("final", "Final", copying, "token expired", options=SLOW)
    yield Row("final", "Final", last_pass, "token expired", options=LATE_COPY)
    yield Row("final", "Final", "", "200 ms latency")
    yield Row("final", "Final", "", "answers 429 by priority and fairness")
    yield Row("final with storage", "Final", copying, "object storage lost for 60 s")
    through_the_store = (("StageBackupCreated", "sending", LATE_COPY), ("StageRestoreCreated", "receiving", SLOW))
    for phase, pod, options in through_the_store:
        yield Row("final indirect", "Final", phase, f"{pod} pod deleted", options=options)
        yield Row("final indirect", "Final", phase, "object storage lost for 60 s", options=options)


def rows() -> list[Row]:
    """All of them, in the order in which the document shows them."""
    return [*_kills(), *_others()]
