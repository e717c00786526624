# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The cgroup below which a cluster's pods run."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from lab.topology import Cluster

_ROOT = Path("/sys/fs/cgroup")


def _unified() -> bool:
    return (_ROOT / "cgroup.controllers").exists()


def _hierarchies() -> list[Path]:
    """Return the root of every hierarchy: one with cgroup v2, one per controller with v1."""
    if _unified():
        return [_ROOT]
    found = [each for each in _ROOT.iterdir() if each.is_dir() and not each.is_symlink()]
    return [each for each in found if (each / "cgroup.procs").exists()]


def create(cluster: Cluster) -> None:
    """Make the cgroup with every controller that the kubelet asks for."""
    for hierarchy in _hierarchies():
        group = hierarchy / cluster.cgroup.lstrip("/")
        group.mkdir(exist_ok=True)
        if _unified():
            wanted = " ".join(
                f"+{name}" for name in (hierarchy / "cgroup.controllers").read_text(encoding="utf-8").split()
            )
            for level in (hierarchy, group):
                (level / "cgroup.subtree_control").write_text(wanted, encoding="utf-8")
        for knob in ("cpuset.cpus", "cpuset.mems"):
            if (group / knob).exists() and not _unified():
                (group / knob).write_text((hierarchy / knob).read_text(encoding="utf-8"), encoding="utf-8")


def remove(cluster: Cluster) -> None:
    """Kill what runs in the cgroup and remove it with all below; no error if there is none."""
    for hierarchy in _hierarchies():
        group = hierarchy / cluster.cgroup.lstrip("/")
        deadline = time.monotonic() + 5
        while group.exists() and time.monotonic() < deadline:
            for directory, _subdirectories, _files in os.walk(group, topdown=False):
                _kill(Path(directory))
                with suppress(OSError):
                    os.rmdir(directory)
            if group.exists():
                time.sleep(0.02)


def _kill(group: Path) -> None:
    with suppress(OSError):
        for pid in (group / "cgroup.procs").read_text(encoding="utf-8").split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
