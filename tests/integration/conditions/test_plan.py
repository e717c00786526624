# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each condition of a MigPlan on real clusters: one plan for each row of the table, judged by the module, all in one
ansible-playbook; and what a second call makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources.condition_names import (
    BLOCKING,
    PlanCondition,
    Reason,
)
from ansible_collections.openmig.mtc.plugins.module_utils.resources.conditions import items_of
from integration.conditions.plan_clusters import KUBEVIRT, Stage, named, stage_on
from integration.conditions.plan_rows import KUBEVIRT_ROWS, NOT_PRODUCED, PROXY_ROWS, ROWS, prepare_resources
from integration.conditions.tasks import Call, Result, perform
from lab.targets import targets

ALWAYS = {
    PlanCondition.READY: ("Required", "True", ""),
    PlanCondition.PVS_DISCOVERED: ("Required", "True", Reason.DONE),
}
UNKNOWN_STATUS = {PlanCondition.CAPACITY_ADJUSTMENT_REQUIRED: "False"}
"""Conditions whose status is not True."""


@dataclass(frozen=True)
class Judged:
    """The stage, and what each plan's first call resulted in, and for some the same call again."""

    stage: Stage
    first: Mapping[str, Result]
    second: Mapping[str, Result]


def cluster_calls() -> list[Call]:
    source = {"kubeconfig": str(targets().source)}
    return [
        ("mig_cluster", {"name": "source", "remote": source}),
        ("mig_cluster", {"name": "destination", "is_host_cluster": True}),
    ]


def plan_call(stage: Stage, plan: str) -> Call:
    """References are given where nobody else has stored the plan with its own."""
    row = ROWS[plan]
    references = {"source_cluster": "source", "destination_cluster": "destination"} if row.spec is None else {}
    return "mig_plan", {"name": plan, **references, **row.options(stage, plan)}


@pytest.fixture(scope="module")
def stage(source: Cluster, control: Cluster) -> Iterator[Stage]:
    with stage_on(source, control) as prepared:
        made = perform(cluster_calls(), namespace=prepared.of("openmig"))
        assert [result["failed"] for result in made] == [False, False], made
        prepare_resources(prepared)
        yield prepared


@pytest.fixture(scope="module")
def judged(stage: Stage, request: pytest.FixtureRequest) -> Judged:
    """Only the rows that were asked for are judged, in the table's order."""
    asked = {plan for item in request.session.items for plan in _plan_of(item)}
    plans = [plan for plan in ROWS if plan in asked]
    again = [plan for plan in plans if plan in TWICE]
    results = perform([plan_call(stage, plan) for plan in (*plans, *again)], namespace=stage.of("openmig"))
    return Judged(stage, dict(zip(plans, results, strict=False)), dict(zip(again, results[len(plans) :], strict=True)))


def _plan_of(item: pytest.Item) -> list[str]:
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return [str(parameters["plan"])] if "plan" in parameters else []


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
TWICE = (
    *SAMPLED,
    "conversion-of-nothing",
    "pods",
    "sick-pods",
    "unserved-kind",
    "suspended",
    "closed",
    "unreadable",
    "no-class",
    "unknown-mode",
    "gluster",
    "measured",
)
"""Judged twice: everything that a call could find otherwise the second time."""


@pytest.mark.parametrize(
    "plan", [pytest.param(plan, marks=pytest.mark.sample) if plan in SAMPLED else plan for plan in ROWS]
)
def test_a_plan_is_told_what_is_true_of_it(judged: Judged, plan: str) -> None:
    row, result = ROWS[plan], judged.first[plan]
    blocked = any(category in BLOCKING for category, _reason in row.expected.values())
    assert result["failed"] == blocked, result
    stored = judged.stage.stored(plan)
    conditions = {item["type"]: item for item in stored["status"]["conditions"]}
    if row.error:
        assert row.error in result["msg"]
    else:
        assert result["conditions"] == conditions
    assert told(conditions) == expected(plan)
    for name, items in row.items(judged.stage).items():
        for condition in row.expected if name == "*" else (name,):
            assert list(items_of(conditions[condition])) == sorted(items)
    if blocked and not row.error:
        assert f"MigPlan {judged.stage.of('openmig')}/{plan}" in result["msg"]
        assert all(
            name in result["msg"] for name in row.expected if row.expected[name][0] in BLOCKING and not row.error
        )
    again = judged.second[plan]
    assert (again["failed"], again.get("conditions")) == (result["failed"], result.get("conditions"))
    assert not again.get("changed"), again


def test_what_was_found_stands_in_the_status(judged: Judged) -> None:
    stage = judged.stage
    pods = [{"name": "Pods", "resources": ["failed", "homeless"]}]
    assert judged.first["sick-pods"]["unhealthy"] == [{"name": stage.of("sick"), "workloads": pods}]
    kinds = [{"group": f"{stage.prefix}.example.com", "version": "v1", "kind": "widgets"}]
    assert judged.first["unserved-kind"]["incompatible"] == [{"name": stage.of("kinds"), "gvks": kinds}]
    sizes = {
        entry["pvc"]["name"]: entry["proposedCapacity"]
        for entry in stage.stored("measured")["spec"]["persistentVolumes"]
    }
    assert sizes["data"] == "128Mi"


def test_secrets_for_proxies(stage: Stage) -> None:
    space = stage.of("openmig")
    references = {
        "src_mig_cluster_ref": {"name": "source", "namespace": space},
        "dest_mig_cluster_ref": {"name": "destination", "namespace": space},
    }
    for name, row in PROXY_ROWS.items():
        options = {"name": "proxies", "namespaces": [stage.entry("app", name)], **references}
        (result,) = perform([("mig_plan", options)], namespace=stage.of(name))
        assert result["failed"]
        found = told(result["conditions"])
        wanted = {condition: (category, "True", reason) for condition, (category, reason) in row.items()}
        assert found == {**wanted, PlanCondition.PVS_DISCOVERED: ALWAYS[PlanCondition.PVS_DISCOVERED]}


def test_kubevirt(stage: Stage) -> None:
    call: Call = (
        "mig_plan",
        {
            "name": "machines",
            "source_cluster": "source",
            "destination_cluster": "destination",
            "namespaces": [stage.entry("app", "machines")],
            "live_migrate": True,
        },
    )
    for of_source, of_destination, row in KUBEVIRT_ROWS:
        for cluster, content in ((stage.source, of_source), (stage.control, of_destination)):
            if content is not None:
                cluster.create(
                    named(*KUBEVIRT, "kubevirt", stage.of("kinds" if cluster is stage.source else "openmig"), **content)
                )
        (result,) = perform([call], namespace=stage.of("openmig"))
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
