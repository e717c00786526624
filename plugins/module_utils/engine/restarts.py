# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may start again what a run stops, as sentences: managers by the marks that they leave on a workload, autoscalers
that do not rest at 0 replicas, and Argo CD by a label that others set, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..cluster.api import Cluster
from ..resources.errors import Forbidden, NotFound
from . import quiesce
from .workload_managers import argo_cd_by_default, owner_outside, scaled_object

Manifest = dict[str, Any]
AUTOSCALING = "autoscaling"
AUTOSCALER = "HorizontalPodAutoscaler"
ARGO_CD = ("argoproj.io", "Application")


def may_start_again(cluster: Cluster, namespaces: Sequence[str]) -> list[str]:
    """One sentence for each workload that would be stopped and each who may start it again."""
    return [
        *map(str, quiesce.managed(cluster, namespaces)),
        *_autoscaled(cluster, namespaces),
        *_perhaps_argo_cd(cluster, namespaces),
    ]


def restless(autoscaler: Mapping[str, Any]) -> tuple[str, str] | None:
    """Of an autoscaler that starts a workload with 0 replicas: who that is, and how it is kept from doing so. One of
    Kubernetes' own rests as long as its target has 0 replicas, unless 0 is among those that it may choose."""
    scaled = scaled_object(autoscaler)
    if scaled:
        return scaled.name, scaled.mend
    if owner_outside(autoscaler) is None and autoscaler["spec"].get("minReplicas") == 0:
        name = f"{AUTOSCALER} {autoscaler['metadata']['name']} (minReplicas 0)"
        return name, "set its minReplicas to 1 before the run"
    return None


def _autoscaled(cluster: Cluster, namespaces: Sequence[str]) -> list[str]:
    versions = cluster.versions(AUTOSCALING, AUTOSCALER)
    if not versions:
        return []

    def read(namespace: str) -> list[str]:
        try:
            found = list(cluster.list(versions[0].api_version, AUTOSCALER, namespace))
        except (Forbidden, NotFound):
            return []
        told = []
        for autoscaler in found:
            who = restless(autoscaler)
            target = autoscaler["spec"].get("scaleTargetRef") or {}
            if who is not None and _would_be_stopped(cluster, target, namespace):
                workload = f"{target['kind']} {namespace}/{target['name']}"
                told.append(f"{workload} is scaled by {who[0]}, which may start it again: {who[1]}")
        return told

    return sorted(text for texts in cluster.map(read, namespaces) for text in texts)


def _would_be_stopped(cluster: Cluster, target: Mapping[str, Any], namespace: str) -> bool:
    row = next((row for row in quiesce.WORKLOADS if row.kind == target.get("kind")), None)
    if row is None:
        return False
    found = cluster.get(row.api_version, row.kind, str(target["name"]), namespace)
    return found is not None and row.stop(found) is not None


def _perhaps_argo_cd(cluster: Cluster, namespaces: Sequence[str]) -> list[str]:
    """Where there is an Argo CD, its default mark counts, which it shares with charts."""
    if not cluster.versions(*ARGO_CD):
        return []

    def read(place: tuple[quiesce.Workload, str]) -> list[str]:
        row, namespace = place
        return [
            f"{row.kind} {namespace}/{obj['metadata']['name']} is possibly managed by {manager}, which may start it "
            f"again: {manager.mend}"
            for obj in quiesce.listed(cluster, row, namespace)
            if row.stop(obj) is not None and (manager := argo_cd_by_default(obj)) is not None
        ]

    places = [(row, namespace) for row in quiesce.WORKLOADS for namespace in namespaces]
    return sorted(text for texts in cluster.map(read, places) for text in texts)
