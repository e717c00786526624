# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The itinerary and its pipeline against what MTC's controller wrote in the same case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine import pipeline
from ansible_collections.openmig.mtc.plugins.module_utils.engine.flags import flags_of
from ansible_collections.openmig.mtc.plugins.module_utils.engine.itineraries import (
    CANCEL,
    ITINERARIES,
    ROLLBACK,
    STAGE,
    begins_with,
)
from ansible_collections.openmig.mtc.plugins.module_utils.engine.itinerary import (
    COMPLETED,
    FAILED,
    FINAL,
    MIGRATION_FAILED,
    Flag,
    Itinerary,
)
from ansible_collections.openmig.mtc.plugins.module_utils.engine.phases import OF_ITINERARY, function_of

TRACES = Path(__file__).parents[2] / "data" / "traces"
WITH_VOLUME: dict[str, Any] = {
    "spec": {"persistentVolumes": [{"selection": {"action": "copy", "copyMethod": "filesystem"}}]},
    "status": {},
}
WITH_VELERO = frozenset(
    {
        Flag.VELERO,
        Flag.QUIESCE,
        Flag.VERIFY,
        Flag.VOLUMES,
        Flag.VOLUMES_ENABLED,
        Flag.DIRECT_VOLUME,
        Flag.INDIRECT_IMAGE,
    }
)
"""What held in the recorded run: direct volumes, indirect images of which there were none."""


IN_ROLLBACK = WITH_VELERO - {Flag.QUIESCE, Flag.VERIFY}
WALKS = [
    ("final-succeeded", FINAL, WITH_VELERO),
    ("stage-succeeded", STAGE, WITH_VELERO - {Flag.QUIESCE}),
    ("rollback-succeeded", ROLLBACK, IN_ROLLBACK),
    ("final-canceled", CANCEL, WITH_VELERO),
]


