# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who makes an object again: what a controller owns does not travel, because its owner makes it on the destination.

The answer needs the owner. Kinds are listed owners first, so most owners have been seen when their objects come; what
is left over (the owner was filtered out, or is younger than its list) is settled by reading owners upwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..cluster.api import Cluster
from ..cluster.resource_types import ResourceType
from ..resources.errors import Forbidden, NotFound
from .manifest import GroupKind, Manifest, controller_of, group_kind, namespace_of

BEARS_DATA: Final[frozenset[GroupKind]] = frozenset({("", "ConfigMap"), ("", "Secret")})
"""Travels whoever owns it: an operator that generated a password would generate another one, which opens no old data;
and without the operator nobody would make it at all."""

_MANAGERS: Final = frozenset(
    {
        ("apps", "daemonsets"),
        ("apps", "deployments"),
        ("apps", "statefulsets"),
        ("apps.openshift.io", "deploymentconfigs"),
        ("batch", "cronjobs"),
        ("extensions", "daemonsets"),
        ("extensions", "deployments"),
    }
)
_MANAGED: Final = frozenset(
    {
        ("", "replicationcontrollers"),
        ("apps", "replicasets"),
        ("batch", "jobs"),
        ("extensions", "replicasets"),
    }
)
_LEAVES: Final = frozenset(
    {
        ("", "configmaps"),
        ("", "endpoints"),
        ("", "pods"),
        ("", "secrets"),
        ("discovery.k8s.io", "endpointslices"),
    }
)

_HIGHEST: Final = 16
"""Longer chains of owners than this do not occur; a circle of them ends here."""


def stages(types: Iterable[ResourceType]) -> list[list[ResourceType]]:
    """The types in the order in which they are listed, owners first: custom resources, workloads, what they make."""
    found: list[list[ResourceType]] = [[], [], [], []]
    for kind in types:
        key = (kind.group, kind.plural)
        found[1 if key in _MANAGERS else 2 if key in _MANAGED else 3 if key in _LEAVES else 0].append(kind)
    return [stage for stage in found if stage]


class Owners:
    """The UIDs that were seen, and the answers of the source about owners that were not."""

    def __init__(self, source: Cluster) -> None:
        self._source = source
        self._seen: set[str] = set()
        self._settled: dict[str, str | None] = {}

    def saw(self, obj: Manifest) -> None:
        self._seen.add(obj["metadata"].get("uid", ""))

    def makes_again(self, obj: Manifest) -> tuple[bool, str | None]:
        """(whether it is certain, why the object stays behind). Not certain: ask settle() once everything was seen."""
        owner = controller_of(obj)
        if owner is None or group_kind(obj) in BEARS_DATA:
            return True, None
        if owner.get("uid") in self._seen:
            return True, _reason(owner)
        return False, None

    def settle(self, obj: Manifest) -> str | None:
        """Why the object stays behind, None if it travels, by reading its owner and that one's owners from the source.

        An owner that cannot be read (its kind is gone, or the right is missing) counts as one that makes nothing again.
        """
        owner = controller_of(obj)
        if owner is None:
            return None
        uid = str(owner.get("uid", ""))
        if uid not in self._settled:
            self._settled[uid] = self._ask(owner, namespace_of(obj))
        return self._settled[uid]

    def _ask(self, owner: Manifest, namespace: str) -> str | None:
        first = owner
        for _step in range(_HIGHEST):
            if owner.get("uid") in self._seen:
                return _reason(first)
            try:
                kind = self._source.resource(owner["apiVersion"], owner["kind"])
                found = self._source.get(
                    kind.api_version, kind.kind, owner["name"], namespace if kind.namespaced else None
                )
            except (Forbidden, NotFound):
                return None
            if found is None or found["metadata"].get("uid") != owner.get("uid"):
                return f"its {owner['kind']} {owner['name']} is gone, and the source is about to remove it too"
            above = controller_of(found)
            if above is None:
                return None
            owner = above
        return None


def _reason(owner: Manifest) -> str:
    return f"{owner.get('kind')} {owner.get('name')} makes it again"
