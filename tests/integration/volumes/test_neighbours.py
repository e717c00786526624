# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A transfer among others: runs beside it, what somebody else has left, namespaces that do not come, pods that somebody
takes away, an API server that does not answer for a while."""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import DeadlineExceeded, PermanentError
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.layout import Layout
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.model import RunIdentity
from integration.cluster.relay import relay_to
from lab.targets import targets

from .conftest import IMAGE, World, until

KINDS = ("Pod", "Secret", "ConfigMap", "Service")


def own(world: World, namespace: str, identity: RunIdentity) -> set[str]:
    """UIDs of everything of a run in a namespace of both clusters."""
    return {
        item["metadata"]["uid"]
        for cluster in (world.source, world.destination)
        for kind in KINDS
        for item in cluster.list("v1", kind, namespace, label_selector=f"{names.RUN_LABEL}={identity.uid}")
    }


def leftover(source: Cluster, namespace: str, claim: str) -> str:
    """A client pod of MTC's for the claim that has succeeded and was never removed; its UID."""
    labels = {
        names.CREATED_FOR_PVC_LABEL: hashlib.md5(claim.encode(), usedforsecurity=False).hexdigest(),
        names.RSYNC_ATTEMPT_LABEL: "1",
        names.APP_LABEL: names.TRANSFER_APP,
        names.OWNER_LABEL: names.TRANSFER_OWNER,
    }
    container = {"name": "rsync", "image": IMAGE, "command": ["/bin/true"]}
    metadata = {"name": "rsync-x7k2p", "namespace": namespace, "labels": labels}
    spec = {"containers": [container], "restartPolicy": "Never"}
    made = source.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

    def ended() -> str | None:
        found = source.get("v1", "Pod", "rsync-x7k2p", namespace) or {}
        return None if found["status"].get("phase") == "Succeeded" else "the pod of another run ends"

    until(ended)
    return str(made["metadata"]["uid"])


def test_a_run_meets_neither_another_one_nor_what_somebody_has_left(world: World) -> None:
    namespace = world.namespace()
    world.application(namespace, ["a"], "echo x >/a/x")
    stays = leftover(world.source, namespace, "a")
    moves = world.moves((namespace, "a"))
    others = [dataclasses.replace(moves[0], target_claim="a-other")]
    first, second = world.identity(), world.identity()
    world.claims(moves, first)
    world.claims(others, second)
    one, other = world.transfer(moves, first), world.transfer(others, second)
    until(one.ensure)
    until(other.ensure)
    before = own(world, namespace, second)
    until(lambda: one.run_pass("final", final=True))
    assert one.results("final")[moves[0]].files_transferred == 1
    until(lambda: one.remove(wait=True))
    assert own(world, namespace, first) == set()
    assert own(world, namespace, second) == before
    # What the first one has done is not taken for the work of the second.
    until(lambda: other.run_pass("final", final=True))
    assert other.results("final")[others[0]].files_transferred == 1
    until(lambda: other.verify("final"))
    assert other.verdicts()[0].ok
    until(lambda: other.remove(wait=True))
    found = world.source.get("v1", "Pod", "rsync-x7k2p", namespace)
    assert found is not None
    assert found["metadata"]["uid"] == stays


def test_no_namespace_is_ready_before_each_one_is(world: World) -> None:
    first, second = world.namespace(), world.namespace()
    for namespace in (first, second):
        world.application(namespace, ["a"], "echo x >/a/x")
    nobodys = f"never-{secrets.token_hex(3)}"
    storage_class = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": nobodys}}
    world.destination.create({**storage_class, "provisioner": "example.com/none"})
    try:
        stuck, sound = world.moves((first, "a"), (second, "a"))
        moves = [dataclasses.replace(stuck, storage_class=nobodys), sound]
        identity = world.identity()
        world.claims(moves, identity)
        transfer = world.transfer(moves, identity, start_timeout=12.0)
        with pytest.raises(DeadlineExceeded, match=f"{first}.*not ready within 12 s") as raised:
            until(transfer.ensure)
        assert "claims that are not bound: a-new;" in raised.value.reason
        states = {entry["namespace"]: entry["state"] for entry in transfer.progress()}
        assert states == {first: "pending", second: "running"}
    finally:
        world.destination.delete("storage.k8s.io/v1", "StorageClass", nobodys)


def test_a_pod_that_somebody_deletes_again_and_again_is_not_made_for_ever(world: World) -> None:
    namespace = world.namespace()
    world.application(namespace, ["a"], "echo x >/a/x")
    moves = world.moves((namespace, "a"))
    identity = world.identity()
    world.claims(moves, identity)
    transfer = world.transfer(moves, identity)
    client = Layout(identity=identity, moves=tuple(moves)).client(moves[0])
    seen = {""}

    def another() -> str | None:
        waiting = transfer.ensure()
        found = world.source.get("v1", "Pod", client, namespace)
        if found is None or found["metadata"]["uid"] in seen or "deletionTimestamp" in found["metadata"]:
            return waiting or "the pod is missed"
        seen.add(found["metadata"]["uid"])
        return None

    def until_it_is_given_up() -> None:
        while len(seen) < 12:
            until(another)
            world.source.delete("v1", "Pod", client, namespace, grace_seconds=0)

    with pytest.raises(PermanentError, match="it ended 6 times: somebody deleted it"):
        until_it_is_given_up()
    assert len(seen) == 7


def test_an_api_server_that_is_away_while_bytes_flow_costs_no_attempt(world: World) -> None:
    namespace = world.namespace()
    world.application(namespace, ["a"], "head -c 6000000 /dev/urandom >/a/big")
    moves = world.moves((namespace, "a"))
    identity = world.identity()
    world.claims(moves, identity)
    kubeconfig: dict[str, Any] = yaml.safe_load(targets().source.read_text())
    entry = kubeconfig["clusters"][0]["cluster"]
    server = urlsplit(entry["server"])
    with relay_to(server.hostname or "", server.port or 443) as relay:
        entry |= {"server": f"https://127.0.0.1:{relay.port}", "tls-server-name": server.hostname}
        source = connect({"kubeconfig": kubeconfig}, name="source", environ={})
        transfer = world.transfer(moves, identity, connections=(source, world.destination), bandwidth_kib=1024)
        # At the end everything is removed past the relay.
        world.transfers[:] = [world.transfer(moves, identity)]
        until(transfer.ensure)
        while transfer.progress()[0]["percent"] == 0:
            assert transfer.run_pass("final", final=True) is not None
        relay.go_away(seconds=3)
        until(lambda: transfer.run_pass("final", final=True))
        assert relay.refused > 0
        result = transfer.results("final")[moves[0]]
        assert (result.attempts, result.bytes_transferred) == (1, 6_000_000)
        source.close()
