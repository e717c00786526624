# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which kinds that a plan would move the destination does not serve, and where on the source there are objects of
them.

MTC compares the versions that both clusters prefer. Here the question is the one that the restore will meet: is there
a version that the source can give and the destination takes, or will take with the source's definition?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..cluster.api import Cluster
from ..cluster.resource_types import ResourceType
from ..objects import definitions
from ..objects.collect import movable_types, unknown_kinds
from ..objects.related import shared_types
from ..resources import plan_exclusions
from ..resources.plan_scope import included_kinds, selector_text


def unknown_resources(source: Cluster, plan: Mapping[str, Any]) -> list[str]:
    """The kinds that the user has included or excluded and that the source does not know."""
    named = [*included_kinds(plan), *plan_exclusions.own(plan)]
    return unknown_kinds(source, named) if named else []


def unserved_kinds(source: Cluster, destination: Cluster, plan: Mapping[str, Any]) -> list[ResourceType]:
    """The kinds of the plan that the destination does not serve. A group whose server there is down is not judged."""
    excluded = tuple((plan.get("status") or {}).get("excludedResources") or ())
    return [
        kind
        for kind in movable_types(
            source, included=included_kinds(plan) or None, excluded=excluded, destination=destination
        )
        if not destination.serves(kind.api_version, kind.kind) and kind.api_version not in destination.broken_groups
    ]


def _coming(
    source: Cluster, destination: Cluster, kinds: Sequence[ResourceType], plan: Mapping[str, Any]
) -> frozenset[ResourceType]:
    """Those whose definition travels with the plan's objects."""
    excluded = tuple((plan.get("status") or {}).get("excludedResources") or ())
    shared = shared_types(source, included=included_kinds(plan) or None, excluded=excluded)
    if not kinds or definitions.DEFINITION not in shared:
        return frozenset()
    plan_uid = str(plan["metadata"].get("uid", ""))
    told = definitions.to_carry(source, destination, kinds, plan_uid=plan_uid)
    return frozenset(kind for kind, found in told if not isinstance(found, str))


def incompatible_namespaces(
    source: Cluster,
    destination: Cluster,
    kinds: Sequence[ResourceType],
    plan: Mapping[str, Any],
    namespaces: Sequence[str],
) -> list[dict[str, Any]]:
    """``status.incompatibleNamespaces``: where the source has objects of these kinds that the plan would move, but for
    kinds whose definition can be given to the destination."""
    selector = selector_text(plan["spec"].get("labelSelector"))
    places = [(namespace, kind) for namespace in namespaces for kind in kinds]

    def used(place: tuple[str, ResourceType]) -> bool:
        namespace, kind = place
        found = source.list(kind.api_version, kind.kind, namespace, label_selector=selector, page=1)
        return next(found, None) is not None

    found = source.map(used, places, concurrency=16)
    in_use = list(dict.fromkeys(kind for (_namespace, kind), is_used in zip(places, found, strict=True) if is_used))
    coming = _coming(source, destination, in_use, plan)
    holding: dict[str, list[dict[str, str]]] = {}
    for (namespace, kind), is_used in zip(places, found, strict=True):
        if is_used and kind not in coming:
            row = {"group": kind.group, "version": kind.version, "kind": kind.plural}
            holding.setdefault(namespace, []).append(row)
    return [
        {"name": name, "gvks": sorted(rows, key=lambda row: (row["group"], row["kind"]))}
        for name, rows in sorted(holding.items())
    ]
