# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The form that is sent is the same before and after the source was stopped, and after it was started again."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.engine.quiesce import quiesce, unquiesce
from ansible_collections.openmig.mtc.plugins.module_utils.objects import inventory
from ansible_collections.openmig.mtc.plugins.module_utils.objects.context import TransformContext

from .conftest import sent_from

Manifest = dict[str, Any]


def digests(source: Cluster, namespace: str, context: TransformContext) -> dict[str, str]:
    return inventory.entries(sent_from(source, namespace, context), key=b"key")


def test_quiescing_is_undone(
    source: Cluster, deployed: list[Manifest], namespace: str, context: TransformContext
) -> None:
    one: Manifest = {"spec": {"replicas": 1}}
    source.patch("apps/v1", "ReplicaSet", "alone", namespace, patch=one)
    source.patch("v1", "ReplicationController", "old", namespace, patch=one)
    source.patch("batch/v1", "Job", "running", namespace, patch={"spec": {"parallelism": 2}})
    source.patch("apps/v1", "Deployment", "web", namespace, patch={"spec": {"paused": True}})
    nightly = source.get("batch/v1", "CronJob", "nightly", namespace)
    assert nightly is not None
    spec = {**nightly["spec"], "suspend": True}
    metadata = {"name": "suspended", "namespace": namespace}
    source.create({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec})
    running = digests(source, namespace, context)
    stopped = quiesce(source, [namespace])
    assert {name.replace(f" {namespace}/", " ") for name in stopped} == {
        "CronJob nightly",
        "DaemonSet everywhere",
        "Deployment web",
        "Job running",
        "ReplicaSet alone",
        "ReplicationController old",
    }
    for _attempt in range(100):
        if not [pod for pod in source.list("v1", "Pod", namespace) if pod["metadata"]["name"] != "bare"]:
            break
        time.sleep(0.1)
    assert inventory.differences(running, digests(source, namespace, context)) == []
    deployment = next(obj for obj in sent_from(source, namespace, context) if obj["kind"] == "Deployment")
    assert (deployment["spec"]["replicas"], deployment["spec"]["paused"]) == (1, True)
    unquiesce(source, [namespace])
    assert inventory.differences(running, digests(source, namespace, context)) == []


def test_any_other_change_is_told_by_name(
    source: Cluster, deployed: list[Manifest], namespace: str, target: str, context: TransformContext
) -> None:
    before = digests(source, namespace, context)
    source.patch("v1", "ConfigMap", "settings", namespace, patch={"data": {"plain": "other"}})
    source.delete("v1", "PodTemplate", "template", namespace)
    source.patch("v1", "Secret", "database", namespace, patch={"stringData": {"password": "hunter3"}})
    source.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "young", "namespace": namespace}})
    assert inventory.differences(before, digests(source, namespace, context)) == [
        f"ConfigMap {target}/settings changed",
        f"ConfigMap {target}/young added",
        f"PodTemplate {target}/template removed",
        f"Secret {target}/database changed",
    ]
