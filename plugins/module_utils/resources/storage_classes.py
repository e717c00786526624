# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Storage classes as a plan sees them: which access modes each offers, and which one a copied volume should get.

Kubernetes does not tell what a class can do, so MTC keeps a table by provisioner; ours is the same one, as data.
Source: MTC pkg/controller/migplan, storage and pvlist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FILESYSTEM = "Filesystem"
BLOCK = "Block"
RWO, ROX, RWX = "ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"

_DEFAULT_ANNOTATIONS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"

CEPH_FILE_SYSTEM = "cephfs.csi.ceph.com"
CEPH_BLOCK_DEVICE = "rbd.csi.ceph.com"
GLUSTER = "kubernetes.io/glusterfs"
GLUSTER_BLOCK = "gluster.org/glusterblock"


@dataclass(frozen=True)
class _Offer:
    """What the provisioners that ``matches`` accepts offer to volumes with a file system and to block volumes."""

    matches: Callable[[str], bool]
    filesystem: tuple[str, ...]
    block: tuple[str, ...] = ()


def _any_of(*names: str) -> Callable[[str], bool]:
    return lambda provisioner: provisioner in names


def _begins(text: str) -> Callable[[str], bool]:
    return lambda provisioner: provisioner.startswith(text)


def _ends(text: str) -> Callable[[str], bool]:
    return lambda provisioner: provisioner.endswith(text)


_IN_TREE = "kubernetes.io/"
_OFFERS: Sequence[_Offer] = (
    _Offer(
        _any_of(*(_IN_TREE + name for name in ("aws-ebs", "azure-disk", "cinder", "vsphere-volume", "storageos"))),
        (RWO,),
    ),
    _Offer(_any_of(*(_IN_TREE + name for name in ("gce-pd", "rbd", "scaleio"))), (RWO, ROX)),
    _Offer(_begins(GLUSTER_BLOCK), (RWO, ROX)),
    _Offer(_any_of(*(_IN_TREE + name for name in ("azure-file", "glusterfs", "quobyte"))), (RWO, ROX, RWX)),
    _Offer(_ends(CEPH_FILE_SYSTEM), (RWO, ROX, RWX)),
    _Offer(_any_of(_IN_TREE + "portworx-volume"), (RWO, RWX)),
    _Offer(_ends(CEPH_BLOCK_DEVICE), (RWO,), (RWO, ROX, RWX)),
    _Offer(_any_of("netapp.io/trident"), (RWO, ROX), (RWO, ROX, RWX)),
    _Offer(_any_of("csi.kubevirt.io"), (RWO,), (RWO,)),
)
_UNKNOWN = _Offer(_begins(""), (RWO,))


def volume_access_modes(provisioner: str) -> list[dict[str, Any]]:
    """``volumeAccessModes`` of a plan's status for a class of that provisioner."""
    offer = next((row for row in _OFFERS if row.matches(provisioner)), _UNKNOWN)
    offered = [{"volumeMode": FILESYSTEM, "accessModes": list(offer.filesystem)}]
    if offer.block:
        offered.append({"volumeMode": BLOCK, "accessModes": list(offer.block)})
    return offered


def describe(storage_class: Mapping[str, Any]) -> dict[str, Any]:
    """A StorageClass object as an entry of the plan's ``srcStorageClasses`` or ``destStorageClasses``."""
    metadata = storage_class.get("metadata") or {}
    provisioner = str(storage_class.get("provisioner", ""))
    entry: dict[str, Any] = {"name": metadata.get("name", ""), "provisioner": provisioner}
    if is_default(storage_class):
        entry["default"] = True
    entry["volumeAccessModes"] = volume_access_modes(provisioner)
    return entry


def is_default(storage_class: Mapping[str, Any]) -> bool:
    """The stable annotation decides where it is present, the beta one only without it."""
    annotations = (storage_class.get("metadata") or {}).get("annotations") or {}
    for annotation in _DEFAULT_ANNOTATIONS:
        if annotation in annotations:
            return bool(annotations[annotation] == "true")
    return False


def offered_modes(entry: Mapping[str, Any], volume_mode: str) -> list[str]:
    """The access modes that a described class offers to volumes of that mode."""
    for row in entry.get("volumeAccessModes") or []:
        if row.get("volumeMode") == volume_mode:
            return list(row.get("accessModes") or [])
    return []


def class_of(volume: Mapping[str, Any]) -> str:
    """The class of a PV, "" for none. The annotation is how very old clusters wrote it."""
    annotations = (volume.get("metadata") or {}).get("annotations") or {}
    return str((volume.get("spec") or {}).get("storageClassName") or annotations.get(_CLASS_ANNOTATION, ""))


@dataclass(frozen=True)
class ClassChoice:
    """The destination's class for a volume ("" for none), and whether a Gluster volume fell back to the default."""

    name: str
    without_ceph: bool = False


def choose(
    volume: Mapping[str, Any],
    *,
    access_modes: Sequence[str],
    source: Sequence[Mapping[str, Any]],
    destination: Sequence[Mapping[str, Any]],
    same_cluster: bool,
) -> ClassChoice:
    """The class for a copy of the PV: of the same provisioner, if possible of the same name, else the default.

    ``source`` and ``destination`` are described classes. Gluster and NFS have no provisioner to look for on a newer
    cluster: Ceph takes their place, the file system for shared volumes and the block device for the others.
    """
    name = class_of(volume)
    provisioner = next((str(row["provisioner"]) for row in source if row.get("name") == name), "")
    gluster = _is_gluster(volume, provisioner)
    if gluster or "nfs" in (volume.get("spec") or {}):
        provisioner = _ceph_provisioner(access_modes, destination)
    fitting = [row for row in destination if provisioner and row.get("provisioner") == provisioner]
    if fitting:
        same_name = [row for row in fitting if row.get("name") == name]
        return ClassChoice(str((same_name or fitting)[0]["name"]))
    return ClassChoice(default_name(destination), without_ceph=gluster and not same_cluster)


def default_name(classes: Iterable[Mapping[str, Any]]) -> str:
    """The name of the default class, "" without one."""
    return next((str(row["name"]) for row in classes if row.get("default")), "")


def _is_gluster(volume: Mapping[str, Any], provisioner: str) -> bool:
    return provisioner == GLUSTER or provisioner.startswith(GLUSTER_BLOCK) or "glusterfs" in (volume.get("spec") or {})


def _ceph_provisioner(access_modes: Sequence[str], destination: Sequence[Mapping[str, Any]]) -> str:
    wanted = CEPH_FILE_SYSTEM
    if RWX not in access_modes and RWO in access_modes:
        wanted = CEPH_BLOCK_DEVICE
    return next(
        (str(row["provisioner"]) for row in destination if str(row.get("provisioner", "")).endswith(wanted)), ""
    )
