# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the destination must allow and have free for objects, seen before anything is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..cluster.api import Cluster
from ..objects import transforms_network as network
from ..objects.inventory import reference
from ..objects.manifest import annotations_of, group_of, name_of, namespace_of, read
from ..resources import names
from ..resources.errors import MtcError, Refused, subject_of

Manifest = dict[str, Any]
HELD = ("Deployment", "DeploymentConfig")
"""The kinds whose rollout can be held."""


def cluster_rights(destination: Cluster, objects: Iterable[Manifest]) -> list[MtcError]:
    """What lives in no namespace needs rights of its own, which a connection made for some namespaces may lack."""
    kinds = sorted({(group_of(obj), obj["kind"]) for obj in objects if not namespace_of(obj)})
    types = sorted({(kind.group, kind.plural) for each in kinds for kind in destination.versions(*each)})
    allowed = destination.map(lambda each: destination.allowed("create", *each), types)
    missing = [f"{plural}.{group}" for (group, plural), may in zip(types, allowed, strict=True) if not may]
    if not missing:
        return []
    return [
        Refused(
            subject=f"Cluster {destination.name}",
            attempt="objects that belong to the namespaces and live in none cannot be created",
            reason=f"the connection may not create {', '.join(missing)}",
            mend="Give it these rights, or leave these kinds out of the plan",
        )
    ]


def held_rollouts(objects: Iterable[Manifest]) -> list[MtcError]:
    """A new Deployment whose rollout is held gets no pod at all, and the ReplicaSets that run on the source are not
    moved: they are the Deployment's own."""
    return [
        Refused(
            subject=subject_of(obj["kind"], name_of(obj), namespace_of(obj)),
            attempt="it would have no pod on the destination",
            reason="its rollout is paused (spec.paused), and a new one that is paused makes none",
            mend="Resume it on the source, or scale it to 0 if it is not meant to run",
        )
        for obj in objects
        if obj["kind"] in HELD and _held(obj) and _runs(obj)
    ]


def _held(obj: Manifest) -> bool:
    recorded = annotations_of(obj).get(names.PRE_QUIESCE_PAUSED_ANNOTATION)
    return bool(read(obj, "spec", "paused")) or recorded == "true"


def _runs(obj: Manifest) -> bool:
    """Also what an earlier run has stopped."""
    return read(obj, "spec", "replicas") != 0 or names.PRE_QUIESCE_REPLICAS_ANNOTATION in annotations_of(obj)


def node_ports(destination: Cluster, objects: Iterable[Manifest]) -> list[MtcError]:
    """A node port that a user has set is kept, and belongs to one Service of a cluster."""
    wanted = {port: obj for obj in objects for port in network.node_ports(obj)}
    if not wanted:
        return []
    taken = []
    for found in destination.list("v1", "Service"):
        for port in network.node_ports(found):
            ours = wanted.get(port)
            if ours is not None and reference(ours) != reference(found):
                taken.append(f"{port[1]} of {reference(ours)} is that of {namespace_of(found)}/{name_of(found)} there")
    if not taken:
        return []
    return [
        Refused(
            subject=f"Cluster {destination.name}",
            attempt="node ports that were set by hand are taken there",
            reason="; ".join(sorted(taken)),
            mend="Give the Service another port on the source, or remove what has it on the destination",
        )
    ]
