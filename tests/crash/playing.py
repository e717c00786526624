# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plays one row: the command, its disturbance, the command again, and the comparison of the ends."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from crash import ends, moments, undisturbed
from crash.faults import FAULTS, Fault
from crash.moments import Moment
from crash.scene import Scene
from crash.stand import Stand, collected, kill
from crash.table import SAME_END, Row
from integration.migration.playbooks import Run, Started

RERUNS = 2
"""How often the command is given again at most, when it ended although the fault was to be survived."""
FAULT_ENDS_WITHIN = 180
FAILED = "FAILED"
SHOWN = 1500
"""Characters of an output's end that a result keeps."""


@dataclass
class Outcome:
    """What came of a row. ``problems`` is empty when it is what was expected."""

    outcome: str = FAILED
    seconds: float = 0.0
    met_in: str = ""
    runs: int = 0
    problems: list[str] = field(default_factory=list)


def play(stand: Stand, row: Row) -> Outcome:
    """The row, whatever comes of it."""
    outcome = Outcome()
    fault = FAULTS.get(row.fault)
    began = time.monotonic()
    try:
        expected = undisturbed.state_of(stand, row.run, row.options)
        began = time.monotonic()
        with stand.scene(row.run, row.options, fault) as (scene, files):
            last = _disturb(stand, scene, row, expected, outcome)
            end = ends.end_of(scene, files)
            _judge(row, outcome, end=end, expected=expected, last=last)
    except (AssertionError, OSError, RuntimeError) as error:
        outcome.problems.append(f"{type(error).__name__}: {str(error)[-SHOWN:]}")
    outcome.outcome = row.expected if not outcome.problems else FAILED
    outcome.seconds = round(time.monotonic() - began, 1)
    return outcome


def _disturb(stand: Stand, scene: Scene, row: Row, expected: dict[str, Any], outcome: Outcome) -> Run:
    """The last of the command's runs."""
    fault = FAULTS.get(row.fault)
    struck: list[BaseException] = []
    begun = threading.Event()
    running: list[Started] = []

    def act() -> None:
        begun.wait()
        if fault is None:
            kill(running[0])
        elif fault.strike is not None:
            strike = fault.strike
            collected(lambda: strike(scene), struck)

    moment = stand.at(scene, _moment(row, fault, expected, act))
    running.append(scene.start())
    begun.set()
    last = running[0].end()
    outcome.runs = 1
    assert moment.came.is_set(), f"the phase was never met:\n{last.output}"
    assert moment.done.wait(timeout=FAULT_ENDS_WITHIN), "the fault does not come to an end"
    assert struck == [], struck
    if fault is None:
        outcome.met_in = _stands_in(scene)
        assert last.code == -signal.SIGKILL, f"it had ended before it was killed:\n{last.output}"
        outcome.runs += 1
        return scene.play()
    while last.code != 0 and row.expected == SAME_END and outcome.runs <= RERUNS:
        last = scene.play()
        outcome.runs += 1
    return last


def _moment(row: Row, fault: Fault | None, expected: dict[str, Any], act: Any) -> Moment:
    seconds = expected["seconds"].get(f"{row.walk}/{row.phase}", 0.0) * row.point
    # Other faults take their time, for which whoever tells the phases must not wait.
    return Moment(walk=row.walk, phase=row.phase, seconds=seconds, act=act, aside=fault is not None)


def _stands_in(scene: Scene) -> str:
    migrations = scene.migrations()
    return (moments.stands_in(migrations[-1])[1] or "Created") if migrations else ""


def _judge(row: Row, outcome: Outcome, *, end: ends.End, expected: dict[str, Any], last: Run) -> None:
    if (last.code == 0) != (row.expected == SAME_END):
        outcome.problems.append(f"the last run ended with {last.code}:\n{last.output[-SHOWN:]}")
    if "Traceback" in last.output:
        outcome.problems.append(f"a traceback was shown:\n{last.output[-SHOWN:]}")
    if row.expected == SAME_END or row.fault not in FAULTS:
        outcome.problems += ends.differences(expected["end"], end.as_json())
    else:
        outcome.problems += ends.unclear(end)
