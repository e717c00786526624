# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One containerd per cluster, each with images that were unpacked once for all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from lab import process
from lab.api import wait_until
from lab.command import run
from lab.paths import Paths
from lab.topology import Cluster

_OVERLAY = "io.containerd.snapshotter.v1.overlayfs"

_CONFIGURATION = """\
version = 2
root = "{root}"
state = "{state}"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"{disabled}]
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{sandbox}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  tolerate_missing_hugetlb_controller = true
  disable_apparmor = true
  enable_unprivileged_ports = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{cni}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
"""


def socket(directory: Path) -> Path:
    """Return the socket of the containerd that lives in a directory."""
    return directory / "containerd.sock"


def configure(directory: Path, sandbox_image: str, *, cri: bool) -> Path:
    """Write the configuration of a containerd that keeps everything in `directory`, and return it."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "containerd.toml"
    text = _CONFIGURATION.format(
        root=directory / "root",
        state=directory / "run",
        socket=socket(directory),
        sandbox=sandbox_image,
        cni=directory / "cni",
        disabled="" if cri else ', "io.containerd.grpc.v1.cri"',
    )
    file.write_text(text, encoding="utf-8")
    return file


def start(paths: Paths, cluster: Cluster, store: Path, sandbox_image: str) -> Path:
    """Start a cluster's containerd over a copy of the image store; returns its socket."""
    directory = paths.of(cluster) / "containerd"
    configuration = configure(directory, sandbox_image, cri=True)
    borrow(store, directory / "root")
    log = paths.log(cluster.name, "containerd")
    command = ["containerd", "--config", str(configuration)]
    process.start(paths, f"{cluster.name}-containerd", command, log=log, namespace=cluster.namespace)
    return socket(directory)


def wait_ready(address: Path, log: Path) -> None:
    """Return when the containerd behind the socket answers."""
    wait_until(
        f"containerd at {address} answers",
        lambda: run(["ctr", "-a", address, "version"], check=False, timeout=10).returncode == 0,
        seconds=30,
        log=log,
    )


def borrow(store: Path, root: Path) -> None:
    """Make `root` a store of its own that shares the unpacked images of `store`.

    Databases are copied, blobs are hard links (or copies on another file system), and the unpacked layers, which no
    containerd ever writes to, are symbolic links. Nothing that happens to `root` reaches `store`.
    """
    for directory, subdirectories, files in os.walk(store):
        here = Path(directory)
        there = root / here.relative_to(store)
        there.mkdir(parents=True, exist_ok=True)
        if here.parent.name == _OVERLAY and here.name == "snapshots":
            for layer in subdirectories:
                (there / layer).symlink_to(here / layer)
            subdirectories.clear()
            continue
        for name in files:
            _share(here / name, there / name)


def _share(file: Path, target: Path) -> None:
    if file.suffix == ".db":
        shutil.copy2(file, target)
        return
    try:
        os.link(file, target)
    except OSError:
        shutil.copy2(file, target)


def import_archives(address: Path, archives: Mapping[str, Path]) -> None:
    """Load and unpack image archives; an archive says itself what its image is called."""
    for archive in archives.values():
        run(["ctr", "-a", address, "-n", "k8s.io", "images", "import", archive])
