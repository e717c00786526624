# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads from the clusters what a plan's validation and discovery need: all requests side by side, nothing twice.

Three rounds: what the control cluster knows, what both sides are always asked for (every kind and namespace a request
of its own), and what only their discovery can tell to ask for. While a plan is suspended (a run is under way or has
finished it), or a side's MigCluster is missing or not ready, neither side is asked at all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..cluster.api import Cluster
from ..resources import migmigration, migplan, names, spec_fields
from ..resources.errors import Forbidden
from ..resources.migplan import namespace_mapping
from ..resources.plan_facts import ClusterFacts, PlanFacts, is_suspended
from ..resources.plan_limits import limits_of
from ..resources.plan_resizing import analytic_of
from ..resources.plan_volumes import VolumeFacts
from ..resources.storage_classes import describe
from . import plan_kinds
from .claim_uses import claim_uses
from .predictions import Predictions

Manifest = dict[str, Any]
Reads = dict[tuple[str, ...], Callable[[], Any]]

CONCURRENCY = 16
CLAIM, POD, VOLUME = "PersistentVolumeClaim", "Pod", "PersistentVolume"
TEMPLATE_KINDS = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"),
    ("v1", "ReplicationController"),
)
"""Workloads that every cluster has, whose pod templates may name a claim although no pod runs."""
DISCOVERED_TEMPLATE_KINDS = (
    ("batch", "CronJob"),
    ("apps.openshift.io", "DeploymentConfig"),
    ("kubevirt.io", "VirtualMachine"),
)
"""The same by (group, kind), in the version that the cluster prefers, where it has them."""
KUBEVIRT = ("kubevirt.io/v1", "KubeVirt")


@dataclass(frozen=True, kw_only=True)
class PlanReading:
    """What was read. ``volumes`` is None when the sides were not asked: then the list that is stored stays."""

    facts: PlanFacts
    volumes: VolumeFacts | None = None
    source_classes: list[dict[str, Any]] = field(default_factory=list)
    destination_classes: list[dict[str, Any]] = field(default_factory=list)


def read_plan(
    *,
    control: Cluster,
    sides: Callable[[], tuple[Cluster, Cluster]],
    plan: Mapping[str, Any],
    installed: bool,
    predicted: Predictions | None = None,
) -> PlanReading:
    """``sides`` opens source and destination, and is called only when they are needed.

    ``predicted`` holds what earlier tasks would have made (check mode).
    """
    facts = _from_control(control, plan, installed=installed, predicted=predicted or Predictions())
    suspended = is_suspended(facts.migrations) and not facts.spec.get("refresh")
    if suspended or not (facts.source.ready and facts.destination.ready):
        return PlanReading(facts=facts)
    source, destination = sides()
    return _from_sides(source, destination, plan=plan, facts=facts)


def _from_control(control: Cluster, plan: Mapping[str, Any], *, installed: bool, predicted: Predictions) -> PlanFacts:
    spec, namespace, name = plan["spec"], str(plan["metadata"]["namespace"]), str(plan["metadata"]["name"])
    references = {
        "source": (names.MIG_CLUSTER, spec_fields.refers_to(spec.get("srcMigClusterRef"))),
        "destination": (names.MIG_CLUSTER, spec_fields.refers_to(spec.get("destMigClusterRef"))),
        "storage": (names.MIG_STORAGE, spec_fields.refers_to(spec.get("migStorageRef"))),
    }
    hooks = {spec_fields.refers_to(hook.get("reference")) for hook in spec.get("hooks") or ()} - {None}
    reads: Reads = {}
    if installed:
        reads["all", names.MIG_PLAN] = partial(_plans_in_reach, control, namespace)
        for kind in (names.MIG_MIGRATION, names.MIG_ANALYTIC):
            reads["all", kind] = partial(_listed, control, names.API_VERSION, kind, namespace)
        for part, (kind, target) in references.items():
            if target is not None:
                reads["one", part] = partial(control.get, names.API_VERSION, kind, target[1], target[0])
        for target in hooks:
            if target is not None:
                reads["hook", *target] = partial(control.get, names.API_VERSION, names.MIG_HOOK, target[1], target[0])
    found = _read(control, reads)
    bound = {
        part: predicted.find(kind, target) or found.get(("one", part)) or predicted.otherwise(kind, target)
        for part, (kind, target) in references.items()
    }
    bound_hooks = {
        target: hook
        for target in hooks
        if target is not None
        and (hook := predicted.find(names.MIG_HOOK, target) or found.get(("hook", *target))) is not None
    }
    return PlanFacts(
        plan=plan,
        source=ClusterFacts(resource=bound["source"]),
        destination=ClusterFacts(resource=bound["destination"]),
        storage_required=migplan.needs_storage(spec),
        storage=bound["storage"],
        hooks=bound_hooks,
        other_plans=found.get(("all", names.MIG_PLAN), []),
        migrations=[
            migration
            for migration in found.get(("all", names.MIG_MIGRATION), [])
            if migmigration.plan_of(migration) == (namespace, name)
        ],
        analytic=analytic_of(plan, found.get(("all", names.MIG_ANALYTIC), [])),
        limits=limits_of(plan),
    )


def _plans_in_reach(control: Cluster, namespace: str) -> list[Manifest]:
    """All plans of the control cluster, for conflicts; those of the namespace alone where the account may not list
    more."""
    try:
        return _listed(control, names.API_VERSION, names.MIG_PLAN)
    except Forbidden:
        return _listed(control, names.API_VERSION, names.MIG_PLAN, namespace)


