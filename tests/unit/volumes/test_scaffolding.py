# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names, keys, endpoints and configuration of a run's scaffolding."""

from __future__ import annotations

import base64
import datetime as dt
import json
import random
import time
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import PermanentError
from ansible_collections.openmig.mtc.plugins.module_utils.volumes import (
    configuration,
    credentials,
    endpoint,
    manifests,
    pods_client,
    pods_server,
)
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.model import TransferOptions
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.profiles import Persona

from .builders import IDENTITY, OPTIONS, layout, move

MOVES = (move("a"), move("b"), move("c", source="other", target="other-new"))
LAYOUT = layout(*MOVES)


def test_names_differ_for_claims_of_one_name() -> None:
    moves = [move("data"), move("data", source="x"), move("data", target="x"), move("data", target_claim="y")]
    assert len({each.key for each in moves}) == 4
    assert len({IDENTITY.module(each) for each in moves}) == 4


def test_keys_are_the_sides_own() -> None:
    made = credentials.fresh(LAYOUT, ["10.0.0.1"])
    server, client = made.manifests(LAYOUT, lambda _: "s", lambda _: "c")
    assert [item["metadata"]["namespace"] for item in server] == ["shop-new", "other-new"]
    assert [item["metadata"]["namespace"] for item in client] == ["shop", "other"]

    def clear(item: dict[str, Any]) -> dict[str, str]:
        return {key: base64.b64decode(value).decode() for key, value in item["data"].items()}

    keys = [clear(item)["tls.key"] for item in (*server, *client)]
    assert len(set(keys)) == 4
    modules = [IDENTITY.module(each) for each in MOVES]
    assert set(clear(client[0])) == {"ca.crt", "tls.crt", "tls.key", modules[0], modules[1]}
    users = dict(line.split(":") for line in clear(server[0])["rsyncd.secrets"].splitlines())
    assert users == {modules[0]: clear(client[0])[modules[0]], modules[1]: clear(client[0])[modules[1]]}
    assert all(len(password) >= 32 for password in users.values())
    assert clear(server[0])["ca.crt"] == clear(client[1])["ca.crt"]
    assert "PRIVATE" not in clear(server[0])["ca.crt"]


