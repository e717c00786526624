# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads from the clusters what a plan's validation and discovery need: all lists side by side, nothing twice.

While a plan is suspended (a run is under way or has finished it) its volumes are not discovered anew and neither side
is asked at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..cluster.api import Cluster
from ..resources import migmigration, names, spec_fields
from ..resources.migplan import namespace_mapping
from ..resources.plan_facts import ClusterFacts, PlanFacts, is_suspended
from ..resources.plan_volumes import ClaimUse, VolumeFacts
from ..resources.storage_classes import describe

Manifest = dict[str, Any]

TEMPLATE_KINDS = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
)
"""Workloads whose pod templates may name a claim although no pod runs."""
UNKNOWN_OWNER = "Unknown"


@dataclass(frozen=True, kw_only=True)
class PlanReading:
    """What was read. ``volumes`` is None while the plan is suspended: then the list that is stored stays."""

    facts: PlanFacts
    volumes: VolumeFacts | None
    source_classes: list[dict[str, Any]] = field(default_factory=list)
    destination_classes: list[dict[str, Any]] = field(default_factory=list)


def read_plan(
    *,
    control: Cluster,
    sides: Callable[[], tuple[Cluster, Cluster]],
    plan: Mapping[str, Any],
    installed: bool,
    predicted: Mapping[str, Manifest] | None = None,
) -> PlanReading:
    """``sides`` opens source and destination, and is called only when they are needed.

    ``predicted`` holds MigClusters by name that an earlier task would have made (check mode on bare clusters).
    """
    namespace = str(plan["metadata"]["namespace"])
    clusters, plans, migrations = _from_control(control, namespace, plan, installed=installed)
    clusters = {**(predicted or {}), **clusters}
    suspended = is_suspended(migrations) and not plan["spec"].get("refresh")
    source_ref, destination_ref = (
        spec_fields.refers_to(plan["spec"].get(key)) for key in ("srcMigClusterRef", "destMigClusterRef")
    )
    source_resource = clusters.get(source_ref[1]) if source_ref else None
    destination_resource = clusters.get(destination_ref[1]) if destination_ref else None
    if suspended or source_resource is None or destination_resource is None:
        facts = PlanFacts(
            plan=plan,
            source=ClusterFacts(resource=source_resource),
            destination=ClusterFacts(resource=destination_resource),
            other_plans=plans,
            migrations=migrations,
        )
        return PlanReading(facts=facts, volumes=None)
    source, destination = sides()
    return _from_sides(
        source,
        destination,
        plan=plan,
        source_resource=source_resource,
        destination_resource=destination_resource,
        plans=plans,
        migrations=migrations,
    )


def _from_control(
    control: Cluster, namespace: str, plan: Mapping[str, Any], *, installed: bool
) -> tuple[dict[str, Manifest], list[Manifest], list[Manifest]]:
    if not installed:
        return {}, [], []
    kinds = (names.MIG_CLUSTER, names.MIG_PLAN, names.MIG_MIGRATION)
    clusters, plans, migrations = control.map(
        lambda kind: list(control.list(names.API_VERSION, kind, namespace)), kinds
    )
    own = (namespace, str(plan["metadata"]["name"]))
    return (
        {str(cluster["metadata"]["name"]): cluster for cluster in clusters},
        [other for other in plans if other["metadata"]["name"] != own[1]],
        [migration for migration in migrations if migmigration.plan_of(migration) == own],
    )


def _from_sides(
    source: Cluster,
    destination: Cluster,
    *,
    plan: Mapping[str, Any],
    source_resource: Manifest,
    destination_resource: Manifest,
    plans: Sequence[Manifest],
    migrations: Sequence[Manifest],
) -> PlanReading:
    mapping = namespace_mapping(plan)
    reads: list[Callable[[], Any]] = [
        lambda: _namespaces(source, mapping),
        lambda: _namespaces(destination, mapping.values()),
        lambda: [describe(item) for item in source.list("storage.k8s.io/v1", "StorageClass")],
        lambda: [describe(item) for item in destination.list("storage.k8s.io/v1", "StorageClass")],
        lambda: list(source.list("v1", "PersistentVolume")),
        source.identity,
        destination.identity,
        lambda: _of_all(source, mapping, "v1", "PersistentVolumeClaim"),
        lambda: _of_all(source, mapping, "v1", "Pod"),
        *(_template_read(source, mapping, api_version, kind) for api_version, kind in TEMPLATE_KINDS),
    ]
    read = source.map(lambda each: each(), reads, concurrency=16)
    there, here, source_classes, destination_classes, volumes, source_id, destination_id, claims, pods = read[:9]
    workloads = [item for items in read[9:] for item in items]
    same_cluster = source_id == destination_id
    facts = PlanFacts(
        plan=plan,
        source=ClusterFacts(resource=source_resource, namespaces=there),
        destination=ClusterFacts(resource=destination_resource, namespaces=here),
        other_plans=plans,
        migrations=migrations,
        same_cluster=same_cluster,
        source_pods=pods,
    )
    return PlanReading(
        facts=facts,
        volumes=VolumeFacts(
            claims=claims,
            volumes=volumes,
            source_classes=source_classes,
            destination_classes=destination_classes,
            uses=claim_uses(claims, pods, workloads),
            same_cluster=same_cluster,
            suffix=str((plan.get("status") or {}).get("suffix", "")),
        ),
        source_classes=source_classes,
        destination_classes=destination_classes,
    )


