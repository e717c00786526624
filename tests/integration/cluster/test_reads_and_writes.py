# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The verbs on a real API server."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.pools import POOL_SIZE
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import (
    AlreadyExists,
    Conflict,
    Invalid,
    LeaseLost,
    NotFound,
)
from integration.cluster.manifests import config_map

pytestmark = pytest.mark.sample


def test_an_object_from_creation_to_deletion(cluster: Cluster, namespace: str) -> None:
    made = cluster.create(config_map(namespace, "life", a="1"))
    assert cluster.get("v1", "ConfigMap", "life", namespace) == made

    made["data"]["a"] = "2"
    replaced = cluster.replace(made)
    assert replaced["data"] == {"a": "2"}
    with pytest.raises(Conflict, match=f"ConfigMap {namespace}/life: replace on cluster source: "):
        cluster.replace(made)

    assert cluster.patch("v1", "ConfigMap", "life", namespace, patch={"data": {"b": "3"}})["data"]["b"] == "3"
    operations = [{"op": "remove", "path": "/data/a"}]
    assert cluster.patch("v1", "ConfigMap", "life", namespace, patch=operations, style="json")["data"] == {"b": "3"}

    assert cluster.delete("v1", "ConfigMap", "life", namespace, uid="another") is False
    assert cluster.delete("v1", "ConfigMap", "life", namespace, uid=replaced["metadata"]["uid"]) is True
    assert cluster.delete("v1", "ConfigMap", "life", namespace) is False
    assert cluster.get("v1", "ConfigMap", "life", namespace) is None


def test_errors_of_writes_are_typed(cluster: Cluster, namespace: str) -> None:
    cluster.create(config_map(namespace, "twice"))
    with pytest.raises(AlreadyExists, match=f"ConfigMap {namespace}/twice: create on cluster source"):
        cluster.create(config_map(namespace, "twice"))
    with pytest.raises(NotFound, match="Create the namespace first"):
        cluster.create(config_map("no-such-namespace", "x"))
    with pytest.raises(Invalid, match=r"metadata\.name"):
        cluster.create(config_map(namespace, "Not_A_Name"))
    with pytest.raises(NotFound, match="not served by cluster source"):
        cluster.create({"apiVersion": "example.com/v1", "kind": "Nothing", "metadata": {"name": "x"}})
    assert cluster.get("example.com/v1", "Nothing", "x", namespace) is None


def test_a_secret_s_value_is_not_in_the_error_about_it(cluster: Cluster, namespace: str) -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "broken", "namespace": namespace},
        "data": {"password": "planted*secret"},
    }
    with pytest.raises(Invalid) as caught:
        cluster.create(manifest)
    assert "planted" not in caught.value.message


def test_dry_run_leaves_nothing(cluster: Cluster, namespace: str) -> None:
    assert cluster.create(config_map(namespace, "dry", a="1"), dry_run=True)["metadata"]["uid"]
    assert cluster.get("v1", "ConfigMap", "dry", namespace) is None
    cluster.create(config_map(namespace, "wet", a="1"))
    assert (
        cluster.patch("v1", "ConfigMap", "wet", namespace, patch={"data": {"a": "2"}}, dry_run=True)["data"]["a"] == "2"
    )
    assert cluster.delete("v1", "ConfigMap", "wet", namespace, dry_run=True) is True
    left = cluster.get("v1", "ConfigMap", "wet", namespace)
    assert left is not None
    assert left["data"] == {"a": "1"}


def test_server_side_apply_creates_and_owns(cluster: Cluster, namespace: str) -> None:
    wanted = config_map(namespace, "applied", a="1")
    cluster.patch("v1", "ConfigMap", "applied", namespace, patch=wanted, style="apply")
    wanted["data"] = {"b": "2"}
    assert cluster.patch("v1", "ConfigMap", "applied", namespace, patch=wanted, style="apply")["data"] == {"b": "2"}
    with pytest.raises(Conflict):
        cluster.patch(
            "v1",
            "ConfigMap",
            "applied",
            namespace,
            patch=config_map(namespace, "applied", b="3"),
            style="apply",
            field_manager="other",
        )


