# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Commands in a real pod and its log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster import exec as exec_room
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import (
    Invalid,
    NotFound,
    PermanentError,
    TransientError,
)
from integration.cluster.relay import Relay
from lab.versions import IMAGES

pytestmark = pytest.mark.sample

COUNTING = 'n=0; while [ $n -lt 400 ]; do echo "line $n"; n=$((n+1)); sleep 0.02; done; sleep 600'


@pytest.fixture(scope="module")
def pod(cluster: Cluster, namespace: str) -> Iterator[str]:
    container = {"name": "main", "image": f"localhost/openmig/mover:{IMAGES}", "command": ["sh", "-c", COUNTING]}
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "counting", "namespace": namespace},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
    }
    cluster.create(manifest)
    watch = cluster.watch("v1", "Pod", namespace, field_selector="metadata.name=counting", timeout=30)
    for _event, item in watch:
        if (item.get("status") or {}).get("phase") == "Running":
            break
    else:
        pytest.fail("the pod does not run")
    watch.close()
    yield "counting"
    cluster.delete("v1", "Pod", "counting", namespace, grace_seconds=0)


def test_a_followed_log_goes_on_over_a_cut(
    relay: Relay, new_cluster: Callable[..., Cluster], namespace: str, pod: str
) -> None:
    relayed = new_cluster()
    seen: list[str] = []
    for line in relayed.logs(namespace, pod, follow=True, timeout=30):
        seen.append(line)
        if len(seen) in (60, 150):
            assert relay.cut() >= 1
        if len(seen) == 250:
            break
    assert seen == [f"line {number}" for number in range(250)]


def test_a_log_s_tail_and_its_end(cluster: Cluster, namespace: str, pod: str) -> None:
    assert len(list(cluster.logs(namespace, pod, tail_lines=3))) == 3
    started = time.monotonic()
    assert list(cluster.logs(namespace, pod, follow=True, tail_lines=1, timeout=1))
    assert time.monotonic() - started < 3
    with pytest.raises(NotFound, match=f"Pod {namespace}/nobody: read the log"):
        list(cluster.logs(namespace, "nobody"))


def test_output_errors_and_exit_code(cluster: Cluster, namespace: str, pod: str) -> None:
    result = cluster.exec(namespace, pod, ["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert (result.exit_code, result.stdout, result.stderr) == (7, "out\n", "err\n")
    assert cluster.exec(namespace, pod, ["true"], container="main").exit_code == 0
    assert len(cluster.exec(namespace, pod, ["head", "-c", "3000000", "/dev/zero"]).stdout) == 3_000_000


@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", "unknown.channel.k8s.io"])
def test_input_ends(cluster: Cluster, namespace: str, pod: str, protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exec_room, "_V5", protocol)  # an older server does not know the newest either
    assert cluster.exec(namespace, pod, ["wc", "-c"], stdin=b"x" * 500_000).stdout.strip() == "500000"
    assert cluster.exec(namespace, pod, ["cat"], stdin=b"").stdout == ""
    assert cluster.exec(namespace, pod, ["sh", "-c", "cat; exit 3"], stdin="größe".encode()).stdout == "größe"
    assert cluster.exec(namespace, pod, ["sh", "-c", "cat >/dev/null; exit 3"], stdin=b"abc").exit_code == 3


def test_a_command_takes_no_proxy_from_the_environment_that_the_connection_does_not(
    cluster: Cluster, namespace: str, pod: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    assert cluster.exec(namespace, pod, ["true"]).exit_code == 0


def test_a_command_without_validation_of_certificates(
    new_cluster: Callable[..., Cluster], kubeconfig: dict[str, Any], namespace: str, pod: str
) -> None:
    kubeconfig["clusters"][0]["cluster"].pop("certificate-authority-data")
    assert new_cluster(validate_certs=False).exec(namespace, pod, ["true"]).exit_code == 0
    with pytest.raises(PermanentError, match="TLS certificate not trusted"):
        new_cluster().exec(namespace, pod, ["true"])


def test_what_a_command_can_meet(cluster: Cluster, namespace: str, pod: str) -> None:
    with pytest.raises(PermanentError, match=r"executable file not found.* has this program"):
        cluster.exec(namespace, pod, ["no-such-program"])
    with pytest.raises(NotFound, match=f"Pod {namespace}/nobody: run a command"):
        cluster.exec(namespace, "nobody", ["true"])
    with pytest.raises(Invalid, match="container other is not valid"):
        cluster.exec(namespace, pod, ["true"], container="other")
    with pytest.raises(TransientError, match="did not end within 1 s"):
        cluster.exec(namespace, pod, ["sleep", "20"], timeout=1)


def test_a_command_in_a_pod_that_has_ended_fails_at_once(cluster: Cluster, namespace: str) -> None:
    container = {"name": "main", "image": f"localhost/openmig/mover:{IMAGES}", "command": ["true"]}
    metadata = {"name": "ended", "namespace": namespace}
    spec = {"restartPolicy": "Never", "containers": [container]}
    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    watch = cluster.watch("v1", "Pod", namespace, field_selector="metadata.name=ended", timeout=30)
    assert any((item.get("status") or {}).get("phase") == "Succeeded" for _event, item in watch)
    watch.close()
    with pytest.raises(PermanentError, match=f"Pod {namespace}/ended: run a command .*: it has ended"):
        cluster.exec(namespace, "ended", ["true"])


def test_a_command_whose_connection_breaks_is_not_run_again(
    relay: Relay, new_cluster: Callable[..., Cluster], cluster: Cluster, namespace: str, pod: str
) -> None:
    relayed = new_cluster()

    def run() -> Any:
        return relayed.exec(namespace, pod, ["sh", "-c", "echo once >> /tmp/runs; sleep 2"])

    def cut() -> None:
        time.sleep(0.7)
        relay.cut()

    with pytest.raises(TransientError, match=r"broke before it ended|closed before its exit code"):
        relayed.map(lambda task: task(), [run, cut], concurrency=2)
    assert cluster.exec(namespace, pod, ["cat", "/tmp/runs"]).stdout == "once\n"


def test_statistics_of_a_node(cluster: Cluster, namespace: str, pod: str) -> None:
    found = cluster.get("v1", "Pod", pod, namespace)
    assert found is not None
    statistics = cluster.node_stats(found["spec"]["nodeName"])
    assert statistics["node"]["nodeName"] == found["spec"]["nodeName"]
