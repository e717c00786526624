# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each condition of a MigPlan on real clusters: one plan for each row of the table, judged twice by what the module
calls, without Ansible's process around it, for there are many; test_plan_life.py has the module itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.engine import call, ensure_plan
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import mig_plan_spec
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.condition_names import (
    BLOCKING,
    PlanCondition,
    Reason,
)
from ansible_collections.openmig.mtc.plugins.module_utils.resources.conditions import items_of
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import MtcError
from integration.conditions.plan_clusters import KUBEVIRT, Stage, named, stage_on
from integration.conditions.plan_rows import KUBEVIRT_ROWS, NOT_PRODUCED, PROXY_ROWS, ROWS, prepare_resources
from integration.conditions.tasks import Call, perform
from lab.targets import targets

ALWAYS = {
    PlanCondition.READY: ("Required", "True", ""),
    PlanCondition.PVS_DISCOVERED: ("Required", "True", Reason.DONE),
}
UNKNOWN_STATUS = {PlanCondition.CAPACITY_ADJUSTMENT_REQUIRED: "False"}
"""Conditions whose status is not True."""


Result = dict[str, Any]


def judge(namespace: str, **options: Any) -> Result:
    """What the module would say to these options."""
    where = {"kubeconfig": str(targets().destination), "namespace": namespace}
    checked = ArgumentSpecValidator(mig_plan_spec()).validate({**where, **options})
    assert checked.error_messages == []
    this = call.begin(checked.validated_parameters, check=False, subject="MigPlan", signals=False)
    try:
        return {"failed": False, **ensure_plan.ensure(this, of_migration={})}
    except MtcError as error:
        return {"failed": True, **error.as_result()}


def cluster_calls() -> list[Call]:
    source = {"kubeconfig": str(targets().source)}
    return [
        ("mig_cluster", {"name": "source", "remote": source}),
        ("mig_cluster", {"name": "destination", "is_host_cluster": True}),
    ]


def judge_row(stage: Stage, plan: str) -> Result:
    """References are given where nobody else has stored the plan with its own."""
    row = ROWS[plan]
    references = {"source_cluster": "source", "destination_cluster": "destination"} if row.spec is None else {}
    return judge(stage.of("openmig"), **{"name": plan, **references, **row.options(stage, plan)})


@pytest.fixture(scope="module")
def stage(source: Cluster, control: Cluster) -> Iterator[Stage]:
    with stage_on(source, control) as prepared:
        made = perform(cluster_calls(), namespace=prepared.of("openmig"))
        assert [result["failed"] for result in made] == [False, False], made
        prepare_resources(prepared)
        yield prepared


def told(conditions: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, str, str]]:
    return {name: (item["category"], item["status"], item.get("reason", "")) for name, item in conditions.items()}


def expected(plan: str) -> dict[str, tuple[str, str, str]]:
    row = ROWS[plan]
    wanted = {
        name: (category, UNKNOWN_STATUS.get(name, "True"), reason) for name, (category, reason) in row.expected.items()
    }
    blocked = any(category in BLOCKING for category, _reason in row.expected.values())
    usual = {
        name: condition
        for name, condition in ALWAYS.items()
        if row.discovered and not (blocked and name == PlanCondition.READY)
    }
    return {**wanted, **usual}


SAMPLED = ("ready", "unready-clusters", "renamed-claim", "action", "moved-nfs")


@pytest.mark.parametrize(
    "plan", [pytest.param(plan, marks=pytest.mark.sample) if plan in SAMPLED else plan for plan in ROWS]
)
def test_a_plan_is_told_what_is_true_of_it(stage: Stage, plan: str) -> None:
    row, result = ROWS[plan], judge_row(stage, plan)
    blocked = any(category in BLOCKING for category, _reason in row.expected.values())
    assert result["failed"] == blocked, result
    stored = stage.stored(plan)
    conditions = {item["type"]: item for item in stored["status"]["conditions"]}
    if row.error:
        assert row.error in result["msg"]
    else:
        assert result["conditions"] == conditions
    assert told(conditions) == expected(plan)
    for name, items in row.items(stage).items():
        for condition in row.expected if name == "*" else (name,):
            assert list(items_of(conditions[condition])) == sorted(items)
    if blocked and not row.error:
        assert f"MigPlan {stage.of('openmig')}/{plan}" in result["msg"]
        blocking = [name for name, (category, _reason) in row.expected.items() if category in BLOCKING]
        assert [name for name in blocking if name not in result["msg"]] == []
    again = judge_row(stage, plan)
    assert (again["failed"], again.get("conditions")) == (result["failed"], result.get("conditions"))
    assert not again.get("changed")
    assert stage.stored(plan)["metadata"]["resourceVersion"] == stored["metadata"]["resourceVersion"]


def test_what_was_found_stands_in_the_status(stage: Stage) -> None:
    pods = [{"name": "Pods", "resources": ["failed", "homeless"]}]
    assert judge_row(stage, "sick-pods")["unhealthy"] == [{"name": stage.of("sick"), "workloads": pods}]
    kinds = [{"group": f"{stage.prefix}.example.com", "version": "v1", "kind": "widgets"}]
    assert judge_row(stage, "unserved-kind")["incompatible"] == [{"name": stage.of("kinds"), "gvks": kinds}]
    entries = judge_row(stage, "measured")["resource"]["spec"]["persistentVolumes"]
    assert [entry["proposedCapacity"] for entry in entries if entry["pvc"]["name"] == "data"] == ["128Mi"]