def _template_read(
    source: Cluster, mapping: Mapping[str, str], api_version: str, kind: str
) -> Callable[[], list[Manifest]]:
    return lambda: _of_all(source, mapping, api_version, kind)


def _of_all(cluster: Cluster, namespaces: Iterable[str], api_version: str, kind: str) -> list[Manifest]:
    """The objects of the kind in the namespaces. A namespace that does not exist has none."""
    return [item for namespace in namespaces for item in cluster.list(api_version, kind, namespace)]


def _namespaces(cluster: Cluster, wanted: Iterable[str]) -> dict[str, dict[str, str]]:
    found = [cluster.get("v1", "Namespace", name) for name in dict.fromkeys(wanted)]
    return {
        str(namespace["metadata"]["name"]): dict(namespace["metadata"].get("annotations") or {})
        for namespace in found
        if namespace is not None and "deletionTimestamp" not in namespace["metadata"]
    }


def claim_uses(
    claims: Sequence[Manifest], pods: Sequence[Manifest], workloads: Sequence[Manifest]
) -> dict[tuple[str, str], ClaimUse]:
    """Who uses each claim, by (namespace, name): pods by their topmost owner, and templates even when no pod runs."""
    owners: dict[tuple[str, str], set[str]] = {}
    sets: dict[tuple[str, str], str] = {}
    by_uid = {workload["metadata"]["uid"]: workload for workload in workloads}
    for pod in pods:
        kind, name = _topmost_owner(pod, by_uid)
        for claim in _mounted(pod["spec"]):
            key = (str(pod["metadata"]["namespace"]), claim)
            owners.setdefault(key, set()).add(kind)
            if kind == "StatefulSet":
                sets[key] = name
    for workload in workloads:
        namespace = str(workload["metadata"]["namespace"])
        for claim in _mounted(_pod_spec(workload)):
            owners.setdefault((namespace, claim), set()).add(_topmost_owner(workload, by_uid)[0] or workload["kind"])
        _of_claim_templates(workload, claims, owners, sets)
    return {
        key: ClaimUse(
            referenced=True,
            owner_type=next(iter(kinds)) if len(kinds) == 1 and "" not in kinds else UNKNOWN_OWNER,
            stateful_set=sets.get(key, ""),
        )
        for key, kinds in owners.items()
    }


def _of_claim_templates(
    workload: Manifest,
    claims: Sequence[Manifest],
    owners: dict[tuple[str, str], set[str]],
    sets: dict[tuple[str, str], str],
) -> None:
    """Claims that a StatefulSet's templates have made are its own, also while it has no pods."""
    name, namespace = str(workload["metadata"]["name"]), workload["metadata"]["namespace"]
    for template in workload["spec"].get("volumeClaimTemplates") or ():
        pattern = re.compile(rf"{re.escape(template['metadata']['name'])}-{re.escape(name)}-[0-9]+")
        for claim in claims:
            metadata = claim["metadata"]
            if metadata["namespace"] == namespace and pattern.fullmatch(metadata["name"]):
                owners.setdefault((namespace, metadata["name"]), set()).add("StatefulSet")
                sets[namespace, metadata["name"]] = name


def _pod_spec(workload: Manifest) -> Mapping[str, Any]:
    spec = workload["spec"]
    if workload["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return ((spec.get("template") or {}).get("spec")) or {}


def _mounted(pod_spec: Mapping[str, Any]) -> set[str]:
    volumes = pod_spec.get("volumes") or ()
    return {volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume}


def _topmost_owner(obj: Manifest, by_uid: Mapping[str, Manifest]) -> tuple[str, str]:
    """(kind, name) of the controller at the top, ("", "") for what nobody controls."""
    kind = name = ""
    current: Mapping[str, Any] | None = obj
    while current is not None:
        owner = next((o for o in current["metadata"].get("ownerReferences") or () if o.get("controller")), None)
        if owner is None:
            break
        kind, name = str(owner["kind"]), str(owner["name"])
        current = by_uid.get(owner["uid"])
    return kind, name
