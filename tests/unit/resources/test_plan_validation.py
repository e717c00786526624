# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts about a plan become the conditions that MTC would raise, in its categories and with its reasons."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import plan_pods
from ansible_collections.openmig.mtc.plugins.module_utils.resources.conditions import Conditions, items_of
from ansible_collections.openmig.mtc.plugins.module_utils.resources.plan_facts import (
    ClusterFacts,
    PlanFacts,
    is_suspended,
)
from ansible_collections.openmig.mtc.plugins.module_utils.resources.plan_limits import Limits
from ansible_collections.openmig.mtc.plugins.module_utils.resources.plan_validation import VALIDATIONS, validate_plan

NOW = datetime(2024, 5, 1, tzinfo=UTC)
READY = [{"type": "Ready", "status": "True", "category": "Required"}]


def cluster(name: str, *, ready: bool = True, **more: Any) -> ClusterFacts:
    resource = {"spec": {"url": f"https://{name}:6443/"}, "status": {"conditions": READY if ready else []}}
    return ClusterFacts(**{"resource": resource, "namespaces": {"shop": {}}, **more})


def plan(**spec: Any) -> dict[str, Any]:
    return {
        "kind": "MigPlan",
        "metadata": {"name": "plan", "namespace": "openmig", "uid": "p"},
        "spec": {
            "srcMigClusterRef": {"name": "src", "namespace": "openmig"},
            "destMigClusterRef": {"name": "dst", "namespace": "openmig"},
            "namespaces": ["shop"],
            **spec,
        },
    }


def facts(spec: dict[str, Any] | None = None, **more: Any) -> PlanFacts:
    sides = {"source": cluster("src"), "destination": cluster("dst", namespaces={})}
    return PlanFacts(**{"plan": plan(**(spec or {})), **sides, **more})


def raised(given: PlanFacts, before: list[dict[str, Any]] | None = None) -> dict[str, dict[str, Any]]:
    conditions = Conditions({"conditions": before or []})
    conditions.begin()
    validate_plan(given, conditions)
    return {item["type"]: item for item in conditions.end(NOW)}


def of(found: dict[str, dict[str, Any]], condition: str) -> tuple[Any, ...]:
    item = found[condition]
    return item["category"], item.get("reason"), items_of(item)


def run(name: str, when: str, *conditions: str, **spec: Any) -> dict[str, Any]:
    listed = [{"type": item, "status": "True", "category": "Advisory"} for item in conditions]
    return {
        "metadata": {"name": name, "creationTimestamp": when, "uid": name},
        "spec": {"stage": False, **spec},
        "status": {"conditions": listed},
    }


def test_a_good_plan_raises_nothing() -> None:
    assert raised(facts()) == {}


@pytest.mark.parametrize(
    ("side", "field", "prefix"),
    [("source", "srcMigClusterRef", "Source"), ("destination", "destMigClusterRef", "Destination")],
)
def test_clusters(side: str, field: str, prefix: str) -> None:
    unset = raised(facts({field: {"name": "x"}}))
    assert of(unset, f"Invalid{prefix}ClusterRef")[:2] == ("Critical", "NotSet")
    unknown = raised(facts(None, **{side: cluster("x", resource=None)}))
    assert of(unknown, f"Invalid{prefix}ClusterRef")[:2] == ("Critical", "NotFound")
    unready = raised(facts(None, **{side: cluster("x", ready=False)}))
    assert list(unready) == [f"{prefix}ClusterNotReady"]
    assert f"openmig/{'src' if side == 'source' else 'dst'}" in unready[f"{prefix}ClusterNotReady"]["message"]


