# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who a process is, beyond its pid, and whether it still lives.

A pid alone says nothing: it is reused, and it means another process in another container or after a boot. A process
is named by the boot, the pid namespace, the pid and the start time; only a name of this boot and this namespace can
be looked up, of all others nothing is known.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass


def _boot() -> str:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip().replace("-", "")[:12]


def _pid_namespace() -> str:
    return os.readlink("/proc/self/ns/pid").partition("[")[2].rstrip("]")


def _stat_fields(pid: int) -> list[str] | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def start_ticks(pid: int) -> int | None:
    """When the process started, in ticks since boot; None when there is none. A zombie counts as gone."""
    fields = _stat_fields(pid)
    if fields is None or fields[0] in ("Z", "X"):
        return None
    return int(fields[19])


@dataclass(frozen=True)
class ProcessName:
    """A process, named so that it cannot be mistaken for another."""

    host: str
    boot: str
    namespace: str
    pid: int
    start: int

    @classmethod
    def of(cls, pid: int) -> ProcessName | None:
        """The name of a running process of this machine, or None when there is none (or no /proc to ask)."""
        try:
            start = start_ticks(pid)
            if start is None:
                return None
            return cls(socket.gethostname(), _boot(), _pid_namespace(), pid, start)
        except OSError:
            return None

    @classmethod
    def parse(cls, text: str) -> ProcessName | None:
        """The reverse of ``str()``; None for any other text (for example the holder of another tool)."""
        parts = text.rsplit("_", 4)
        if len(parts) != 5 or not (parts[3].isdigit() and parts[4].isdigit()):
            return None
        return cls(parts[0], parts[1], parts[2], int(parts[3]), int(parts[4]))

    def __str__(self) -> str:
        return f"{self.host}_{self.boot}_{self.namespace}_{self.pid}_{self.start}"

    def is_gone(self) -> bool:
        """True only when it is certain: same boot, same pid namespace, and no such process any more."""
        try:
            here = self.boot == _boot() and self.namespace == _pid_namespace()
        except OSError:
            return False
        return here and start_ticks(self.pid) != self.start
