# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the checks of a plan need to know, gathered by an engine beforehand, so that the checks touch nothing.

A fact that could not be read is None, which is not the same as "none there": checks that need it are then skipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import migmigration, namespaces, plan_volumes, spec_fields, urls
from .condition_names import PlanCondition, Reason
from .conditions import condition, is_ready, is_true
from .names import API_VERSION
from .plan_limits import Limits

Resource = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ClusterFacts:
    """One side of the plan."""

    resource: Resource | None = None
    """The MigCluster; None when the reference leads nowhere."""
    namespaces: Mapping[str, Mapping[str, str]] | None = None
    """Annotations of the namespaces that exist, by name. Those of the plan are enough."""
    required_namespace: str = ""
    """A namespace that the engine itself needs there, such as MTC's; "" for none."""
    proxy_secrets: Sequence[Resource] | None = None
    """The secrets that say how to reach the world from there (label migration-proxy-config)."""
    kubevirts: Sequence[Resource] | None = None
    """The KubeVirt resources; None also where the cluster does not know that kind."""

    @property
    def ready(self) -> bool:
        return self.resource is not None and is_ready(self.resource)


@dataclass(frozen=True, kw_only=True)
class PlanFacts:
    """All that validate_plan() looks at."""

    plan: Resource
    source: ClusterFacts
    destination: ClusterFacts
    storage_required: bool = False
    """Whether the engine needs a replication repository for this plan (the builtin one only for indirect copies)."""
    storage: Resource | None = None
    """The MigStorage that the plan names; None when the reference leads nowhere."""
    hooks: Mapping[tuple[str, str], Resource] = field(default_factory=dict)
    """The MigHooks that exist, by (namespace, name)."""
    other_plans: Sequence[Resource] = ()
    """The plans of the control cluster, of all namespaces where they may be listed; this one may be among them."""
    migrations: Sequence[Resource] = ()
    """The runs of this plan."""
    analytic: Resource | None = None
    """The plan's MigAnalytic that measures the use of volumes, if there is one."""
    same_cluster: bool | None = None
    """What the engine knows (cluster identity); None: judged by the URLs, as upstream does."""
    source_pods: Sequence[Resource] | None = None
    unknown_resources: Sequence[str] | None = None
    """``group/kind`` of included resources that the source does not have."""
    incompatible: Sequence[Mapping[str, Any]] | None = None
    """``status.incompatibleNamespaces`` as just computed; None: not computed this time."""
    limits: Limits = field(default_factory=Limits)
    route_name_limit: int | None = None
    """Longest destination namespace that still gives a valid route host; None when no route is used."""

    @property
    def spec(self) -> Mapping[str, Any]:
        return self.plan.get("spec") or {}

    @property
    def pairs(self) -> list[namespaces.NamespacePair]:
        return namespaces.pairs(self.spec.get("namespaces") or [])

    @property
    def within_one_cluster(self) -> bool:
        """Source and destination are one cluster. Without both resources nobody can say so: False."""
        if self.same_cluster is not None:
            return self.same_cluster
        if self.source.resource is None or self.destination.resource is None:
            return False
        return _host(self.source.resource) == _host(self.destination.resource)

    @property
    def storage_conversion(self) -> bool:
        """As the plan's type says, once it is identified."""
        return converts_storage(self.plan)


def plan_type(plan: Resource) -> str:
    """The reason of MigrationTypeIdentified, "" while no type is known."""
    found = condition(plan, PlanCondition.MIGRATION_TYPE_IDENTIFIED) or {}
    return str(found.get("reason", ""))


def converts_storage(plan: Resource) -> bool:
    """Whether the plan changes the storage class of volumes in place."""
    return plan_type(plan) == Reason.STORAGE_CONVERSION_PLAN


def renames_claims(plan: Resource) -> bool:
    """Whether a claim gets another name at the destination; only state migrations may."""
    entries = (plan.get("spec") or {}).get("persistentVolumes") or []
    return any(len(set(plan_volumes.claim_names(entry))) > 1 for entry in entries)


def is_suspended(migrations: Sequence[Resource]) -> bool:
    """A run is under way, or the last word on the plan is a final run that succeeded (with warnings too, D29)."""
    for migration in migmigration.newest_first(migrations):
        if is_true(migration, "Running"):
            return True
        if migmigration.succeeded(migration):
            if migmigration.is_rollback(migration):
                return False
            if not migmigration.is_stage(migration):
                return True
    return False


def shares_cluster(one: Resource, other: Resource) -> bool:
    """Whether two plans use a cluster in common, on whichever side."""
    return bool(_clusters(one) & _clusters(other))


def owner_reference(plan: Resource) -> dict[str, Any]:
    """For what dies with the plan; not a controller's reference, as upstream writes it."""
    metadata = plan["metadata"]
    return {"apiVersion": API_VERSION, "kind": plan["kind"], "name": metadata["name"], "uid": metadata["uid"]}


def _clusters(plan: Resource) -> set[tuple[str, str]]:
    spec = plan.get("spec") or {}
    references = (spec_fields.refers_to(spec.get(name)) for name in ("srcMigClusterRef", "destMigClusterRef"))
    return {reference for reference in references if reference is not None}


def _host(cluster: Resource) -> str:
    parts = urls.parsed(str((cluster.get("spec") or {}).get("url") or ""))
    return parts.netloc if parts else ""
