# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a user reads when a cluster cannot be reached or does not let him in: one sentence, and soon."""

from __future__ import annotations

import base64
import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect, connect_with_token
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.parallel import map_side_by_side
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import (
    Forbidden,
    MtcError,
    PermanentError,
    Refused,
    TransientError,
    Unauthorized,
)

pytestmark = pytest.mark.sample

SOON = 12.0


@contextmanager
def soon(kind: type[MtcError], pattern: str) -> Iterator[Any]:
    started = time.monotonic()
    with pytest.raises(kind, match=pattern) as caught:
        yield caught
    assert time.monotonic() - started < SOON


def stranger(url: str, **options: Any) -> Cluster:
    return connect({"host": url, "api_key": "planted-secret", **options}, name="destination", environ={})


def test_a_name_that_does_not_resolve() -> None:
    with soon(
        PermanentError, r"Cluster destination \(https://no-such-host\.invalid:6443\): name not resolved: "
    ) as caught:
        stranger("https://no-such-host.invalid:6443").ping()
    assert "kubeconfig or option host" in caught.value.mend
    assert not isinstance(caught.value, TransientError)


def nothing_listens() -> Iterator[tuple[str, str]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    yield f"https://127.0.0.1:{port}", r"not reachable: connection refused\. Check the address"


def packets_are_swallowed() -> Iterator[tuple[str, str]]:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        fillers = [socket.socket() for _count in range(4)]
        for filler in fillers:  # a full backlog drops further attempts, as a firewall does
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        yield f"https://127.0.0.1:{server.getsockname()[1]}", "not reachable: nothing answered the connection attempt"
        for filler in fillers:
            filler.close()


def connections_are_taken_and_never_answered() -> Iterator[tuple[str, str]]:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        yield f"https://127.0.0.1:{mute.getsockname()[1]}", "no answer in time"


def test_what_never_answers_is_given_up_soon() -> None:
    def meet(place: Callable[[], Iterator[tuple[str, str]]]) -> None:
        with contextmanager(place)() as found:
            url, reason = found
            with soon(TransientError, rf"Cluster destination \({url}\): .*{reason}"):
                stranger(url).ping()

    places = [nothing_listens, packets_are_swallowed, connections_are_taken_and_never_answered]
    map_side_by_side(meet, places, concurrency=3)


def test_a_server_whose_authority_is_unknown(kubeconfig: dict[str, Any]) -> None:
    server = kubeconfig["clusters"][0]["cluster"]["server"]
    with soon(PermanentError, r"TLS certificate not trusted: .* ca_cert") as caught:
        stranger(server).ping()
    assert "planted-secret" not in caught.value.message


def test_a_certificate_for_another_name(kubeconfig: dict[str, Any], new_cluster: Callable[..., Cluster]) -> None:
    kubeconfig["clusters"][0]["cluster"]["tls-server-name"] = "elsewhere.example.com"
    with soon(PermanentError, r"TLS certificate not trusted: .*elsewhere\.example\.com.* name that the server's"):
        new_cluster().ping()


def test_without_validation_any_certificate_will_do(
    kubeconfig: dict[str, Any], new_cluster: Callable[..., Cluster]
) -> None:
    kubeconfig["clusters"][0]["cluster"].pop("certificate-authority-data")
    cluster = new_cluster(validate_certs=False)
    with pytest.warns(match="Unverified HTTPS request"):
        cluster.version()
    assert cluster.verified is False


def authority_of(kubeconfig: dict[str, Any]) -> bytes:
    return base64.b64decode(kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"])


def test_a_token_that_is_not_accepted(kubeconfig: dict[str, Any]) -> None:
    cluster = connect_with_token(
        url=kubeconfig["clusters"][0]["cluster"]["server"],
        token="planted-secret",
        ca_data=authority_of(kubeconfig),
        name="source",
    )
    with soon(Unauthorized, r"Cluster source \(https://.*\): credentials rejected: .*401.* token") as caught:
        cluster.ping()
    assert "planted-secret" not in caught.value.message


def test_a_token_without_rights(kubeconfig: dict[str, Any], cluster: Cluster, namespace: str) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "poor", "namespace": namespace}}
    cluster.create(account)
    token, _expiry = cluster.issue_token(namespace, "poor", 600)
    server = kubeconfig["clusters"][0]["cluster"]["server"]
    poor = connect_with_token(url=server, token=token, ca_data=authority_of(kubeconfig), name="source")
    poor.ping()
    with soon(Forbidden, r"Secret list in default: list on cluster source: .*cannot list.* Grant this right"):
        list(poor.list("v1", "Secret", "default"))


