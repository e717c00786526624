# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kubeconfigs: which connection is found in them, and what is said about those in which none is."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.kubeconfig import (
    Pem,
    found_in_kubeconfig,
)
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import PermanentError


def document(**changes: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://one:6443"}}],
        "users": [{"name": "u", "user": {"token": "planted-token"}}],
        "contexts": [{"name": "first", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "first",
    } | changes


def written(tmp_path: Path, content: Any, name: str = "config") -> str:
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return str(path)


FAULTS: dict[str, tuple[Any, str]] = {
    "not YAML": ("a: [planted-token", r"is not YAML \(line \d+\)"),
    "binary": ("\x00planted-token", "is not YAML"),
    "a text": ("planted-token", "it is not a kubeconfig"),
    "empty": ("", "it is not a kubeconfig"),
    "no contexts": ({"clusters": [], "users": []}, "there are no contexts in it"),
    "no current context": (document(**{"current-context": ""}), "it has no current-context. Name one .* It has: first"),
    "unknown current": (document(**{"current-context": "x"}), "its current-context names x, which it does not have"),
    "no such cluster": (document(clusters=[]), "context first names cluster c, which it does not have"),
    "no such user": (document(users=[]), "context first names user u, which it does not have"),
    "no server": (document(clusters=[{"name": "c", "cluster": {}}]), "cluster c has no server"),
    "wrong shape": (document(users="planted-token"), "do not have the shape of a kubeconfig"),
    "wrong shape of an entry": (document(contexts=[["first"]]), "do not have the shape of a kubeconfig"),
    "broken base64": (
        document(users=[{"name": "u", "user": {"client-certificate-data": "planted-token!"}}]),
        "its client-certificate-data is not base64",
    ),
    "broken authority": (
        document(
            clusters=[{"name": "c", "cluster": {"server": "https://o", "certificate-authority-data": "cGxhbnRlZA=="}}]
        ),
        "certificate authority data: there is no certificate in it",
    ),
    "missing authority file": (
        document(clusters=[{"name": "c", "cluster": {"server": "https://o", "certificate-authority": "absent.crt"}}]),
        r"certificate authority .*absent\.crt: no such file or directory",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_said_in_one_sentence_without_content(tmp_path: Path, fault: str) -> None:
    content, pattern = FAULTS[fault]
    path = written(tmp_path, content)
    with pytest.raises(PermanentError, match=pattern) as caught:
        connect({"kubeconfig": path}, name="source", environ={})
    assert caught.value.message.startswith("Cluster source")
    assert caught.value.mend
    assert "planted" not in caught.value.message
    if isinstance(content, dict):
        with pytest.raises(PermanentError, match="absent" if "absent" in pattern else pattern):
            connect({"kubeconfig": content}, name="source", environ={})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"Cluster source: kubeconfig /no/such: no such file\. Give"):
        connect({"kubeconfig": "/no/such"}, name="source", environ={})
    with pytest.raises(PermanentError, match=r"kubeconfig /nor/this: no such file"):
        connect({}, name="source", environ={"KUBECONFIG": "/nor/this"})
    with pytest.raises(PermanentError, match=r"it is a directory|is a directory"):
        connect({"kubeconfig": str(tmp_path)}, name="source", environ={})


def test_a_context_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    path = written(tmp_path, document())
    with pytest.raises(PermanentError, match=r"option context names other, which it does not have\. .*It has: first"):
        connect({"kubeconfig": path, "context": "other"}, name="source", environ={})


def test_of_several_files_the_first_to_say_it_wins_and_paths_start_from_each(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    authority = {"server": "https://two", "certificate-authority": "ca.crt"}
    one = written(tmp_path, document(), "one")
    two = written(
        tmp_path / "a",
        document(
            clusters=[{"name": "c", "cluster": {"server": "https://shadowed"}}, {"name": "d", "cluster": authority}],
            contexts=[{"name": "second", "context": {"cluster": "d", "user": "u"}}],
            **{"current-context": "second"},
        ),
        "two",
    )
    paths = f"/absent:{one}:{two}"
    assert found_in_kubeconfig(paths, context=None, cluster="s").server == "https://one:6443"
    second = found_in_kubeconfig(paths, context="second", cluster="s")
    assert (second.server, second.token) == ("https://two", "planted-token")
    assert second.authority == Pem(file=str(tmp_path / "a" / "ca.crt"))


def test_every_field_of_a_cluster_and_user_is_read() -> None:
    cluster = {
        "server": "https://one/",
        "insecure-skip-tls-verify": True,
        "certificate-authority-data": base64.b64encode(b"CA").decode(),
        "tls-server-name": "name",
        "proxy-url": "http://proxy",
    }
    user = {
        "tokenFile": "/token",
        "token": "ignored",
        "username": "ann",
        "password": "p",
        "client-certificate": "/cert",
        "client-key-data": base64.b64encode(b"KEY").decode(),
        "as": "bob",
        "as-groups": ["g"],
    }
    content = document(clusters=[{"name": "c", "cluster": cluster}], users=[{"name": "u", "user": user}])
    found = found_in_kubeconfig(content, context=None, cluster="s")
    assert (found.server, found.verify, found.tls_server_name, found.proxy) == (
        "https://one",
        False,
        "name",
        "http://proxy",
    )
    assert (found.authority, found.certificate, found.key) == (Pem(data=b"CA"), Pem(file="/cert"), Pem(data=b"KEY"))
    assert (found.token, found.token_file, found.username, found.password) == (None, "/token", "ann", "p")
    assert (found.impersonate_user, found.impersonate_groups) == ("bob", ("g",))
    assert "ignored" not in repr(found)
    assert "'p'" not in repr(found)


@pytest.mark.parametrize("token", ["planted token", "planted\ntoken", "plant\u00e9d"])
def test_a_token_that_no_header_can_carry(token: str) -> None:
    with pytest.raises(PermanentError, match="Bearer token: unusable") as caught:
        connect({"host": "https://one:6443", "api_key": token}, name="s", environ={})
    assert "plant" not in caught.value.message


def test_a_proxy_of_another_kind_is_refused() -> None:
    environ = {"ALL_PROXY": "socks5://ann:planted@proxy:1080"}
    with pytest.raises(
        PermanentError, match=r"Proxy proxy: cannot be used for https://one:6443: its scheme is socks5\."
    ):
        connect({"host": "https://one:6443", "api_key": "t"}, name="s", environ=environ)


def test_options_win_over_the_kubeconfig_one_by_one() -> None:
    cluster = connect(
        {"kubeconfig": document(), "host": "https://elsewhere:1", "validate_certs": False}, name="s", environ={}
    )
    assert cluster.server == "https://elsewhere:1"
    assert cluster.verified is False
    assert cluster._transport.login.authorization() == "Bearer planted-token"
    assert (
        connect({"kubeconfig": document(), "api_key": "mine"}, name="s", environ={})._transport.login.authorization()
        == "Bearer mine"
    )


def test_the_environment_s_proxy_is_used_unless_an_option_or_no_proxy_says_otherwise() -> None:
    environ = {"HTTPS_PROXY": "http://ann:planted@proxy:3128", "NO_PROXY": ".internal,10.0.0.0/8"}

    def proxy_of(**options: Any) -> str | None:
        chosen = connect(
            {"host": "https://one:6443", "api_key": "t"} | options, name="s", environ=environ
        )._transport.login
        assert "planted" not in repr(chosen)
        return chosen.proxy.url if chosen.proxy else None

    assert proxy_of() == "http://proxy:3128"
    assert proxy_of(proxy="other:80") == "http://other:80"
    assert proxy_of(proxy="") is None
    assert proxy_of(host="https://api.internal") is None
    assert proxy_of(host="https://10.1.2.3:6443") is None
    assert proxy_of(host="https://internal") == "http://proxy:3128"
    assert proxy_of(no_proxy="*") is None
    assert proxy_of(no_proxy="one:6443") is None