def test_a_password_is_no_guess_and_stands_in_a_file_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the clock nor a seed decides it, and no pod has it in its environment."""
    monkeypatch.setattr(time, "time", lambda: 1_000_000_000.0)
    passwords = set()
    for _attempt in range(2):
        random.seed(1)
        server, client = credentials.fresh(LAYOUT, []).manifests(LAYOUT, lambda _: "s", lambda _: "c")
        module = IDENTITY.module(MOVES[0])
        passwords.add(base64.b64decode(client[0]["data"][module]).decode())
        assert all(item["kind"] == "Secret" for item in (*server, *client))
    assert len(passwords) == 2
    assert all(len(password) >= 32 for password in passwords)
    persona = Persona(profile="root")
    words = {"anchor_uid": "uid", "config_map": "config", "secret": "keys"}
    sender = pods_client.client_pod(LAYOUT, MOVES[0], OPTIONS, persona, **words, node=None)
    receiver = pods_server.server_pod(LAYOUT, "shop-new", OPTIONS, persona, **words)
    for pod in (sender, receiver):
        (container,) = pod["spec"]["containers"]
        names = {variable["name"] for variable in container["env"]}
        assert {name for name in names if "PASS" in name or "SECRET" in name} == {"OPENMIG_SECRETS"}
        assert all("valueFrom" not in variable for variable in container["env"])


def test_only_a_complete_set_is_used_again() -> None:
    made = credentials.fresh(LAYOUT, [])
    server, client = made.manifests(LAYOUT, lambda _: "s", lambda _: "c")

    def present(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
        return [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in items]

    again = credentials.found(LAYOUT, present(server), present(client))
    assert again is not None
    assert (again.ending, again.new, made.new) == (made.ending, False, True)
    assert credentials.found(LAYOUT, present(server[:1]), present(client)) is None
    assert credentials.found(LAYOUT, present(server), present(client[1:])) is None
    assert credentials.found(LAYOUT, [], []) is None
    other = credentials.fresh(LAYOUT, []).manifests(LAYOUT, lambda _: "s", lambda _: "c")[0]
    assert credentials.found(LAYOUT, present(other), present(client)) is None


def test_config_maps_are_named_after_their_content_and_hold_no_secret() -> None:
    endpoints = {"shop-new": ("10.0.0.1", 30001), "other-new": ("10.0.0.2", 30002)}
    files = manifests.client_files(LAYOUT, "shop", endpoints)
    first = manifests.config_map(LAYOUT, "shop", "client", "uid", files)
    assert "stunnel.shop-new.conf" in files
    assert "stunnel.other-new.conf" not in files
    endpoints["shop-new"] = ("10.0.0.9", 30001)
    second = manifests.config_map(LAYOUT, "shop", "client", "uid", manifests.client_files(LAYOUT, "shop", endpoints))
    assert first["metadata"]["name"] != second["metadata"]["name"]
    assert len(json.dumps(first)) < 100_000
    assert "PRIVATE KEY" not in json.dumps([first, second])


def test_anchor_tells_the_deadline() -> None:
    made = manifests.anchor(LAYOUT, "shop", "client", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    assert made["metadata"]["annotations"] == {"openmig.io/deadline": "2026-01-01T01:00:00Z"}
    assert "ownerReferences" not in made["metadata"]
    assert made["data"]["migration"] == "openmig/move"


def test_tls_configuration_verifies_both_ends() -> None:
    client = configuration.stunnel_client(host="10.0.0.1", port=30001, name=IDENTITY.host)
    server = configuration.stunnel_server()
    for text in (client, server):
        for line in ("verifyChain = yes", "sslVersionMin = TLSv1.3", "CAfile = /private/ca.crt"):
            assert line in text.splitlines()
    assert "requireCert = yes" in server.splitlines()
    assert f"checkHost = {IDENTITY.host}" in client.splitlines()
    assert "accept" not in client
    assert "accept = :::8443" in configuration.stunnel_server(ipv6=True)


def test_daemon_configuration() -> None:
    text = configuration.rsyncd(modules={"v1": "/volumes/a", "v2": "/volumes/b"}, profile="root")
    assert "list = no" in text
    assert "address = 127.0.0.1" in text
    assert "uid = 0" in text
    assert text.count("auth users = ") == text.count("secrets file = ") == 2
    assert "uid" not in configuration.rsyncd(modules={"v1": "/volumes/a"}, profile="restricted")


def node(name: str, address: str, *labels: str, ready: str = "True", unschedulable: bool = False) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": dict.fromkeys(labels, "")},
        "spec": {"unschedulable": unschedulable},
        "status": {
            "addresses": [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": address}],
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


WORKER = "node-role.kubernetes.io/worker"
MASTER = "node-role.kubernetes.io/control-plane"


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([], None),
        ([node("a", "10.0.0.1", ready="False")], None),
        ([node("m", "10.0.0.1", MASTER)], "10.0.0.1"),
        ([node("m", "10.0.0.1", MASTER), node("z", "10.0.0.9")], "10.0.0.9"),
        ([node("a", "10.0.0.1"), node("z", "10.0.0.9", WORKER), node("y", "10.0.0.8", WORKER)], "10.0.0.8"),
        ([node("a", "10.0.0.1", WORKER, unschedulable=True), node("b", "10.0.0.2")], "10.0.0.2"),
    ],
)
def test_address_is_that_of_a_ready_worker(nodes: list[dict[str, Any]], expected: str | None) -> None:
    assert endpoint.node_address(nodes) == expected
    assert endpoint.node_address(reversed(nodes)) == expected


def test_endpoint_of_a_node_port() -> None:
    made = endpoint.service(LAYOUT, "shop-new", "uid", OPTIONS, "10.0.0.1")
    assert made["spec"]["selector"] == {"openmig.io/run": IDENTITY.uid, "openmig.io/component": "server"}
    made["spec"]["ports"][0]["nodePort"] = 31234
    assert endpoint.address(made, OPTIONS) == ("10.0.0.1", 31234)
    public = TransferOptions(source_image="x", destination_image="x", endpoint_address="move.example")
    assert endpoint.address(made, public) == ("move.example", 31234)
    bare = endpoint.service(LAYOUT, "shop-new", "uid", OPTIONS, None)
    bare["spec"]["ports"][0]["nodePort"] = 31234
    with pytest.raises(PermanentError, match="endpoint_address"):
        endpoint.address(bare, OPTIONS)


def test_an_address_is_replaced_when_its_node_is_gone_and_not_before() -> None:
    made = endpoint.service(LAYOUT, "shop-new", "uid", OPTIONS, "10.0.0.5")
    made["spec"]["ports"][0]["nodePort"] = 31234
    better = node("a", "10.0.0.1", WORKER)
    for stays in (node("b", "10.0.0.5"), node("b", "10.0.0.5", unschedulable=True)):
        assert endpoint.address(made, OPTIONS, [better, stays]) == ("10.0.0.5", 31234)
    dead = node("b", "10.0.0.5", ready="False")
    assert endpoint.address(made, OPTIONS, [better, dead]) == ("10.0.0.1", 31234)
    assert endpoint.address(made, OPTIONS, [better]) == ("10.0.0.1", 31234)
    assert endpoint.address(made, OPTIONS, [dead]) == ("10.0.0.5", 31234)


def test_endpoint_of_a_cluster_address() -> None:
    options = TransferOptions(source_image="x", destination_image="x", endpoint="ClusterIP")
    made = endpoint.service(LAYOUT, "shop-new", "uid", options, None)
    made["spec"]["clusterIP"] = "10.96.0.9"
    assert endpoint.address(made, options) == ("10.96.0.9", 8443)
