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
from crash.stand import WRONG, Stand, collected, kill
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
    chained: bool = False
    """Whether the same migration was killed for other rows, too."""
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
            if fault is None:
                outcome.met_in = killed(stand, scene, row, expected)
                last = scene.play()
                outcome.runs = 2
            else:
                last = _disturb(stand, scene, row, fault, outcome)
            outcome.problems += problems(row, end=ends.end_of(scene, files), expected=expected, last=last)
    except WRONG as error:
        outcome.problems.append(f"{type(error).__name__}: {str(error)[-SHOWN:]}")
    outcome.outcome = row.expected if not outcome.problems else FAILED
    outcome.seconds = round(time.monotonic() - began, 1)
    return outcome


def killed(stand: Stand, scene: Scene, row: Row, expected: dict[str, Any], *, resumed: bool = False) -> str:
    """Give the command and kill it at the row's moment; the phase in which the run then stands."""
    begun = threading.Event()
    running: list[Started] = []

    def act() -> None:
        begun.wait()
        kill(running[0])

    seconds = expected["seconds"].get(f"{row.walk}/{row.phase}", 0.0) * row.point
    moment = stand.at(scene, Moment(walk=row.walk, phase=row.phase, seconds=seconds, act=act, resumed=resumed))
    running.append(scene.start())
    begun.set()
    ended = running[0].end()
    assert moment.came.is_set(), f"the phase was never met:\n{ended.output[-SHOWN:]}"
    assert ended.code == -signal.SIGKILL, f"it had ended before it was killed:\n{ended.output[-SHOWN:]}"
    return stands_in(scene)


def _disturb(stand: Stand, scene: Scene, row: Row, fault: Fault, outcome: Outcome) -> Run:
    """The last of the command's runs."""
    struck: list[BaseException] = []

    def act() -> None:
        if fault.strike is not None:
            strike = fault.strike
            collected(lambda: strike(scene), struck)

    # A fault takes its time, for which whoever tells the phases must not wait.
    moment = stand.at(scene, Moment(walk=row.walk, phase=row.phase, seconds=0, act=act, aside=True))
    last = scene.play()
    outcome.runs = 1
    assert moment.came.is_set(), f"the phase was never met:\n{last.output[-SHOWN:]}"
    assert moment.done.wait(timeout=FAULT_ENDS_WITHIN), "the fault does not come to an end"
    assert struck == [], struck
    while last.code != 0 and row.expected == SAME_END and outcome.runs <= RERUNS:
        last = scene.play()
        outcome.runs += 1
    return last


def stands_in(scene: Scene) -> str:
    """The phase of the newest migration."""
    migrations = scene.migrations()
    return (moments.stands_in(migrations[-1])[1] or "Created") if migrations else ""


def problems(row: Row, *, end: ends.End, expected: dict[str, Any], last: Run) -> list[str]:
    """Where the end is another than the row expects."""
    found = []
    if (last.code == 0) != (row.expected == SAME_END):
        found.append(f"the last run ended with {last.code}:\n{last.output[-SHOWN:]}")
    if "Traceback" in last.output:
        found.append(f"a traceback was shown:\n{last.output[-SHOWN:]}")
    if row.expected == SAME_END or row.fault not in FAULTS:
        return found + ends.differences(expected["end"], end.as_json())
    return found + ends.unclear(end)
