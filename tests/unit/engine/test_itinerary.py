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
from ansible_collections.openmig.mtc.plugins.module_utils.engine.itinerary import (
    COMPLETED,
    FAILED,
    FINAL,
    MIGRATION_FAILED,
    Flag,
)
from ansible_collections.openmig.mtc.plugins.module_utils.engine.phases import PHASES

TRACE = Path(__file__).parents[2] / "data" / "traces" / "final-succeeded.jsonl"
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


def recorded() -> list[dict[str, Any]]:
    """The recorded statuses, one per phase, in order."""
    seen: dict[str, dict[str, Any]] = {}
    for line in TRACE.read_text().splitlines():
        event = json.loads(line)
        if event["kind"] == "MigMigration" and event.get("status"):
            seen.setdefault(event["status"]["phase"], event["status"])
    return list(seen.values())


def test_the_walk_is_the_recorded_one() -> None:
    phases = [status["phase"] for status in recorded()]
    assert len(phases) > 20
    walked = [phases[0]]
    while walked[-1] != COMPLETED:
        walked.append(FINAL.following(walked[-1], WITH_VELERO))
    assert walked == phases


def test_the_step_counter_is_the_recorded_one() -> None:
    for status in recorded():
        running = [condition for condition in status["conditions"] if condition["type"] == "Running"]
        for condition in running:
            assert condition["message"] == f"Step: {FINAL.index(status['phase'])}/{FINAL.total}"


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
    plan = {
        "spec": {"persistentVolumes": [{"selection": {"action": "copy", "copyMethod": "filesystem"}}]},
        "status": {},
    }
    flags = flags_of(plan, quiesce=True, verify=True)
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


def test_every_phase_that_can_be_reached_has_a_function() -> None:
    entry = {"selection": {"action": "copy", "copyMethod": "filesystem"}}
    flags = flags_of({"spec": {"persistentVolumes": [entry]}}, quiesce=True, verify=True)
    # Image streams are not looked for by this engine, so what only they bring is not reached.
    for itinerary in (FINAL, FAILED):
        reached = [row.name for row in itinerary.phases if row.included(flags) and row.name != COMPLETED]
        assert [name for name in reached if name not in PHASES] == []


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
