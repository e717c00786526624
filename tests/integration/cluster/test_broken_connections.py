# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What survives a connection that breaks at the worst moment, and what must not be done twice."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.watch import Watch
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import (
    AlreadyExists,
    NotFound,
    TransientError,
)
from integration.cluster.manifests import config_map
from integration.cluster.relay import Relay

pytestmark = pytest.mark.sample


@pytest.fixture
def relayed(relay: Relay, new_cluster: Callable[..., Cluster]) -> Cluster:
    made: Cluster = new_cluster()
    made.deadline = 15
    made.version()
    return made


def test_a_creation_whose_answer_is_lost_is_recognised(
    relay: Relay, relayed: Cluster, cluster: Cluster, namespace: str
) -> None:
    relay.swallow_next_answer()
    made = relayed.create(config_map(namespace, "lost-create", a="1"))
    assert relay.swallowed == 1
    assert made == cluster.get("v1", "ConfigMap", "lost-create", namespace)


def test_a_creation_by_somebody_else_is_not_taken_for_ours(
    relay: Relay, relayed: Cluster, cluster: Cluster, namespace: str
) -> None:
    cluster.create(config_map(namespace, "theirs", a="1"))
    relay.swallow_next_answer()
    with pytest.raises(AlreadyExists):
        relayed.create(config_map(namespace, "theirs", a="1"))
    assert relay.swallowed == 1


def test_a_generated_name_makes_one_object(relay: Relay, relayed: Cluster, cluster: Cluster, namespace: str) -> None:
    manifest = config_map(namespace, "", a="1")
    manifest["metadata"] = {"generateName": "generated-", "namespace": namespace}
    relay.swallow_next_answer()
    made = relayed.create(manifest)
    names = [item["metadata"]["name"] for item in cluster.list("v1", "ConfigMap", namespace)]
    assert [name for name in names if name.startswith("generated-")] == [made["metadata"]["name"]]


def test_a_replacement_whose_answer_is_lost_is_no_conflict(
    relay: Relay, relayed: Cluster, cluster: Cluster, namespace: str
) -> None:
    made = cluster.create(config_map(namespace, "lost-replace", a="1"))
    made["data"]["a"] = "2"
    relay.swallow_next_answer()
    assert relayed.replace(made)["data"] == {"a": "2"}
    assert relay.swallowed == 1


def test_a_deletion_whose_answer_is_lost_has_happened(
    relay: Relay, relayed: Cluster, cluster: Cluster, namespace: str
) -> None:
    cluster.create(config_map(namespace, "lost-delete"))
    relay.swallow_next_answer()
    assert relayed.delete("v1", "ConfigMap", "lost-delete", namespace) is True
    assert cluster.get("v1", "ConfigMap", "lost-delete", namespace) is None


def test_a_patch_by_position_is_not_sent_twice(
    relay: Relay, relayed: Cluster, cluster: Cluster, namespace: str
) -> None:
    manifest = config_map(namespace, "position")
    manifest["metadata"]["finalizers"] = ["example.com/one"]
    cluster.create(manifest)
    more = [{"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/two"}]
    relay.swallow_next_answer()
    with pytest.raises(TransientError, match="may or may not have been carried out"):
        relayed.patch("v1", "ConfigMap", "position", namespace, patch=more, style="json")
    left = cluster.get("v1", "ConfigMap", "position", namespace)
    assert left is not None
    assert left["metadata"]["finalizers"] == ["example.com/one", "example.com/two"]
    cluster.patch("v1", "ConfigMap", "position", namespace, patch={"metadata": {"finalizers": None}})


