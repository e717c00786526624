# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the clusters' components leave outside of the lab's directory, in places that cannot be configured."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_CONTAINER_LOGS = Path("/var/log/containers")
_NETWORK_RESULTS = Path("/var/lib/cni/results")
_SHIM_SOCKETS = Path("/run/containerd/s")
_DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
_SANDBOXES = "*/containerd/root/io.containerd.grpc.v1.cri/sandboxes/*"


def remove(state: Path) -> None:
    """Remove the traces of the clusters whose state lies in a directory; their processes must have ended.

    What belongs to somebody else stays: a link that points elsewhere, another sandbox's result, a socket in use.
    """
    _remove_links(state)
    _remove_results(each.name for each in state.glob(_SANDBOXES))
    for directory in (_SHIM_SOCKETS, _DEVICE_PLUGINS):
        _remove_dead_sockets(directory)
    with suppress(OSError):
        _DEVICE_PLUGINS.rmdir()
        _DEVICE_PLUGINS.parent.rmdir()


def _remove_links(state: Path) -> None:
    for link in _CONTAINER_LOGS.glob("*.log"):
        if link.is_symlink() and str(link.readlink()).startswith(f"{state}/"):
            link.unlink()


def _remove_results(sandboxes: Iterable[str]) -> None:
    for sandbox in sandboxes:
        for file in _NETWORK_RESULTS.glob(f"*-{sandbox}-*"):
            file.unlink(missing_ok=True)


def _remove_dead_sockets(directory: Path) -> None:
    for file in directory.iterdir() if directory.is_dir() else ():
        if not file.is_socket():
            continue
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(file))
            except ConnectionRefusedError:
                file.unlink(missing_ok=True)
            except OSError:
                continue