@pytest.mark.parametrize(
    ("spec", "required", "storage", "expected"),
    [
        ({}, False, None, None),
        ({}, True, None, ("InvalidStorageRef", "NotSet")),
        ({"migStorageRef": {"name": "s", "namespace": "n"}}, True, None, ("InvalidStorageRef", "NotFound")),
        ({"migStorageRef": {"name": "s", "namespace": "n"}}, True, {"status": {}}, ("StorageNotReady", None)),
        ({"migStorageRef": {"name": "s", "namespace": "n"}}, True, {"status": {"conditions": READY}}, None),
    ],
)
def test_storage(spec: dict[str, Any], required: bool, storage: dict[str, Any] | None, expected: Any) -> None:
    found = raised(facts(spec, storage_required=required, storage=storage))
    assert [(name, item.get("reason")) for name, item in found.items()] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("namespaces", "condition", "reason", "items"),
    [
        ([], "NamespaceListEmpty", "NotFound", ()),
        ([f"n{index}" for index in range(11)], "NamespaceLimitExceeded", "LimitExceeded", ()),
        (["shop", "shop:other"], "DuplicateNamespaceOnSourceCluster", "DuplicateNamespaces", ("shop",)),
        (["shop:web", "blog:web"], "DuplicateNamespaceOnDestinationCluster", "DuplicateNamespaces", ("web",)),
        (["shop:Web"], "NamespaceNotDNSCompliant", "NotDNSCompliant", ("Web",)),
        (["gone"], "NamespaceNotFoundOnSourceCluster", "NotFound", ("gone",)),
    ],
)
def test_namespaces(namespaces: list[str], condition: str, reason: str, items: tuple[str, ...]) -> None:
    there = cluster("src", namespaces={"shop": {}, "blog": {}})
    found = raised(facts({"namespaces": namespaces}, source=there))
    assert list(found) == [condition]
    assert of(found, condition) == ("Critical", reason, items)


def test_a_namespace_list_that_could_not_be_read_is_no_finding() -> None:
    assert raised(facts(source=cluster("src", namespaces=None))) == {}
    unready = raised(facts(source=cluster("src", ready=False, namespaces={})))
    assert list(unready) == ["SourceClusterNotReady"]


def test_the_namespace_that_an_engine_needs() -> None:
    found = raised(facts(destination=cluster("dst", namespaces={}, required_namespace="openshift-migration")))
    assert of(found, "NamespaceNotFoundOnDestinationCluster") == ("Critical", "NotFound", ("openshift-migration",))


def test_ownership_and_length_are_both_told() -> None:
    name = "n" * 60
    here = cluster("src", namespaces={"shop": {"openshift.io/sa.scc.uid-range": "1/2"}})
    there = cluster("dst", namespaces={name: {"openshift.io/sa.scc.uid-range": "3/4", "other": "x"}})
    found = raised(facts({"namespaces": [f"shop:{name}"]}, source=here, destination=there, route_name_limit=59))
    assert of(found, "NamespaceLengthExceeded") == ("Warn", "LengthExceeded", (name,))
    assert of(found, "IntraClusterMigration") == ("Warn", "ConflictingPermissions", (f"shop:{name}",))


def test_a_warning_does_not_hide_a_critical_finding_of_the_same_type() -> None:
    here = cluster("one", namespaces={"shop": {"openshift.io/sa.scc.mcs": "a"}, "web": {}, "new": {}})
    found = raised(facts({"namespaces": ["shop:new", "web"]}, source=here, destination=here))
    assert of(found, "IntraClusterMigration")[:2] == ("Critical", "ConflictingNamespaces")


# -- type of the plan ----------------------------------------------------------------------------------------------

RENAMED = {"persistentVolumes": [{"name": "p", "pvc": {"namespace": "shop", "name": "data:new"}}]}


@pytest.mark.parametrize(
    ("spec", "one_cluster", "migrations", "expected"),
    [
        ({}, False, [], None),
        ({"indirectImageMigration": True}, False, [], "NamespaceMigrationPlan"),
        ({"namespaces": ["shop"]}, True, [], "StorageConversionPlan"),
        ({"namespaces": ["shop:new"]}, True, [], "StateMigrationPlan"),
        (RENAMED, False, [], "StateMigrationPlan"),
        ({}, False, [run("a", "1")], "NamespaceMigrationPlan"),
        ({}, False, [run("a", "1", migrateState=True)], "StateMigrationPlan"),
        ({}, True, [run("a", "1", migrateState=True)], "StorageConversionPlan"),
        ({}, False, [run("a", "1"), run("b", "2", "Succeeded", rollback=True)], None),
    ],
)
def test_type(spec: dict[str, Any], one_cluster: bool, migrations: list[Any], expected: str | None) -> None:
    found = raised(facts(spec, same_cluster=one_cluster, migrations=migrations))
    kind = found.get("MigrationTypeIdentified", {})
    assert kind.get("reason") == expected
    assert kind.get("durable", False) is (expected is not None and bool(migrations))


