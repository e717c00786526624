# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The form before quiescing, made from the form after it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine import quiesce
from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms import transform
from unit.objects.manifests import CONTEXT, live, notes, pod_spec, sent

Manifest = dict[str, Any]
PREFIX = "migration.openshift.io/preQuiesce"


def workload(kind: str, api_version: str = "apps/v1", *, recorded: Manifest | None = None, **spec: Any) -> Manifest:
    annotations = {f"{PREFIX}{key}": value for key, value in (recorded or {}).items()}
    return live(api_version, kind, metadata={"annotations": annotations} if annotations else None, spec=spec)


def daemon_set(selector: Manifest | None, recorded: str | None = None) -> Manifest:
    pod = pod_spec() if selector is None else pod_spec(nodeSelector=selector)
    return workload("DaemonSet", recorded={"NodeSelector": recorded} if recorded else None, template={"spec": pod})


OURS = {"migration.openshift.io/quiesceDaemonSet": "true"}


@pytest.mark.parametrize(
    ("stopped", "running"),
    [
        (
            workload("Deployment", replicas=0, recorded={"Replicas": "3", "Paused": "false"}),
            workload("Deployment", replicas=3),
        ),
        (
            workload("Deployment", replicas=0, paused=False, recorded={"Replicas": "3", "Paused": "true"}),
            workload("Deployment", replicas=3, paused=True),
        ),
        (
            workload("Deployment", replicas=0, paused=False, recorded={"Replicas": "3", "Paused": "false"}),
            workload("Deployment", replicas=3),
        ),
        (
            workload(
                "DeploymentConfig",
                "apps.openshift.io/v1",
                replicas=0,
                recorded={"Replicas": "2", "Paused": "true"},
            ),
            workload("DeploymentConfig", "apps.openshift.io/v1", replicas=2, paused=True),
        ),
        (workload("StatefulSet", replicas=0, recorded={"Replicas": "3"}), workload("StatefulSet", replicas=3)),
        (workload("StatefulSet", replicas=5, recorded={"Replicas": "3"}), workload("StatefulSet", replicas=5)),
        (workload("ReplicaSet", replicas=0, recorded={"Replicas": "1"}), workload("ReplicaSet", replicas=1)),
        (
            workload("ReplicationController", "v1", replicas=0, recorded={"Replicas": "1"}),
            workload("ReplicationController", "v1", replicas=1),
        ),
        (
            workload("Job", "batch/v1", parallelism=0, recorded={"Replicas": "4"}),
            workload("Job", "batch/v1", parallelism=4),
        ),
        (
            workload("CronJob", "batch/v1", suspend=True, recorded={"Suspend": "true"}),
            workload("CronJob", "batch/v1", suspend=False),
        ),
        (workload("CronJob", "batch/v1", suspend=True), workload("CronJob", "batch/v1", suspend=True)),
        (daemon_set(OURS, "{}"), daemon_set(None)),
        (daemon_set(OURS, "null"), daemon_set(None)),
        (daemon_set({"disk": "ssd", **OURS}, '{"disk": "ssd"}'), daemon_set({"disk": "ssd"})),
        (daemon_set({"disk": "hdd"}, '{"disk": "ssd"}'), daemon_set({"disk": "hdd"})),
    ],
)
def test_the_form_is_the_one_before(stopped: Manifest, running: Manifest) -> None:
    assert sent(stopped) == sent(running)


@pytest.mark.parametrize(
    "running",
    [
        workload("Deployment", replicas=3),
        workload("Deployment", replicas=3, paused=True),
        workload("Deployment", replicas=0),
        workload("StatefulSet", replicas=1),
        workload("Job", "batch/v1", parallelism=2),
        workload("CronJob", "batch/v1", suspend=False),
        workload("CronJob", "batch/v1", suspend=True),
        daemon_set(None),
        daemon_set({"disk": "ssd"}),
    ],
)
def test_it_undoes_what_the_engine_does(running: Manifest) -> None:
    """With the engine's own patches, applied as a server does."""
    row = next(row for row in quiesce.WORKLOADS if row.kind == running["kind"])
    patch = row.stop(running)
    stopped = running if patch is None else merged(running, patch)
    if stopped["spec"].get("paused") is False:
        del stopped["spec"]["paused"]
    assert sent(stopped) == sent(running)


def merged(value: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(value) if isinstance(value, dict) else {}
    for key, item in patch.items():
        if item is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), item)
    return result


@pytest.mark.parametrize(
    ("stopped", "annotation"),
    [
        (workload("Deployment", replicas=0, recorded={"Replicas": "many"}), "Replicas"),
        (workload("Deployment", replicas=0, recorded={"Replicas": "-1"}), "Replicas"),
        (workload("Deployment", replicas=0, recorded={"Replicas": "²"}), "Replicas"),
        (daemon_set(OURS, "no JSON"), "NodeSelector"),
        (daemon_set(OURS, "[1]"), "NodeSelector"),
    ],
)
def test_an_unreadable_record_is_told_and_dropped(stopped: Manifest, annotation: str) -> None:
    result = transform(stopped, CONTEXT)
    assert result.object is not None
    assert "annotations" not in result.object["metadata"]
    assert json.dumps(result.object["spec"]) == json.dumps(stopped["spec"])
    assert len(result.notes) == 1
    assert notes(result)[0].startswith(f'metadata.annotations["{PREFIX}{annotation}"]: left: ')
    assert notes(result)[0].endswith("cannot be read; sent as it is, stopped")
