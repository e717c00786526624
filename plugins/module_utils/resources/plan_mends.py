# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What to do about each condition that keeps a plan from being carried out: one row per condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .condition_names import PlanCondition

_CLUSTER = "Name a MigCluster that exists, or create it with mig_cluster"
_NOT_READY = "Look at the conditions of that MigCluster; mig_cluster mends and checks it"
_NAMESPACES = "Correct the option namespaces"
_PROXY = "Keep one such secret, with HTTP_PROXY, HTTPS_PROXY or NO_PROXY in it; or remove the label"
_VOLUMES = "Choose otherwise in the option persistent_volumes"

MENDS: Final[Mapping[str, str]] = {
    PlanCondition.INVALID_SOURCE_CLUSTER_REF: _CLUSTER,
    PlanCondition.INVALID_DESTINATION_CLUSTER_REF: _CLUSTER,
    PlanCondition.SOURCE_CLUSTER_NOT_READY: _NOT_READY,
    PlanCondition.DESTINATION_CLUSTER_NOT_READY: _NOT_READY,
    PlanCondition.INTRA_CLUSTER_MIGRATION: "Map all namespaces to other names, and copy the volumes directly",
    PlanCondition.INVALID_STORAGE_REF: "Name a MigStorage that exists, or copy the volumes directly",
    PlanCondition.STORAGE_NOT_READY: "Look at the conditions of that MigStorage",
    PlanCondition.NAMESPACE_LIST_EMPTY: _NAMESPACES,
    PlanCondition.NAMESPACE_LIMIT_EXCEEDED: "Spread the namespaces over several plans, or raise namespace_limit",
    PlanCondition.DUPLICATE_SOURCE_NAMESPACE: _NAMESPACES,
    PlanCondition.DUPLICATE_DESTINATION_NAMESPACE: _NAMESPACES,
    PlanCondition.SOURCE_NAMESPACE_NOT_FOUND: _NAMESPACES + ": name namespaces that exist on the source",
    PlanCondition.DESTINATION_NAMESPACE_NOT_FOUND: "Create that namespace on the destination",
    PlanCondition.NAMESPACE_NOT_DNS_COMPLIANT: _NAMESPACES + ": at most 63 of a-z, 0-9 and -",
    PlanCondition.PLAN_CONFLICT: "Close or remove the other plan, or take the shared namespace out of one of them",
    PlanCondition.INVALID_HOOK_REF: "Name a MigHook that exists",
    PlanCondition.INVALID_HOOK_SERVICE_ACCOUNT: "Correct service_account of the hook",
    PlanCondition.INVALID_HOOK_NAMESPACE: "Correct execution_namespace of the hook",
    PlanCondition.HOOK_NOT_READY: "Look at the conditions of that MigHook",
    PlanCondition.HOOK_PHASE_UNKNOWN: "Correct phase of the hook",
    PlanCondition.HOOK_PHASE_DUPLICATE: "Keep one hook for each phase",
    PlanCondition.INVALID_RESOURCE_LIST: "Correct the options included_resources and excluded_resources",
    PlanCondition.PV_INVALID_ACTION: _VOLUMES,
    PlanCondition.PV_INVALID_STORAGE_CLASS: (
        "Choose a class of the destination in storage_class_mapping or persistent_volumes"
    ),
    PlanCondition.PV_INVALID_ACCESS_MODE: _VOLUMES,
    PlanCondition.PV_NO_COPY_METHOD: _VOLUMES,
    PlanCondition.PV_INVALID_COPY_METHOD: _VOLUMES,
    PlanCondition.PV_NAME_CONFLICT: _VOLUMES,
    PlanCondition.SOURCE_PROXY_SECRET: _PROXY,
    PlanCondition.DESTINATION_PROXY_SECRET: _PROXY,
    PlanCondition.STORAGE_CONVERSION_UNAVAILABLE: (
        "Copy at least one volume, to one of at least two storage classes of the cluster"
    ),
    PlanCondition.NFS_CANNOT_BE_VALIDATED: "Copy these volumes, or skip them: action in persistent_volumes",
    PlanCondition.RECONCILE_FAILED: "Look at the message; the next run of the task tries again",
}


def mend(condition: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """What to do about a blocking condition of the plan."""
    told = MENDS.get(str(condition.get("type")), "Look at the conditions of the plan")
    if condition.get("type") == PlanCondition.PV_INVALID_STORAGE_CLASS:
        classes = (plan.get("status") or {}).get("destStorageClasses") or []
        told += f"; it has {', '.join(str(item['name']) for item in classes) or 'none'}"
    return told
