# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table: plans that each deserve certain conditions on the prepared clusters, and what cannot be produced, and why.

A row says how the plan comes to be: by options of the module, or stored by somebody else (what the module refuses to
write) and then judged by the module. ``expected`` is everything that the plan must be told, besides what every plan is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.condition_names import (
    Category,
    PlanCondition as Plan,
    Reason,
)
from integration.conditions.plan_clusters import READY, Stage

Options = dict[str, Any]
Make = Callable[[Stage, str], Options]
"""From the stage and the name of the plan."""
Told = tuple[str, str]

CRITICAL, ERROR, WARN, ADVISORY = Category.CRITICAL, Category.ERROR, Category.WARN, Category.ADVISORY


@dataclass(frozen=True, kw_only=True)
class Row:
    """One plan. ``expected`` maps a condition to (category, reason); ``items`` to what it names, where that is told."""

    options: Make = lambda _stage, _plan: {}
    spec: Make | None = None
    """What somebody else has stored; the options are then given over it."""
    status: Options = field(default_factory=dict)
    """What the plan was told before."""
    expected: Mapping[str, Told] = field(default_factory=dict)
    items: Callable[[Stage], Mapping[str, Sequence[str]]] = lambda _stage: {}
    discovered: bool = True
    """Whether the volumes could be looked for."""
    error: str = ""
    """What the message says when the call ends without a judgement; then the condition is in the stored plan alone."""


def moves(namespace: str, **more: Any) -> Make:
    """The usual plan: one namespace."""
    return lambda stage, plan: {"namespaces": [stage.entry(namespace, plan)], **more}


def volumes(*rules: Options, **more: Any) -> Make:
    """The namespace with the volumes; all but those of the rules are skipped, so that each row is about its own."""
    skip = {"pvc": "*", "action": "skip"}
    return moves("vols", persistent_volumes=[skip, *rules], **more)


def copy_of(claim: str, **more: Any) -> Options:
    return {"pvc": claim, "action": "copy", **more}


def seeded(claim: str, **selection: str) -> Make:
    """A plan whose volume somebody has chosen for by hand."""

    def spec(stage: Stage, _plan: str) -> Options:
        supported = {"actions": ["skip", "copy"], "copyMethods": ["filesystem", "block", "snapshot"]}
        entry = {"name": stage.of(claim), "selection": {"action": "copy", **selection}, "supported": supported}
        return {"persistentVolumes": [entry]}

    return spec


def hooked(*hooks: Options) -> Make:
    def spec(stage: Stage, _plan: str) -> Options:
        space = stage.of("openmig")
        usual = {"executionNamespace": "shop", "serviceAccount": "default", "phase": "PreBackup"}
        return {
            "hooks": [
                {**usual, **hook, "reference": {"name": hook.get("reference", "ready"), "namespace": space}}
                for hook in hooks
            ]
        }

    return spec


def entries(*namespaces: str) -> Make:
    return lambda stage, _plan: {"namespaces": [entry.replace("@", f"{stage.prefix}-") for entry in namespaces]}


def one_cluster(*namespaces: str, **more: Any) -> Make:
    """Source and destination are two names of the same cluster."""
    return lambda stage, plan: {**entries(*namespaces)(stage, plan), "destination_cluster": "source-again", **more}


def pv(*claims: str) -> Callable[[Stage], Mapping[str, Sequence[str]]]:
    """Every condition of the row names these volumes."""
    return lambda stage: {"*": [stage.of(claim) for claim in claims]}