def test_basic_credentials_and_client_certificates_from_files(
    kubeconfig: dict[str, Any], tmp_path: Any, new_cluster: Callable[..., Cluster]
) -> None:
    user = kubeconfig["users"][0]["user"]
    for name in ("client-certificate", "client-key"):
        (tmp_path / name).write_bytes(base64.b64decode(user.pop(f"{name}-data")))
        user[name] = name
    (tmp_path / "config").write_text(yaml.safe_dump(kubeconfig))
    connect({"kubeconfig": str(tmp_path / "config")}, name="source", environ={}).ping()
    authority = tmp_path / "ca.crt"
    authority.write_bytes(authority_of(kubeconfig))
    options = {
        "host": kubeconfig["clusters"][0]["cluster"]["server"],
        "ca_cert": str(authority),
        "client_cert": str(tmp_path / "client-certificate"),
        "client_key": str(tmp_path / "client-key"),
    }
    connect(options, name="source", environ={}).ping()


class _Page(http.server.BaseHTTPRequestHandler):
    status, kind, body = 200, "text/html", b"<html><title>Log in</title></html>"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def web_server(**answer: Any) -> Iterator[str]:
    page = type("Page", (_Page,), answer)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_server_that_is_no_kubernetes() -> None:
    with web_server() as address, soon(PermanentError, r"what answers there is not a Kubernetes API server \(HTTP 200"):
        stranger(f"http://{address}").ping()
    with web_server(status=404) as address, soon(PermanentError, r"is not a Kubernetes API server \(HTTP 404"):
        stranger(f"http://{address}").get("v1", "Namespace", "default")
    with (
        web_server(kind="application/json", body=b'{"ok": true}') as address,
        soon(Refused, "names no Kubernetes version"),
    ):
        stranger(f"http://{address}").ping()


@pytest.mark.parametrize(
    "answer",
    [
        {"kind": "application/json", "body": b'{"ok": true}'},
        {"kind": "application/json", "body": b"[]"},
        {"kind": "text/plain", "body": b"hello"},
        {"status": 302, "body": b""},
    ],
)
def test_no_other_server_s_answer_is_taken_for_an_object_or_for_its_absence(answer: dict[str, Any]) -> None:
    with web_server(**answer) as address:
        other = stranger(f"http://{address}")
        for attempt in (lambda: other.get("v1", "Pod", "p", "n"), lambda: list(other.list("v1", "Pod", "n"))):
            with pytest.raises(PermanentError, match="not a Kubernetes API server"):
                attempt()


def test_a_server_without_tls() -> None:
    with web_server() as address, soon(PermanentError, "does not seem to speak TLS"):
        stranger(f"https://{address}").ping()


def test_an_old_server_is_refused() -> None:
    version = b'{"major": "1", "minor": "10+", "gitVersion": "v1.10.0"}'
    needed = r"it runs Kubernetes 1\.10\. A cluster must run 1\.11 or newer"
    with web_server(kind="application/json", body=version) as address, pytest.raises(Refused, match=needed):
        stranger(f"http://{address}").capabilities()
    version = b'{"major": "1", "minor": "21"}'
    with web_server(kind="application/json", body=version) as address:
        old = stranger(f"http://{address}")
        assert "discovery takes one request" in " ".join(old.capabilities().lost)
        with pytest.raises(Refused, match=r"must run 1\.22 or newer"):
            old.capabilities(control=True)


def test_a_server_too_old_for_dry_runs_gets_none_because_it_would_store_them() -> None:
    """What answers stands for the API server of Kubernetes 1.11; whatever else it were asked, it would fail."""
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}
    version = b'{"major": "1", "minor": "11+", "gitVersion": "v1.11.0"}'
    with web_server(kind="application/json", body=version) as address:
        old = stranger(f"http://{address}")
        assert old.create(manifest, dry_run=True) == manifest
        assert old.replace(manifest, dry_run=True) == manifest
        assert old.delete("v1", "ConfigMap", "a", "default", dry_run=True) is True
        with pytest.raises(MtcError):
            old.create(manifest)
        assert old.requests == 2


def test_the_user_agent_is_on_every_request(kubeconfig: dict[str, Any]) -> None:
    seen: list[str] = []

    def do_get(self: _Page) -> None:
        seen.append(self.headers["User-Agent"])
        _Page.do_GET(self)

    with web_server(do_GET=do_get, kind="application/json", body=b'{"major": "1", "minor": "34"}') as address:
        connect({"host": f"http://{address}", "api_key": "x"}, name="s", user_agent="tests/1", environ={}).version()
    assert seen == ["tests/1"]
