# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a second call does, in every state that the plan's migrations can be in: one row for each cell of the table."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine.second_call import (
    Asked,
    Decision,
    Step,
    asked_for,
    carried_out_by,
    decide,
    free_name,
    kind_of,
)
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import NotFound, Refused

Manifest = dict[str, Any]
STAGE, STATE, FINAL, ROLLBACK, CANCEL = Asked.STAGE, Asked.STATE, Asked.FINAL, Asked.ROLLBACK, Asked.CANCEL
KINDS: dict[Asked, dict[str, bool]] = {
    STAGE: {"stage": True},
    STATE: {"migrateState": True},
    FINAL: {},
    ROLLBACK: {"rollback": True},
}


def migration(name: str, ended: str | None, *, age: int, begun: bool = True, **spec: Any) -> Manifest:
    """A run of the plan: ``ended`` is a condition's type, or None while it is unfinished."""
    conditions = [{"type": ended, "status": "True", "category": "Advisory"}] if ended else []
    status = {"phase": "Completed" if ended else "EnsureFinalRestore", "conditions": conditions, "itinerary": "Final"}
    return {
        "metadata": {
            "name": name,
            "namespace": "openmig",
            "uid": name,
            "creationTimestamp": f"2026-01-01T00:00:{age:02}Z",
        },
        "spec": {"stage": False, **spec},
        "status": status if begun else {},
    }


def run(kind: Asked, ended: str | None, *, age: int = 1, name: str = "", begun: bool = True) -> Manifest:
    return migration(name or f"app-{kind.value}", ended, age=age, begun=begun, **KINDS[kind])


def ask(asked: Asked, *found: Manifest, **options: Any) -> Decision:
    return decide(asked, list(found), plan="app", **options)


def told(decision: Decision) -> tuple[Step, str]:
    return decision.step, decision.name


OK, WARNED, FAILED, CANCELED = "Succeeded", "SucceededWithWarnings", "Failed", "Canceled"
BACK = run(ROLLBACK, OK, age=5)


@pytest.mark.parametrize("asked", [STAGE, STATE, FINAL])
def test_stage_and_final_in_every_state_of_their_own_kind(asked: Asked) -> None:
    base = f"app-{asked.value}"
    assert told(ask(asked)) == (Step.START, base)
    assert told(ask(asked, run(asked, None))) == (Step.GO_ON, base)
    assert told(ask(asked, run(asked, None, begun=False))) == (Step.GO_ON, base)
    for good in (OK, WARNED):
        assert told(ask(asked, run(asked, good))) == (Step.NOTHING, base)
    for bad in (FAILED, CANCELED):
        assert told(ask(asked, run(asked, bad))) == (Step.START, f"{base}-2")
    for ended in (OK, WARNED, FAILED, CANCELED):
        assert told(ask(asked, run(asked, ended), BACK)) == (Step.START, f"{base}-2")
    later = run(asked, OK, age=6, name=f"{base}-2")
    assert told(ask(asked, run(asked, OK), BACK, later)) == (Step.NOTHING, f"{base}-2")


@pytest.mark.parametrize("asked", [STAGE, FINAL, ROLLBACK])
@pytest.mark.parametrize("spec", [{"stage": True}, {}, {"rollback": True}, {"migrateState": True}])
def test_an_unfinished_run_of_another_kind_is_named(asked: Asked, spec: dict[str, bool]) -> None:
    other = migration("other", None, age=3, **spec)
    if spec == KINDS[asked]:
        assert told(ask(asked, other)) == (Step.GO_ON, "other")
        return
    words = f"MigMigration openmig/other: another run of the plan is not finished: it is a {kind_of(other)} run"
    with pytest.raises(Refused, match=words) as refused:
        ask(asked, other)
    assert "cancel: true" in refused.value.mend


@pytest.mark.parametrize("undone", [STAGE, FINAL])
@pytest.mark.parametrize("ended", [OK, WARNED, FAILED, CANCELED])
def test_a_rollback_follows_whatever_has_ended(undone: Asked, ended: str) -> None:
    decision = ask(ROLLBACK, run(undone, ended))
    assert told(decision) == (Step.START, "app-rollback")
    assert decision.about is not None
    assert decision.about["metadata"]["name"] == f"app-{undone.value}"


