# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Persistent volume claims: which ones the source has, and how the destination's are made from them.

Rules of MTC's direct volume migration: the source's spec with the chosen class, modes and size; nothing that binds it
to a volume or a data source of the other cluster; no annotations, except those by which a virtual machine's disk is
known as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..cluster.api import Cluster
from ..resources import names, quantity
from ..resources.errors import Forbidden, Refused
from .model import RunIdentity, VolumeMove

CONTENT_TYPE: Final = "cdi.kubevirt.io/storage.contentType"
_BINDING_PREFIXES: Final = ("pv.kubernetes.io/", "volume.kubernetes.io/", "volume.beta.kubernetes.io/")
_BINDING_KEYS: Final = frozenset({"kubectl.kubernetes.io/last-applied-configuration"})
_DROPPED: Final = ("volumeName", "dataSource", "dataSourceRef")


@dataclass(frozen=True, kw_only=True)
class BoundClaim:
    """A bound claim of the source with its volume (None where the connection may not read volumes)."""

    claim: dict[str, Any]
    volume: dict[str, Any] | None

    @property
    def namespace(self) -> str:
        return str(self.claim["metadata"]["namespace"])

    @property
    def name(self) -> str:
        return str(self.claim["metadata"]["name"])

    @property
    def capacity(self) -> int:
        """Bytes that the claim really has, else what it asks for."""
        status = (self.claim.get("status") or {}).get("capacity") or {}
        requests = (self.claim["spec"].get("resources") or {}).get("requests") or {}
        return quantity.parse(status.get("storage") or requests.get("storage") or "0")

    @property
    def volume_mode(self) -> str:
        return str(self.claim["spec"].get("volumeMode") or "Filesystem")


def discover(source: Cluster, namespaces: Sequence[str]) -> list[BoundClaim]:
    """Bound claims of the namespaces, sorted; those on hostPath too, which are read through the mount like others."""
    claims = [
        claim
        for found in source.map(
            lambda namespace: list(source.list("v1", "PersistentVolumeClaim", namespace)), namespaces
        )
        for claim in found
        if (claim.get("status") or {}).get("phase") == "Bound"
    ]
    wanted = {claim["spec"].get("volumeName") for claim in claims}
    volumes: dict[str, dict[str, Any]] = {}
    if wanted:
        try:
            volumes = {
                volume["metadata"]["name"]: volume
                for volume in source.list("v1", "PersistentVolume")
                if volume["metadata"]["name"] in wanted
            }
        except Forbidden:
            volumes = {}
    return sorted(
        (BoundClaim(claim=claim, volume=volumes.get(claim["spec"].get("volumeName"))) for claim in claims),
        key=lambda bound: (bound.namespace, bound.name),
    )


def claim_manifest(source_pvc: Mapping[str, Any], move: VolumeMove, identity: RunIdentity) -> dict[str, Any]:
    """The destination's claim. Raises Refused for a block volume, which rsync cannot copy."""
    require_filesystem(move)
    metadata = source_pvc["metadata"]
    spec = {key: value for key, value in source_pvc["spec"].items() if key not in _DROPPED}
    spec["accessModes"] = list(move.access_modes or source_pvc["spec"].get("accessModes") or ())
    spec["volumeMode"] = move.volume_mode or "Filesystem"
    if move.storage_class is None:
        spec.pop("storageClassName", None)
    else:
        spec["storageClassName"] = move.storage_class
    resources = dict(spec.get("resources") or {})
    resources["requests"] = {**(resources.get("requests") or {}), "storage": quantity.to_text(move.size)}
    spec["resources"] = resources
    labels = {
        # Upstream overwrites an application's own part-of label; here the application's wins.
        names.PART_OF_LABEL: names.PART_OF,
        **(metadata.get("labels") or {}),
        **move.labels,
        **identity.ownership_labels,
    }
    made: dict[str, Any] = {"name": move.target_claim, "namespace": move.target_namespace, "labels": labels}
    annotations = metadata.get("annotations") or {}
    if annotations.get(CONTENT_TYPE) == "kubevirt":
        made["annotations"] = {
            key: value
            for key, value in annotations.items()
            if key not in _BINDING_KEYS and not key.startswith(_BINDING_PREFIXES)
        }
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": made, "spec": spec}


def require_filesystem(move: VolumeMove) -> None:
    """Raises Refused for a block volume."""
    if move.volume_mode == "Block":
        raise Refused(
            subject=move.subject,
            attempt="it cannot be copied",
            reason="its volumeMode is Block and the builtin engine copies files",
            mend="Leave it out with action: skip and carry its data over by other means",
        )
