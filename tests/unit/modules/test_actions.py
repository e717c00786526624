# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every module has its action plugin, and what a task says of connections means the same on another machine."""

from __future__ import annotations

import base64
import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleActionFail

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.kubeconfig import found_in_kubeconfig
from ansible_collections.openmig.mtc.plugins.plugin_utils.elsewhere import carried
from ansible_collections.openmig.mtc.plugins.plugin_utils.live import LiveAction
from unit.modules import documents

ENTRY: dict[str, Any] = {
    "clusters": [{"name": "c", "cluster": {"server": "https://one:6443", "certificate-authority": "ca.crt"}}],
    "users": [{"name": "u", "user": {"client-certificate": "keys/u.crt", "client-key": "keys/u.key"}}],
    "contexts": [{"name": "first", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "first",
}


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """One whose certificates lie in files beside it."""
    (tmp_path / "keys").mkdir()
    for name in ("ca.crt", "keys/u.crt", "keys/u.key"):
        (tmp_path / name).write_text(f"content of {name}")
    (tmp_path / "config").write_text(yaml.safe_dump(ENTRY))
    return tmp_path / "config"


def send(path: str) -> str:
    return f"/there/{Path(path).name}"


@pytest.mark.parametrize("module", documents.MODULES)
def test_every_module_has_an_action_plugin(module: str) -> None:
    found = importlib.import_module(f"{documents.PLUGINS}.action.{module}").ActionModule
    assert issubclass(found, LiveAction)
    assert "reporter" in documents.spec(module)


@pytest.mark.parametrize("side", [None, "source", "destination", "remote"])
def test_a_kubeconfig_travels_as_its_content_with_the_files_it_names(kubeconfig: Path, side: str | None) -> None:
    connection = {"kubeconfig": str(kubeconfig), "context": "first"}
    given = {"name": "x", **({side: connection} if side else connection)}
    told = carried(given, {}, send=send)
    there = told[side] if side else told
    found = found_in_kubeconfig(there["kubeconfig"], context="first", cluster="x")
    assert found.server == "https://one:6443"
    for pem, name in ((found.authority, "ca.crt"), (found.certificate, "keys/u.crt"), (found.key, "keys/u.key")):
        assert pem is not None
        assert pem.data == f"content of {name}".encode()
    assert given == {"name": "x", **({side: connection} if side else connection)}


def test_several_kubeconfigs_become_one_in_which_the_first_wins(kubeconfig: Path) -> None:
    other = kubeconfig.parent / "other"
    user = {"name": "u", "user": {"token": "second"}}
    context = {"name": "second", "context": {"cluster": "c", "user": "v"}}
    users = [user, {"name": "v", "user": {"tokenFile": "token"}}]
    other.write_text(yaml.safe_dump({"contexts": [context], "users": users, "current-context": "second"}))
    (other.parent / "token").write_text("planted\n")
    told = carried({"kubeconfig": f"{kubeconfig}:{other}:/not/there"}, {}, send=send)["kubeconfig"]
    assert told["current-context"] == "first"
    assert [item["name"] for item in told["users"]] == ["u", "v"]
    assert "token" not in told["users"][0]["user"]
    assert found_in_kubeconfig(told, context="second", cluster="x").token == "planted"


def test_certificates_are_sent_and_what_is_not_here_means_the_other_machine(kubeconfig: Path) -> None:
    given = {"ssl_ca_cert": str(kubeconfig.parent / "ca.crt"), "client_key": "/not/here", "kubeconfig": "/not/here"}
    assert carried(given, {}, send=send) == {**given, "ssl_ca_cert": "/there/ca.crt"}


def test_the_control_nodes_variables_count_where_the_task_says_nothing(kubeconfig: Path) -> None:
    environ = {"K8S_AUTH_KUBECONFIG": str(kubeconfig), "K8S_AUTH_VERIFY_SSL": "no", "K8S_AUTH_HOST": "https://env"}
    told = carried({"host": "https://task", "source": {"host": "https://side"}}, environ, send=send)
    assert told["host"] == "https://task"
    assert told["validate_certs"] is False
    assert base64.b64decode(told["kubeconfig"]["clusters"][0]["cluster"]["certificate-authority-data"])
    assert told["source"] == {"host": "https://side"}


def test_a_broken_kubeconfig_is_told_in_our_words(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a: [planted-token")
    with pytest.raises(AnsibleActionFail, match="is not YAML") as refused:
        carried({"kubeconfig": str(tmp_path / "config")}, {}, send=send)
    assert "planted-token" not in str(refused.value)
