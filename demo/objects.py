# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The application's objects on both sides: all there, equal but for what the plan's mappings explain, the source at
zero.

The list of what has to be there comes from the demo's manifests, so an object that the migration overlooked is missed
here even if the migration does not know that it exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from demo.cluster import Cluster, ClusterError, Manifest
from demo.rows import UNKNOWN, Row
from demo.seed import manifests
from demo.settings import CHECKER_LABEL, DATA_CLAIM, MOVED, SHOP, STORAGE_CLASSES

Key = tuple[str, str]
"""Kind and name."""

STAMPED = re.compile(
    r"^((.*\.)?openmig\.io|migration\.openshift\.io|openshift\.io|pv\.kubernetes\.io|volume\.(beta\.)?kubernetes\.io"
    r"|deployment\.kubernetes\.io|kubectl\.kubernetes\.io|openmig-demo)/|^(migplan|migmigration)$|^velero\.io/"
)
"""Labels and annotations that clusters, tools and the migration put on objects; they are no part of the application."""
QUIESCED_REPLICAS = "migration.openshift.io/preQuiesceReplicas"
QUIESCED_SUSPEND = "migration.openshift.io/preQuiesceSuspend"
OF_THE_CLUSTER: Mapping[str, tuple[str, ...]] = {
    "Service": (
        "clusterIP",
        "clusterIPs",
        "ipFamilies",
        "ipFamilyPolicy",
        "internalTrafficPolicy",
        "healthCheckNodePort",
    ),
    "PersistentVolumeClaim": ("volumeName",),
    "ServiceAccount": ("secrets", "imagePullSecrets"),
}
"""Fields that a cluster fills in for itself."""
EVERYWHERE = frozenset(
    {("ConfigMap", "kube-root-ca.crt"), ("ConfigMap", "openshift-service-ca.crt"), ("ServiceAccount", "default")}
)
"""In every namespace, made by the cluster."""
LISTED = [
    "ConfigMap",
    "Secret",
    "Service",
    "ServiceAccount",
    "PersistentVolumeClaim",
    "ResourceQuota",
    "LimitRange",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "CronJob",
    "PodDisruptionBudget",
    "NetworkPolicy",
    "Ingress",
    "Role",
    "RoleBinding",
    "Lease",
    "Pod",
]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One field that is not the same on both sides, and whether the plan's mappings explain it."""

    where: str
    before: Any
    after: Any
    explained: bool

    def __str__(self) -> str:
        return f"{self.where}: {self.before} -> {self.after}"


def expected() -> set[Key]:
    """What the application consists of, the claim that its StatefulSet makes included."""
    named = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests()}
    return {key for key in named if key[0] != "Namespace"} | {("PersistentVolumeClaim", DATA_CLAIM)}


def present(cluster: Cluster, namespace: str) -> dict[Key, Manifest]:
    """Everything in the namespace that somebody put there; what controllers derive from it is left out."""
    found: dict[Key, Manifest] = {}
    for kind in LISTED:
        for item in cluster.list(kind, namespace):
            key = (kind, item["metadata"]["name"])
            if key not in EVERYWHERE and not _derived(kind, item):
                found[key] = item
    return found


def _derived(kind: str, item: Manifest) -> bool:
    metadata = item["metadata"]
    if kind == "Secret" and item.get("type") in {"kubernetes.io/service-account-token", "kubernetes.io/dockercfg"}:
        return True
    if CHECKER_LABEL in (metadata.get("labels") or {}):
        return True
    return (
        any(owner.get("controller") for owner in metadata.get("ownerReferences") or ())
        and kind != "PersistentVolumeClaim"
    )


# -- rows ----------------------------------------------------------------------------------------------------------


def rows(
    source: Mapping[Key, Manifest],
    destination: Mapping[Key, Manifest],
    *,
    told: int | None,
    notes: tuple[list[str], bool],
) -> list[Row]:
    """Presence, settings, and what was rewritten. `told` and `notes` are the migration's own word."""
    wanted = expected()
    changes = [
        change
        for key in sorted(wanted & source.keys() & destination.keys())
        for change in compare(source[key], destination[key])
    ]
    data = [change for change in changes if change.where.startswith(("Secret ", "ConfigMap "))]
    rewritten = {change.where.split(":")[0] for change in data if change.explained}
    spoilt = {change.where.split(":")[0] for change in data if not change.explained}
    configured = sum(kind in {"Secret", "ConfigMap"} for kind, _name in wanted)
    return [
        _presence_row(wanted, source, destination, told),
        Row(
            what="secrets and settings",
            source=f"{configured} Secrets and ConfigMaps",
            destination=f"{configured - len(rewritten | spoilt)} equal, {len(rewritten - spoilt)} name the new place",
            good=not spoilt and wanted <= destination.keys(),
            details=[change.where for change in data if not change.explained],
        ),
        _rewritten_row(changes, notes),
    ]


def _presence_row(
    wanted: set[Key], source: Mapping[Key, Manifest], destination: Mapping[Key, Manifest], told: int | None
) -> Row:
    missing = [
        f"{side}: {kind} {name} is missing"
        for side, there in (("source", source), ("destination", destination))
        for kind, name in sorted(wanted - there.keys())
    ]
    kinds, claimed = len({kind for kind, _name in wanted}), UNKNOWN if told is None else str(told)
    return Row(
        what="objects created",
        source=f"{len(wanted & source.keys())} of {len(wanted)}, {kinds} kinds",
        destination=f"{len(wanted & destination.keys())} of {len(wanted)}; the migration says {claimed}",
        good=not missing and told is not None,
        details=missing,
    )


