# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Storage classes, the provisioner behind them, and a few raw block volumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab import process
from lab.api import Api
from lab.command import run
from lab.control_plane import component_kubeconfig
from lab.paths import Paths
from lab.programs import Programs
from lab.topology import Cluster

PROVISIONER = "lab.openmig.example/loop"
BLOCK_VOLUMES = 3
BLOCK_BYTES = 64 * 2**20


def classes(cluster: Cluster) -> list[dict[str, Any]]:
    """Return the cluster's storage classes: two that make volumes on demand, one for raw blocks.

    One of the two waits for a consumer, the other binds at once.
    """
    waiting, at_once = "WaitForFirstConsumer", "Immediate"
    default, other = (waiting, at_once) if cluster.default_waits else (at_once, waiting)
    return [
        _storage_class(cluster.default_class, PROVISIONER, default, default=True),
        _storage_class(cluster.other_class, PROVISIONER, other, default=False),
        _storage_class(cluster.block_class, "kubernetes.io/no-provisioner", waiting, default=False),
    ]


def _storage_class(name: str, provisioner: str, binding: str, *, default: bool) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": annotations},
        "provisioner": provisioner,
        "reclaimPolicy": "Delete" if provisioner == PROVISIONER else "Retain",
        "volumeBindingMode": binding,
    }


def start(paths: Paths, programs: Programs, api: Api) -> None:
    """Create classes and block volumes, and start the provisioner."""
    cluster = api.cluster
    directory = paths.of(cluster) / "volumes"
    for each in classes(cluster):
        api.create("/apis/storage.k8s.io/v1/storageclasses", each)
    for number in range(BLOCK_VOLUMES):
        name = f"{cluster.block_class}-{number}"
        device = _loop_device(directory / "blocks" / f"{name}.img")
        api.create("/api/v1/persistentvolumes", block_volume(cluster, name, device))
    kubeconfig = component_kubeconfig(paths.of(cluster), api.authority, cluster, "lab-provisioner")
    process.start(
        paths,
        f"{cluster.name}-provisioner",
        [
            *programs.component("provisioner"),
            f"--kubeconfig={kubeconfig}",
            f"--name={PROVISIONER}",
            f"--directory={directory}",
            f"--node={cluster.node}",
        ],
        log=paths.log(cluster.name, "provisioner"),
        env={"GOGC": "80"},
    )


def _loop_device(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        stream.truncate(BLOCK_BYTES)
    return run(["losetup", "--find", "--show", file]).stdout.strip()


def block_volume(cluster: Cluster, name: str, device: str) -> dict[str, Any]:
    """Return a raw block volume on a loop device of the cluster's node."""
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [cluster.node]}]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": str(BLOCK_BYTES)},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": cluster.block_class,
            "volumeMode": "Block",
            "local": {"path": device},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
        },
    }


def release_devices(directory: Path) -> None:
    """Detach every loop device whose file lies below a directory; a deleted file counts too."""
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            file = backing.read_text(encoding="utf-8").strip()
        except OSError:
            continue
        if file.startswith(f"{directory}/"):
            run(["losetup", "--detach", f"/dev/{backing.parts[3]}"], check=False)
