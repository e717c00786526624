# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is counted lands in one list, totals are sums, and a volume gets the size that the rules propose."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.resource_types import ResourceType
from ansible_collections.openmig.mtc.plugins.module_utils.engine.analytic_reading import countable
from ansible_collections.openmig.mtc.plugins.module_utils.resources import analysis, miganalytic, quantity
from ansible_collections.openmig.mtc.plugins.module_utils.resources.analysis import (
    NEARLY_FULL,
    NO_CHANGE,
    OTHER_SIZE,
    Claim,
    Counted,
    Image,
    NamespaceFacts,
    Rules,
)

MEBI = 1024 * 1024
PLAN = {
    "metadata": {"name": "shop", "namespace": "openmig"},
    "status": {
        "incompatibleNamespaces": [
            {"name": "shop", "gvks": [{"group": "old.example.com", "version": "v1", "kind": "widgets"}]}
        ]
    },
}
RULES = Rules(
    excluded={"events", "bindings.auth.example.com"},
    incompatible=analysis.incompatible_kinds(PLAN),
    images_listed=1,
    threshold=3,
)


def counted(plural: str, count: int, group: str = "") -> Counted:
    return Counted(group=group, version="v1", plural=plural, count=count)


def kind(group: str, plural: str, *, namespaced: bool = True, verbs: str = "get list") -> ResourceType:
    return ResourceType(
        group=group,
        version="v1",
        kind=plural.title(),
        plural=plural,
        namespaced=namespaced,
        verbs=frozenset(verbs.split()),
    )


def test_each_type_lands_in_one_list() -> None:
    facts = NamespaceFacts(
        namespace="shop",
        resources=[
            counted("secrets", 3),
            counted("events", 40),
            counted("bindings", 2, "auth.example.com"),
            counted("bindings", 5, "other.example.com"),
            counted("widgets", 7, "old.example.com"),
        ],
    )
    row = analysis.namespace_row(facts, RULES)
    lists = ("k8sResources", "excludedK8SResources", "incompatibleK8SResources")
    assert {name: [(item["kind"], item["count"]) for item in row[name]] for name in lists} == {
        "k8sResources": [("secrets", 3), ("bindings", 5)],
        "excludedK8SResources": [("events", 40), ("bindings", 2)],
        "incompatibleK8SResources": [("widgets", 7)],
    }
    sums = ("k8sResourceTotal", "excludedK8SResourceTotal", "incompatibleK8SResourceTotal")
    assert [row[name] for name in sums] == [8, 42, 7]


def test_another_namespace_has_its_own_incompatible_kinds() -> None:
    facts = NamespaceFacts(namespace="web", resources=[counted("widgets", 7, "old.example.com")])
    assert analysis.namespace_row(facts, RULES)["k8sResourceTotal"] == 7


def test_images_are_counted_all_and_listed_up_to_the_limit() -> None:
    images = [Image(name=name, reference=f"r/{name}", size=size) for name, size in (("a", 3 * MEBI + 5), ("b", MEBI))]
    row = analysis.namespace_row(NamespaceFacts(namespace="shop", images=images), RULES)
    assert (row["imageCount"], row["imageSizeTotal"]) == (2, "4Mi")
    assert row["images"] == [{"name": "a", "reference": "r/a", "size": "3Mi"}]


def test_totals_are_those_of_this_analysis() -> None:
    claim = Claim(name="data", requested=10 * MEBI, provisioned=10 * MEBI)
    facts = NamespaceFacts(namespace="shop", resources=[counted("secrets", 3)], claims=[claim, claim])
    rows = [analysis.namespace_row(facts, RULES)] * 2
    found = analysis.totals("shop", rows)
    assert found["k8sResourceTotal"] == 6
    assert (found["pvCount"], found["pvCapacity"], found["percentComplete"]) == (4, "40Mi", 100)


def test_claims_are_summed_only_when_asked_for() -> None:
    claim = Claim(name="data", requested=10, provisioned=10, capacity=10, used=1)
    row = analysis.namespace_row(NamespaceFacts(namespace="shop", claims=[claim], summed=False, measured=True), RULES)
    assert (row["pvCount"], row["pvCapacity"], len(row["persistentVolumes"])) == (0, "0", 1)


def measured(requested: int, provisioned: int, capacity: int, used: int) -> Claim:
    return Claim(name="c", requested=requested, provisioned=provisioned, capacity=capacity, used=used)