ROWS: Mapping[str, Row] = {
    "ready": Row(options=moves("app")),
    # -- references
    "no-source": Row(
        options=moves("app", source_cluster="nowhere"),
        expected={Plan.INVALID_SOURCE_CLUSTER_REF: (CRITICAL, Reason.NOT_FOUND)},
        discovered=False,
    ),
    "no-destination": Row(
        options=moves("app", destination_cluster="nowhere"),
        expected={Plan.INVALID_DESTINATION_CLUSTER_REF: (CRITICAL, Reason.NOT_FOUND)},
        discovered=False,
    ),
    "unready-clusters": Row(
        options=moves("app", source_cluster="unready", destination_cluster="unready-too"),
        expected={Plan.SOURCE_CLUSTER_NOT_READY: (CRITICAL, ""), Plan.DESTINATION_CLUSTER_NOT_READY: (CRITICAL, "")},
        discovered=False,
    ),
    "no-storage": Row(
        options=moves("app", storage="nowhere"),
        expected={Plan.INVALID_STORAGE_REF: (CRITICAL, Reason.NOT_FOUND)},
    ),
    "unready-storage": Row(options=moves("app", storage="unready"), expected={Plan.STORAGE_NOT_READY: (CRITICAL, "")}),
    # -- types of migration
    "indirect": Row(
        options=moves("app", storage="unready", indirect_volume_migration=True),
        expected={
            Plan.STORAGE_NOT_READY: (CRITICAL, ""),
            Plan.MIGRATION_TYPE_IDENTIFIED: (ADVISORY, Reason.NAMESPACE_MIGRATION_PLAN),
        },
    ),
    "indirect-one-cluster": Row(
        options=one_cluster("@app:@app-i", storage="unready", indirect_volume_migration=True),
        expected={
            Plan.STORAGE_NOT_READY: (CRITICAL, ""),
            Plan.MIGRATION_TYPE_IDENTIFIED: (ADVISORY, Reason.NAMESPACE_MIGRATION_PLAN),
            Plan.INTRA_CLUSTER_MIGRATION: (CRITICAL, Reason.NAMESPACE_MIGRATION_PLAN),
        },
    ),
    "half-mapped": Row(
        options=one_cluster("@app:@app-h", "@kinds"),
        expected={Plan.INTRA_CLUSTER_MIGRATION: (CRITICAL, Reason.CONFLICTING_NAMESPACES)},
    ),
    "state": Row(
        options=one_cluster("@app:@app-s"),
        expected={Plan.MIGRATION_TYPE_IDENTIFIED: (ADVISORY, Reason.STATE_MIGRATION_PLAN)},
    ),
    "renamed-claim": Row(
        options=volumes(copy_of("data", target_name="data-new")),
        expected={Plan.MIGRATION_TYPE_IDENTIFIED: (ADVISORY, Reason.STATE_MIGRATION_PLAN)},
    ),
    "conversion-of-nothing": Row(
        options=one_cluster("@app"),
        expected={
            Plan.MIGRATION_TYPE_IDENTIFIED: (ADVISORY, Reason.STORAGE_CONVERSION_PLAN),
            Plan.STORAGE_CONVERSION_UNAVAILABLE: (CRITICAL, ""),
        },
    ),
    "conversion-in-place": Row(
        options=one_cluster(
            "@vols:@vols", persistent_volumes=[{"pvc": "*", "action": "skip"}, copy_of("data", target_name="data")]
        ),
        expected={
            Plan.MIGRATION_TYPE_IDENTIFIED: (ADVISORY, Reason.STORAGE_CONVERSION_PLAN),
            Plan.PV_NAME_CONFLICT: (ERROR, ""),
        },
        items=lambda _stage: {Plan.PV_NAME_CONFLICT: ["data"]},
    ),
    # -- namespaces
    "too-many-namespaces": Row(
        options=entries(*(f"@n{number}" for number in range(11))),
        expected={Plan.NAMESPACE_LIMIT_EXCEEDED: (CRITICAL, Reason.LIMIT_EXCEEDED)},
        discovered=False,
    ),
    "permissions": Row(
        options=entries("@users:@users-permissions"),
        expected={Plan.INTRA_CLUSTER_MIGRATION: (WARN, Reason.CONFLICTING_PERMISSIONS)},
        items=lambda stage: {"*": [f"{stage.of('users')}:{stage.of('users-permissions')}"]},
    ),
    "same-source-twice": Row(
        spec=entries("@app:@app-1", "@app:@app-2"),
        expected={Plan.DUPLICATE_SOURCE_NAMESPACE: (CRITICAL, Reason.DUPLICATE_NAMESPACES)},
        items=lambda stage: {"*": [stage.of("app")]},
    ),
    "same-destination-twice": Row(
        spec=entries("@app:@app-3", "@kinds:@app-3"),
        expected={
            Plan.DUPLICATE_DESTINATION_NAMESPACE: (CRITICAL, Reason.DUPLICATE_NAMESPACES),
            Plan.GVKS_INCOMPATIBLE: (WARN, ""),
        },
        items=lambda stage: {Plan.DUPLICATE_DESTINATION_NAMESPACE: [stage.of("app-3")]},
    ),
    "no-namespace-name": Row(
        spec=entries("@app:Not_A_Name"),
        expected={Plan.NAMESPACE_NOT_DNS_COMPLIANT: (CRITICAL, Reason.NOT_DNS_COMPLIANT)},
        items=lambda _stage: {"*": ["Not_A_Name"]},
    ),
    "no-source-namespace": Row(
        options=entries("@absent", "@app:@app-4"),
        expected={Plan.SOURCE_NAMESPACE_NOT_FOUND: (CRITICAL, Reason.NOT_FOUND)},
        items=lambda stage: {"*": [stage.of("absent")]},
        discovered=False,
    ),
    "conflict": Row(
        options=entries("@app:@app-5"),
        expected={Plan.PLAN_CONFLICT: (ERROR, Reason.CONFLICT)},
        items=lambda _stage: {"*": ["peer"]},
    ),
    # -- pods
    "pods": Row(
        options=moves("pods", pod_limit=1),
        expected={
            Plan.POD_LIMIT_EXCEEDED: (WARN, Reason.LIMIT_EXCEEDED),
            Plan.NODE_SELECTORS: (WARN, Reason.NODE_SELECTORS_DETECTED),
        },
        items=lambda stage: {Plan.NODE_SELECTORS: [stage.of("pods")]},
    ),
    "sick-pods": Row(
        options=moves("sick"),
        expected={Plan.SOURCE_PODS_NOT_HEALTHY: (WARN, Reason.NOT_HEALTHY)},
        items=lambda stage: {"*": [f"{stage.of('sick')}/failed", f"{stage.of('sick')}/homeless"]},
    ),
    # -- hooks
    "no-hook": Row(
        spec=hooked({"reference": "nowhere"}), expected={Plan.INVALID_HOOK_REF: (CRITICAL, Reason.NOT_FOUND)}
    ),
    "hook-names": Row(
        spec=hooked({"executionNamespace": "A", "serviceAccount": "B"}),
        expected={
            Plan.INVALID_HOOK_SERVICE_ACCOUNT: (CRITICAL, Reason.NOT_SET),
            Plan.INVALID_HOOK_NAMESPACE: (CRITICAL, Reason.NOT_SET),
        },
    ),
    "unready-hook": Row(spec=hooked({"reference": "unready"}), expected={Plan.HOOK_NOT_READY: (CRITICAL, "")}),
    "unknown-phase": Row(spec=hooked({"phase": "Lunch"}), expected={Plan.HOOK_PHASE_UNKNOWN: (CRITICAL, "")}),
    "phase-twice": Row(spec=hooked({}, {}), expected={Plan.HOOK_PHASE_DUPLICATE: (CRITICAL, "")}),
    # -- kinds
    "unknown-kind": Row(
        options=moves("app", included_resources=[{"kind": "Unicorn", "group": "example.com"}, {"kind": "Secret"}]),
        expected={Plan.INVALID_RESOURCE_LIST: (CRITICAL, "")},
        items=lambda _stage: {"*": ["unicorn.example.com"]},
    ),
    "unknown-exclusion": Row(
        options=moves("app", excluded_resources=["secrets", "unicorns.example.com"]),
        expected={Plan.INVALID_RESOURCE_LIST: (CRITICAL, "")},
        items=lambda _stage: {"*": ["unicorns.example.com"]},
    ),
    "unserved-kind": Row(
        options=moves("kinds"),
        expected={Plan.GVKS_INCOMPATIBLE: (WARN, "")},
        items=lambda stage: {"*": [stage.of("kinds")]},
    ),
    # -- what only MTC's own controller finds out, written here as it writes it
    "versions": Row(
        options=moves("app", source_cluster="marked"),
        expected={Plan.CLUSTER_VERSION_MISMATCH: (WARN, Reason.CONFLICT)},
    ),
    # -- states of a plan
    "suspended": Row(
        spec=moves("app"),
        status={"conditions": [READY, {**READY, "type": Plan.PVS_DISCOVERED, "reason": Reason.DONE}]},
        expected={
            Plan.SUSPENDED: (ADVISORY, ""),
            Plan.MIGRATION_TYPE_IDENTIFIED: (ADVISORY, Reason.NAMESPACE_MIGRATION_PLAN),
        },
    ),
    "closed": Row(options=moves("app", closed=True), expected={Plan.CLOSED: (ADVISORY, "")}, discovered=False),
    "unreadable": Row(
        spec=lambda stage, _plan: {"srcMigClusterRef": {"name": "keyless", "namespace": stage.of("openmig")}},
        expected={Plan.RECONCILE_FAILED: (CRITICAL, "")},
        discovered=False,
        error="its token cannot be read",
    ),
    # -- volumes
    "action": Row(
        options=volumes({"pvc": "data", "action": "move"}),
        expected={Plan.PV_INVALID_ACTION: (ERROR, Reason.NOT_DONE)},
        items=pv("data"),
    ),
    "no-class": Row(
        options=volumes(copy_of("data", storage_class="")),
        expected={Plan.PV_NO_STORAGE_CLASS: (WARN, Reason.NOT_FOUND)},
        items=pv("data"),
    ),
    "unknown-class": Row(
        options=volumes(copy_of("data", storage_class="nowhere")),
        expected={Plan.PV_INVALID_STORAGE_CLASS: (ERROR, Reason.NOT_DONE)},
        items=lambda stage: {"*": [f"{stage.of('vols')}/data (class nowhere)"]},
    ),
    "unknown-mode": Row(
        spec=seeded("data", accessMode="ReadSometimes", copyMethod="filesystem", storageClass="destination-fast"),
        options=volumes(copy_of("data")),
        expected={Plan.PV_INVALID_ACCESS_MODE: (ERROR, "")},
        items=pv("data"),
    ),
    "unavailable-mode": Row(
        options=volumes(copy_of("data", access_mode="ReadWriteMany")),
        expected={Plan.PV_ACCESS_MODE_UNAVAILABLE: (WARN, "")},
        items=pv("data"),
    ),
    "no-method": Row(
        spec=seeded("data", storageClass="destination-fast"),
        options=volumes(copy_of("data")),
        expected={Plan.PV_NO_COPY_METHOD: (ERROR, Reason.NOT_FOUND)},
        items=pv("data"),
    ),
    "unknown-method": Row(
        spec=seeded("data", copyMethod="teleport", storageClass="destination-fast"),
        options=volumes(copy_of("data")),
        expected={Plan.PV_INVALID_COPY_METHOD: (ERROR, "")},
        items=pv("data"),
    ),
    "snapshot": Row(
        options=volumes(copy_of("data", copy_method="snapshot")),
        expected={Plan.PV_COPY_METHOD_SNAPSHOT: (WARN, "")},
        items=pv("data"),
    ),
    "volume-limit": Row(options=volumes(pv_limit=1), expected={Plan.PV_LIMIT_EXCEEDED: (WARN, Reason.LIMIT_EXCEEDED)}),
    "gluster": Row(options=volumes(copy_of("gluster")), expected={Plan.PV_NO_CEPH: (WARN, "")}, items=pv("gluster")),
    "moved-nfs": Row(
        options=volumes({"pvc": "files", "action": "move"}),
        expected={Plan.NFS_CANNOT_BE_VALIDATED: (ERROR, Reason.NOT_FOUND)},
        items=lambda _stage: {"*": ["192.0.2.7"]},
    ),
    "measured": Row(
        options=volumes(copy_of("data"), copy_of("files")),
        expected={
            Plan.CAPACITY_ADJUSTMENT_REQUIRED: (WARN, Reason.DONE),
            Plan.USAGE_ANALYSIS_FAILED: (WARN, Reason.NOT_DONE),
            Plan.EXTENDED_ANALYSIS_FAILED: (WARN, "FailedRunningDf"),
        },
        items=lambda stage: {
            Plan.CAPACITY_ADJUSTMENT_REQUIRED: [f"{stage.of('vols')}/data"],
            Plan.USAGE_ANALYSIS_FAILED: [f"{stage.of('vols')}/files"],
        },
    ),
}