def _rewritten_row(changes: list[Change], notes: tuple[list[str], bool]) -> Row:
    lines, known = notes
    unexplained = [change for change in changes if not change.explained]
    explained = [change for change in changes if change.explained]
    details = [f"NOT EXPLAINED BY THE PLAN {change}" for change in unexplained] + [str(change) for change in explained]
    details += [f"the migration says: {line}" for line in lines]
    return Row(
        what="rewritten on the way",
        source=f"{len(explained)} fields by the plan's mappings",
        destination=f"{len(unexplained)} others; the migration says {len(lines) if known else UNKNOWN}",
        good=known and not unexplained,
        details=details,
    )


def at_zero_row(source: Cluster, namespace: str) -> Row:
    """No workload wants a pod, and there is none."""
    wanting = [
        f"{kind} {item['metadata']['name']} wants {item['spec'].get('replicas', 1)} replicas"
        for kind in ("Deployment", "StatefulSet", "ReplicaSet")
        for item in source.list(kind, namespace)
        if item["spec"].get("replicas", 1)
    ]
    wanting += [
        f"CronJob {item['metadata']['name']} is not suspended"
        for item in source.list("CronJob", namespace)
        if not item["spec"].get("suspend")
    ]
    pods = [f"Pod {item['metadata']['name']} exists" for item in source.list("Pod", namespace)]
    workloads = len(source.list("Deployment", namespace)) + len(source.list("StatefulSet", namespace))
    return Row(
        what="the source is at zero",
        source=f"{workloads} workloads want {len(wanting) or 'nothing'}, {len(pods) or 'no'} pods",
        destination="",
        good=not wanting and not pods and workloads > 0,
        details=[*wanting, *pods],
    )


def front_row(destination: Cluster, namespace: str) -> Row:
    """The front answers, reaches its database and its volume, and may still read its settings from the API."""
    try:
        health = destination.service("GET", namespace, "front:80", "/health")
        rights = destination.service("GET", namespace, "front:80", "/api/rights")
        page = destination.request("GET", f"api/v1/namespaces/{namespace}/services/front:80/proxy/")
    except ClusterError as error:
        return Row(
            what="the front answers", source="at zero", destination="no answer", good=False, details=[str(error)]
        )
    good = bool(health.get("healthy") and rights.get("rights") and b"orders" in page)
    return Row(
        what="the front answers",
        source="at zero",
        destination=f"page, database ({health.get('host')}), volume, rights" if good else "not healthy",
        good=good,
        details=[] if good else [f"health: {health}", f"rights: {rights}"],
    )


def address(destination: Cluster, namespace: str) -> str:
    """Where a person can look at the front: its node port on the first node; empty when there is none."""
    front = destination.get("Service", "front", namespace) or {}
    ports = [port["nodePort"] for port in (front.get("spec") or {}).get("ports", ()) if port.get("nodePort")]
    addresses = [
        each["address"]
        for node in destination.list("Node")
        for each in (node.get("status") or {}).get("addresses", ())
        if each["type"] == "InternalIP"
    ]
    return f"http://{addresses[0]}:{ports[0]}/" if ports and addresses else ""


# -- comparison ----------------------------------------------------------------------------------------------------


def compare(before: Manifest, after: Manifest) -> list[Change]:
    """Every field of the application's own that differs. Values of Secrets are not told, only that they differ."""
    kind, name = before["kind"], before["metadata"]["name"]
    changes = []
    left, right = dict(_leaves(_essence(kind, before))), dict(_leaves(_essence(kind, after)))
    for path in sorted(left.keys() | right.keys()):
        if left.get(path) != right.get(path):
            here, there = (left.get(path), right.get(path)) if kind != "Secret" else ("...", "...")
            explained = kind != "Secret" and is_explained(left.get(path), right.get(path))
            changes.append(Change(where=f"{kind} {name}: {path}", before=here, after=there, explained=explained))
    return changes


def is_explained(before: Any, after: Any) -> bool:
    """Whether the plan's mappings turn one value into the other."""
    if not isinstance(before, str) or not isinstance(after, str):
        return False
    return (
        STORAGE_CLASSES.get(before) == after
        or (before == SHOP and after == MOVED)
        or before.replace(f".{SHOP}.svc", f".{MOVED}.svc") == after
    )


def _essence(kind: str, item: Manifest) -> Manifest:
    metadata = item["metadata"]
    annotations = metadata.get("annotations") or {}
    rest = {key: value for key, value in item.items() if key not in {"apiVersion", "kind", "metadata", "status"}}
    rest |= {key: None for key in OF_THE_CLUSTER.get(kind, ()) if key in rest}
    if "spec" in rest:
        spec = {key: value for key, value in rest["spec"].items() if key not in OF_THE_CLUSTER.get(kind, ())}
        if QUIESCED_REPLICAS in annotations:
            spec["replicas"] = int(annotations[QUIESCED_REPLICAS])
        if annotations.get(QUIESCED_SUSPEND) == "true":
            spec["suspend"] = False
        if spec.get("paused") is False:
            del spec["paused"]
        if kind == "Service":
            spec["ports"] = [
                {key: value for key, value in port.items() if key != "nodePort"} for port in spec.get("ports", ())
            ]
        rest["spec"] = spec
    rest["labels"] = _own(metadata.get("labels"))
    rest["annotations"] = _own(annotations)
    return rest


def _own(stamped: Mapping[str, str] | None) -> dict[str, str]:
    return {key: value for key, value in (stamped or {}).items() if not STAMPED.search(key)}


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in {"creationTimestamp", "status"}:
                yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]")
    elif value is not None:
        yield path, value
