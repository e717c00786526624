# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the pods of a plan's source namespaces say about a migration: their number, their nodes and their health.

Source of the rules: MTC pkg/controller/migplan and pkg/health. Two things are better than there: pods are looked up
under their real namespaces even if these are renamed, and one that no node takes is recognised by the written reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .condition_names import Category, PlanCondition, Reason
from .conditions import Conditions
from .plan_facts import PlanFacts

KNOWN_NODE_SELECTORS = frozenset({"node-role.kubernetes.io/compute", "kubernetes.io/arch", "kubevirt.io/schedulable"})
_STUCK = ("ImagePullBackOff", "CrashLoopBackOff")


def check_running(facts: PlanFacts, conditions: Conditions) -> None:
    """How many pods run, and whether they choose nodes by labels that another cluster may lack."""
    if facts.source_pods is None:
        return
    running = [pod for pod in facts.source_pods if (pod.get("status") or {}).get("phase") == "Running"]
    if len(running) > facts.limits.pod_limit:
        message = (
            f"{len(running)} pods run in the plan's namespaces, more than the recommended {facts.limits.pod_limit}."
        )
        conditions.set(PlanCondition.POD_LIMIT_EXCEEDED, Category.WARN, Reason.LIMIT_EXCEEDED, message)
    selecting = sorted(
        {
            str((pod.get("metadata") or {}).get("namespace", ""))
            for pod in running
            if set((pod.get("spec") or {}).get("nodeSelector") or {}) - KNOWN_NODE_SELECTORS
        }
    )
    if selecting:
        conditions.set(
            PlanCondition.NODE_SELECTORS,
            Category.WARN,
            Reason.NODE_SELECTORS_DETECTED,
            "Pods choose nodes by labels that the destination's nodes may lack, in: [].",
            items=selecting,
            durable=True,
        )
    else:
        conditions.delete(PlanCondition.NODE_SELECTORS)


def check_health(facts: PlanFacts, conditions: Conditions) -> None:
    """A pod that is ill here will be ill there."""
    if facts.source_pods is None:
        return
    sick = sorted(
        f"{(pod.get('metadata') or {}).get('namespace', '')}/{(pod.get('metadata') or {}).get('name', '')}"
        for pod in facts.source_pods
        if unhealthy(pod)
    )
    if sick:
        message = "These source pods are not healthy: []."
        conditions.set(PlanCondition.SOURCE_PODS_NOT_HEALTHY, Category.WARN, Reason.NOT_HEALTHY, message, items=sick)


def unhealthy_namespaces(facts: PlanFacts) -> list[dict[str, Any]] | None:
    """``status.namespaces`` of the plan: where pods are not healthy, and which. None when no pod was looked at."""
    if facts.source_pods is None:
        return None
    sick: dict[str, list[str]] = {}
    for pod in facts.source_pods:
        if unhealthy(pod):
            metadata = pod.get("metadata") or {}
            sick.setdefault(str(metadata.get("namespace", "")), []).append(str(metadata.get("name", "")))
    return [
        {"name": name, "workloads": [{"name": "Pods", "resources": sorted(pods)}]}
        for name, pods in sorted(sick.items())
    ]


def unhealthy(pod: Mapping[str, Any]) -> bool:
    """A pod that will not come up by itself: failed, its image or its start failing, or no node for it."""
    status = pod.get("status") or {}
    if status.get("phase") == "Failed":
        return True
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    for container in containers:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if not container.get("ready") and waiting.get("reason") in _STUCK:
            return True
    if status.get("phase") == "Running":
        return False
    return any(item.get("reason") == "Unschedulable" for item in status.get("conditions") or [])