PROXY_ROWS: Mapping[str, Mapping[str, Told]] = {
    "proxies": {
        Plan.SOURCE_PROXY_SECRET: (CRITICAL, Reason.CONFLICT),
        Plan.DESTINATION_PROXY_SECRET: (CRITICAL, Reason.KEY_NOT_FOUND),
    },
    "proxies-2": {
        Plan.SOURCE_PROXY_SECRET: (CRITICAL, Reason.KEY_NOT_FOUND),
        Plan.DESTINATION_PROXY_SECRET: (CRITICAL, Reason.CONFLICT),
    },
}
"""Plans of these namespaces: the secrets for proxies are looked for in the namespace of the plan."""

KUBEVIRT_ROWS: Sequence[tuple[Options | None, Options | None, Mapping[str, Told]]] = (
    (
        {"status": {"operatorVersion": "v1.0.0"}},
        {"status": {"operatorVersion": "v1.4.0"}},
        {
            Plan.KUBEVIRT_VERSION: (WARN, Reason.NOT_SUPPORTED),
            Plan.KUBEVIRT_LIVE_MIGRATION: (WARN, Reason.NOT_SUPPORTED),
        },
    ),
    (None, None, {Plan.KUBEVIRT_NOT_INSTALLED: (ADVISORY, Reason.NOT_FOUND)}),
)
"""What the source's and the destination's KubeVirt says of itself, and what a plan that migrates live is then told."""

