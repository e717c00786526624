# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Live lines: one line, one fact, written the moment it is known.

The engine tells; who listens is not its business. Where the action plugin runs on the same machine it hands down a
file and prints what is appended to it; the lines also come back in the module's result. A line never carries a
secret, and the run is correct when nobody listens.
"""

from __future__ import annotations

from typing import IO

from .clock import elapsed_clock

KEPT = 500
"""Lines kept for the result; of a longer run the newest."""


class Reporter:
    """Appends lines to ``path`` (if there is one) and keeps the newest for the result. A line equal to the one before
    it is not repeated."""

    def __init__(self, *, path: str | None = None) -> None:
        self._started = elapsed_clock()
        self._file: IO[str] | None = None
        self._last: dict[str, str] = {}
        self.lines: list[str] = []
        if path:
            try:
                self._file = open(path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115 - kept open for the run
            except OSError:
                self._file = None

    def tell(self, subject: str, fact: str) -> None:
        """One line about one object; the same fact about it is told once in a row."""
        if self._last.get(subject) == fact:
            return
        self._last[subject] = fact
        line = f"[{elapsed_clock() - self._started:7.1f}s] {subject}: {fact}".replace("\r", " ").replace("\n", " ")
        self.lines = [*self.lines[-KEPT + 1 :], line]
        if self._file is not None:
            try:
                self._file.write(line + "\n")
            except OSError:
                self._file = None
