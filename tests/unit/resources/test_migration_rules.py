# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which runs of one plan exclude each other, and in which order they work."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import migmigration as m


def run(name: str, when: int, *conditions: str, phase: str = "", **spec: Any) -> dict[str, Any]:
    listed = [{"type": item, "status": "True", "category": "Advisory"} for item in conditions]
    return {
        "metadata": {"name": name, "uid": name, "creationTimestamp": f"2024-05-01T00:00:{when:02}Z"},
        "spec": {"stage": False, **spec},
        "status": {"phase": phase, "conditions": listed},
    }


FINAL = run("new", 50)
STAGE = run("new", 50, stage=True)
ROLLBACK = run("new", 50, rollback=True)


@pytest.mark.parametrize(
    ("migration", "others", "blocked_by"),
    [
        (FINAL, [], None),
        (FINAL, [FINAL], None),
        (FINAL, [run("a", 1, "Succeeded")], "a"),
        (FINAL, [run("a", 1, "SucceededWithWarnings")], "a"),
        (FINAL, [run("a", 1, "Failed")], None),
        (FINAL, [run("a", 1, "Running")], None),
        (FINAL, [run("a", 1, "Succeeded", "Canceled")], None),
        (FINAL, [run("a", 1, "Succeeded", canceled=True)], None),
        (FINAL, [run("a", 1, "Succeeded", stage=True)], None),
        (FINAL, [run("a", 1, "Succeeded", migrateState=True)], None),
        (FINAL, [run("a", 1, "Succeeded"), run("b", 2, "Succeeded", rollback=True)], None),
        (FINAL, [run("a", 1, "Succeeded"), run("b", 2, "Failed", rollback=True)], "a"),
        (FINAL, [run("a", 1, "Succeeded", rollback=True), run("b", 2, "Succeeded")], "b"),
        (STAGE, [run("a", 1, "Succeeded")], "a"),
        (STAGE, [run("a", 1, "Failed")], "a"),
        (STAGE, [run("a", 1, "Running")], "a"),
        (STAGE, [run("a", 1)], None),
        (STAGE, [run("a", 1, "Running", stage=True)], None),
        (ROLLBACK, [run("a", 1, "Succeeded")], None),
    ],
)
def test_a_final_run_excludes_others(migration: dict[str, Any], others: list[Any], blocked_by: str | None) -> None:
    found = m.blocked_by_final(migration, others)
    assert (found and found["metadata"]["name"]) == blocked_by


def test_stage_runs_go_first_and_finished_ones_not_at_all() -> None:
    runs = [
        run("final", 1),
        run("old-stage", 3, stage=True),
        run("done", 0, phase="Completed"),
        run("new-stage", 4, stage=True),
        run("rollback", 2, rollback=True),
    ]
    assert [item["metadata"]["name"] for item in m.queue(runs)] == ["old-stage", "new-stage", "final", "rollback"]


def test_two_of_the_same_second_have_an_order() -> None:
    runs = [run("b", 1), run("a", 1)]
    assert [item["metadata"]["name"] for item in m.newest_first(runs)] == ["b", "a"]
    assert m.newest_first(reversed(runs)) == m.newest_first(runs)


@pytest.mark.parametrize(
    ("migration", "succeeded"),
    [
        (run("a", 1, "Succeeded"), True),
        (run("a", 1, "SucceededWithWarnings"), True),
        (run("a", 1, "Succeeded", "Failed"), False),
        (run("a", 1, "Succeeded", "Canceled"), False),
        ({**run("a", 1, "Succeeded"), "status": {"errors": ["x"]}}, False),
        ({"metadata": {}}, False),
    ],
)
def test_success_is_what_is_neither_failed_nor_canceled(migration: dict[str, Any], succeeded: bool) -> None:
    assert m.succeeded(migration) is succeeded


@pytest.mark.parametrize(
    ("copies", "conflicts"),
    [
        ([("a/x", "b/x"), ("a/y", "b/y")], []),
        ([("a/x", "a/x")], ["a/x"]),
        ([("a/x", "a/y"), ("a/y", "a/z")], ["a/y"]),
        ([("a/x", "b/z"), ("a/y", "b/z")], ["b/z"]),
    ],
)
def test_claims_that_would_be_overwritten(copies: list[tuple[str, str]], conflicts: list[str]) -> None:
    assert m.pvc_conflicts(iter(copies)) == conflicts
