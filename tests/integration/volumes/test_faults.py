# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a transfer survives, and what it refuses with which words."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import ssl
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import (
    DeadlineExceeded,
    LeaseLost,
    NotFound,
    PermanentError,
    Refused,
    VolumeFailed,
)
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.certificates import issue
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.layout import Layout
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.model import RunIdentity, VolumeMove
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.transfer import Transfer

from .conftest import MIB, World, new_connections, until

SLOW = "head -c 6000000 /dev/urandom >/a/big"


def prepared(world: World, script: str = SLOW) -> tuple[list[VolumeMove], RunIdentity]:
    namespace = world.namespace()
    world.application(namespace, ["a"], script)
    moves = world.moves((namespace, "a"))
    identity = world.identity()
    world.claims(moves, identity)
    return moves, identity


def begin(transfer: Transfer) -> None:
    """Start the pass and wait until bytes flow."""
    until(transfer.ensure)
    while transfer.progress()[0]["percent"] == 0:
        assert transfer.run_pass("precopy", final=False) is not None


@pytest.mark.sample
def test_another_process_goes_on_and_the_first_is_refused(world: World) -> None:
    moves, identity = prepared(world)
    killed = world.transfer(moves, identity, bandwidth_kib=1024)
    begin(killed)
    selector = f"{names.RUN_LABEL}={identity.uid}"
    namespace = moves[0].source_namespace

    def uids() -> set[str]:
        return {
            item["metadata"]["uid"]
            for cluster in (world.source, world.destination)
            for kind in ("Pod", "Secret", "ConfigMap", "Service")
            for item in cluster.list("v1", kind, namespace, label_selector=selector)
        }

    before = uids()
    connections = new_connections()
    newer = world.transfer(
        moves, dataclasses.replace(identity, generation=2), connections=connections, bandwidth_kib=1024
    )
    until(newer.ensure)
    until(lambda: newer.run_pass("precopy", final=False))
    assert uids() == before
    result = newer.results("precopy")[moves[0]]
    assert (result.attempts, result.bytes_transferred) == (1, 6_000_000)
    with pytest.raises(LeaseLost):
        until(lambda: killed.run_pass("final", final=True))
    until(lambda: newer.run_pass("final", final=True))
    until(lambda: newer.verify("final"))
    assert newer.verdicts()[0].ok
    until(lambda: newer.remove(wait=True))
    for each in connections:
        each.close()


def test_lost_pods_are_replaced_and_the_pass_goes_on(world: World) -> None:
    moves, identity = prepared(world)
    layout = Layout(identity=identity, moves=tuple(moves))
    facts: list[str] = []
    transfer = world.transfer(moves, identity, bandwidth_kib=1500, report=facts.append)
    begin(transfer)
    namespace = moves[0].source_namespace
    world.destination.delete("v1", "Pod", layout.named("server"), namespace, grace_seconds=0)
    time.sleep(1)
    assert transfer.run_pass("precopy", final=False) is not None
    world.source.delete("v1", "Pod", layout.client(moves[0]), namespace, grace_seconds=0)
    until(lambda: transfer.run_pass("precopy", final=False))
    until(lambda: transfer.run_pass("final", final=True))
    until(lambda: transfer.verify("final"))
    assert transfer.verdicts()[0].ok


def test_incomplete_keys_are_replaced_with_their_pods(world: World) -> None:
    moves, identity = prepared(world, "echo x >/a/x")
    until(world.transfer(moves, identity).ensure)
    namespace = moves[0].source_namespace
    selector = f"{names.RUN_LABEL}={identity.uid}"
    (old,) = world.source.list("v1", "Secret", namespace, label_selector=selector)
    world.source.delete("v1", "Secret", old["metadata"]["name"], namespace)
    second = world.transfer(moves, identity)
    until(second.ensure)
    (new,) = world.source.list("v1", "Secret", namespace, label_selector=selector)
    (there,) = world.destination.list("v1", "Secret", namespace, label_selector=selector)
    assert new["metadata"]["name"] != old["metadata"]["name"]
    assert new["metadata"]["name"].rsplit("-", 1)[1] == there["metadata"]["name"].rsplit("-", 1)[1]
    until(lambda: second.run_pass("final", final=True))


