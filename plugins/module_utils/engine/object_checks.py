# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the destination must allow and have free for objects, seen before anything is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..cluster.api import Cluster
from ..objects import transforms_network as network
from ..objects.inventory import reference
from ..objects.manifest import group_of, name_of, namespace_of
from ..resources.errors import MtcError, Refused

Manifest = dict[str, Any]


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
