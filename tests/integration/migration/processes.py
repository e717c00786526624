# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The processes below a running ansible-playbook: found, killed, stopped, watched. Real signals to real processes."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

PLAYBOOK = "ansible-playbook"
"""Stands in the command line of ansible-playbook and of its workers."""


def _parents() -> dict[int, int]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def tree(pid: int) -> list[int]:
    """The process and everything below it, also what has made a session of its own; the top comes first."""
    parents = _parents()
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def command_line(pid: int) -> str:
    """ "" for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def engine_of(pid: int) -> int:
    """The process below ``pid`` that carries the migration out: the Python that is no ansible-playbook and no shell."""
    lines = {each: command_line(each) for each in tree(pid)}
    found = [each for each, line in lines.items() if "python" in line.partition(" ")[0] and PLAYBOOK not in line]
    assert found, f"no engine runs: {lines}"
    return found[-1]


def send(pids: list[int], number: signal.Signals) -> None:
    """The signal to each that still lives."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def await_gone(pid: int, *, within: float) -> None:
    """Wait until there is no such process any more (or only its zombie)."""
    until = time.monotonic() + within
    while command_line(pid):
        assert time.monotonic() < until, f"process {pid} still lives: {command_line(pid)}"
        time.sleep(0.05)