def test_indirect_volumes_need_two_clusters() -> None:
    found = raised(facts({"indirectVolumeMigration": True}, same_cluster=True))
    assert of(found, "IntraClusterMigration")[:2] == ("Critical", "NamespaceMigrationPlan")


def test_a_successful_rollback_sets_the_type_free() -> None:
    durable = [{"type": "MigrationTypeIdentified", "status": "True", "category": "Advisory", "durable": True}]
    undone = [run("b", "2", "Succeeded", rollback=True)]
    assert "MigrationTypeIdentified" in raised(facts(), durable)
    assert "MigrationTypeIdentified" not in raised(facts(migrations=undone), durable)


@pytest.mark.parametrize("kind", ["StorageConversionPlan", "StateMigrationPlan"])
def test_the_type_stays_while_nobody_looks_whether_it_is_one_cluster(kind: str) -> None:
    said = {"status": "True", "category": "Advisory", "durable": True, "reason": kind}
    moved = [run("a", "1", "Succeeded", migrateState=True, quiescePods=True)]
    assert (
        raised(facts(migrations=moved), [{"type": "MigrationTypeIdentified", **said}])["MigrationTypeIdentified"][
            "reason"
        ]
        == kind
    )


def test_the_same_url_is_the_same_cluster() -> None:
    assert facts(source=cluster("one"), destination=cluster("one")).within_one_cluster
    assert not facts().within_one_cluster
    assert not facts(source=cluster("one"), destination=cluster("one"), same_cluster=False).within_one_cluster


# -- other plans, pods, hooks, kinds -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "conflicts"),
    [
        ({}, True),
        ({"namespaces": ["shop:shop"]}, True),
        ({"namespaces": ["shop:new"]}, False),
        ({"namespaces": ["web"]}, False),
        ({"closed": True}, False),
        ({"srcMigClusterRef": {"name": "dst", "namespace": "openmig"}, "destMigClusterRef": None}, True),
        ({"srcMigClusterRef": {"name": "x", "namespace": "openmig"}, "destMigClusterRef": None}, False),
    ],
)
def test_conflicts(spec: dict[str, Any], conflicts: bool) -> None:
    other = plan(**spec)
    other["metadata"] = {"name": "other", "namespace": "openmig"}
    found = raised(facts(other_plans=[plan(), other]))
    assert ("PlanConflict" in found) is conflicts
    if conflicts:
        assert of(found, "PlanConflict") == ("Error", "Conflict", ("other",))


def test_plans_of_other_namespaces_conflict_and_are_named_with_them() -> None:
    """Also one of this plan's own name."""
    near, far, twin = plan(), plan(), plan()
    near["metadata"] = {"name": "near", "namespace": "openmig"}
    far["metadata"] = {"name": "far", "namespace": "team-b"}
    twin["metadata"] = {**twin["metadata"], "namespace": "team-b"}
    found = raised(facts(other_plans=[plan(), near, far, twin]))
    name = twin["metadata"]["name"]
    assert of(found, "PlanConflict") == ("Error", "Conflict", tuple(sorted(("near", "team-b/far", f"team-b/{name}"))))


def pod(phase: str = "Running", **more: Any) -> dict[str, Any]:
    status = {"phase": phase, **more.pop("status", {})}
    return {"metadata": {"namespace": "shop", "name": "web"}, "spec": more, "status": status}


WAITING = {"ready": False, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}


@pytest.mark.parametrize(
    ("given", "sick"),
    [
        (pod(), False),
        (pod("Pending"), False),
        (pod("Succeeded"), False),
        (pod("Failed"), True),
        (pod(status={"containerStatuses": [WAITING]}), True),
        (pod("Pending", status={"initContainerStatuses": [WAITING]}), True),
        (pod(status={"containerStatuses": [{**WAITING, "ready": True}]}), False),
        (pod("Pending", status={"conditions": [{"type": "PodScheduled", "reason": "Unschedulable"}]}), True),
    ],
)
def test_health(given: dict[str, Any], sick: bool) -> None:
    assert plan_pods.unhealthy(given) is sick
    assert ("SourcePodsNotHealthy" in raised(facts(source_pods=[given]))) is sick


