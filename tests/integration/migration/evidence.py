# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What tests look at afterwards: what was left behind, what stands on the destination, who wrote what."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from lab import audit

Manifest = dict[str, Any]
AGENT = "openmig.mtc/"
"""How the user agent of every process of ours begins."""
RECORD_KINDS = frozenset({"Lease", "MigMigration", "MigPlan", "MigCluster", "DirectVolumeMigration"})


def _all_objects(cluster: Cluster, namespaces: Sequence[str], selector: str | None = None) -> Iterator[Manifest]:
    types = [kind for kind in cluster.types() if kind.namespaced and {"list", "create"} <= kind.verbs]
    for _kind, _namespace, obj in cluster.list_types(types, namespaces, label_selector=selector):
        yield obj


def scaffolding(clusters: Iterable[Cluster], namespaces: Sequence[str], selector: str = names.RUN_LABEL) -> list[str]:
    """Everything on the clusters that carries a run's label, in these namespaces (in all, when none are named). Empty
    is what a test wants."""
    return sorted(
        f"{cluster.name}: {obj['kind']} {obj['metadata']['namespace']}/{obj['metadata']['name']}"
        for cluster in clusters
        for obj in _all_objects(cluster, namespaces, selector)
    )


def known_kinds(cluster: Cluster) -> list[str]:
    """The names of the definitions of MTC's kinds on a cluster."""
    found = cluster.list("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    return [item["metadata"]["name"] for item in found if item["spec"]["group"] == names.GROUP]


def restored(cluster: Cluster, namespace: str) -> dict[str, Manifest]:
    """The objects of a destination namespace that a user would name, without what servers and runs put into them."""
    found = {}
    for obj in _all_objects(cluster, [namespace]):
        metadata = obj["metadata"]
        made_by_controller = any(owner.get("controller") for owner in metadata.get("ownerReferences") or ())
        if made_by_controller or obj["kind"] in ("Event", "Endpoints", "Pod", "Lease"):
            continue
        if metadata["name"] in ("kube-root-ca.crt", "default"):
            continue
        found[f"{obj['kind']} {metadata['name']}"] = _comparable(obj)
    return found


def _comparable(obj: Manifest) -> Manifest:
    plain = copy.deepcopy(obj)
    plain.pop("status", None)
    metadata = plain["metadata"]
    for field in ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"):
        metadata.pop(field, None)
    for label in (names.MIGRATED_BY_MIGMIGRATION_LABEL, names.MIGRATED_BY_MIGPLAN_LABEL):
        (metadata.get("labels") or {}).pop(label, None)
    # Which controllers have annotated it by now is a matter of time, not of the migration.
    for annotation in list(metadata.get("annotations") or {}):
        if annotation.startswith(("pv.kubernetes.io/", "volume.kubernetes.io/", "deployment.kubernetes.io/")):
            metadata["annotations"].pop(annotation)
    for empty in ("labels", "annotations"):
        if metadata.get(empty) == {}:
            metadata.pop(empty)
    if plain["kind"] == "PersistentVolumeClaim":
        plain["spec"].pop("volumeName", None)
    if plain["kind"] == "Service":
        for field in ("clusterIP", "clusterIPs"):
            plain["spec"].pop(field, None)
    return plain


def our_writes(cluster: str, since: audit.Offset) -> list[dict[str, Any]]:
    """Requests of processes of ours that changed something on a cluster of the lab."""
    return [event for event in audit.writes(cluster, since) if str(event.get("userAgent", "")).startswith(AGENT)]


def all_writes_but_the_clusters_own(cluster: str, since: audit.Offset) -> list[str]:
    """Everything that anybody but the cluster's own components changed, as ``verb resource namespace/name by
    agent``."""
    return [
        f"{event['verb']} {_what(event)} by {event.get('userAgent', '')}"
        for event in audit.writes(cluster, since)
        if not str(event["user"]["username"]).startswith("system:")
    ]


def _what(event: dict[str, Any]) -> str:
    reference = event.get("objectRef") or {}
    return f"{reference.get('resource')} {reference.get('namespace', '')}/{reference.get('name', '')}"


def described(events: Iterable[dict[str, Any]]) -> list[str]:
    """The events as lines, for a failing test to show."""
    return [f"{event['verb']} {_what(event)} {event.get('userAgent', '')}" for event in events]
