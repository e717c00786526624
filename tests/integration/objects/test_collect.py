# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is collected from a real namespace with every kind of object in it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.objects import inventory
from ansible_collections.openmig.mtc.plugins.module_utils.objects.collect import Left, collect
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import InvalidInput

Manifest = dict[str, Any]

STAYS = {
    "ConfigMap election",
    "ConfigMap kube-root-ca.crt",
    "Endpoints balanced",
    "Endpoints chosen",
    "Endpoints headless",
    "Endpoints web",
}
NEVER_LISTED = {"Lease lock", "Event happened", "PersistentVolumeClaim files"}


def short(obj: Manifest) -> str:
    return f"{obj['kind']} {obj['metadata']['name']}"


@pytest.fixture
def found(source: Cluster, deployed: list[Manifest], namespace: str) -> tuple[list[Manifest], list[Left]]:
    left: list[Left] = []
    return list(collect(source, namespaces=[namespace], left=left.append)), left


def test_everything_that_was_made_by_hand_travels_once(
    found: tuple[list[Manifest], list[Left]], deployed: list[Manifest]
) -> None:
    names = sorted(short(obj) for obj in found[0])
    wanted = {short(obj) for obj in deployed} - STAYS - NEVER_LISTED
    assert names == sorted(wanted | {"ServiceAccount default"})


def test_what_controllers_made_stays_behind_with_a_reason(
    found: tuple[list[Manifest], list[Left]], namespace: str
) -> None:
    told = {left.reference.replace(f" {namespace}/", " "): left.reason for left in found[1]}
    assert {name for name in told if not name.startswith(("Pod ", "ReplicaSet", "EndpointSlice"))} == STAYS
    assert all("makes it" in told[name] for name in told if name.startswith(("Pod ", "ReplicaSet", "Endpoint")))
    assert sum(name.startswith("Pod web-") for name in told) == 1
    assert sum(name.startswith("Pod running-") for name in told) == 1
    assert sum(name.startswith("ReplicaSet.apps web-") for name in told) == 1
    assert sum(name.startswith("EndpointSlice.discovery.k8s.io") for name in told) >= 5


def test_the_inventory_is_the_same_each_time(source: Cluster, deployed: list[Manifest], namespace: str) -> None:
    once, again = (
        {inventory.reference(obj) for obj in collect(source, namespaces=[namespace], concurrency=number)}
        for number in (1, 8)
    )
    assert once == again


def test_selector_and_kinds_narrow_it(source: Cluster, deployed: list[Manifest], namespace: str) -> None:
    def names(**options: Any) -> list[str]:
        return sorted(short(obj) for obj in collect(source, namespaces=[namespace], **options))

    assert names(label_selector="tier=config") == ["ConfigMap settings"]
    assert names(included=["role.rbac.authorization.k8s.io", "widgets"]) == ["Role reader", "Widget parent"]
    assert names(included=[{"group": "apps", "kind": "Deployment"}]) == ["Deployment web"]
    assert "ConfigMap frozen" not in names(excluded=["configmaps"])


def test_an_owner_that_was_not_listed_is_asked_for(source: Cluster, deployed: list[Manifest], namespace: str) -> None:
    """Pods and ReplicaSets alone: their Deployment and Job are not seen, yet exist and are not part of it."""
    left: list[Left] = []
    found = sorted(
        short(obj)
        for obj in collect(source, namespaces=[namespace], included=["pods"], left=left.append)
        if short(obj) != "Pod bare"
    )
    assert len(found) == 2
    assert found[0].startswith("Pod running-")
    assert found[1].startswith("Pod web-")
    kept = sorted(
        obj["kind"]
        for obj in collect(source, namespaces=[namespace], included=["pods", "deployments.apps"])
        if short(obj) != "Pod bare"
    )
    assert kept == ["Deployment", "Pod"], "the Deployment makes its pod, through a ReplicaSet that was not listed"


def test_endpoints_of_services_stay_even_if_services_are_not_listed(
    source: Cluster, deployed: list[Manifest], namespace: str
) -> None:
    found = [short(obj) for obj in collect(source, namespaces=[namespace], included=["endpoints"])]
    assert found == ["Endpoints outside"]


def test_an_included_kind_that_does_not_exist_is_an_error(source: Cluster) -> None:
    with pytest.raises(InvalidInput, match="no kind 'deploymens'"):
        list(collect(source, namespaces=["default"], included=["deploymens"]))


def test_no_namespace_is_nothing_and_not_everything(source: Cluster) -> None:
    assert list(collect(source, namespaces=[])) == []


def test_an_object_being_deleted_stays(source: Cluster, deployed: list[Manifest], namespace: str) -> None:
    source.patch(
        "v1", "ConfigMap", "frozen", namespace, patch={"metadata": {"finalizers": ["objects.openmig.test/wait"]}}
    )
    source.delete("v1", "ConfigMap", "frozen", namespace)
    left: list[Left] = []
    names = [short(obj) for obj in collect(source, namespaces=[namespace], left=left.append)]
    source.patch("v1", "ConfigMap", "frozen", namespace, patch={"metadata": {"finalizers": None}})
    assert "ConfigMap frozen" not in names
    assert f"ConfigMap {namespace}/frozen is being deleted" in map(str, left)