NOT_PRODUCED: Mapping[str, str] = {
    Plan.SOURCE_CLUSTER_NO_REGISTRY_PATH: "the builtin engine copies no image streams, so no registry is asked for",
    Plan.DESTINATION_CLUSTER_NO_REGISTRY_PATH: "the same",
    Plan.STORAGE_ENSURED: "it stands for Velero's objects, which the builtin engine does not make",
    Plan.NAMESPACE_LIST_EMPTY: "the module refuses a plan without namespaces before it looks at anything",
    Plan.NAMESPACE_LENGTH_EXCEEDED: "the builtin engine makes no routes, whose hosts have to hold the name",
    Plan.DESTINATION_NAMESPACE_NOT_FOUND: "the builtin engine needs no namespace of its own on the destination",
    Plan.PV_NO_SUPPORTED_ACTION: "every volume can at least be skipped",
    Plan.NFS_NOT_ACCESSIBLE: "only a pod of the destination could find out, and looking at a plan starts none",
}


def prepare_resources(stage: Stage) -> None:
    """What the rows refer to. The usual clusters exist already; the other resources are written as others would."""
    source = stage.control.get(names.API_VERSION, names.MIG_CLUSTER, "source", stage.of("openmig"))
    assert source is not None
    spec, status = source["spec"], source["status"]
    space = stage.of("openmig")
    marked = [*status["conditions"], {**READY, "type": "OperatorVersionMismatch", "category": WARN}]
    stage.resource(names.MIG_CLUSTER, "source-again", spec=spec, status=status)
    stage.resource(names.MIG_CLUSTER, "marked", spec=spec, status={**status, "conditions": marked})
    keyless = {**spec, "serviceAccountSecretRef": {"name": "nowhere", "namespace": space}}
    stage.resource(names.MIG_CLUSTER, "keyless", spec=keyless, status=status)
    stage.resource(names.MIG_CLUSTER, "unready", spec=spec)
    stage.resource(names.MIG_CLUSTER, "unready-too", spec={**spec, "url": "https://192.0.2.8:6443"})
    stage.resource(names.MIG_STORAGE, "unready", spec={"backupStorageProvider": "aws", "backupStorageConfig": {}})
    hook = {"custom": True, "image": "runner:1", "targetCluster": "source"}
    stage.resource(names.MIG_HOOK, "ready", spec=hook, status={"conditions": [READY]})
    stage.resource(names.MIG_HOOK, "unready", spec=hook)
    references = {
        field: {"name": name, "namespace": space}
        for field, name in (("srcMigClusterRef", "source"), ("destMigClusterRef", "destination"))
    }
    for name, row in ROWS.items():
        if row.spec is not None:
            namespaces = {"namespaces": [stage.entry("app", name)]}
            stage.resource(
                names.MIG_PLAN, name, spec={**references, **namespaces, **row.spec(stage, name)}, status=row.status
            )
    stage.resource(names.MIG_PLAN, "peer", spec={**references, **entries("@app:@app-5")(stage, "peer")})
    _finished_run(stage)
    _analysis(stage)