def test_a_rollback_undoes_the_final_run_and_else_the_stage_run() -> None:
    decision = ask(ROLLBACK, run(FINAL, FAILED, age=1), run(STAGE, OK, age=2))
    assert decision.about is not None
    assert decision.about["metadata"]["name"] == "app-final"


def test_a_rollback_that_has_nothing_to_undo() -> None:
    with pytest.raises(Refused, match="MigPlan app: there is nothing to roll back"):
        ask(ROLLBACK)
    assert told(ask(ROLLBACK, run(FINAL, OK), BACK)) == (Step.NOTHING, "app-rollback")
    assert told(ask(ROLLBACK, run(STAGE, OK), BACK)) == (Step.NOTHING, "app-rollback")


def test_a_rollback_that_failed_or_was_cancelled_is_begun_anew_and_still_knows_what_it_undoes() -> None:
    for ended in (FAILED, CANCELED):
        decision = ask(ROLLBACK, run(FINAL, OK), run(ROLLBACK, ended, age=2))
        assert told(decision) == (Step.START, "app-rollback-2")
        assert decision.about is not None
    going = ask(ROLLBACK, run(FINAL, OK), run(ROLLBACK, None, age=2))
    assert told(going) == (Step.GO_ON, "app-rollback")
    assert going.about is not None


def test_what_came_after_a_rollback_can_be_rolled_back_too() -> None:
    after = run(STAGE, OK, age=7, name="app-stage-2")
    assert told(ask(ROLLBACK, run(FINAL, OK), BACK, after)) == (Step.START, "app-rollback-2")


@pytest.mark.parametrize("kind", [STAGE, FINAL, ROLLBACK])
def test_cancel_takes_the_unfinished_run_of_any_kind(kind: Asked) -> None:
    assert told(ask(CANCEL, run(kind, None))) == (Step.CANCEL, f"app-{kind.value}")
    assert told(ask(CANCEL, run(kind, None, begun=False))) == (Step.CANCEL, f"app-{kind.value}")
    for ended in (OK, WARNED, FAILED, CANCELED):
        assert told(ask(CANCEL, run(kind, ended))) == (Step.NOTHING, f"app-{kind.value}")


def test_cancel_where_there_is_nothing() -> None:
    decision = ask(CANCEL)
    assert (decision.step, decision.name, decision.migration) == (Step.NOTHING, "", None)
    with pytest.raises(NotFound, match="MigMigration other: it cannot be cancelled: plan app has no such migration"):
        ask(CANCEL, run(FINAL, None), name="other")


def test_cancel_reaches_a_run_that_waits_for_another_and_one_that_may_never_work() -> None:
    assert told(ask(CANCEL, run(FINAL, None), run(STAGE, None, age=2, begun=False), name="app-stage"))[1] == "app-stage"
    assert told(ask(CANCEL, run(FINAL, OK), run(STAGE, None, age=2, begun=False))) == (Step.CANCEL, "app-stage")


def test_a_further_stage_pass_is_asked_for() -> None:
    done = run(STAGE, OK)
    assert told(ask(STAGE, done, again=True)) == (Step.START, "app-stage-2")
    assert told(ask(STAGE, run(STAGE, None), again=True)) == (Step.GO_ON, "app-stage")
    assert told(ask(FINAL, run(FINAL, OK), again=True)) == (Step.NOTHING, "app-final")
    assert told(ask(STAGE, done, name="second")) == (Step.START, "second")
    second = run(STAGE, OK, age=2, name="second")
    assert told(ask(STAGE, done, second, name="second")) == (Step.NOTHING, "second")
    assert told(ask(STAGE, done, second, name="app-stage")) == (Step.NOTHING, "app-stage")
    with pytest.raises(Refused, match="a finished run is not carried out again: it succeeded"):
        ask(STAGE, done, name="app-stage", again=True)