@pytest.mark.parametrize(
    ("claim", "proposed", "comment"),
    [
        (measured(100, 100, 90, 10), 100, NO_CHANGE),
        (measured(100, 120, 90, 10), 120, OTHER_SIZE),
        (measured(100, 100, 150, 10), 150, OTHER_SIZE),
        (measured(100, 120, 150, 10), 150, OTHER_SIZE),
        (measured(1000, 1000, 1000, 970), 1000, NO_CHANGE),
        (measured(1000, 1000, 1000, 971), 1010, NEARLY_FULL),
        (measured(1000, 1000, 1000, 1000), 1030, NEARLY_FULL),
        (measured(1000, 1000, 900, 900), 1000, NEARLY_FULL),
        (measured(100, 100, 0, 0), 100, NO_CHANGE),
    ],
)
def test_the_size_that_is_proposed(claim: Claim, proposed: int, comment: str) -> None:
    row = analysis.volume_row(claim, 3)
    assert (quantity.parse(row["proposedCapacity"]), row["comment"]) == (proposed, comment)


@given(st.integers(1, 2**50), st.integers(1, 2**50), st.integers(1, 2**50), st.integers(0, 2**50), st.integers(1, 99))
def test_what_is_proposed_is_never_less_than_there_is(
    requested: int, extra: int, capacity: int, used: int, threshold: int
) -> None:
    claim = Claim(
        name="c", requested=requested, provisioned=requested + extra, capacity=capacity, used=min(used, capacity)
    )
    row = analysis.volume_row(claim, threshold)
    proposed = quantity.parse(row["proposedCapacity"])
    assert proposed >= claim.provisioned
    assert (row["comment"] == NO_CHANGE) <= (proposed == requested)


def test_a_claim_with_a_volume_that_nobody_could_measure_is_named() -> None:
    claims = [Claim(name="bound", requested=1, provisioned=1), Claim(name="pending", requested=1, provisioned=0)]
    facts = NamespaceFacts(namespace="shop", claims=claims, measured=True)
    assert analysis.unmeasured([facts]) == ["shop/bound"]
    assert "persistentVolumes" not in analysis.namespace_row(facts, RULES)
    assert analysis.unmeasured([NamespaceFacts(namespace="shop", claims=claims)]) == []


def test_a_type_of_two_groups_is_counted_once() -> None:
    types = [
        kind("", "events"),
        kind("extensions", "deployments"),
        kind("apps", "deployments"),
        kind("events.k8s.io", "events"),
        kind("example.com", "events"),
        kind("extensions", "ingresses"),
        kind("", "nodes", namespaced=False),
        kind("authorization.k8s.io", "localsubjectaccessreviews", verbs="create"),
    ]
    assert [(each.group, each.plural) for each in countable(types)] == [
        ("", "events"),
        ("apps", "deployments"),
        ("example.com", "events"),
        ("extensions", "ingresses"),
    ]


def test_the_second_view_counts_where_it_is_the_only_one() -> None:
    assert [each.group for each in countable([kind("extensions", "networkpolicies")])] == ["extensions"]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"plan": "Shop"}, ["plan"]),
        ({"mig_plan_ref": {"name": "shop"}}, ["mig_plan_ref"]),
        ({"list_images": True}, ["list_images_limit"]),
        ({"list_images": True, "list_images_limit": -1}, ["list_images_limit"]),
        ({"pv_resizing_threshold": 100}, ["pv_resizing_threshold"]),
        ({"pv_resizing_threshold": 0}, ["pv_resizing_threshold"]),
        ({}, []),
    ],
)
def test_faults_of_the_options(changes: dict[str, Any], found: list[str]) -> None:
    problems = miganalytic.validate({"name": "a", "plan": "shop", **changes})
    assert [problem.path for problem in problems] == found


def test_a_new_analytic_counts_all_that_costs_only_lists() -> None:
    wanted = miganalytic.build_spec({"plan": "shop", "analyze_image_count": False, "namespace": "openmig"})
    spec = miganalytic.merge_spec(None, wanted)
    assert spec == {
        "migPlanRef": {"name": "shop", "namespace": "openmig"},
        "analyzeImageCount": False,
        "analyzeK8SResources": True,
        "analyzePVCapacity": True,
    }
    assert [problem.path for problem in miganalytic.incomplete(miganalytic.merge_spec(None, {}))] == ["plan"]
