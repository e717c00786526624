# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Say how the lab is."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from lab import lifecycle, process
from lab.command import LabError
from lab.paths import Paths
from lab.topology import Cluster


def show(paths: Paths) -> int:
    """Print a line per process and return 0 if the lab is complete, else 3."""
    known = process.recorded(paths)
    total = 0
    for name in lifecycle.expected():
        each = known.get(name)
        alive = each is not None and each.alive
        memory = resident(each.pid) if each is not None and alive else 0
        total += memory
        print(f"{name:42} {'runs' if alive else 'is down':8} {memory / 2**20:7.0f} MiB")
    rest = sum(resident(pid) for pid in process.marked(paths) - {each.pid for each in known.values()})
    complete = lifecycle.running(paths)
    print(f"{'pods and their keepers':42} {'':8} {rest / 2**20:7.0f} MiB")
    print(f"lab is {'up' if complete else 'not up'}, {(total + rest) / 2**20:.0f} MiB in all")
    return 0 if complete else 3


def resident(pid: int) -> int:
    """Return the memory that a process holds alone plus its share of what it shares, in bytes."""
    with suppress(OSError):
        match = re.search(
            r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8"), re.MULTILINE
        )
        if match:
            return int(match[1]) * 1024
    return 0


def kubectl(paths: Paths, cluster: Cluster, arguments: Sequence[str]) -> NoReturn:
    """Become kubectl for one cluster."""
    words = [*kubectl_command(paths), "--kubeconfig", str(paths.kubeconfig(cluster)), *arguments]
    os.execv(words[0], words)


def kubectl_command(paths: Paths) -> list[str]:
    """The words that begin a call of the lab's own kubectl, of the version of its clusters."""
    if not paths.record.exists():
        raise LabError("the lab is not up")
    key = json.loads(paths.record.read_text(encoding="utf-8"))["programs"]
    return [str(paths.cache / "programs" / key / "kubernetes"), "kubectl"]