@pytest.mark.parametrize("options", [{"again": True}, {"name": "other"}])
def test_a_stage_run_never_follows_a_final_one_that_succeeded(options: dict[str, Any]) -> None:
    for ended in (OK, WARNED):
        with pytest.raises(Refused, match="MigMigration openmig/app-final: no stage run is started after it"):
            ask(STAGE, run(FINAL, ended), **options)
        assert told(ask(STAGE, run(STAGE, OK), run(FINAL, ended, age=2))) == (Step.NOTHING, "app-stage")
    assert told(ask(STAGE, run(FINAL, FAILED), again=True)) == (Step.START, "app-stage")
    assert told(ask(STAGE, run(FINAL, OK), BACK, again=True)) == (Step.START, "app-stage")


def test_a_stage_run_that_may_never_work_keeps_nobody_from_working() -> None:
    never = run(STAGE, None, age=9, begun=False)
    assert told(ask(FINAL, run(FINAL, OK), never)) == (Step.NOTHING, "app-final")
    assert told(ask(ROLLBACK, run(FINAL, OK), never)) == (Step.START, "app-rollback")


def test_a_run_that_has_begun_is_not_interrupted_by_a_stage_run_that_came_later() -> None:
    late = run(STAGE, None, age=9, begun=False)
    assert told(ask(FINAL, run(FINAL, None), late)) == (Step.GO_ON, "app-final")
    with pytest.raises(Refused, match="MigMigration openmig/app-final: another run"):
        ask(STAGE, run(FINAL, None), late)


def test_of_two_waiting_runs_the_older_comes_first() -> None:
    one, two = (run(FINAL, None, age=age, name=f"f{age}", begun=False) for age in (1, 2))
    assert told(ask(FINAL, two, one)) == (Step.GO_ON, "f1")
    with pytest.raises(Refused, match="MigMigration openmig/f2: it has to wait: run f1 of the plan comes first"):
        ask(FINAL, two, one, name="f2")


def test_a_name_of_ones_own_goes_on_with_that_run_only() -> None:
    mine = migration("mine", None, age=1)
    assert told(ask(FINAL, mine, name="mine")) == (Step.GO_ON, "mine")
    assert told(ask(FINAL, name="mine")) == (Step.START, "mine")
    for ended, why in ((None, "it is not finished"), (OK, "it succeeded")):
        with pytest.raises(Refused, match=f"the plan has another final migration: {why}"):
            ask(FINAL, run(FINAL, ended), name="mine")
    with pytest.raises(Refused, match="a stage run is asked for under this name: it is a final run"):
        ask(STAGE, run(FINAL, FAILED), name="app-final")


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([run(FINAL, FAILED)], "it failed or was cancelled"),
        ([run(FINAL, CANCELED)], "it failed or was cancelled"),
        ([run(FINAL, OK), BACK], "it succeeded and was rolled back"),
    ],
)
def test_a_finished_run_is_not_carried_out_again_under_its_name(found: list[Manifest], why: str) -> None:
    with pytest.raises(Refused, match=f"a finished run is not carried out again: {why}"):
        ask(FINAL, *found, name="app-final")
    assert told(ask(FINAL, *found, name="other")) == (Step.START, "other")


def test_names_of_other_plans_are_left_to_them() -> None:
    assert told(ask(STAGE, taken=["app-stage"])) == (Step.START, "app-stage-2")
    with pytest.raises(Refused, match="MigMigration mine: the name is taken: it is a run of another plan"):
        ask(FINAL, name="mine", taken=["mine"])


def test_the_tenth_run_is_newer_than_the_ninth_of_the_same_second() -> None:
    nine, ten = (run(STAGE, ended, name=f"app-stage-{number}") for ended, number in ((OK, 9), (FAILED, 10)))
    assert ask(STAGE, nine, ten).step is Step.START
    assert ask(STAGE, ten, nine).step is Step.START


def test_the_first_free_name() -> None:
    assert free_name("a", []) == "a"
    assert free_name("a", ["a", "a-2", "a-4"]) == "a-3"


