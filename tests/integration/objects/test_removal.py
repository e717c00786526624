# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a removal takes, what it leaves, and when it is over."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.objects import inventory
from ansible_collections.openmig.mtc.plugins.module_utils.objects.apply import (
    remove_created,
)
from ansible_collections.openmig.mtc.plugins.module_utils.objects.context import TransformContext

from .conftest import container
from .sending import apply, config_map, labelled

Manifest = dict[str, Any]


def test_removal_takes_exactly_what_the_run_made(
    destination: Cluster, sent: list[Manifest], context: TransformContext, empty: str
) -> None:
    destination.create(config_map(empty, "theirs", key="value"))
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "files", "namespace": empty},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    destination.create(labelled(claim, context))
    apply(destination, sent, context)
    first = remove_created(destination, context.migmigration_uid, [empty])
    assert {inventory.reference(obj) for obj in sent} - set(first) == {f"ServiceAccount {empty}/default"}
    for _attempt in range(100):
        if not remove_created(destination, context.migmigration_uid, [empty]):
            break
        time.sleep(0.2)
    assert remove_created(destination, context.migmigration_uid, [empty]) == ()
    assert destination.get("v1", "ConfigMap", "theirs", empty)
    assert destination.get("v1", "PersistentVolumeClaim", "files", empty)
    assert destination.get("v1", "ServiceAccount", "default", empty)
    assert not any(list(destination.list("apps/v1", kind, empty)) for kind in ("Deployment", "StatefulSet"))


def test_nothing_runs_any_more_once_removal_returns_nothing(
    destination: Cluster, context: TransformContext, empty: str
) -> None:
    """The pod takes its time to end; until then its Deployment is still told."""
    script = "trap 'sleep 4; exit 0' TERM; while :; do sleep 0.1; done"
    slow = {**container(empty), "command": ["/bin/sh", "-c", script]}
    template = {"metadata": {"labels": {"app": "slow"}}, "spec": {"containers": [slow]}}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "slow", "namespace": empty},
        "spec": {"selector": {"matchLabels": {"app": "slow"}}, "template": template},
    }
    apply(destination, [labelled(deployment, context)], context)
    for _attempt in range(300):
        pods = list(destination.list("v1", "Pod", empty))
        if pods and pods[0].get("status", {}).get("phase") == "Running":
            break
        time.sleep(0.1)
    else:
        pytest.fail("the pod does not run")
    assert remove_created(destination, context.migmigration_uid, [empty]) == (f"Deployment.apps {empty}/slow",)
    told = 0
    for _attempt in range(300):
        if not remove_created(destination, context.migmigration_uid, [empty]):
            break
        told += 1
        time.sleep(0.1)
    assert list(destination.list("v1", "Pod", empty)) == []
    assert told > 1
