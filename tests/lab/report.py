# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Lines that tell a person what the lab is doing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_START = time.monotonic()
_HEARTBEAT = 15.0


def say(line: str) -> None:
    """Print one line with the seconds since the program began."""
    print(f"[lab {time.monotonic() - _START:6.1f}s] {line}", flush=True)


@contextmanager
def step(what: str, *, quiet: bool = False) -> Iterator[None]:
    """Announce a piece of work, repeat that it goes on, and say how long it took.

    With `quiet`, nothing is said unless it takes long enough to make one wonder.
    """
    begin = time.monotonic()
    done = threading.Event()

    def beat() -> None:
        while not done.wait(_HEARTBEAT):
            say(f"{what}: still at it after {time.monotonic() - begin:.0f}s")

    if not quiet:
        say(what)
    threading.Thread(target=beat, daemon=True).start()
    try:
        yield
    finally:
        done.set()
    elapsed = time.monotonic() - begin
    if not quiet or elapsed > _HEARTBEAT:
        say(f"{what}: done in {elapsed:.1f}s")