def _from_sides(source: Cluster, destination: Cluster, *, plan: Mapping[str, Any], facts: PlanFacts) -> PlanReading:
    mapping = namespace_mapping(plan)
    spaces = list(mapping)
    found = _read(source, _always(source, destination, plan, mapping))
    late = _read(source, _discovered(source, destination, plan, spaces))
    source_classes = [describe(item) for item in found["source", "classes"]]
    destination_classes = [describe(item) for item in found["destination", "classes"]]
    unknown = plan_kinds.unknown_resources(source, plan)
    incompatible = None
    if not unknown:
        unserved = plan_kinds.unserved_kinds(source, destination, plan)
        incompatible = plan_kinds.incompatible_namespaces(source, destination, unserved, plan, spaces)
    claims, pods = _of_kind(found, CLAIM), _of_kind(found, POD)
    workloads = [item for _version, kind in TEMPLATE_KINDS for item in _of_kind(found, kind)]
    workloads += [item for _group, kind in DISCOVERED_TEMPLATE_KINDS for item in _of_kind(late, kind)]
    same_cluster = found["source", "identity"] == found["destination", "identity"]
    return PlanReading(
        facts=_with_sides(facts, found, late, pods=pods, same_cluster=same_cluster, unknown=unknown, gvks=incompatible),
        volumes=VolumeFacts(
            claims=claims,
            volumes=found["source", "volumes"],
            source_classes=source_classes,
            destination_classes=destination_classes,
            uses=claim_uses(claims, pods, workloads),
            same_cluster=same_cluster,
            suffix=str((plan.get("status") or {}).get("suffix", "")),
            plan_uid=str(plan["metadata"].get("uid", "")),
        ),
        source_classes=source_classes,
        destination_classes=destination_classes,
    )


def _with_sides(
    facts: PlanFacts,
    found: Mapping[tuple[str, ...], Any],
    late: Mapping[tuple[str, ...], Any],
    *,
    pods: Sequence[Manifest],
    same_cluster: bool,
    unknown: Sequence[str],
    gvks: Sequence[Mapping[str, Any]] | None,
) -> PlanFacts:
    def side(name: str, cluster: ClusterFacts) -> ClusterFacts:
        return dataclasses.replace(
            cluster,
            namespaces=_standing(found, name),
            proxy_secrets=found[name, "proxies"],
            kubevirts=late.get((name, "kubevirts")),
        )

    return dataclasses.replace(
        facts,
        source=side("source", facts.source),
        destination=side("destination", facts.destination),
        same_cluster=same_cluster,
        source_pods=pods,
        unknown_resources=unknown,
        incompatible=gvks,
    )


def _always(source: Cluster, destination: Cluster, plan: Mapping[str, Any], mapping: Mapping[str, str]) -> Reads:
    own = str(plan["metadata"]["namespace"])
    reads: Reads = {}
    for name, cluster, spaces in (("source", source, mapping.keys()), ("destination", destination, mapping.values())):
        reads[name, "types"] = cluster.types
        reads[name, "identity"] = cluster.identity
        reads[name, "classes"] = partial(_listed, cluster, "storage.k8s.io/v1", "StorageClass")
        reads[name, "proxies"] = partial(
            _listed, cluster, "v1", "Secret", own, label_selector=f"{names.PROXY_CONFIG_LABEL}=true"
        )
        for space in spaces:
            reads[name, "namespace", space] = partial(cluster.get, "v1", "Namespace", space)
    reads["source", "volumes"] = partial(_listed, source, "v1", VOLUME)
    for api_version, kind in (("v1", CLAIM), ("v1", POD), *TEMPLATE_KINDS):
        for space in mapping:
            reads["kind", kind, space] = partial(_listed, source, api_version, kind, space)
    return reads


def _discovered(source: Cluster, destination: Cluster, plan: Mapping[str, Any], spaces: Sequence[str]) -> Reads:
    preferred = {(kind.group, kind.kind): kind.api_version for kind in source.types()}
    reads: Reads = {}
    for group, kind in DISCOVERED_TEMPLATE_KINDS:
        if (group, kind) in preferred:
            for space in spaces:
                reads["kind", kind, space] = partial(_listed, source, preferred[group, kind], kind, space)
    if plan["spec"].get("liveMigrate"):
        for name, cluster in (("source", source), ("destination", destination)):
            if cluster.serves(*KUBEVIRT):
                reads[name, "kubevirts"] = partial(_listed, cluster, *KUBEVIRT)
    return reads


def _read(cluster: Cluster, reads: Reads) -> dict[tuple[str, ...], Any]:
    results = cluster.map(lambda read: read(), list(reads.values()), concurrency=CONCURRENCY)
    return dict(zip(reads, results, strict=True))


def _listed(
    cluster: Cluster, api_version: str, kind: str, namespace: str | None = None, *, label_selector: str | None = None
) -> list[Manifest]:
    return list(cluster.list(api_version, kind, namespace, label_selector=label_selector))


def _of_kind(found: Mapping[tuple[str, ...], Any], kind: str) -> list[Manifest]:
    return [item for key, items in found.items() if key[:2] == ("kind", kind) for item in items]


def _standing(found: Mapping[tuple[str, ...], Any], side: str) -> dict[str, dict[str, str]]:
    """Annotations of the namespaces that exist and are not being deleted, by name."""
    there = [namespace for key, namespace in found.items() if key[:2] == (side, "namespace") and namespace is not None]
    return {
        str(namespace["metadata"]["name"]): dict(namespace["metadata"].get("annotations") or {})
        for namespace in there
        if "deletionTimestamp" not in namespace["metadata"]
    }
