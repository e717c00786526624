# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Long-running processes: start them, know them again later, stop them all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lab.command import Words
from lab.paths import Paths

MARK = "OPENMIG_LAB_PROCESS_OF"
"""Environment variable that every process of the lab, and what it starts, carries."""


@dataclass(frozen=True)
class Process:
    """A process of the lab, identified by pid and start time so that a reused pid is not taken for it."""

    name: str
    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return start_time(self.pid) == self.started


def start_time(pid: int) -> int | None:
    """Return when a process began, in clock ticks since boot; None for one that is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (OSError, IndexError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def start(
    paths: Paths,
    name: str,
    arguments: Words,
    *,
    log: Path,
    namespace: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Process:
    """Start a process in a session of its own, in a network namespace if one is named, and record it."""
    words = [str(word) for word in arguments]
    if namespace is not None:
        # Not `ip netns exec`: that mounts another /sys, without the cgroups.
        words = ["nsenter", f"--net=/run/netns/{namespace}", *words]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env={**os.environ, **(env or {}), MARK: str(paths.root)},
            start_new_session=True,
        )
    # It outlives this program; `stop` waits for it by its pid.
    child.returncode = 0
    process = Process(name, child.pid, start_time(child.pid) or 0)
    paths.pids.mkdir(parents=True, exist_ok=True)
    (paths.pids / f"{name}.json").write_text(
        json.dumps({"pid": process.pid, "started": process.started}), encoding="utf-8"
    )
    return process


def recorded(paths: Paths) -> dict[str, Process]:
    """Return every process that was started and not stopped, alive or not."""
    found: dict[str, Process] = {}
    for file in sorted(paths.pids.glob("*.json")):
        with suppress(ValueError, KeyError):
            facts = json.loads(file.read_text(encoding="utf-8"))
            found[file.stem] = Process(file.stem, facts["pid"], facts["started"])
    return found


def marked(paths: Paths) -> set[int]:
    """Return the pids of all processes that the lab of this directory started, or that those started."""
    wanted = f"{MARK}={paths.root}".encode()
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.add(int(entry.name))
    return found


def stop(pids: Iterable[int], *, grace: float) -> None:
    """End processes: ask, wait up to `grace` seconds, then kill; returns when all are gone."""
    known = {pid: begun for pid in pids if (begun := start_time(pid)) is not None}
    if grace > 0:
        _signal(known, signal.SIGTERM)
        _await_end(known, grace)
    _signal(known, signal.SIGKILL)
    _await_end(known, 5)


def _signal(known: Mapping[int, int], number: signal.Signals) -> None:
    for pid, begun in known.items():
        if start_time(pid) == begun:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _await_end(known: Mapping[int, int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for pid in known:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        if not any(start_time(pid) == begun for pid, begun in known.items()):
            return
        time.sleep(0.02)
