# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The crash table has no hole, and its document says what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine.itineraries import ITINERARIES
from ansible_collections.openmig.mtc.plugins.module_utils.engine.itinerary import Flag
from crash import chains, ends, results, table
from crash.faults import FAULTS
from crash.moments import Moment
from crash.playing import FAILED, Outcome

FLAGS = frozenset(
    {
        Flag.QUIESCE,
        Flag.VERIFY,
        Flag.VOLUMES,
        Flag.VOLUMES_ENABLED,
        Flag.DIRECT_VOLUME,
        Flag.PRE_BACKUP_HOOKS,
        Flag.POST_BACKUP_HOOKS,
        Flag.PRE_RESTORE_HOOKS,
        Flag.POST_RESTORE_HOOKS,
    }
)
"""Of the plan that the rows migrate."""
INDIRECT = FLAGS - {Flag.DIRECT_VOLUME} | {Flag.INDIRECT_VOLUME, Flag.STAGE_PODS, Flag.STAGE_BACKUP}
"""Of the plan whose volumes go through the object storage."""
RUNS = {
    "Final": {"final": FLAGS, "final indirect": INDIRECT},
    "Stage": {"stage": FLAGS - {Flag.QUIESCE}, "stage indirect": INDIRECT - {Flag.QUIESCE}},
    "Cancel": {"cancel": FLAGS, "cancel indirect": INDIRECT},
    "Failed": {"failing final": FLAGS},
    "Rollback": {
        "rollback": FLAGS,
        "rollback with copy": FLAGS | {Flag.ROLLBACK_SYNC},
        "rollback indirect": INDIRECT,
    },
}
"""Of each itinerary the runs that walk it, each with what the first ones lack."""


@pytest.mark.parametrize("walk", list(ITINERARIES))
def test_every_phase_that_is_walked_through_has_a_kill(walk: str) -> None:
    known: set[str] = set()
    for run, flags in RUNS[walk].items():
        walked = {phase.name for phase in ITINERARIES[walk].phases if phase.included(flags)}
        killed = {row.phase for row in table.rows() if (row.walk, row.run, row.fault) == (walk, run, table.AT_ONCE)}
        # Before the first phase there is a resource without one.
        assert killed - {""} in (walked - {""}, walked - known - {""})
        known |= walked


def test_the_phases_of_a_chain_are_in_the_order_in_which_they_are_met() -> None:
    for (_run, walk), phases in table.PHASES.items():
        places = [ITINERARIES[walk].index(phase) for phase in phases]
        assert places == sorted(places)


def test_each_long_phase_is_met_inside_three_times() -> None:
    for (run, walk), phases in table.LONG.items():
        for phase in phases:
            found = [row for row in table.rows() if (row.run, row.walk, row.phase) == (run, walk, phase) and row.point]
            assert len({row.point for row in found}) == table.POINTS


def test_rows_are_told_apart_and_every_fault_is_known() -> None:
    rows = table.rows()
    assert len({row.key for row in rows}) == len(rows)
    others = {row.fault for row in rows if row.fault != table.AT_ONCE and not row.fault.startswith(table.SOMEWHERE)}
    assert others == set(FAULTS)


def test_the_document_says_what_failed_and_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    first, second, third = table.rows()[:3]
    results.store(first, Outcome(outcome=table.SAME_END, seconds=12.3, met_in="Started", runs=2), "abc", file)
    results.store(second, Outcome(problems=["x"]), "abc", file)
    assert {json.loads(line)["row"] for line in file.read_text().splitlines()} == {first.key, second.key}
    text = results.document([first, second, third], results.stored(file))
    assert f"3 rows: 1 times {FAILED}, 1 times {table.SAME_END}; 1 not played yet." in text
    assert f"| Created | {first.fault} | same end | Started | 2 | 12 | `abc` |" in text
    assert f"| {second.phase} | {second.fault} | **{FAILED}** |" in text
    assert f"| {third.phase} | {third.fault} | *not played yet* |" in text


def test_ends_are_compared_in_depth() -> None:
    one = {"running": {"a": [1, 1], "b": [0, 0]}, "left": []}
    assert ends.differences(one, one) == []
    assert ends.differences(one, {"running": {"a": [1, 0], "b": [0, 0]}, "left": ["x"]}) == [
        'left: [] became ["x"]',
        "running > a: [1, 1] became [1, 0]",
    ]


def test_chains_hold_every_kill_once_in_the_order_in_which_the_phases_are_met() -> None:
    rows = [row for row in table.rows() if row.fault not in FAULTS]
    made = chains.chains(rows)
    assert sorted(row.key for chain in made for row in chain) == sorted(row.key for row in rows)
    for chain in made:
        phases = table.PHASES[chain[0].run, chain[0].walk]
        places = [(phases.index(row.phase), row.point) for row in chain]
        assert places == sorted(places)
        assert len({(row.run, str(row.options)) for row in chain}) == 1


def test_a_moment_comes_once_and_says_how_long_its_phase_lasted() -> None:
    acted: list[str] = []
    moment = Moment(walk="Final", phase="Started", seconds=0, act=lambda: acted.append("killed"))
    for phase in ("", "Started", "Started", "StartRefresh", "Started"):
        moment.heard("Final", phase)
    assert acted == ["killed"]
    assert moment.lasted > 0
