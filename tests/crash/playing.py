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


class NotKilled(AssertionError):
    """The command had ended before the row's moment came. ``lasted`` is how long the phase took, 0 if it was never
    met."""

    def __init__(self, why: str, ended: Run, lasted: float) -> None:
        super().__init__(f"{why}:\n{ended.output[-SHOWN:]}")
        self.ended = ended
        self.lasted = lasted


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
    failures: list[str] = field(default_factory=list)
    """What the command said when it ended badly although the fault was to be survived."""


def play(stand: Stand, row: Row) -> Outcome:
    """The row, whatever comes of it."""
    outcome = Outcome()
    began = time.monotonic()
    try:
        expected = undisturbed.state_of(stand, row.run, row.options)
        began = time.monotonic()
        try:
            _play_once(stand, row, expected, outcome)
        except NotKilled as early:
            if not early.lasted:
                raise
            # The phase took less time than in the undisturbed run: another one, with the same part of that time.
            quicker = {**expected["seconds"], f"{row.walk}/{row.phase}": early.lasted}
            _play_once(stand, row, {**expected, "seconds": quicker}, outcome)
    except WRONG as error:
        outcome.problems.append(f"{type(error).__name__}: {str(error)[-SHOWN:]}")
    if outcome.problems:
        outcome.problems += outcome.failures
    outcome.outcome = row.expected if not outcome.problems else FAILED
    outcome.seconds = round(time.monotonic() - began, 1)
    return outcome


def _play_once(stand: Stand, row: Row, expected: dict[str, Any], outcome: Outcome) -> None:
    fault = FAULTS.get(row.fault)
    with stand.scene(row.run, row.options, fault) as (scene, files):
        if fault is None:
            outcome.met_in = killed(stand, scene, row, expected)
            last = scene.play()
            outcome.runs = 2
        else:
            last = _disturb(stand, scene, row, fault, outcome)
        outcome.problems += problems(row, end=ends.end_of(scene, files), expected=expected, last=last)


def killed(stand: Stand, scene: Scene, row: Row, expected: dict[str, Any], *, resumed: bool = False) -> str:
    """Give the command and kill it at the row's moment; the phase in which the run then stands. Raises NotKilled."""
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
    if not moment.came.is_set():
        raise NotKilled("the phase was never met", ended, 0.0)
    if ended.code != -signal.SIGKILL:
        raise NotKilled("it had ended before it was killed", ended, moment.lasted)
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
        outcome.failures.append(f"run {outcome.runs} ended with {last.code}:\n{last.output[-SHOWN:]}")
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
