# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When a condition that a call waits for holds, and which cannot be waited for."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names, wait_condition
from ansible_collections.openmig.mtc.plugins.module_utils.resources.wait_condition import Wanted


def resource(*conditions: tuple[str, str, str]) -> dict[str, Any]:
    listed = [{"type": type_, "status": status, "reason": reason} for type_, status, reason in conditions]
    return {"status": {"conditions": listed}}


READY = resource(("Ready", "True", ""))
RUNNING = resource(("Running", "True", "EnsureFinalRestore"))
LOOKED_AT = resource(("Other", "True", ""))


@pytest.mark.parametrize(
    ("wanted", "found", "holds"),
    [
        (Wanted(type="Ready"), READY, True),
        (Wanted(type="Ready"), resource(("Ready", "False", "")), False),
        (Wanted(type="Ready"), LOOKED_AT, False),
        (Wanted(type="Ready"), {}, False),
        (Wanted(type="Ready", status="False"), LOOKED_AT, True),
        (Wanted(type="Ready", status="False"), resource(("Ready", "False", "")), True),
        (Wanted(type="Ready", status="False"), READY, False),
        (Wanted(type="Ready", status="False"), {}, False),
        (Wanted(type="Ready", status="False"), {"status": {}}, False),
        (Wanted(type="Running", reason="EnsureFinalRestore"), RUNNING, True),
        (Wanted(type="Running", reason="EnsureSrcQuiesced"), RUNNING, False),
        (Wanted(type="Running", status="False", reason="EnsureFinalRestore"), LOOKED_AT, False),
    ],
)
def test_when_it_holds(wanted: Wanted, found: dict[str, Any], holds: bool) -> None:
    assert wanted.holds(found) is holds


def test_the_option_is_read() -> None:
    assert Wanted.of({}) is None
    assert Wanted.of({"wait_condition": None}) is None
    given = {"type": "Running", "status": None, "reason": "EnsureFinalRestore"}
    wanted = Wanted.of({"wait_condition": given})
    assert wanted == Wanted(type="Running", reason="EnsureFinalRestore")
    assert str(wanted) == "Running=True, reason EnsureFinalRestore"


@pytest.mark.parametrize("kind", wait_condition.TYPES)
def test_every_kind_has_its_types(kind: str) -> None:
    assert {"Ready", "ReconcileFailed"} < set(wait_condition.types_of(kind))
    assert wait_condition.problems({"wait_condition": {"type": "Ready"}}, kind) == []


@pytest.mark.parametrize(
    ("params", "path", "told"),
    [
        ({"wait_condition": {"type": "Raedy"}}, "wait_condition.type", "Choose among Ready"),
        ({"wait_condition": {"type": "PlanConflict"}}, "wait_condition.type", "a MigHook never has"),
        ({"wait_condition": {"type": ""}}, "wait_condition.type", "InvalidImage"),
        ({"wait_condition": {"type": "Ready"}, "state": "absent"}, "wait_condition", "state=absent"),
        ({"wait_condition": {"type": "Ready"}, "wait": False}, "wait_condition", "wait=false"),
    ],
)
def test_what_cannot_be_waited_for(params: dict[str, Any], path: str, told: str) -> None:
    (problem,) = wait_condition.problems(params, names.MIG_HOOK)
    assert problem.path == path
    assert told in str(problem)


def test_a_run_that_the_call_itself_carries_out() -> None:
    def problems(kind: str = names.MIG_MIGRATION, **wanted: str) -> list[str]:
        return [str(item) for item in wait_condition.at_the_end_only({"wait_condition": wanted}, kind)]

    assert problems(type="Succeeded") == problems(type="Canceled") == []
    (told,) = problems(type="Running", reason="EnsureFinalRestore")
    assert "Running=True, reason EnsureFinalRestore is no end of a run" in told
    assert "Wait for Succeeded or SucceededWithWarnings or Canceled, or stop it with pause_before" in told
    assert len(problems(type="Succeeded", status="False")) == 1
    (told,) = problems(names.DIRECT_VOLUME_MIGRATION, type="Running")
    assert "Wait for Succeeded, or say wait: false" in told


def test_an_end_that_did_not_come() -> None:
    ended = resource(("SucceededWithWarnings", "True", "Completed"))

    def without(**wanted: str) -> Wanted | None:
        return wait_condition.ended_without({"wait_condition": wanted or None}, ended)

    assert without() is None
    assert without(type="SucceededWithWarnings") is None
    assert without(type="Succeeded") == Wanted(type="Succeeded")
    # It came and went.
    assert without(type="Running", reason="EnsureFinalRestore") is None


def test_no_time_to_wait_is_refused_with_or_without_a_condition() -> None:
    for params in ({"wait_timeout": 0}, {"wait_timeout": -5}):
        (problem,) = wait_condition.problems(params, names.MIG_HOOK)
        assert problem.path == "wait_timeout"
    assert wait_condition.problems({"wait_timeout": 1}, names.MIG_HOOK) == []
