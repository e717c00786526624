# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When an engine must stop although nothing is wrong with the migration: its ansible-playbook is gone, it was told to
end, or its lease is lost.

``kill -9`` on ansible-playbook leaves the module running, and the module's direct parent too. So the action plugin
hands down who ansible-playbook is, and the engine looks whether that process still lives. Stopping is no failure:
everything is recorded, the next call goes on.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

from ..resources.errors import PermanentError
from .clock import elapsed_clock
from .process import ProcessName

PARENT_CHECK = 0.2
"""Seconds between two looks at the parent."""


class Abandoned(PermanentError):
    """Nobody waits for this engine any more. The run is unfinished and goes on with the next call."""


class Guard:
    """Asked before every request (``fence``) and in every wait (``pause``)."""

    def __init__(self, *, parent: ProcessName | None, subject: str) -> None:
        self._parent = parent
        self._subject = subject
        self._looked = 0.0
        self._told: str | None = None
        self._wake = threading.Event()
        self.lease_check: Callable[[], None] | None = None

    def catch_signals(self) -> None:
        """Turn TERM, HUP and INT into a stop at the next step, so that the lease is released. Only from the main
        thread."""
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, self._stop)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self._told = f"signal {signal.Signals(number).name} was received"
        self._wake.set()

    def fence(self) -> None:
        """Raises LeaseLost or Abandoned when this process may or should not go on. Costs no request."""
        if self.lease_check is not None:
            self.lease_check()
        if self._told is None and self._parent is not None and elapsed_clock() - self._looked > PARENT_CHECK:
            self._looked = elapsed_clock()
            if self._parent.is_gone():
                self._told = f"ansible-playbook (pid {self._parent.pid}) has ended"
        if self._told is not None:
            raise Abandoned(
                subject=self._subject,
                attempt="the engine stopped between two steps",
                reason=self._told,
                mend="Run the same task again: it goes on from the recorded phase",
            )

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than it takes to notice that the engine must stop."""
        until = elapsed_clock() + seconds
        while True:
            self.fence()
            left = until - elapsed_clock()
            if left <= 0:
                return
            self._wake.wait(min(left, PARENT_CHECK))