def recorded(trace: str = "final-succeeded") -> list[dict[str, Any]]:
    """The recorded statuses, one per phase, in order."""
    seen: dict[str, dict[str, Any]] = {}
    for line in (TRACES / f"{trace}.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event["kind"] == "MigMigration" and event.get("status"):
            seen.setdefault(event["status"]["phase"], event["status"])
    return list(seen.values())


def walk_of(itinerary: Itinerary, first: str, flags: frozenset[Flag]) -> list[str]:
    walked = [first]
    while walked[-1] != COMPLETED:
        walked.append(itinerary.following(walked[-1], flags))
    return walked


@pytest.mark.parametrize(("trace", "itinerary", "flags"), WALKS, ids=[walk[0] for walk in WALKS])
def test_the_walk_is_the_recorded_one(trace: str, itinerary: Itinerary, flags: frozenset[Flag]) -> None:
    phases = [status["phase"] for status in recorded(trace) if status["itinerary"] == itinerary.name]
    assert len(phases) > 5
    assert walk_of(itinerary, phases[0], flags) == phases


@pytest.mark.parametrize("trace", [walk[0] for walk in WALKS])
def test_the_step_counter_is_the_recorded_one(trace: str) -> None:
    for status in recorded(trace):
        itinerary = ITINERARIES[status["itinerary"]]
        running = [condition for condition in status["conditions"] if condition["type"] == "Running"]
        for condition in running:
            assert condition["message"] == f"Step: {itinerary.index(status['phase'])}/{itinerary.total}"


def test_the_totals_are_upstreams() -> None:
    totals = {name: itinerary.total for name, itinerary in ITINERARIES.items()}
    assert totals == {"Stage": 38, "Final": 50, "Cancel": 12, "Failed": 4, "Rollback": 15}


@pytest.mark.parametrize(
    ("itinerary", "walked"),
    [
        (
            STAGE,
            (
                "Started StartRefresh WaitForRefresh CleanStaleStagePods WaitForStaleStagePodsTerminated "
                "CreateDirectVolumeMigrationStage WaitForDirectVolumeMigrationToComplete DeleteRegistries Completed"
            ),
        ),
        (
            CANCEL,
            (
                "Canceling DeleteRestores DeleteRegistries DeleteDirectVolumeMigrationResources "
                "UnQuiesceSrcApplications Canceled Completed"
            ),
        ),
        (
            ROLLBACK,
            (
                "Rollback DeleteRegistries QuiesceDestinationApplications EnsureDestQuiesced DeleteMigrated "
                "EnsureMigratedDeleted UnQuiesceSrcApplications Completed"
            ),
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_is_walked_without_velero(itinerary: Itinerary, walked: str) -> None:
    flags = flags_of(WITH_VOLUME, quiesce=False, verify=False)
    assert walk_of(itinerary, walked.split(maxsplit=1)[0], flags) == walked.split()


def test_with_which_itinerary_a_run_begins() -> None:
    for spec, itinerary in (
        ({"stage": True}, STAGE),
        ({"stage": False, "migrateState": True}, STAGE),
        ({"stage": False}, FINAL),
        ({"stage": False, "rollback": True}, ROLLBACK),
    ):
        assert begins_with({"spec": spec}) is itinerary


def test_the_pipeline_is_the_recorded_one() -> None:
    def told(entries: list[dict[str, Any]]) -> list[tuple[str, bool, bool, bool]]:
        return [
            (entry["name"], bool(entry.get("started")), bool(entry.get("completed")), bool(entry.get("skipped")))
            for entry in entries
        ]

    entries = pipeline.append_missing([], FINAL, WITH_VELERO)
    compared = 0
    for status in recorded():
        entries = pipeline.enter(entries, FINAL, status["phase"], now="2026-11-21T16:05:43Z")
        assert [name for name, *_rest in told(entries)] == [entry["name"] for entry in status["pipeline"]]
        # Upstream completes a step that it comes back to only after the phase, so only the ends of both can be compared
        # where a step is entered a second time.
        if status["phase"] == COMPLETED:
            assert told(entries) == told(status["pipeline"])
            assert [entry["message"] for entry in entries] == [entry["message"] for entry in status["pipeline"]]
            compared += 1
    assert compared == 1


def test_without_velero_the_phases_that_serve_it_are_passed_over() -> None:
    flags = flags_of(WITH_VOLUME, quiesce=True, verify=True)
    walked = ["Started"]
    while walked[-1] != COMPLETED:
        walked.append(FINAL.following(walked[-1], flags))
    assert walked == [
        "Started",
        "StartRefresh",
        "WaitForRefresh",
        "CleanStaleStagePods",
        "WaitForStaleStagePodsTerminated",
        "CreateDirectVolumeMigrationStage",
        "EnsureInitialBackup",
        "InitialBackupCreated",
        "QuiesceSourceApplications",
        "EnsureSrcQuiesced",
        "CreateDirectVolumeMigrationFinal",
        "WaitForDirectVolumeMigrationToComplete",
        "EnsureFinalRestore",
        "FinalRestoreCreated",
        "DeleteRegistries",
        "Verification",
        COMPLETED,
    ]


@pytest.mark.parametrize(
    ("plan", "quiesce", "missing"),
    [
        ({"spec": {"persistentVolumes": []}}, True, "CreateDirectVolumeMigrationStage"),
        (
            {"spec": {"persistentVolumes": [{"selection": {"action": "skip"}}]}},
            True,
            "CreateDirectVolumeMigrationFinal",
        ),
        ({"spec": {"indirectVolumeMigration": True}}, True, "WaitForDirectVolumeMigrationToComplete"),
        ({"spec": {}}, False, "QuiesceSourceApplications"),
    ],
)
def test_a_phase_without_its_flags_is_passed_over(plan: dict[str, Any], quiesce: bool, missing: str) -> None:
    flags = flags_of(plan, quiesce=quiesce, verify=True)
    row = FINAL.row(missing)
    assert row is not None
    assert not row.included(flags)


def test_volumes_that_go_through_a_repository_walk_the_phases_of_stage_pods_instead_of_a_direct_copys() -> None:
    through = {**WITH_VOLUME, "spec": {**WITH_VOLUME["spec"], "indirectVolumeMigration": True}}
    direct = flags_of(WITH_VOLUME, quiesce=True, verify=True)
    indirect = flags_of(through, quiesce=True, verify=True)
    backup = ["EnsureStageBackup", "StageBackupCreated", "EnsureStageRestore", "StageRestoreCreated"]
    pods = [f"EnsureStagePodsFrom{what}" for what in ("Running", "Templates", "OrphanedPVCs")] + ["StagePodsCreated"]
    removal = ["EnsureStagePodsDeleted", "EnsureStagePodsTerminated"]
    for itinerary in (STAGE, FINAL):
        walked = {name: [row.name for row in itinerary.phases if row.included(name)] for name in (direct, indirect)}
        assert [phase for phase in walked[indirect] if phase not in walked[direct]] == [*pods, *backup, *removal]
        missing = [phase for phase in walked[direct] if phase not in walked[indirect]]
        assert missing
        assert all("DirectVolumeMigration" in phase for phase in missing)


@pytest.mark.parametrize("indirect", [False, True])
def test_every_phase_that_can_be_reached_has_a_function(indirect: bool) -> None:
    plan = {**WITH_VOLUME, "spec": {**WITH_VOLUME["spec"], "indirectVolumeMigration": indirect}}
    flags = flags_of(plan, quiesce=True, verify=True)
    # Image streams are not looked for by this engine, so what only they bring is not reached.
    for itinerary in ITINERARIES.values():
        for row in itinerary.phases:
            if row.included(flags) and row.name != COMPLETED:
                assert callable(function_of(itinerary, row.name))


def test_work_of_one_itinerary_only_is_for_phases_that_it_has() -> None:
    for name, phase in OF_ITINERARY:
        assert ITINERARIES[name].row(phase) is not None


def test_a_phase_that_is_in_no_list_counts_as_nought_and_leads_to_the_end() -> None:
    assert FINAL.index("StageBackupFailed") == 0
    assert FINAL.following("StageBackupFailed", WITH_VELERO) == COMPLETED


def test_a_failed_step_stays_failed_and_later_ones_are_skipped() -> None:
    flags = flags_of({"spec": {"persistentVolumes": []}}, quiesce=True, verify=True)
    now = "2026-01-01T00:00:00Z"
    entries = pipeline.enter(pipeline.append_missing([], FINAL, flags), FINAL, "EnsureInitialBackup", now=now)
    entries = pipeline.fail(entries, FINAL, "EnsureInitialBackup", now=now)
    entries = pipeline.append_missing(entries, FAILED, flags)
    entries = pipeline.enter(entries, FAILED, MIGRATION_FAILED, now=now)
    entries = pipeline.enter(entries, FAILED, COMPLETED, now=now)
    by_name = {entry["name"]: entry for entry in entries}
    assert by_name["Backup"]["message"] == pipeline.FAILED
    assert by_name["CleanupHelpers"]["message"] == pipeline.DONE
    assert by_name["Restore"]["message"] in (pipeline.NOT_STARTED, pipeline.SKIPPED)
    assert not by_name["Restore"].get("started")


@pytest.mark.parametrize("itinerary", [STAGE, ROLLBACK])
def test_claims_are_swapped_by_runs_that_may_where_the_plan_converts_in_place(itinerary: Itinerary) -> None:
    kind = {"type": "MigrationTypeIdentified", "status": "True", "reason": "StorageConversionPlan"}
    plan = {**WITH_VOLUME, "status": {"conditions": [kind]}}
    for converting, swaps, expected in ((plan, True, True), (plan, False, False), (WITH_VOLUME, True, False)):
        row = itinerary.row("SwapPVCReferences")
        assert row is not None
        assert row.included(flags_of(converting, quiesce=True, verify=True, swaps=swaps)) is expected
