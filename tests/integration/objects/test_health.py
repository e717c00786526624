# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is told about workloads that run, start, and cannot start."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.objects.health import Health, health

from .conftest import container

Manifest = dict[str, Any]


@pytest.fixture
def empty(destination: Cluster, make_namespace: Callable[[Cluster, str], None], namespace: str) -> str:
    make_namespace(destination, namespace)
    return namespace


def deployment(namespace: str, name: str, **pod: Any) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [container(namespace)], **pod},
            },
        },
    }


def until(destination: Cluster, namespace: str, wanted: Callable[[Health], bool], seconds: float = 60) -> Health:
    end = time.monotonic() + seconds
    while True:
        found = health(destination, [namespace])
        if wanted(found):
            return found
        if time.monotonic() > end:
            pytest.fail(f"still {found}")
        time.sleep(0.2)


def test_it_waits_and_then_runs(destination: Cluster, empty: str) -> None:
    assert health(destination, [empty]).ok
    destination.create(deployment(empty, "web"))
    assert health(destination, [empty]).waiting
    assert until(destination, empty, lambda found: found.ok) == ((), ())


@pytest.mark.parametrize(
    ("name", "pod", "reason"),
    [
        (
            "image",
            {"containers": [{"name": "main", "image": "10.77.0.1:1/none", "imagePullPolicy": "Always"}]},
            "ErrImagePull in container main",
        ),
        (
            "crash",
            {"containers": [{**container("none"), "command": ["/bin/false"]}]},
            "CrashLoopBackOff in container main",
        ),
        ("nowhere", {"nodeSelector": {"no.such/label": "true"}}, "Unschedulable"),
        (
            "config",
            {
                "containers": [
                    {**container("none"), "envFrom": [{"secretRef": {"name": "missing"}}]},
                ]
            },
            "CreateContainerConfigError in container main",
        ),
    ],
)
def test_a_pod_that_cannot_run_is_named_with_its_reason(
    destination: Cluster, empty: str, name: str, pod: Manifest, reason: str
) -> None:
    destination.create(deployment(empty, name, **pod))
    waiting = (f"Deployment.apps {empty}/{name}: 0 of 1 replicas ready",)
    found = until(
        destination,
        empty,
        lambda found: any(reason in line for line in found.failed) and found.waiting == waiting,
    )
    assert found.failed[0].startswith(f"Pod {empty}/{name}-")


def test_a_quota_that_forbids_pods_is_named(destination: Cluster, empty: str) -> None:
    destination.create(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "none", "namespace": empty},
            "spec": {"hard": {"pods": "0"}},
        }
    )
    destination.create(deployment(empty, "web"))
    found = until(destination, empty, lambda found: bool(found.failed))
    assert found.failed[0].startswith(f"Deployment.apps {empty}/web: FailedCreate: ")


def test_jobs_are_nobodys_concern(destination: Cluster, empty: str) -> None:
    failing = {"restartPolicy": "Never", "containers": [{**container(empty), "command": ["/bin/false"]}]}
    destination.create(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "fails", "namespace": empty},
            "spec": {"backoffLimit": 0, "template": {"spec": failing}},
        }
    )
    for _attempt in range(150):
        pods = list(destination.list("v1", "Pod", empty))
        if pods and pods[0].get("status", {}).get("phase") == "Failed":
            break
        time.sleep(0.2)
    else:
        pytest.fail("the Job's pod did not fail")
    assert health(destination, [empty]).ok
