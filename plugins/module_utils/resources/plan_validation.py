# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a plan can be carried out, as conditions: a validation is one row of the table at the end and one function.

The rows run in the order of MTC's pkg/controller/migplan, validation. This file has the rows about what the plan refers
to; those about its type, its namespaces, their pods and its clusters are in plan_types, plan_namespaces, plan_pods and
plan_clusters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import migplan, names, namespaces, plan_clusters, plan_namespaces, plan_pods, plan_types, spec_fields
from .condition_names import Category, PlanCondition, Reason
from .conditions import Conditions, is_ready
from .plan_facts import ClusterFacts, PlanFacts, is_suspended, shares_cluster


def validate_plan(facts: PlanFacts, conditions: Conditions) -> None:
    """Set on a begun pass what is found; durable and skipped findings are kept as upstream keeps them."""
    refreshed = bool(facts.spec.get("refresh"))
    suspended = is_suspended(facts.migrations) and not refreshed
    if suspended:
        conditions.set(
            PlanCondition.SUSPENDED,
            Category.ADVISORY,
            message="The plan is suspended: a run is under way or has finished it. Volumes are not discovered anew.",
        )
    for row in VALIDATIONS:
        if (suspended and row.rests_while_suspended) or conditions.has_any(row.skipped_on):
            conditions.restage(*row.kept_when_skipped)
        else:
            row.check(facts, conditions)


# -- what the plan refers to ---------------------------------------------------------------------------------------


def _source_cluster(facts: PlanFacts, conditions: Conditions) -> None:
    _cluster(
        facts.source,
        facts.spec.get("srcMigClusterRef"),
        conditions,
        invalid=PlanCondition.INVALID_SOURCE_CLUSTER_REF,
        not_ready=PlanCondition.SOURCE_CLUSTER_NOT_READY,
        side="source",
    )


def _destination_cluster(facts: PlanFacts, conditions: Conditions) -> None:
    _cluster(
        facts.destination,
        facts.spec.get("destMigClusterRef"),
        conditions,
        invalid=PlanCondition.INVALID_DESTINATION_CLUSTER_REF,
        not_ready=PlanCondition.DESTINATION_CLUSTER_NOT_READY,
        side="destination",
    )


def _cluster(
    cluster: ClusterFacts,
    reference: Mapping[str, Any] | None,
    conditions: Conditions,
    *,
    invalid: str,
    not_ready: str,
    side: str,
) -> None:
    target = spec_fields.refers_to(reference)
    if target is None:
        message = f"The plan names no {side} cluster."
        conditions.set(invalid, Category.CRITICAL, Reason.NOT_SET, message)
    elif cluster.resource is None:
        message = f"The {side} cluster {names.MIG_CLUSTER} {'/'.join(target)} does not exist."
        conditions.set(invalid, Category.CRITICAL, Reason.NOT_FOUND, message)
    elif not cluster.ready:
        message = f"The {side} cluster {names.MIG_CLUSTER} {'/'.join(target)} is not ready: see its conditions."
        conditions.set(not_ready, Category.CRITICAL, message=message)


def _storage(facts: PlanFacts, conditions: Conditions) -> None:
    """A repository that nobody needs may be missing; one that is named, or needed, must be there and ready."""
    if not (facts.storage_required or facts.spec.get("migStorageRef")):
        return
    target = spec_fields.refers_to(facts.spec.get("migStorageRef"))
    if target is None:
        message = "The plan names no replication repository."
        conditions.set(PlanCondition.INVALID_STORAGE_REF, Category.CRITICAL, Reason.NOT_SET, message)
    elif facts.storage is None:
        message = f"The replication repository {names.MIG_STORAGE} {'/'.join(target)} does not exist."
        conditions.set(PlanCondition.INVALID_STORAGE_REF, Category.CRITICAL, Reason.NOT_FOUND, message)
    elif not is_ready(facts.storage):
        message = f"The replication repository {names.MIG_STORAGE} {'/'.join(target)} is not ready: see its conditions."
        conditions.set(PlanCondition.STORAGE_NOT_READY, Category.CRITICAL, message=message)


def _conflicts(facts: PlanFacts, conditions: Conditions) -> None:
    """Another open plan with a cluster and a namespace entry in common; ``shop:shop`` is the same entry as ``shop``.
    One of another namespace is named with that."""
    own = {str(pair) for pair in facts.pairs}
    metadata = facts.plan.get("metadata") or {}
    conflicting = []
    for other in facts.other_plans:
        other_metadata, spec = other.get("metadata") or {}, other.get("spec") or {}
        same = all(other_metadata.get(key) == metadata.get(key) for key in ("namespace", "name"))
        entries = {str(pair) for pair in namespaces.pairs(spec.get("namespaces") or [])}
        if not same and not spec.get("closed") and own & entries and shares_cluster(facts.plan, other):
            place = str(other_metadata.get("namespace", ""))
            near = place == metadata.get("namespace")
            conflicting.append(("" if near else f"{place}/") + str(other_metadata.get("name", "")))
    if conflicting:
        message = "These open plans have a cluster and a namespace in common with this one: []."
        conditions.set(PlanCondition.PLAN_CONFLICT, Category.ERROR, Reason.CONFLICT, message, items=sorted(conflicting))


