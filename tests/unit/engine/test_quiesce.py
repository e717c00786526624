# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stopping records exactly what was, starting restores exactly that, and what was not stopped is not started."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine.object_checks import held_rollouts
from ansible_collections.openmig.mtc.plugins.module_utils.engine.quiesce import WORKLOADS, Workload
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import Refused

Manifest = dict[str, Any]
ROWS = {row.kind: row for row in WORKLOADS}
OPERATOR = {"apiVersion": "core.strimzi.io/v1beta2", "kind": "StrimziPodSet", "name": "kafka", "uid": "2"}
CONTROLLER = [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "1", "controller": True}]


def workload(kind: str, spec: dict[str, Any], **metadata: Any) -> Manifest:
    return {"kind": kind, "metadata": {"name": "web", "namespace": "shop", **metadata}, "spec": spec}


def merged(obj: Any, patch: Any) -> Any:
    """JSON merge patch (RFC 7386)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def without_empty_annotations(obj: Manifest) -> Manifest:
    plain = copy.deepcopy(obj)
    if not plain["metadata"].get("annotations"):
        plain["metadata"].pop("annotations", None)
    return plain


TEMPLATE: dict[str, Any] = {"template": {"spec": {"containers": []}}}
CHANGED = [
    workload("Deployment", {"replicas": 3}),
    workload("Deployment", {"replicas": 2, "paused": True}),
    workload("StatefulSet", {"replicas": 5}),
    workload("ReplicaSet", {"replicas": 1}),
    workload("ReplicationController", {"replicas": 4}),
    workload("DaemonSet", {"template": {"spec": {"nodeSelector": {"disk": "ssd"}}}}),
    workload("CronJob", {"suspend": False}),
    workload("Job", {"parallelism": 7}),
    workload("DeploymentConfig", {"replicas": 2}),
    workload("ReplicaSet", {"replicas": 2}, ownerReferences=[{**OPERATOR, "controller": True}]),
]


@pytest.mark.parametrize("before", CHANGED, ids=lambda obj: f"{obj['kind']}-{sorted(obj['spec'])}")
def test_what_is_stopped_starts_as_it_was(before: Manifest) -> None:
    row = ROWS[before["kind"]]
    patch = row.stop(before)
    assert patch is not None
    stopped = merged(before, patch)
    assert stopped != before
    assert row.stop(stopped) is None, "a second stop would record the stopped state as the state before"
    start = row.start(stopped)
    assert start is not None
    started = without_empty_annotations(merged(stopped, start))
    if before["kind"] == "DeploymentConfig" and not before["spec"].get("paused"):
        started["spec"].pop("paused", None)
    assert started == before


UNTOUCHED = [
    workload("Deployment", {"replicas": 0}),
    workload("StatefulSet", {"replicas": 0}),
    workload("CronJob", {"suspend": True}),
    workload("Job", {"parallelism": 0}),
    workload("ReplicaSet", {"replicas": 2}, ownerReferences=CONTROLLER),
    {**workload("Job", {"parallelism": 1}), "status": {"conditions": [{"type": "Complete", "status": "True"}]}},
]


@pytest.mark.parametrize("obj", UNTOUCHED, ids=lambda obj: f"{obj['kind']}")
def test_what_does_not_run_or_belongs_to_another_is_left_alone(obj: Manifest) -> None:
    assert ROWS[obj["kind"]].stop(obj) is None
    assert ROWS[obj["kind"]].start(obj) is None


@pytest.mark.parametrize("row", WORKLOADS, ids=lambda row: row.kind)
def test_a_workload_without_our_annotation_is_never_started(row: Workload) -> None:
    specs: dict[str, dict[str, Any]] = {"CronJob": {"suspend": True}, "Job": {"parallelism": 0}, "DaemonSet": TEMPLATE}
    assert row.start(workload(row.kind, specs.get(row.kind, {"replicas": 0}))) is None


def test_a_replica_set_that_inherited_its_deployments_annotation_is_not_started() -> None:
    inherited = workload(
        "ReplicaSet",
        {"replicas": 0},
        ownerReferences=CONTROLLER,
        annotations={"migration.openshift.io/preQuiesceReplicas": "3"},
    )
    assert ROWS["ReplicaSet"].start(inherited) is None


def test_somebody_who_scaled_it_up_meanwhile_is_not_overruled() -> None:
    scaled = workload("Deployment", {"replicas": 2}, annotations={"migration.openshift.io/preQuiesceReplicas": "5"})
    patch = ROWS["Deployment"].start(scaled)
    assert patch is not None
    assert "replicas" not in patch.get("spec", {})


def test_a_rollout_that_is_held_stays_held_while_it_is_stopped() -> None:
    patch = ROWS["Deployment"].stop(workload("Deployment", {"replicas": 3, "paused": True}))
    assert patch is not None
    assert patch["spec"] == {"replicas": 0}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "Job"])
@pytest.mark.parametrize("text", ["", "many", "-1"])
def test_a_record_that_cannot_be_read_is_told_by_name(kind: str, text: str) -> None:
    annotations = {names.PRE_QUIESCE_REPLICAS_ANNOTATION: text}
    with pytest.raises(Refused, match=f"{kind} shop/web: it cannot be started again"):
        ROWS[kind].start(workload(kind, {"replicas": 0, "parallelism": 0}, annotations=annotations))


STOPPED = {names.PRE_QUIESCE_REPLICAS_ANNOTATION: "2", names.PRE_QUIESCE_PAUSED_ANNOTATION: "true"}


@pytest.mark.parametrize(
    ("obj", "refused"),
    [
        (workload("Deployment", {"replicas": 2, "paused": True}), True),
        (workload("Deployment", {"paused": True}), True),
        (workload("Deployment", {"replicas": 0, "paused": True}, annotations=STOPPED), True),
        (workload("Deployment", {"replicas": 0, "paused": True}), False),
        (workload("Deployment", {"replicas": 2}), False),
        (workload("CronJob", {"paused": True}), False),
    ],
)
def test_a_held_rollout_that_runs_is_not_moved(obj: Manifest, refused: bool) -> None:
    assert bool(held_rollouts([obj])) is refused
