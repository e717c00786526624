# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which kind of migration a plan is for: whole namespaces, the data of volumes, or another storage class in place.

Source of the rules: MTC pkg/controller/migplan, validation.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import migmigration
from .condition_names import Category, PlanCondition, Reason
from .conditions import Conditions
from .plan_facts import PlanFacts, renames_claims


def identify(facts: PlanFacts, conditions: Conditions) -> None:
    """Which kind of migration the plan is for. The first run fixes it; a successful rollback sets it free again."""
    if facts.source.resource is None or facts.destination.resource is None:
        conditions.restage(PlanCondition.MIGRATION_TYPE_IDENTIFIED)
        return
    one_cluster = facts.within_one_cluster
    if facts.spec.get("indirectImageMigration") or facts.spec.get("indirectVolumeMigration"):
        _identify(conditions, Reason.NAMESPACE_MIGRATION_PLAN)
        if one_cluster and facts.spec.get("indirectVolumeMigration"):
            message = "Volumes of one cluster can only be copied directly."
            report_intra_cluster(conditions, Category.CRITICAL, Reason.NAMESPACE_MIGRATION_PLAN, message)
        return
    mapped = [pair.renamed for pair in facts.pairs]
    newest = migmigration.newest_first(facts.migrations)
    if newest and not (migmigration.is_rollback(newest[0]) and migmigration.succeeded(newest[0])):
        if any(migmigration.is_state(migration) for migration in newest):
            in_place = one_cluster and not any(mapped)
            kind = Reason.STORAGE_CONVERSION_PLAN if in_place else Reason.STATE_MIGRATION_PLAN
            known = str((conditions.find(PlanCondition.MIGRATION_TYPE_IDENTIFIED) or {}).get("reason", ""))
            if facts.same_cluster is None and known in (Reason.STORAGE_CONVERSION_PLAN, Reason.STATE_MIGRATION_PLAN):
                kind = known  # the clusters were not looked at, and one cluster may have two URLs
            _identify(conditions, kind, durable=True)
            return
        _identify(conditions, Reason.NAMESPACE_MIGRATION_PLAN, durable=True)
    elif newest:
        conditions.delete(PlanCondition.MIGRATION_TYPE_IDENTIFIED)
    if one_cluster and mapped:
        _type_within_one_cluster(mapped, conditions)
    elif not one_cluster and renames_claims(facts.plan):
        _identify(conditions, Reason.STATE_MIGRATION_PLAN)


def _type_within_one_cluster(mapped: Sequence[bool], conditions: Conditions) -> None:
    if any(mapped) and not all(mapped):
        message = "Within one cluster, either all namespaces get another name or none does."
        report_intra_cluster(conditions, Category.CRITICAL, Reason.CONFLICTING_NAMESPACES, message)
    else:
        _identify(conditions, Reason.STATE_MIGRATION_PLAN if all(mapped) else Reason.STORAGE_CONVERSION_PLAN)


_TYPE_MESSAGES = {
    Reason.NAMESPACE_MIGRATION_PLAN: "The plan migrates whole namespaces.",
    Reason.STATE_MIGRATION_PLAN: "The plan migrates the data of volumes only.",
    Reason.STORAGE_CONVERSION_PLAN: "The plan converts volumes to another storage class in place.",
}


def _identify(conditions: Conditions, kind: str, *, durable: bool = False) -> None:
    conditions.set(
        PlanCondition.MIGRATION_TYPE_IDENTIFIED, Category.ADVISORY, kind, _TYPE_MESSAGES[kind], durable=durable
    )
    if kind != Reason.NAMESPACE_MIGRATION_PLAN:
        conditions.delete(
            PlanCondition.SOURCE_CLUSTER_NO_REGISTRY_PATH, PlanCondition.DESTINATION_CLUSTER_NO_REGISTRY_PATH
        )


def report_intra_cluster(
    conditions: Conditions, category: str, reason: str, message: str, *, items: Sequence[str] = ()
) -> None:
    """IntraClusterMigration has several meanings and one place: a warning never hides a critical one."""
    found = conditions.find(PlanCondition.INTRA_CLUSTER_MIGRATION)
    if found is None or found.get("category") != Category.CRITICAL:
        conditions.set(PlanCondition.INTRA_CLUSTER_MIGRATION, category, reason, message, items=items)
