# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a second call for a final migration does, in every state that the plan's migrations can be in."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine.second_call import (
    Step,
    carried_out_by,
    decide_final,
    free_name,
)
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import Refused

Manifest = dict[str, Any]


def migration(name: str, ended: str | None, *, age: int, **spec: Any) -> Manifest:
    """A run of the plan: ``ended`` is a condition's type, or None while it is unfinished."""
    conditions = [{"type": ended, "status": "True", "category": "Advisory"}] if ended else []
    return {
        "metadata": {
            "name": name,
            "namespace": "openmig",
            "uid": name,
            "creationTimestamp": f"2026-01-01T00:00:{age:02}Z",
        },
        "spec": {"stage": False, **spec},
        "status": {"phase": "Completed" if ended else "EnsureFinalRestore", "conditions": conditions},
    }


SUCCEEDED = migration("app-final", "Succeeded", age=1)
WARNED = migration("app-final", "SucceededWithWarnings", age=1)
FAILED = migration("app-final", "Failed", age=1)
CANCELED = migration("app-final", "Canceled", age=1)
UNFINISHED = migration("app-final", None, age=1)
ROLLED_BACK = migration("app-rollback", "Succeeded", age=2, rollback=True)


@pytest.mark.parametrize(
    ("found", "step", "name"),
    [
        ([], Step.START, "app-final"),
        ([UNFINISHED], Step.GO_ON, "app-final"),
        ([SUCCEEDED], Step.NOTHING, "app-final"),
        ([WARNED], Step.NOTHING, "app-final"),
        ([FAILED], Step.START, "app-final-2"),
        ([CANCELED], Step.START, "app-final-2"),
        ([FAILED, migration("app-final-2", "Failed", age=2)], Step.START, "app-final-3"),
        ([FAILED, migration("app-final-2", None, age=2)], Step.GO_ON, "app-final-2"),
        ([SUCCEEDED, ROLLED_BACK], Step.START, "app-final-2"),
        ([migration("app-stage", "Succeeded", age=0, stage=True)], Step.START, "app-final"),
        ([SUCCEEDED, migration("app-stage", "Succeeded", age=5, stage=True)], Step.NOTHING, "app-final"),
    ],
)
def test_the_table_of_the_design(found: list[Manifest], step: Step, name: str) -> None:
    decision = decide_final(found, plan="app", name=None)
    assert (decision.step, decision.name) == (step, name)
    assert (decision.migration is None) == (step is Step.START)


@pytest.mark.parametrize("spec", [{"stage": True}, {"rollback": True}, {"migrateState": True}])
def test_an_unfinished_run_of_another_kind_is_named(spec: dict[str, bool]) -> None:
    with pytest.raises(Refused, match="MigMigration openmig/other: another run of the plan is not finished"):
        decide_final([migration("other", None, age=3, **spec)], plan="app", name=None)


def test_a_name_of_ones_own_goes_on_with_that_run_only() -> None:
    mine = migration("mine", None, age=1)
    assert decide_final([mine], plan="app", name="mine").step is Step.GO_ON
    assert decide_final([], plan="app", name="mine").name == "mine"
    with pytest.raises(Refused, match="has another final migration"):
        decide_final([UNFINISHED], plan="app", name="mine")
    with pytest.raises(Refused, match="has another final migration"):
        decide_final([SUCCEEDED], plan="app", name="mine")


def test_a_failed_run_is_not_carried_out_again_under_its_name() -> None:
    with pytest.raises(Refused, match="a finished run is not carried out again"):
        decide_final([FAILED], plan="app", name="app-final")
    assert decide_final([FAILED], plan="app", name="other").step is Step.START


def test_the_first_free_name() -> None:
    assert free_name("a", []) == "a"
    assert free_name("a", ["a", "a-2", "a-4"]) == "a-3"


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ([], None),
        ([UNFINISHED], None),
        ([FAILED], None),
        ([CANCELED], None),
        ([SUCCEEDED], "app-final"),
        ([WARNED], "app-final"),
        ([SUCCEEDED, ROLLED_BACK], None),
        ([migration("app-stage", "Succeeded", age=3, stage=True)], None),
    ],
)
def test_what_has_carried_a_plan_out(found: list[Manifest], name: str | None) -> None:
    assert carried_out_by(found) == name
