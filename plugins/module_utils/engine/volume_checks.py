# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can be read about volumes before anything is written: why a copy cannot be made or could not end well.

Each check gets both clusters and the moves and gives its findings; none raises for what it finds.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..cluster.api import Cluster
from ..resources import quantity
from ..resources.errors import Forbidden, MtcError, NotFound, Refused, subject_of
from ..volumes import sizing
from ..volumes.model import VolumeMove
from .destination_claims import CLAIM, foreign_claim

Ours = Callable[[Mapping[str, Any]], bool]
"""Whether a claim of the destination was made by whoever wants to copy into it now."""


def volume_modes(moves: Sequence[VolumeMove]) -> list[MtcError]:
    return [
        Refused(
            subject=subject_of(CLAIM, move.source_claim, move.source_namespace),
            attempt="a block volume cannot be copied by the builtin engine yet",
            reason="its volumeMode is Block",
            mend="Leave it out with action: skip and carry its data over by other means",
        )
        for move in moves
        if move.volume_mode == "Block"
    ]


def host_paths(source: Cluster, moves: Sequence[VolumeMove]) -> list[MtcError]:
    """Directories of a node that nobody can name: on another node a pod would find an empty one in their place.

    [] where the connection may read neither nodes nor volumes.
    """
    if not moves:
        return []
    try:
        if len(list(itertools.islice(source.list("v1", "Node"), 2))) < 2:
            return []
        unplaced = {
            (reference.get("namespace"), reference.get("name")): volume["metadata"]["name"]
            for volume in source.list("v1", "PersistentVolume")
            if "hostPath" in volume["spec"] and not volume["spec"].get("nodeAffinity")
            for reference in [volume["spec"].get("claimRef") or {}]
        }
    except Forbidden:
        return []
    return [
        Refused(
            subject=subject_of("PersistentVolume", unplaced[key]),
            attempt=f"it cannot be copied for {CLAIM} {'/'.join(key)}",
            reason="it is a directory (hostPath) of one of several nodes, and has no nodeAffinity that says of which",
            mend="Give it a nodeAffinity that names its node, or leave it out with action: skip",
        )
        for move in moves
        if (key := (move.source_namespace, move.source_claim)) in unplaced
    ]


def storage_classes(destination: Cluster, moves: Sequence[VolumeMove], *, mend: str) -> list[MtcError]:
    known = {item["metadata"]["name"] for item in destination.list("storage.k8s.io/v1", "StorageClass")}
    return [
        NotFound(
            subject=subject_of("StorageClass", str(move.storage_class)),
            attempt=f"the destination has no such class, chosen for {move.source_namespace}/{move.source_claim}",
            reason=f"it has {', '.join(sorted(known)) or 'none'}",
            mend=mend,
            status=404,
        )
        for move in moves
        if move.storage_class and move.storage_class not in known
    ]


def sizes(source: Cluster, moves: Sequence[VolumeMove], *, mend: str) -> list[MtcError]:
    """Volumes that hold more than their copy would, as far as the kubelets tell."""
    used = sizing.usage(source, [(move.source_namespace, move.source_claim) for move in moves])
    errors: list[MtcError] = []
    for move in moves:
        measured = used.get((move.source_namespace, move.source_claim))
        if measured is not None and move.size < measured.used:
            errors.append(
                Refused(
                    subject=subject_of(CLAIM, move.target_claim, move.target_namespace),
                    attempt="the destination volume would be too small",
                    reason=(
                        f"{quantity.to_text(move.size)} are requested and the source uses "
                        f"{quantity.to_text(measured.used)}"
                    ),
                    mend=mend,
                )
            )
    return errors


def deleted_when_stopped(source: Cluster, namespaces: Sequence[str]) -> list[MtcError]:
    """StatefulSets whose claims the cluster deletes as soon as they have no replica: stopping them would be the end of
    their data."""
    sets = source.map(lambda namespace: list(source.list("apps/v1", "StatefulSet", namespace)), namespaces)
    return [
        Refused(
            subject=subject_of("StatefulSet", found["metadata"]["name"], found["metadata"]["namespace"]),
            attempt="it cannot be stopped without losing its volumes",
            reason="its persistentVolumeClaimRetentionPolicy deletes claims when it is scaled down",
            mend="Set spec.persistentVolumeClaimRetentionPolicy.whenScaled to Retain and run the task again",
        )
        for listed in sets
        for found in listed
        if (found["spec"].get("persistentVolumeClaimRetentionPolicy") or {}).get("whenScaled") == "Delete"
        and found["spec"].get("replicas", 1)
    ]


def claims(destination: Cluster, moves: Sequence[VolumeMove], *, ours: Ours, foreign_mend: str) -> list[MtcError]:
    """Claims that stand in the place of a copy: somebody else's, or too small ones that were left."""

    def unfit_claim(move: VolumeMove) -> MtcError | None:
        found = destination.get("v1", CLAIM, move.target_claim, move.target_namespace)
        if found is None:
            return None
        if not ours(found):
            return foreign_claim(move, mend=foreign_mend)
        return _too_small_a_leftover(move, found)

    return [error for error in destination.map(unfit_claim, moves) if error is not None]


def _too_small_a_leftover(move: VolumeMove, found: Mapping[str, Any]) -> MtcError | None:
    """An earlier run has made the claim, with another size than is asked for now."""
    has = ((found.get("status") or {}).get("capacity") or found["spec"]["resources"]["requests"])["storage"]
    if quantity.parse(has) >= move.size:
        return None
    return Refused(
        subject=subject_of(CLAIM, move.target_claim, move.target_namespace),
        attempt="an earlier run has left it and it is too small for what is asked for now",
        reason=f"it has {has} and {quantity.to_text(move.size)} are requested",
        mend="Delete the claim on the destination and run the task again: it is made anew",
    )
