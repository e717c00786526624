# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How full the source's volumes are, from the kubelets' own statistics: no pod is started and nothing is executed.

A kubelet knows the volumes that pods on its node have mounted. What it reports for a hostPath or another directory of
a shared file system is that file system's use, not the volume's; such a claim is told apart by its capacity and left
out rather than reported wrongly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..cluster.api import Cluster
from ..resources import quantity
from ..resources.errors import ApiError, TransientError

# A file system's own structures make it a little smaller, a provisioner's rounding a little larger than the claim.
_PLAUSIBLE: Final = (0.5, 2.0)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Bytes used, bytes of the file system, inodes used."""

    used: int
    capacity: int
    inodes: int


def usage(source: Cluster, claims: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Usage | None]:
    """For each (namespace, claim): its use, or None where no running pod mounts it or no kubelet tells.

    A node whose statistics cannot be read (rights, connection) makes its claims unknown, not the call fail.
    """
    wanted = set(claims)
    nodes = sorted({node for found in _by_namespace(source, wanted) for node in found})

    def stats(node: str) -> Mapping[str, Any]:
        try:
            return source.node_stats(node)
        except (ApiError, TransientError):
            return {}

    measured: dict[tuple[str, str], Usage | None] = dict.fromkeys(claims)
    sizes = _sizes(source, wanted)
    for document in source.map(stats, nodes):
        measured.update(
            (claim, found)
            for claim, found in volumes_in(document).items()
            if claim in wanted and _plausible(found, sizes.get(claim))
        )
    return measured


def volumes_in(document: Mapping[str, Any]) -> dict[tuple[str, str], Usage]:
    """The claims in a kubelet's summary."""
    found: dict[tuple[str, str], Usage] = {}
    for pod in document.get("pods") or []:
        for volume in pod.get("volume") or []:
            reference = volume.get("pvcRef")
            if reference and "usedBytes" in volume and "capacityBytes" in volume:
                found[(reference["namespace"], reference["name"])] = Usage(
                    used=int(volume["usedBytes"]),
                    capacity=int(volume["capacityBytes"]),
                    inodes=int(volume.get("inodesUsed") or 0),
                )
    return found


def _by_namespace(source: Cluster, wanted: set[tuple[str, str]]) -> list[set[str]]:
    """Nodes on which the claims are mounted, a set for each namespace."""

    def nodes(namespace: str) -> set[str]:
        return {
            pod["spec"]["nodeName"]
            for pod in source.list("v1", "Pod", namespace)
            if pod["spec"].get("nodeName") and _mounts(pod, wanted)
        }

    return source.map(nodes, sorted({namespace for namespace, _claim in wanted}))


def _mounts(pod: Mapping[str, Any], wanted: Iterable[tuple[str, str]]) -> bool:
    mounted = {
        (pod["metadata"]["namespace"], (volume.get("persistentVolumeClaim") or {}).get("claimName"))
        for volume in pod["spec"].get("volumes") or []
    }
    return any(claim in mounted for claim in wanted)


def _sizes(source: Cluster, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    def sizes(namespace: str) -> dict[tuple[str, str], int]:
        return {
            (namespace, claim["metadata"]["name"]): quantity.parse(
                ((claim.get("status") or {}).get("capacity") or {}).get("storage") or "0"
            )
            for claim in source.list("v1", "PersistentVolumeClaim", namespace)
        }

    merged: dict[tuple[str, str], int] = {}
    for found in source.map(sizes, sorted({namespace for namespace, _claim in wanted})):
        merged.update(found)
    return merged


def _plausible(found: Usage, size: int | None) -> bool:
    if not size:
        return True
    low, high = _PLAUSIBLE
    return low * size <= found.capacity <= high * size