def test_what_options_ask_for() -> None:
    assert asked_for({}) is FINAL
    for option, asked in (("stage", STAGE), ("rollback", ROLLBACK), ("cancel", CANCEL)):
        assert asked_for({option: True}) is asked
        assert asked_for({option: False}) is FINAL


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ([], None),
        ([run(FINAL, None)], None),
        ([run(FINAL, FAILED)], None),
        ([run(FINAL, CANCELED)], None),
        ([run(FINAL, OK)], "app-final"),
        ([run(FINAL, WARNED)], "app-final"),
        ([run(FINAL, OK), BACK], None),
        ([run(STAGE, OK)], None),
    ],
)
def test_what_has_carried_a_plan_out(found: list[Manifest], name: str | None) -> None:
    assert carried_out_by(found) == name


def state(ended: str | None, *, stops: bool, age: int = 1, name: str = "app-state") -> Manifest:
    return migration(name, ended, age=age, migrateState=True, quiescePods=stops)


def test_a_state_migration_that_stops_the_application_follows_those_that_do_not() -> None:
    copied, moved = state(OK, stops=False), state(OK, stops=True, age=2, name="app-state-2")
    assert told(ask(STATE, copied)) == (Step.NOTHING, "app-state")
    assert told(ask(STATE, copied, again=True)) == (Step.START, "app-state-2")
    assert told(ask(STATE, copied, quiesce=True)) == (Step.START, "app-state-2")
    assert told(ask(STATE, copied, quiesce=True, name="last")) == (Step.START, "last")
    with pytest.raises(Refused, match="a finished run is not carried out again"):
        ask(STATE, copied, quiesce=True, name="app-state")
    assert told(ask(STATE, copied, moved, quiesce=True)) == (Step.NOTHING, "app-state-2")
    assert told(ask(STATE, copied, moved)) == (Step.NOTHING, "app-state-2")
    failed = state(FAILED, stops=True, age=2, name="app-state-2")
    assert told(ask(STATE, copied, failed, quiesce=True)) == (Step.START, "app-state-3")


@pytest.mark.parametrize("asked", [STAGE, STATE, FINAL])
def test_nothing_is_copied_over_what_a_state_migration_has_moved(asked: Asked) -> None:
    moved = state(OK, stops=True)
    assert carried_out_by([moved]) == "app-state"
    assert carried_out_by([state(OK, stops=False)]) is None
    with pytest.raises(Refused, match=f"MigMigration openmig/app-state: no {asked.value} run is started after it"):
        ask(asked, moved, again=True)
    assert told(ask(asked, moved, BACK, again=True))[0] is Step.START


def test_a_rollback_undoes_the_state_migration_rather_than_the_stage_runs_before() -> None:
    decision = ask(ROLLBACK, state(OK, stops=True), run(STAGE, OK, age=2))
    assert decision.about is not None
    assert decision.about["metadata"]["name"] == "app-state"


def test_a_rollback_undoes_what_has_moved_the_data_rather_than_a_cutover_that_failed_before() -> None:
    decision = ask(ROLLBACK, run(FINAL, FAILED), state(OK, stops=True, age=2))
    assert decision.about is not None
    assert decision.about["metadata"]["name"] == "app-state"


def test_a_rollback_knows_the_attempts_since_the_last_good_one() -> None:
    first, second = (run(ROLLBACK, FAILED, age=age, name=f"app-rollback-{age}") for age in (7, 8))
    after = run(FINAL, OK, age=6, name="app-final-2")
    found = (run(FINAL, OK), run(ROLLBACK, CANCELED, age=4, name="old"), BACK, after, first, second)
    for options in ({}, {"name": "mine"}):
        decision = ask(ROLLBACK, *found, **options)
        assert decision.step is Step.START
        assert [each["metadata"]["name"] for each in decision.tried] == ["app-rollback-8", "app-rollback-7"]
    going = ask(ROLLBACK, *found, run(ROLLBACK, None, age=9, name="app-rollback-9"))
    assert going.step is Step.GO_ON
    assert len(going.tried) == 2