@pytest.mark.sample
def test_strangers_at_the_endpoint_are_refused(world: World) -> None:
    moves, identity = prepared(world, "echo x >/a/x")
    transfer = world.transfer(moves, identity)
    until(transfer.ensure)
    layout = Layout(identity=identity, moves=tuple(moves))
    service = world.destination.get("v1", "Service", layout.named("server"), moves[0].target_namespace)
    assert service is not None
    address = (service["metadata"]["labels"]["hostname"], int(service["spec"]["ports"][0]["nodePort"]))

    def ask(connection: socket.socket) -> bytes:
        answer = b""
        with contextlib.suppress(OSError):
            connection.sendall(b"@RSYNCD: 31.0\n#list\n")
            while chunk := connection.recv(4096):
                answer += chunk
        return answer

    with socket.create_connection(address, timeout=5) as plain:
        assert b"@RSYNCD" not in ask(plain)
    stranger = issue(name=identity.host, addresses=[], servers=[], clients=["x"], lifetime_seconds=600)
    with tempfile.TemporaryDirectory() as folder:
        pair = Path(folder) / "pair.pem"
        pair.write_text(stranger.clients["x"].certificate + stranger.clients["x"].key)
        for certificate in (None, pair):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            if certificate:
                context.load_cert_chain(certificate)
            answer = b""
            with (
                contextlib.suppress(OSError),
                socket.create_connection(address, timeout=5) as plain,
                context.wrap_socket(plain, server_hostname=identity.host) as tls,
            ):
                answer = ask(tls)
            assert b"@RSYNCD" not in answer
    until(lambda: transfer.run_pass("final", final=True))