def test_secrets_for_proxies(stage: Stage) -> None:
    space = stage.of("openmig")
    references = {
        "src_mig_cluster_ref": {"name": "source", "namespace": space},
        "dest_mig_cluster_ref": {"name": "destination", "namespace": space},
    }
    for name, row in PROXY_ROWS.items():
        result = judge(stage.of(name), name="proxies", namespaces=[stage.entry("app", name)], **references)
        assert result["failed"]
        found = told(result["conditions"])
        wanted = {condition: (category, "True", reason) for condition, (category, reason) in row.items()}
        assert found == {**wanted, PlanCondition.PVS_DISCOVERED: ALWAYS[PlanCondition.PVS_DISCOVERED]}


def narrow(stage: Stage, user: str) -> None:
    """Lets a user do everything with MTC's kinds in the plans' namespace, and read what plans are judged by."""
    group, whose = (
        "rbac.authorization.k8s.io",
        [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}],
    )
    own = [{"apiGroups": [names.GROUP], "resources": ["*"], "verbs": ["*"]}]
    read = [
        {"apiGroups": ["", "apps", "batch", "storage.k8s.io"], "resources": ["*"], "verbs": ["get", "list"]},
        {"apiGroups": ["apiextensions.k8s.io"], "resources": ["*"], "verbs": ["get", "list"]},
    ]
    for kind, rules, space in (("Role", own, stage.of("openmig")), ("ClusterRole", read, None)):
        stage.control.create(named(f"{group}/v1", kind, user, space, rules=rules))
        role = {"kind": kind, "name": user, "apiGroup": group}
        stage.control.create(named(f"{group}/v1", f"{kind}Binding", user, space, roleRef=role, subjects=whose))


def test_plans_of_other_namespaces(stage: Stage) -> None:
    """One that refers to the same clusters conflicts wherever it lives, as long as it may be seen and is open."""
    space, elsewhere, user = stage.of("openmig"), stage.of("users-permissions"), stage.of("narrow")
    entry = stage.entry("app", "shared")
    references = {
        "srcMigClusterRef": {"name": "source", "namespace": space},
        "destMigClusterRef": {"name": "destination", "namespace": space},
    }
    stage.resource(names.MIG_PLAN, "shared", elsewhere, spec={**references, "namespaces": [entry]})
    own_cluster = {"name": "source", "namespace": elsewhere}
    unlike = {**references, "srcMigClusterRef": own_cluster, "destMigClusterRef": own_cluster, "namespaces": [entry]}
    stage.resource(names.MIG_PLAN, "unlike", elsewhere, spec=unlike)
    given = {"source_cluster": "source", "destination_cluster": "destination", "namespaces": [entry]}
    found = judge(space, name="shared", **given)
    assert found["failed"]
    assert told(found["conditions"])[PlanCondition.PLAN_CONFLICT] == ("Error", "True", Reason.CONFLICT)
    assert list(items_of(found["conditions"][PlanCondition.PLAN_CONFLICT])) == [f"{elsewhere}/shared"]
    narrow(stage, user)
    try:
        unseen = judge(space, name="shared", **given, impersonate_user=user)
        assert not unseen["failed"], unseen["msg"]
    finally:
        for kind in ("ClusterRoleBinding", "ClusterRole"):
            stage.control.delete("rbac.authorization.k8s.io/v1", kind, user)
    assert judge(space, name="shared", **given)["failed"]
    stage.control.patch(names.API_VERSION, names.MIG_PLAN, "shared", elsewhere, patch={"spec": {"closed": True}})
    assert not judge(space, name="shared", **given)["failed"]


def test_kubevirt(stage: Stage) -> None:
    options = {
        "name": "machines",
        "source_cluster": "source",
        "destination_cluster": "destination",
        "namespaces": [stage.entry("app", "machines")],
        "live_migrate": True,
    }
    for of_source, of_destination, row in KUBEVIRT_ROWS:
        for cluster, content in ((stage.source, of_source), (stage.control, of_destination)):
            if content is not None:
                cluster.create(
                    named(*KUBEVIRT, "kubevirt", stage.of("kinds" if cluster is stage.source else "openmig"), **content)
                )
        result = judge(stage.of("openmig"), **options)
        wanted = {condition: (category, "True", reason) for condition, (category, reason) in row.items()}
        assert told(result["conditions"]) == {**wanted, **ALWAYS}
        for cluster in (stage.source, stage.control):
            for found in list(cluster.list(*KUBEVIRT)):
                cluster.delete(*KUBEVIRT, found["metadata"]["name"], found["metadata"]["namespace"])


def test_no_condition_of_the_kind_is_left_out() -> None:
    rows = [row.expected for row in ROWS.values()] + list(PROXY_ROWS.values()) + [row for *_sides, row in KUBEVIRT_ROWS]
    produced = {name for row in rows for name in row} | ALWAYS.keys()
    known = {value for name, value in vars(PlanCondition).items() if name.isupper()}
    known |= {PlanCondition.READY, PlanCondition.RECONCILE_FAILED}
    assert produced | NOT_PRODUCED.keys() == known
    assert not produced & NOT_PRODUCED.keys()