def _included_resources(facts: PlanFacts, conditions: Conditions) -> None:
    if facts.unknown_resources:
        conditions.set(
            PlanCondition.INVALID_RESOURCE_LIST,
            Category.CRITICAL,
            message="The source does not know these included or excluded resources: [].",
            items=list(facts.unknown_resources),
        )


def _incompatible_kinds(facts: PlanFacts, conditions: Conditions) -> None:
    if facts.incompatible is None:
        conditions.restage(PlanCondition.GVKS_INCOMPATIBLE)
    elif facts.incompatible:
        conditions.set(
            PlanCondition.GVKS_INCOMPATIBLE,
            Category.WARN,
            message="The destination does not serve kinds that are used in: []. See status.incompatibleNamespaces.",
            items=[str(item["name"]) for item in facts.incompatible],
        )


# -- hooks ---------------------------------------------------------------------------------------------------------


def _hooks(facts: PlanFacts, conditions: Conditions) -> None:
    seen: set[str] = set()
    for hook in facts.spec.get("hooks") or []:
        target = spec_fields.refers_to(hook.get("reference"))
        resource = facts.hooks.get(target) if target else None
        if resource is None:
            message = f"The hook {'/'.join(target) if target else '(without a name)'} does not exist."
            conditions.set(PlanCondition.INVALID_HOOK_REF, Category.CRITICAL, Reason.NOT_FOUND, message)
            return
        _hook_names(hook, conditions)
        if not is_ready(resource):
            message = f"The hook {'/'.join(target or ())} is not ready: see its conditions."
            conditions.set(PlanCondition.HOOK_NOT_READY, Category.CRITICAL, message=message)
            return
        phase = str(hook.get("phase", ""))
        if phase not in migplan.HOOK_PHASES:
            message = f"The hook phase {phase!r} is unknown; known are {', '.join(migplan.HOOK_PHASES)}."
            conditions.set(PlanCondition.HOOK_PHASE_UNKNOWN, Category.CRITICAL, message=message)
            return
        if phase in seen:
            message = f"Phase {phase} has more than one hook."
            conditions.set(PlanCondition.HOOK_PHASE_DUPLICATE, Category.CRITICAL, message=message)
        seen.add(phase)


def _hook_names(hook: Mapping[str, Any], conditions: Conditions) -> None:
    if not namespaces.is_dns_subdomain(str(hook.get("serviceAccount", ""))):
        message = f"{hook.get('serviceAccount')!r} cannot be the name of a service account."
        conditions.set(PlanCondition.INVALID_HOOK_SERVICE_ACCOUNT, Category.CRITICAL, Reason.NOT_SET, message)
    if not namespaces.is_dns_label(str(hook.get("executionNamespace", ""))):
        message = f"{hook.get('executionNamespace')!r} cannot be the name of a namespace."
        conditions.set(PlanCondition.INVALID_HOOK_NAMESPACE, Category.CRITICAL, Reason.NOT_SET, message)


# -- the table -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Validation:
    """One check, and when it is skipped: while the plan is suspended, or after one of the named findings."""

    check: Callable[[PlanFacts, Conditions], None]
    rests_while_suspended: bool = False
    skipped_on: tuple[str, ...] = ()
    kept_when_skipped: tuple[str, ...] = ()


_TOO_MANY = (PlanCondition.NAMESPACE_LIMIT_EXCEEDED,)

VALIDATIONS: Sequence[Validation] = (
    Validation(check=_source_cluster),
    Validation(check=_destination_cluster),
    Validation(check=plan_types.identify),
    Validation(check=_storage),
    Validation(check=plan_namespaces.check_list),
    Validation(
        check=plan_pods.check_running,
        rests_while_suspended=True,
        skipped_on=_TOO_MANY,
        kept_when_skipped=(PlanCondition.POD_LIMIT_EXCEEDED,),
    ),
    Validation(
        check=plan_namespaces.check_sources,
        rests_while_suspended=True,
        skipped_on=_TOO_MANY,
        kept_when_skipped=(PlanCondition.SOURCE_NAMESPACE_NOT_FOUND,),
    ),
    Validation(check=plan_namespaces.check_destinations, rests_while_suspended=True),
    Validation(check=_conflicts),
    Validation(check=plan_clusters.check_proxies, rests_while_suspended=True),
    Validation(
        check=plan_pods.check_health,
        rests_while_suspended=True,
        kept_when_skipped=(PlanCondition.SOURCE_PODS_NOT_HEALTHY,),
    ),
    Validation(check=_hooks),
    Validation(check=_included_resources),
    Validation(check=_incompatible_kinds),
    Validation(check=plan_clusters.check_operator_versions),
    Validation(check=plan_clusters.check_kubevirt),
)