def test_a_watch_goes_on_over_a_cut_and_misses_nothing(
    relay: Relay, relayed: Cluster, cluster: Cluster, namespace: str
) -> None:
    wanted = [f"watched-{number}" for number in range(6)]

    def write() -> None:
        for number, name in enumerate(wanted):
            manifest = config_map(namespace, name)
            manifest["metadata"]["labels"] = {"watched": "yes"}
            cluster.create(manifest)
            if number in (1, 3):
                assert relay.cut() >= 1
            time.sleep(0.3)
        cluster.delete("v1", "ConfigMap", wanted[0], namespace)

    writer = threading.Timer(0.3, write)
    writer.start()
    seen = []
    for event, item in relayed.watch("v1", "ConfigMap", namespace, label_selector="watched=yes", timeout=15):
        seen.append((event, item["metadata"]["name"]))
        if event == "DELETED":
            break
    writer.join()
    assert seen == [("ADDED", name) for name in wanted] + [("DELETED", wanted[0])]


@pytest.fixture(scope="module")
def thing(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """A kind that is new to the server: it remembers no version of it from before, and says so with a 410."""
    group = f"t{secrets.token_hex(3)}.example.com"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    cluster.create(definition)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            list(cluster.list(f"{group}/v1", "Thing"))
            break
        except (NotFound, TransientError):
            time.sleep(0.2)
    yield f"{group}/v1", "Thing"
    cluster.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"things.{group}")


def test_a_watch_from_a_forgotten_version_lists_again(cluster: Cluster, namespace: str, thing: tuple[str, str]) -> None:
    api_version, kind = thing
    cluster.create({"apiVersion": api_version, "kind": kind, "metadata": {"name": "known", "namespace": namespace}})
    before = cluster.requests
    watch = cluster.watch(api_version, kind, namespace, resource_version="1", timeout=10)
    event, item = next(watch)
    assert (event, item["metadata"]["name"]) == ("ADDED", "known")
    assert cluster.requests - before == 2  # the watch that is refused, and the list
    watch.close()
    cluster.delete(api_version, kind, "known", namespace)


def test_a_watch_tells_after_a_second_list_what_it_missed(
    cluster: Cluster, namespace: str, thing: tuple[str, str]
) -> None:
    api_version, kind = thing
    for name in ("stays", "changes", "goes"):
        cluster.create({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}})
    watching = Watch(
        cluster._transport,
        cluster.resource(api_version, kind),
        namespace,
        label_selector=None,
        field_selector=None,
        resource_version=None,
        timeout=20,
    )
    watch = watching.events()
    assert {next(watch)[1]["metadata"]["name"] for _count in range(3)} == {"stays", "changes", "goes"}
    cluster.delete(api_version, kind, "goes", namespace)
    cluster.patch(api_version, kind, "changes", namespace, patch={"spec": {"new": "1"}})
    watching._version = "1"  # as after a long time without a connection
    assert sorted((event, item["metadata"]["name"]) for event, item in (next(watch), next(watch))) == [
        ("DELETED", "goes"),
        ("MODIFIED", "changes"),
    ]
    watch.close()


def test_a_watch_ends_on_time_though_the_server_has_gone(relay: Relay, relayed: Cluster, namespace: str) -> None:
    relayed.deadline = 60
    started = time.monotonic()
    watch = relayed.watch("v1", "ConfigMap", namespace, field_selector="metadata.name=kube-root-ca.crt", timeout=3)
    for _event in watch:
        relay.close()
    assert time.monotonic() - started < 5


def test_a_watch_ends_on_time(cluster: Cluster, namespace: str) -> None:
    started = time.monotonic()
    list(cluster.watch("v1", "ConfigMap", namespace, timeout=1.5))
    assert 1.4 < time.monotonic() - started < 3


def test_a_server_that_goes_away_is_waited_for_until_the_deadline(relay: Relay, relayed: Cluster) -> None:
    relayed.deadline = 3
    relay.close()
    started = time.monotonic()
    with pytest.raises(TransientError, match=r"Cluster source .*: not reachable: connection refused"):
        relayed.get("v1", "Namespace", "default")
    assert 1 < time.monotonic() - started < 5
