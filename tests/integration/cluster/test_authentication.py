# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ways to a cluster that need more than a kubeconfig with a certificate: proxies, credential plugins, impersonation."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect, connect_with_token
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import NotFound, PermanentError, Unauthorized
from integration.cluster.manifests import service_account
from integration.cluster.proxy import PASSWORD, USER, proxy_server

pytestmark = pytest.mark.sample

PLUGINS = "client.authentication.k8s.io/v1"


def test_a_proxy_with_a_password(
    new_cluster: Callable[..., Cluster], kubeconfig: dict[str, Any], namespace: str
) -> None:
    with proxy_server() as (address, tunnels):
        by_option = new_cluster(proxy=f"http://{address}", proxy_headers={"proxy_basic_auth": f"{USER}:{PASSWORD}"})
        by_option.ping()
        assert len(tunnels) == 1
        with pytest.raises(NotFound):
            by_option.exec(namespace, "nobody", ["true"])
        assert len(tunnels) == 2

        new_cluster(proxy=f"http://{USER}:{PASSWORD}@{address}").ping()
        assert len(tunnels) == 3
        kubeconfig["clusters"][0]["cluster"]["proxy-url"] = f"http://{USER}:{PASSWORD}@{address}"
        new_cluster().ping()
        assert len(tunnels) == 4

        host = kubeconfig["clusters"][0]["cluster"]["server"].split("//")[1].split(":")[0]
        new_cluster(no_proxy=f"localhost,{host}").ping()
        new_cluster(proxy="").ping()
        assert len(tunnels) == 4


def test_a_proxy_that_refuses_is_named_without_its_password(
    new_cluster: Callable[..., Cluster], namespace: str
) -> None:
    with proxy_server() as (address, tunnels):
        cluster = new_cluster(proxy=f"http://ann:planted-wrong@{address}")
        for attempt in (cluster.ping, lambda: cluster.exec(namespace, "nobody", ["true"])):
            with pytest.raises(PermanentError, match=r"proxy refused: it wants a user and password") as caught:
                attempt()
            assert "planted" not in caught.value.message
            assert "planted" not in repr(cluster._transport.login)
        assert tunnels == []


def plugin(tmp_path: Path, script: str) -> dict[str, Any]:
    program = tmp_path / "plugin"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": str(program),
            "args": [],
            "interactiveMode": "Never",
        }
    }


def credential(token: str) -> str:
    return json.dumps(
        {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": token}}
    )


def test_a_credential_plugin_is_asked_again_when_its_token_is_rejected(
    tmp_path: Path, kubeconfig: dict[str, Any], cluster: Cluster, namespace: str
) -> None:
    cluster.create(service_account(namespace, "plugged"))
    token, _expiry = cluster.issue_token(namespace, "plugged", 600)
    (tmp_path / "stale").write_text(credential("stale"))
    (tmp_path / "good").write_text(credential(token))
    script = f"cd {tmp_path}; echo run >> runs; if [ $(wc -l < runs) -lt 2 ]; then cat stale; else cat good; fi"
    kubeconfig["users"][0]["user"] = plugin(tmp_path, script)
    plugged = connect({"kubeconfig": kubeconfig}, name="source", environ={})
    plugged.map(lambda _number: plugged.allowed("get", "", "pods"), range(16), concurrency=8)
    assert (tmp_path / "runs").read_text() == "run\n" * 2


def test_a_credential_plugin_that_never_has_a_good_token(tmp_path: Path, kubeconfig: dict[str, Any]) -> None:
    (tmp_path / "stale").write_text(credential("planted-token"))
    kubeconfig["users"][0]["user"] = plugin(tmp_path, f"cd {tmp_path}; echo run >> runs; cat stale")
    with pytest.raises(Unauthorized) as caught:
        connect({"kubeconfig": kubeconfig}, name="source", environ={}).ping()
    assert "planted-token" not in caught.value.message
    assert (tmp_path / "runs").read_text() == "run\n" * 2


def test_a_credential_plugin_that_fails_is_named_with_its_reason(tmp_path: Path, kubeconfig: dict[str, Any]) -> None:
    kubeconfig["users"][0]["user"] = plugin(tmp_path, "echo 'session expired, run: login' >&2; exit 3")
    with pytest.raises(PermanentError, match=r"credential plugin .*/plugin gave no credentials: .*session expired"):
        connect({"kubeconfig": kubeconfig}, name="source", environ={})
    kubeconfig["users"][0]["user"] = {"exec": {"apiVersion": PLUGINS, "command": "/no/such"}}
    with pytest.raises(PermanentError, match=r"credential plugin /no/such gave no credentials: .*No such file"):
        connect({"kubeconfig": kubeconfig}, name="source", environ={})


def test_a_token_file_is_read_again_when_its_token_is_rejected(
    tmp_path: Path, kubeconfig: dict[str, Any], cluster: Cluster, namespace: str
) -> None:
    cluster.create(service_account(namespace, "filed"))
    token, _expiry = cluster.issue_token(namespace, "filed", 600)
    file = tmp_path / "token"
    file.write_text(token + "\n")
    kubeconfig["users"][0]["user"] = {"tokenFile": str(file)}
    filed = connect({"kubeconfig": kubeconfig}, name="source", environ={})
    filed.ping()
    file.write_text("rotated away")
    filed._version = None
    filed.ping()  # the header is kept for half a minute
    cluster.delete("v1", "ServiceAccount", "filed", namespace)
    cluster.create(service_account(namespace, "filed2"))
    file.write_text(cluster.issue_token(namespace, "filed2", 600)[0])
    filed.allowed("get", "", "pods")


def test_impersonation_from_the_kubeconfig(kubeconfig: dict[str, Any], namespace: str) -> None:
    kubeconfig["users"][0]["user"] |= {"as": "nobody", "as-groups": ["system:authenticated"]}
    acting = connect({"kubeconfig": kubeconfig}, name="source", environ={})
    assert acting.allowed("get", "", "secrets", namespace) is False


def test_a_token_that_has_ended_is_asked_for_anew(cluster: Cluster, kubeconfig: dict[str, Any], namespace: str) -> None:
    cluster.create(service_account(namespace, "renewed"))
    entry = kubeconfig["clusters"][0]["cluster"]
    way = {"url": entry["server"], "ca_data": base64.b64decode(entry["certificate-authority-data"]), "name": "source"}
    asked = []

    def renewed() -> str:
        asked.append(1)
        return cluster.issue_token(namespace, "renewed", 600)[0]

    with pytest.raises(Unauthorized):
        connect_with_token(token="ended", **way).ping()
    connected = connect_with_token(token="ended", **way, renewed=renewed)
    connected.ping()
    connected.ping()
    assert asked == [1]
