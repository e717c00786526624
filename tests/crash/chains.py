# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many kills of one migration, one after the other: each re-run is killed in its turn, the last one comes to the end.

That is harder on the engine than one kill, and many times faster than a migration for each. What fails in a chain is
played alone afterwards, to see which kill it was.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.engine.itinerary import COMPLETED
from crash import ends, undisturbed
from crash.faults import FAULTS
from crash.playing import FAILED, SHOWN, NotKilled, Outcome, killed, problems
from crash.scene import Scene
from crash.stand import WRONG, Stand
from crash.table import AT_ONCE, PHASES, Row
from integration.migration.playbooks import Run

LONGEST = 14
"""Kills of one migration."""
Played = list[tuple[Row, Outcome]]


def chains(rows: Sequence[Row]) -> list[list[Row]]:
    """The kills among the rows by kind of run and options, each chain in the order in which the phases are met.

    Those inside a phase that nothing makes slow have chains of their own: a run that goes on has less to do in it, may
    be over before it is killed, and that ends a chain.
    """
    made: dict[str, list[Row]] = {}
    for row in rows:
        if row.fault not in FAULTS:
            unsure = bool(row.point) and not row.options
            made.setdefault(f"{row.run} {sorted(row.options.items())} {unsure}", []).append(row)
    sorted_ones = [sorted(chain, key=_place) for chain in made.values()]
    return [chain[start : start + LONGEST] for chain in sorted_ones for start in range(0, len(chain), LONGEST)]


def _place(row: Row) -> tuple[int, float]:
    return PHASES[row.run, row.walk].index(row.phase), row.point


def _passed(row: Row, stands: str) -> bool:
    """Whether the last kill came so late that the row's phase was over, or that nothing of the run was left to be
    killed."""
    if stands == COMPLETED:
        return True
    phases = [phase or "Created" for phase in PHASES[row.run, row.walk]]
    return stands in phases and phases.index(stands) > phases.index(row.phase or "Created")


def play(stand: Stand, chain: Sequence[Row], *, until: float) -> Played:
    """What came of each row that was met; of a chain that went wrong only where it did. After ``until``, on the
    monotonic clock, nothing more is killed."""
    first = chain[0]
    done: Played = []
    try:
        expected = undisturbed.state_of(stand, first.run, first.options)
        with stand.scene(first.run, first.options) as (scene, files):
            last = _kill_all(stand, scene, chain, expected, done, until=until)
            found = problems(first, end=ends.end_of(scene, files), expected=expected, last=last)
    except WRONG as error:
        found = [f"{type(error).__name__}: {str(error)[-SHOWN:]}"]
    if found:
        killed_in = ", ".join(outcome.met_in for _row, outcome in done)
        told = Outcome(FAILED, problems=[*found, f"killed before in {killed_in}"], chained=True)
        return [(chain[min(len(done), len(chain) - 1)], told)]
    return done


def _kill_all(
    stand: Stand, scene: Scene, chain: Sequence[Row], expected: dict[str, Any], done: Played, *, until: float
) -> Run:
    """The run that nobody killed, which is the last; what was killed is added to ``done``."""
    stands = ""
    for row in chain:
        began = time.monotonic()
        phase = row.phase or "Created"
        if _passed(row, stands) or began > until:
            continue
        if not (row.fault == AT_ONCE and stands == phase):
            try:
                stands = killed(stand, scene, row, expected, resumed=stands == phase)
            except NotKilled as early:
                return early.ended
        seconds = round(time.monotonic() - began, 1)
        done.append((row, Outcome(row.expected, seconds, stands, 2, chained=True)))
    return scene.play()
