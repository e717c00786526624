# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a plan's runs have made on the destination, and its removal: objects, claims and namespaces with the plan's
label.

What others have made stays, and so does a namespace that holds anything of theirs, or that was there before (D27).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..cluster.api import Cluster
from ..objects import removal, removal_shared
from ..objects.collect import movable_types
from ..objects.exclusions import excluded_object
from ..objects.inventory import reference
from ..objects.manifest import controller_of
from ..objects.transforms_metadata import is_platform_service_account
from ..resources import names

LABEL = names.MIGRATED_BY_MIGPLAN_LABEL
CLAIM = "PersistentVolumeClaim"
NAMESPACE = "Namespace"
Manifest = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Made:
    """By reference. ``kept`` are sentences: what a run has made and others have begun to use, and why."""

    objects: list[str]
    claims: list[str]
    namespaces: list[str]
    shared: list[str]
    """What lives in no namespace."""
    kept: list[str]


def selector(plan_uid: str) -> str:
    return f"{LABEL}={plan_uid}"


def made(destination: Cluster, plan_uid: str, namespaces: Sequence[str]) -> Made:
    """All of it; nothing is changed."""
    removable, kept = _namespaces(destination, plan_uid, namespaces)
    shared = removal_shared.shared_created(destination, plan_uid, namespaces, label=LABEL)
    return Made(
        objects=sorted(reference(obj) for obj in removal.created(destination, plan_uid, namespaces, label=LABEL)),
        claims=sorted(_name(claim) for claim in _claims(destination, plan_uid, namespaces)),
        namespaces=removable,
        shared=[reference(obj) for obj in shared.removable],
        kept=[*(f"{NAMESPACE} {name}: others have put something into it" for name in kept), *shared.kept],
    )


def remove_contents(destination: Cluster, plan_uid: str, namespaces: Sequence[str]) -> list[str]:
    """Delete objects, and claims once no object is left that pods may depend on; call again until nothing is
    returned: then all of it is gone."""
    if left := removal.remove_created(destination, plan_uid, namespaces, label=LABEL):
        return list(left)
    claims = _claims(destination, plan_uid, namespaces)

    def remove(claim: Manifest) -> str:
        metadata = claim["metadata"]
        if "deletionTimestamp" not in metadata:
            destination.delete("v1", CLAIM, metadata["name"], metadata["namespace"], uid=metadata["uid"])
        return _name(claim)

    return sorted(destination.map(remove, claims))


def remove_namespaces(destination: Cluster, plan_uid: str, namespaces: Sequence[str]) -> tuple[list[str], list[str]]:
    """Delete the namespaces that the plan's runs have made and in which nothing of others is; (still there, kept)."""
    removable, kept = _namespaces(destination, plan_uid, namespaces)
    for name in removable:
        found = destination.get("v1", NAMESPACE, name)
        if found is not None and "deletionTimestamp" not in found["metadata"]:
            destination.delete("v1", NAMESPACE, name, uid=found["metadata"]["uid"])
    return [name for name in removable if destination.get("v1", NAMESPACE, name) is not None], kept


def remove_shared(destination: Cluster, plan_uid: str, namespaces: Sequence[str]) -> tuple[list[str], list[str]]:
    """Delete what lives in no namespace, once nothing of the plan is left in them; (still there, kept and why)."""
    return removal_shared.remove_shared(destination, plan_uid, namespaces, label=LABEL)


def _claims(destination: Cluster, plan_uid: str, namespaces: Sequence[str]) -> list[Manifest]:
    listed = destination.map(
        lambda name: list(destination.list("v1", CLAIM, name, label_selector=selector(plan_uid))), namespaces
    )
    return [claim for found in listed for claim in found]


def _namespaces(destination: Cluster, plan_uid: str, namespaces: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those that the plan's runs have made: (that hold nothing of others, that do)."""
    removable: list[str] = []
    kept: list[str] = []
    for name in dict.fromkeys(namespaces):
        found = destination.get("v1", NAMESPACE, name)
        if found is None or (found["metadata"].get("labels") or {}).get(LABEL) != plan_uid:
            continue
        ending = "deletionTimestamp" in found["metadata"]
        (removable if ending or not _of_others(destination, plan_uid, name) else kept).append(name)
    return removable, kept


def _of_others(destination: Cluster, plan_uid: str, namespace: str) -> bool:
    """Whether the namespace holds anything that neither the plan, nor the platform, nor a controller has made there."""
    for _kind, _namespace, obj in destination.list_types(movable_types(destination), [namespace]):
        labels = obj["metadata"].get("labels") or {}
        known = labels.get(LABEL) == plan_uid or names.RUN_LABEL in labels
        if not (known or controller_of(obj) or is_platform_service_account(obj) or excluded_object(obj)):
            return True
    claims = destination.list("v1", CLAIM, namespace)
    return any((claim["metadata"].get("labels") or {}).get(LABEL) != plan_uid for claim in claims)


def _name(claim: Manifest) -> str:
    return f"{CLAIM} {claim['metadata']['namespace']}/{claim['metadata']['name']}"
