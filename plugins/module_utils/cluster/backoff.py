# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long to wait between two tries, and when to stop trying."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

_FIRST = 0.2
_LONGEST = 8.0
_JITTER = random.SystemRandom()


class Backoff:
    """Growing pauses with jitter against a deadline in seconds from now.

    ``pause`` sleeps and returns ``False`` without sleeping when the pause would end after the deadline. A server's
    Retry-After wins over our own growth; jitter is added to it, never taken off.
    """

    def __init__(
        self,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._started = clock()
        self._seconds = seconds
        self._tries = 0

    @property
    def elapsed(self) -> float:
        return self._clock() - self._started

    @property
    def remaining(self) -> float:
        return self._seconds - self.elapsed

    def pause(self, *, retry_after: float | None = None, within: float | None = None) -> bool:
        """Wait before the next try; ``within`` shortens the deadline for this one decision."""
        if retry_after is not None:
            seconds = retry_after * _JITTER.uniform(1.0, 1.25)
        else:
            seconds = min(_LONGEST, _FIRST * 2**self._tries) * _JITTER.uniform(0.5, 1.0)
        self._tries += 1
        limit = self._seconds if within is None else min(self._seconds, within)
        if self.elapsed + seconds >= limit:
            return False
        self._sleep(seconds)
        return True


def retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header; ``None`` when it is absent or a date (no API server sends one)."""
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 3600 else None
