# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two clocks that must not be mixed up.

Waiting and fencing are measured with the boot clock, which nobody sets and which goes on while a process is stopped
or a machine sleeps. What is written for people and for other processes is UTC.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime


def elapsed_clock() -> float:
    """Seconds on a clock that only moves forward, also while this process is stopped."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def utc_now() -> str:
    """The time as the API writes it in conditions: ``2026-11-21T16:05:43Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_now_micro() -> str:
    """The time as a Lease wants it (MicroTime)."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def wall_seconds() -> float:
    """Seconds since the epoch, for durations that span processes."""
    return time.time()
