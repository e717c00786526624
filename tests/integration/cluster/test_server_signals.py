# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A server that throttles, and one whose aggregated API is down."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster import discovery
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect_with_token

pytestmark = pytest.mark.sample

FLOW = "flowcontrol.apiserver.k8s.io/v1"
ANYTHING = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}


@pytest.fixture
def throttled(cluster: Cluster, kubeconfig: dict[str, Any], namespace: str) -> Iterator[Cluster]:
    """A service account whose requests the server's priority and fairness admits one at a time, rejecting the rest."""
    name = f"closed-{secrets.token_hex(3)}"
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}
    cluster.create(account)
    token, _expiry = cluster.issue_token(namespace, name, 600)
    level = {
        "apiVersion": FLOW,
        "kind": "PriorityLevelConfiguration",
        "metadata": {"name": name},
        "spec": {
            "type": "Limited",
            "limited": {
                "nominalConcurrencyShares": 0,
                "borrowingLimitPercent": 0,
                "limitResponse": {"type": "Reject"},
            },
        },
    }
    schema = {
        "apiVersion": FLOW,
        "kind": "FlowSchema",
        "metadata": {"name": name},
        "spec": {
            "matchingPrecedence": 2,
            "priorityLevelConfiguration": {"name": name},
            "rules": [
                {
                    "subjects": [{"kind": "ServiceAccount", "serviceAccount": {"name": name, "namespace": namespace}}],
                    "resourceRules": [ANYTHING],
                    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
                }
            ],
        },
    }
    cluster.create(level)
    try:
        cluster.create(schema)
        entry = kubeconfig["clusters"][0]["cluster"]
        authority = base64.b64decode(entry["certificate-authority-data"])
        connected = connect_with_token(url=entry["server"], token=token, ca_data=authority, name="source")
        yield connected
    finally:
        cluster.delete(FLOW, "FlowSchema", name)
        cluster.delete(FLOW, "PriorityLevelConfiguration", name)


def test_throttled_requests_are_sent_again_and_all_succeed(throttled: Cluster, namespace: str) -> None:
    throttled.version()
    time.sleep(1)  # until the server has taken its new rules up
    before = throttled.requests
    allowed = throttled.map(lambda _number: throttled.allowed("get", "", "pods", namespace), range(100), concurrency=16)
    assert allowed == [False] * 100
    assert throttled.requests - before > 100


def test_both_ways_of_discovery_agree(
    cluster: Cluster, kubeconfig: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cluster.requests
    aggregated = cluster.types(refresh=True)
    assert cluster.requests - before == 2
    monkeypatch.setattr(discovery, "_AGGREGATED", "application/json")  # what an old server answers anyway
    before = cluster.requests
    classic = cluster.types(refresh=True)
    assert cluster.requests - before > 10

    def told(types: list[Any]) -> set[tuple[Any, ...]]:
        return {(kind.api_version, kind.kind, kind.plural, kind.namespaced, kind.verbs) for kind in types}

    assert told(aggregated) == told(classic)
    assert ("apps/v1", "Deployment") in {(kind.api_version, kind.kind) for kind in aggregated}


@pytest.mark.parametrize("way", ["aggregated", "classic"])
def test_a_group_that_is_down_is_named_and_hides_no_other(
    cluster: Cluster, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = f"down{secrets.token_hex(3)}.example.com"
    service = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1.{group}"},
        "spec": {
            "group": group,
            "version": "v1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"name": "nobody", "namespace": "default"},
        },
    }
    cluster.create(service)
    try:
        if way == "classic":
            monkeypatch.setattr(discovery, "_AGGREGATED", "application/json")
        end = time.monotonic() + 10
        types = cluster.types()
        while f"{group}/v1" not in cluster.broken_groups and time.monotonic() < end:
            types = cluster.types(refresh=True)
            time.sleep(0.2)
        assert f"{group}/v1" in cluster.broken_groups
        assert "Deployment" in {kind.kind for kind in types}
    finally:
        cluster.delete("apiregistration.k8s.io/v1", "APIService", f"v1.{group}")
    cluster.types(refresh=True)