def test_pods_and_their_nodes() -> None:
    found = raised(facts(source_pods=[pod(), pod(nodeSelector={"disk": "ssd"})], limits=Limits(pod_limit=1)))
    assert of(found, "PodLimitExceeded")[:2] == ("Warn", "LimitExceeded")
    assert of(found, "NamespacesHaveNodeSelectors") == ("Warn", "NodeSelectorsDetected", ("shop",))
    gone = raised(facts(source_pods=[pod(nodeSelector={"kubernetes.io/arch": "amd64"})]), list(found.values()))
    assert gone == {}


def hook(phase: str = "PreBackup", **more: Any) -> dict[str, Any]:
    return {
        "reference": {"name": "h", "namespace": "openmig"},
        "phase": phase,
        "executionNamespace": "shop",
        "serviceAccount": "sa",
        **more,
    }


@pytest.mark.parametrize(
    ("hooks", "ready", "expected"),
    [
        ([hook(), hook("PostBackup")], True, []),
        ([hook(reference={"name": "gone", "namespace": "openmig"})], True, ["InvalidHookRef"]),
        ([hook(reference=None)], True, ["InvalidHookRef"]),
        ([hook()], False, ["HookNotReady"]),
        ([hook("Sometime")], True, ["HookPhaseUnknown"]),
        ([hook(), hook()], True, ["HookPhaseDuplicate"]),
        ([hook(serviceAccount="A", executionNamespace="a.b")], True, ["InvalidHookSAName", "InvalidHookNSName"]),
    ],
)
def test_hooks(hooks: list[Any], ready: bool, expected: list[str]) -> None:
    known = {("openmig", "h"): {"status": {"conditions": READY if ready else []}}}
    found = raised(facts({"hooks": hooks}, hooks=known))
    assert list(found) == expected
    assert {item["category"] for item in found.values()} <= {"Critical"}


def test_kinds() -> None:
    found = raised(facts(unknown_resources=["apps/Nothing"], incompatible=[{"name": "shop", "gvks": []}]))
    assert of(found, "InvalidResourceList") == ("Critical", None, ("apps/Nothing",))
    assert of(found, "GVKsIncompatible") == ("Warn", None, ("shop",))
    assert list(raised(facts(), [found["GVKsIncompatible"]])) == ["GVKsIncompatible"]
    assert raised(facts(incompatible=[]), [found["GVKsIncompatible"]]) == {}


# -- suspension ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("migrations", "suspended"),
    [
        ([], False),
        ([run("a", "1", "Succeeded")], True),
        ([run("a", "1", "SucceededWithWarnings")], True),
        ([run("a", "1", "Succeeded", "Canceled")], False),
        ([run("a", "1", "Failed")], False),
        ([run("a", "1", "Running", stage=True)], True),
        ([run("a", "1", "Succeeded", stage=True)], False),
        ([run("a", "1", "Succeeded"), run("b", "2", "Succeeded", rollback=True)], False),
        ([run("a", "1", "Succeeded", rollback=True), run("b", "2", "Succeeded")], True),
        ([run("a", "1", "Succeeded"), run("b", "2", "Succeeded", stage=True)], True),
    ],
)
def test_suspension(migrations: list[Any], suspended: bool) -> None:
    assert is_suspended(migrations) is suspended
    assert ("Suspended" in raised(facts(migrations=migrations))) is suspended
    assert "Suspended" not in raised(facts({"refresh": True}, migrations=migrations))


def test_a_suspended_plan_keeps_what_it_does_not_check() -> None:
    done = [run("a", "1", "Succeeded")]
    sick = raised(facts(source=cluster("src", namespaces={}), source_pods=[pod("Failed")]))
    assert set(sick) == {"NamespaceNotFoundOnSourceCluster", "SourcePodsNotHealthy"}
    kept = raised(facts({"namespaces": ["shop", "shop"]}, migrations=done), list(sick.values()))
    assert set(kept) == {*sick, "Suspended", "MigrationTypeIdentified"}
    assert kept["SourcePodsNotHealthy"] == sick["SourcePodsNotHealthy"]


def test_every_row_has_its_own_check() -> None:
    assert len({row.check for row in VALIDATIONS}) == len(VALIDATIONS)
