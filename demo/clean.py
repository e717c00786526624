# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything that the demo and its migration made goes away again; what belongs to others stays."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial

from demo.cluster import Cluster, ClusterError, Manifest
from demo.settings import ENGINE_NAMESPACE, FACTS_NAMESPACE, MOVED, PLAN, SHOP

PART_OF = "app.kubernetes.io/part-of"
MANAGED_BY = "app.kubernetes.io/managed-by"
COLLECTION = "openmig.mtc"
SECONDS = 120


def clean(source: Cluster, destination: Cluster, say: Callable[[str], None]) -> None:
    """Remove the demo from both clusters. A namespace that is not the demo's stays: a ClusterError at the end."""
    _remove_plan(destination)
    others = [each["metadata"] for each in destination.list("MigPlan")]
    doomed = {source: [SHOP], destination: [MOVED, FACTS_NAMESPACE]}
    if not any(each["namespace"] == ENGINE_NAMESPACE for each in others):
        doomed = {cluster: [*namespaces, ENGINE_NAMESPACE] for cluster, namespaces in doomed.items()}
    if others:
        names = ", ".join(f"{each['namespace']}/{each['name']}" for each in others)
        say(f"kept: what other plans use of the migration's resources and rights: {names}")
    refused: list[str] = []
    for cluster, namespaces in doomed.items():
        for name in list(namespaces):
            if problem := _delete_namespace(cluster, name):
                refused.append(problem)
                namespaces.remove(name)
    for cluster, namespaces in doomed.items():
        for name in namespaces:
            cluster.wait(f"Namespace {name} is gone", partial(_is_gone, cluster, name), seconds=SECONDS)
        _wait_for_volumes(cluster, namespaces)
        if ENGINE_NAMESPACE in namespaces:
            _remove(cluster, "ClusterRoleBinding", ending=f"-{ENGINE_NAMESPACE}")
        if not others:
            _remove(cluster, "ClusterRole")
            _remove(cluster, "CustomResourceDefinition")
        say(f"{cluster.name}: gone: {', '.join(namespaces)}")
    if refused:
        raise ClusterError("; ".join(refused))


def _remove_plan(control: Cluster) -> None:
    """Migrations before their plan, so that nobody reconciles one without the other."""
    for migration in control.list("MigMigration", ENGINE_NAMESPACE):
        if (migration["spec"].get("migPlanRef") or {}).get("name") == PLAN:
            control.delete("MigMigration", migration["metadata"]["name"], ENGINE_NAMESPACE)
    with contextlib.suppress(ClusterError):
        control.delete("MigPlan", PLAN, ENGINE_NAMESPACE)


def _is_gone(cluster: Cluster, namespace: str) -> bool:
    return cluster.get("Namespace", namespace) is None


def _delete_namespace(cluster: Cluster, name: str) -> str | None:
    """Ask for its deletion; the reason if it is not to be deleted."""
    namespace = cluster.get("Namespace", name)
    if namespace is None:
        return None
    if name in {SHOP, MOVED} and not _is_shop(cluster, namespace):
        return f"{cluster.name}: Namespace {name}: not removed: it holds what is not the demo's. Remove it by hand"
    cluster.delete("Namespace", name)
    return None


def _is_shop(cluster: Cluster, namespace: Manifest) -> bool:
    """By its label, or (where only the contents were moved) by its service."""
    if (namespace["metadata"].get("labels") or {}).get(PART_OF) == SHOP:
        return True
    name = namespace["metadata"]["name"]
    everything = [
        item for kind in ("Service", "PersistentVolumeClaim", "ConfigMap") for item in cluster.list(kind, name)
    ]
    own = [item for item in everything if item["metadata"]["name"] != "kube-root-ca.crt"]
    return all((item["metadata"].get("labels") or {}).get(PART_OF) == SHOP for item in own)


def _wait_for_volumes(cluster: Cluster, namespaces: list[str]) -> None:
    def bound() -> bool:
        volumes = cluster.list("PersistentVolume")
        kept = {"Retain"}
        return any(
            (volume["spec"].get("claimRef") or {}).get("namespace") in namespaces
            and volume["spec"].get("persistentVolumeReclaimPolicy") not in kept
            for volume in volumes
        )

    cluster.wait("the volumes are gone", lambda: not bound(), seconds=SECONDS)


def _remove(cluster: Cluster, kind: str, *, ending: str = "") -> None:
    """What the collection has labelled as its own, of one kind."""
    for item in cluster.list(kind, selector=f"{MANAGED_BY}={COLLECTION}"):
        if item["metadata"]["name"].endswith(ending):
            cluster.delete(kind, item["metadata"]["name"])