def test_restricted_namespaces_are_copied_without_root(world: World) -> None:
    namespace = world.namespace({"pod-security.kubernetes.io/enforce": "restricted"})
    security = {
        "runAsUser": 1234,
        "runAsGroup": 1234,
        "fsGroup": 4321,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    world.application(namespace, ["a"], "umask 007; mkdir /a/d; echo x >/a/d/x; echo y >/a/y", security=security)
    moves = world.moves((namespace, "a"))
    identity = world.identity()
    world.claims(moves, identity)
    facts: list[str] = []
    transfer = world.transfer(moves, identity, report=facts.append)
    until(transfer.ensure)
    assert any("without root" in fact for fact in facts)
    selector = f"{names.RUN_LABEL}={identity.uid}"
    (client,) = world.source.list("v1", "Pod", namespace, label_selector=selector)
    assert client["spec"]["securityContext"]["runAsUser"] == 1234
    assert "fsGroup" not in client["spec"]["securityContext"]
    until(lambda: transfer.run_pass("final", final=True))
    until(lambda: transfer.verify("final"))
    (verdict,) = transfer.verdicts()
    assert verdict.ok
    assert any("owners" in text for text in verdict.downgrades)
    with pytest.raises(Refused, match="not admitted"):
        until(world.transfer(moves, world.identity(), profile="root").ensure)


@pytest.mark.parametrize(
    ("kind", "spec", "mend"),
    [
        ("LimitRange", {"limits": [{"type": "Container", "min": {"cpu": "100m"}}]}, "let the LimitRange admit that"),
        ("ResourceQuota", {"hard": {"pods": "0"}}, "Raise the quota"),
    ],
    ids=["limit-range", "quota"],
)
def test_what_is_no_matter_of_security_is_no_reason_to_leave_owners_behind(
    world: World, kind: str, spec: dict[str, Any], mend: str
) -> None:
    namespace = world.namespace()
    world.application(namespace, ["a"], "echo x >/a/x")
    moves = world.moves((namespace, "a"))
    identity = world.identity()
    world.claims(moves, identity)
    place = {"name": "narrow", "namespace": namespace}
    world.destination.create({"apiVersion": "v1", "kind": kind, "metadata": place, "spec": spec})
    facts: list[str] = []
    with pytest.raises(Refused, match=f"its transfer pod is not admitted: .*{mend}"):
        until(world.transfer(moves, identity, report=facts.append).ensure)
    assert not any("without root" in fact for fact in facts)


def test_baseline_namespaces_are_copied_as_root(world: World) -> None:
    namespace = world.namespace({"pod-security.kubernetes.io/enforce": "baseline"})
    world.application(namespace, ["a"], "echo x >/a/x; chown 77:78 /a/x; chmod 600 /a/x")
    moves = world.moves((namespace, "a"))
    identity = world.identity()
    world.claims(moves, identity)
    transfer = world.transfer(moves, identity)
    until(transfer.ensure)
    until(lambda: transfer.run_pass("final", final=True))
    until(lambda: transfer.verify("final"))
    (verdict,) = transfer.verdicts()
    assert (verdict.ok, verdict.downgrades) == (True, ())


def test_too_small_destination_says_so(world: World) -> None:
    namespace = world.namespace()
    world.application(namespace, ["a"], "head -c 100000000 /dev/zero | tr '\\0' x >/a/big")
    moves = world.moves((namespace, "a"), size=64 * MIB)
    identity = world.identity()
    world.claims(moves, identity)
    transfer = world.transfer(moves, identity)
    until(transfer.ensure)
    with pytest.raises(VolumeFailed, match="is full") as raised:
        until(lambda: transfer.run_pass("precopy", final=False))
    assert raised.value.files == ("big",)
    assert transfer.progress()[0]["state"] == "failed"


def test_image_that_is_not_there(world: World) -> None:
    moves, identity = prepared(world, "echo x >/a/x")
    transfer = world.transfer(moves, identity, source_image="localhost/openmig/nothing:1", pull_policy="Never")
    with pytest.raises(PermanentError, match="localhost/openmig/nothing:1"):
        until(transfer.ensure)


def test_endpoint_that_cannot_be_reached(world: World) -> None:
    moves, identity = prepared(world, "echo x >/a/x")
    transfer = world.transfer(moves, identity, endpoint_address="10.77.0.1", start_timeout=6.0)
    with pytest.raises(DeadlineExceeded, match=r"connecting to 10\.77\.0\.1:.*refused") as raised:
        until(transfer.ensure)
    assert "endpoint_address" in raised.value.mend


def test_claims_that_cannot_be_copied(world: World) -> None:
    namespace = world.namespace()
    (block,) = world.moves((namespace, "gone"))
    with pytest.raises(NotFound, match="does not exist"):
        world.transfer([block], world.identity()).ensure()
    with pytest.raises(Refused, match="volumeMode is Block"):
        world.transfer([dataclasses.replace(block, volume_mode="Block")], world.identity()).ensure()
    with pytest.raises(Refused, match="LoadBalancer"):
        world.transfer([block], world.identity(), endpoint="LoadBalancer").ensure()


def test_expired_scaffolding_is_replaced(world: World) -> None:
    moves, identity = prepared(world, "echo x >/a/x")
    until(world.transfer(moves, dataclasses.replace(identity, deadline_seconds=300)).ensure)
    namespace = moves[0].source_namespace
    selector = f"{names.RUN_LABEL}={identity.uid}"
    (old,) = world.source.list("v1", "Secret", namespace, label_selector=selector)
    later = world.transfer(moves, identity)
    until(later.ensure)
    (new,) = world.source.list("v1", "Secret", namespace, label_selector=selector)
    assert new["metadata"]["name"] != old["metadata"]["name"]
    until(lambda: later.run_pass("final", final=True))


def test_many_volumes_side_by_side(world: World) -> None:
    namespace = world.namespace()
    claims = [f"v{number}" for number in range(6)]
    world.application(namespace, claims, "".join(f"echo {claim} >/{claim}/x;" for claim in claims))
    moves = world.moves(*((namespace, claim) for claim in claims))
    identity = world.identity()
    world.claims(moves, identity)
    transfer = world.transfer(moves, identity)
    until(transfer.ensure)
    until(lambda: transfer.run_pass("final", final=True))
    until(lambda: transfer.verify("final"))
    assert [verdict.ok for verdict in transfer.verdicts()] == [True] * 6