def test_lists_page_and_carry_their_type(cluster: Cluster, namespace: str) -> None:
    names = {f"page-{number:02}" for number in range(25)}
    cluster.map(lambda name: cluster.create(config_map(namespace, name) | {}), sorted(names), concurrency=8)
    before = cluster.requests
    found = list(cluster.list("v1", "ConfigMap", namespace, page=7))
    assert cluster.requests - before == -(-len(found) // 7)
    assert names <= {item["metadata"]["name"] for item in found}
    assert {(item["apiVersion"], item["kind"]) for item in found} == {("v1", "ConfigMap")}
    assert len(list(cluster.list("v1", "ConfigMap", namespace, field_selector="metadata.name=page-03"))) == 1


def test_a_collection_is_deleted_by_label_and_never_without(cluster: Cluster, namespace: str) -> None:
    for name in ("kept", "gone"):
        manifest = config_map(namespace, name)
        manifest["metadata"]["labels"] = {"fate": name}
        cluster.create(manifest)
    cluster.delete_collection("v1", "ConfigMap", namespace, label_selector="fate=gone")
    assert cluster.get("v1", "ConfigMap", "gone", namespace) is None
    assert cluster.get("v1", "ConfigMap", "kept", namespace) is not None
    with pytest.raises(Exception, match="is empty"):
        cluster.delete_collection("v1", "ConfigMap", namespace, label_selector="")


def test_sixteen_threads_share_a_pool(cluster: Cluster, namespace: str) -> None:
    created = cluster.map(
        lambda number: cluster.create(config_map(namespace, f"many-{number}", n=str(number))),
        range(300),
        concurrency=16,
    )
    assert [item["data"]["n"] for item in created] == [str(number) for number in range(300)]
    pools = cluster._transport._pools
    assert pools is not None
    assert pools.short.num_connections <= POOL_SIZE


def test_map_tries_every_item_and_raises_the_first_error(cluster: Cluster, namespace: str) -> None:
    seen = []

    def make(number: int) -> None:
        seen.append(number)
        cluster.create(config_map(namespace if number % 2 else "no-such-namespace", f"odd-{number}"))

    with pytest.raises(NotFound, match="ConfigMap no-such-namespace/odd-0"):
        cluster.map(make, range(20), concurrency=4)
    assert sorted(seen) == list(range(20))


def test_every_type_is_listed_side_by_side(cluster: Cluster, namespace: str) -> None:
    types = [kind for kind in cluster.types() if "list" in kind.verbs]
    found = list(cluster.list_types(types, ["default", namespace], page=50))
    kinds = {kind.kind for kind, _namespace, _item in found}
    assert {"ConfigMap", "ServiceAccount", "Namespace", "Node"} <= kinds
    assert {place for kind, place, _item in found if kind.namespaced} == {"default", namespace}
    assert all(item["kind"] == kind.kind and item["apiVersion"] == kind.api_version for kind, _place, item in found)


def test_a_list_that_is_left_early_stops_its_workers(cluster: Cluster) -> None:
    types = [kind for kind in cluster.types() if "list" in kind.verbs]
    objects = cluster.list_types(types, [], page=10)
    next(objects)
    objects.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "openmig-list"]


def test_a_lost_lease_stops_before_the_request(new_cluster: Callable[..., Cluster], namespace: str) -> None:
    def fence() -> None:
        raise LeaseLost(subject="MigMigration openmig/shop", attempt="lost its lease")

    cluster = new_cluster()
    cluster.fence = fence
    for attempt in (
        lambda: cluster.create(config_map(namespace, "fenced")),
        lambda: cluster.get("v1", "ConfigMap", "x", namespace),
        lambda: list(cluster.watch("v1", "ConfigMap", namespace, timeout=5)),
        lambda: list(cluster.list("v1", "ConfigMap", namespace)),
        lambda: list(cluster.list_types([cluster.resource("v1", "ConfigMap")], [namespace])),
        lambda: cluster.exec(namespace, "pod", ["true"]),
        lambda: cluster.map(lambda _item: cluster.version(), range(50)),
    ):
        with pytest.raises(LeaseLost):
            attempt()
    assert cluster.requests == 0


def test_rights_are_asked_of_the_server(new_cluster: Callable[..., Cluster], namespace: str) -> None:
    nobody = new_cluster(impersonate_user="nobody", impersonate_groups=["system:authenticated", "others"])
    assert nobody.allowed("create", "", "pods", namespace) is False
    assert new_cluster().allowed("create", "", "pods", namespace) is True