def _finished_run(stage: Stage) -> None:
    """A final migration as it stands when it has ended; what leads there is tested with real ones."""
    stage.resource(
        names.MIG_MIGRATION,
        "suspended-final",
        spec={"migPlanRef": {"name": "suspended", "namespace": stage.of("openmig")}, "stage": False},
        status={
            "phase": "Completed",
            "conditions": [{**READY, "type": "Succeeded", "category": ADVISORY, "durable": True}],
        },
    )


def _analysis(stage: Stage) -> None:
    """An analysis as it stands when one volume is nearly full and another one could not be measured."""
    failed = {**READY, "type": "ExtendedPVAnalysisFailed", "category": WARN, "reason": "FailedRunningDf"}
    sizes = {"pvCapacity": "0", "pvCount": 0, "imageCount": 0, "imageSizeTotal": "0", "k8sResourceTotal": 0}
    volume = {"name": "data", "proposedCapacity": "128Mi"}
    namespace = {
        **sizes,
        "namespace": stage.of("vols"),
        "excludedK8SResourceTotal": 0,
        "incompatibleK8SResourceTotal": 0,
        "persistentVolumes": [volume],
    }
    analytics = {
        **sizes,
        "plan": "measured",
        "percentComplete": 100,
        "excludedk8sResourceTotal": 0,
        "incompatiblek8sResourceTotal": 0,
        "namespaces": [namespace],
    }
    stage.resource(
        names.MIG_ANALYTIC,
        "measured",
        spec={
            "migPlanRef": {"name": "measured", "namespace": stage.of("openmig")},
            "analyzeImageCount": False,
            "analyzeK8SResources": False,
            "analyzePVCapacity": False,
            "analyzeExtendedPVCapacity": True,
        },
        status={"conditions": [READY, failed], "analytics": analytics},
    )
