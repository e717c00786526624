# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a run of MTC's stands, told from what MTC really wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources.migration_course import (
    begun,
    first_error,
    standing,
)

TRACES = Path(__file__).parents[2] / "data" / "traces"


def recorded(name: str) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in (TRACES / name).read_text().splitlines()]
    return [event for event in events if event["kind"] == "MigMigration"]


def migration(*conditions: dict[str, str], spec: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    return {"spec": spec or {}, "status": {"conditions": [{"status": "True", **item} for item in conditions], **status}}


@pytest.mark.parametrize(
    ("trace", "state", "fact"),
    [
        ("stage-succeeded.jsonl", "ended", "succeeded"),
        ("final-succeeded.jsonl", "ended", "succeeded"),
        ("final-dvm-failed-but-succeeded-with-warnings.jsonl", "ended", "succeeded with warnings"),
        ("final-canceled.jsonl", "ended", "canceled"),
        ("rollback-succeeded.jsonl", "ended", "succeeded"),
        ("final-refused-then-cancel-ignored.jsonl", "refused", "HasFinalMigration"),
        ("final-blocked-on-pods.jsonl", "under way", "DirectVolumeMigrationBlocked"),
    ],
)
def test_the_recorded_ends(trace: str, state: str, fact: str) -> None:
    found = standing(recorded(trace)[-1])
    assert found.state == state
    assert fact in found.fact


def test_no_recorded_run_is_over_before_its_last_event() -> None:
    for trace in ("stage-succeeded.jsonl", "final-succeeded.jsonl", "final-canceled.jsonl"):
        states = [standing(event).state for event in recorded(trace)]
        assert set(states[:-1]) == {"under way"}, trace


def test_a_step_is_told_with_its_phase_and_number() -> None:
    facts = [standing(event).fact for event in recorded("final-succeeded.jsonl")]
    assert "EnsureSrcQuiesced (21/50)" in facts
    assert "Verification (49/50): Verifying health of migrated Pods." in facts


def test_a_run_that_began_and_is_blocked_only_pauses() -> None:
    blocked = migration(
        {"type": "PlanNotReady", "category": "Critical", "message": "The plan is not ready."},
        phase="InitialBackupCreated",
        startTimestamp="2026-11-21T15:44:43Z",
    )
    found = standing(blocked)
    assert (found.state, begun(blocked)) == ("under way", True)
    assert "PlanNotReady" in found.blocked


def test_a_condition_that_passes_is_no_refusal() -> None:
    for name in ("PlanNotReady", "Postponed", "RegistriesUnhealthy"):
        assert standing(migration({"type": name, "category": "Critical"})).state == "under way"


def test_a_failing_controller_is_told_as_such() -> None:
    found = standing(migration({"type": "ReconcileFailed", "category": "Critical", "message": "no such host"}))
    assert found.state == "failing"
    assert "no such host" in found.fact


def test_running_beside_failed_is_not_the_end() -> None:
    # A phase that raises an error leaves Running where it is and adds Failed; the end comes a pass later.
    both = migration({"type": "Running", "message": "Step: 18/50"}, {"type": "Failed"}, phase="EnsureInitialBackup")
    assert standing(both).state == "under way"
    assert standing({**both, "status": {**both["status"], "phase": "Completed"}}).fact == "failed"


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (migration({"type": "Failed", "message": "See: Errors."}, errors=["disk full"]), "disk full"),
        (migration({"type": "Failed", "category": "Critical", "message": "overlap"}), "overlap"),
        (migration({"type": "Failed", "message": "See: Errors."}), "See: Errors."),
        (migration(), "it does not say why"),
    ],
)
def test_why_a_run_failed(found: dict[str, Any], told: str) -> None:
    assert first_error(found) == told
