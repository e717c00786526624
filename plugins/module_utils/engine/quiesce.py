# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stopping and starting workloads: one row per kind, pure functions from an object to the patch that stops or starts
it.

The state before is written into upstream's annotations in the same patch that stops the workload (MTC
pkg/controller/migmigration/quiesce.go), so it can never be missing or recorded twice, and either engine can start
what the other has stopped. Differences: a CronJob that its user had suspended and a Job that is finished are left
alone (D11), stand-alone ReplicationControllers are stopped too (D12), and a rollout that is held stays held (upstream
lets a paused Deployment go on, whose new pods are then not those that were stopped).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..cluster.api import Cluster
from ..resources import names
from ..resources.errors import Conflict, NotFound, Refused, subject_of
from .workload_managers import Manager, controller_of, goes_with_its_owner, managers_of

Manifest = dict[str, Any]
Patch = dict[str, Any]

RETRIES = 5
"""How often a patch is tried again when the object changed between reading and writing."""


def _annotations(obj: Manifest) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}


def _owned(obj: Manifest) -> bool:
    return controller_of(obj) is not None


def _stop_replicas(obj: Manifest) -> Patch | None:
    replicas = obj["spec"].get("replicas", 1)
    if replicas == 0:
        return None
    return {
        "metadata": {"annotations": {names.PRE_QUIESCE_REPLICAS_ANNOTATION: str(replicas)}},
        "spec": {"replicas": 0},
    }


def _recorded(obj: Manifest) -> int | None:
    """How many pods there were before the stop; None for what was not stopped. Refused for a number that somebody has
    made unreadable."""
    text = _annotations(obj).get(names.PRE_QUIESCE_REPLICAS_ANNOTATION)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        metadata = obj["metadata"]
        raise Refused(
            subject=subject_of(obj["kind"], metadata["name"], metadata["namespace"]),
            attempt="it cannot be started again",
            reason=f"annotation {names.PRE_QUIESCE_REPLICAS_ANNOTATION} is {text!r}, which is no number of pods",
            mend="Write the number there that it had before, and run the task again",
        )
    return int(text)


def _start_replicas(obj: Manifest) -> Patch | None:
    recorded = _recorded(obj)
    if recorded is None:
        return None
    patch: Patch = {"metadata": {"annotations": {names.PRE_QUIESCE_REPLICAS_ANNOTATION: None}}}
    if obj["spec"].get("replicas", 1) == 0:
        patch["spec"] = {"replicas": recorded}
    return patch


def _stop_deployment(obj: Manifest) -> Patch | None:
    patch = _stop_replicas(obj)
    if patch is not None:
        patch["metadata"]["annotations"][names.PRE_QUIESCE_PAUSED_ANNOTATION] = (
            "true" if obj["spec"].get("paused") else "false"
        )
    return patch


def _stop_config(obj: Manifest) -> Patch | None:
    """A DeploymentConfig is let go on, as upstream does: whether a paused one is scaled is its controller's affair."""
    patch = _stop_deployment(obj)
    if patch is not None:
        patch["spec"]["paused"] = False
    return patch


def _start_deployment(obj: Manifest) -> Patch | None:
    patch = _start_replicas(obj)
    if patch is not None:
        patch["metadata"]["annotations"][names.PRE_QUIESCE_PAUSED_ANNOTATION] = None
        if _annotations(obj).get(names.PRE_QUIESCE_PAUSED_ANNOTATION) == "true":
            patch.setdefault("spec", {})["paused"] = True
    return patch


def _stop_set(obj: Manifest) -> Patch | None:
    """A ReplicaSet of a Deployment goes with it; one that an operator owns is a workload like any other."""
    return None if _goes_with_a_deployment(obj) else _stop_replicas(obj)


def _start_set(obj: Manifest) -> Patch | None:
    """A Deployment's annotations are copied to its ReplicaSets; only what was stopped itself is started."""
    return None if _goes_with_a_deployment(obj) else _start_replicas(obj)


def _goes_with_a_deployment(obj: Manifest) -> bool:
    owner = controller_of(obj)
    return owner is not None and owner["kind"] in ("Deployment", "DeploymentConfig")


def _stop_daemon_set(obj: Manifest) -> Patch | None:
    selector = obj["spec"]["template"]["spec"].get("nodeSelector") or {}
    if names.QUIESCE_NODE_SELECTOR in selector:
        return None
    recorded = json.dumps(selector, sort_keys=True)
    return {
        "metadata": {"annotations": {names.PRE_QUIESCE_NODE_SELECTOR_ANNOTATION: recorded}},
        "spec": {"template": {"spec": {"nodeSelector": {names.QUIESCE_NODE_SELECTOR: "true"}}}},
    }


def _start_daemon_set(obj: Manifest) -> Patch | None:
    if names.PRE_QUIESCE_NODE_SELECTOR_ANNOTATION not in _annotations(obj):
        return None
    patch: Patch = {"metadata": {"annotations": {names.PRE_QUIESCE_NODE_SELECTOR_ANNOTATION: None}}}
    if names.QUIESCE_NODE_SELECTOR in (obj["spec"]["template"]["spec"].get("nodeSelector") or {}):
        patch["spec"] = {"template": {"spec": {"nodeSelector": {names.QUIESCE_NODE_SELECTOR: None}}}}
    return patch


def _stop_cron_job(obj: Manifest) -> Patch | None:
    if obj["spec"].get("suspend"):
        return None
    return {"metadata": {"annotations": {names.PRE_QUIESCE_SUSPEND_ANNOTATION: "true"}}, "spec": {"suspend": True}}


def _start_cron_job(obj: Manifest) -> Patch | None:
    if names.PRE_QUIESCE_SUSPEND_ANNOTATION not in _annotations(obj):
        return None
    return {"metadata": {"annotations": {names.PRE_QUIESCE_SUSPEND_ANNOTATION: None}}, "spec": {"suspend": False}}


def _finished(job: Manifest) -> bool:
    return any(
        entry.get("type") in ("Complete", "Failed") and entry.get("status") == "True"
        for entry in (job.get("status") or {}).get("conditions") or ()
    )


def _stop_job(obj: Manifest) -> Patch | None:
    parallelism = obj["spec"].get("parallelism", 1)
    if parallelism == 0 or _finished(obj):
        return None
    return {
        "metadata": {"annotations": {names.PRE_QUIESCE_REPLICAS_ANNOTATION: str(parallelism)}},
        "spec": {"parallelism": 0},
    }


def _start_job(obj: Manifest) -> Patch | None:
    recorded = _recorded(obj)
    if recorded is None:
        return None
    patch: Patch = {"metadata": {"annotations": {names.PRE_QUIESCE_REPLICAS_ANNOTATION: None}}}
    if obj["spec"].get("parallelism") == 0:
        patch["spec"] = {"parallelism": recorded}
    return patch


@dataclass(frozen=True)
class Workload:
    """How one kind is stopped and started. Both functions return None when there is nothing to do."""

    api_version: str
    kind: str
    stop: Callable[[Manifest], Patch | None]
    start: Callable[[Manifest], Patch | None]
    older: tuple[str, ...] = ()
    """Versions in which clusters serve the kind that do not know ``api_version`` yet."""
    makes_more: bool = False
    """It goes on making workloads of another row, which are therefore looked for once it is stopped."""


WORKLOADS = (
    Workload("batch/v1", "CronJob", _stop_cron_job, _start_cron_job, older=("batch/v1beta1",), makes_more=True),
    Workload("apps.openshift.io/v1", "DeploymentConfig", _stop_config, _start_deployment),
    Workload("apps/v1", "Deployment", _stop_deployment, _start_deployment),
    Workload("apps/v1", "StatefulSet", _stop_replicas, _start_replicas),
    Workload("apps/v1", "ReplicaSet", _stop_set, _start_set),
    Workload("v1", "ReplicationController", _stop_set, _start_set),
    Workload("apps/v1", "DaemonSet", _stop_daemon_set, _start_daemon_set),
    Workload("batch/v1", "Job", _stop_job, _start_job),
)
"""In upstream's order."""


def listed(cluster: Cluster, row: Workload, namespace: str, *, selector: str | None = None) -> list[Manifest]:
    """What there is of the kind (with these labels), in the version that the cluster serves; one that serves none has
    none."""
    for api_version in (row.api_version, *row.older):
        try:
            return list(cluster.list(api_version, row.kind, namespace, label_selector=selector))
        except NotFound:
            continue
    return []


def _change_all(
    cluster: Cluster,
    namespaces: Sequence[str],
    change: Callable[[Workload], Callable[[Manifest], Patch | None]],
    selector: str | None,
) -> list[str]:
    def read(pair: tuple[Workload, str]) -> list[tuple[Workload, Manifest]]:
        row, namespace = pair
        return [(row, item) for item in listed(cluster, row, namespace, selector=selector)]

    changed: list[str] = []
    for first in (True, False):
        pairs = [(row, namespace) for row in WORKLOADS if row.makes_more is first for namespace in namespaces]
        found = [entry for entries in cluster.map(read, pairs) for entry in entries]
        told = cluster.map(lambda entry: _change_one(cluster, entry[1], change(entry[0])), found)
        changed += [name for name in told if name]
    return sorted(changed)


def _change_one(cluster: Cluster, obj: Manifest, decide: Callable[[Manifest], Patch | None]) -> str | None:
    name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
    api_version, kind = obj["apiVersion"], obj["kind"]
    for attempt in range(RETRIES):
        patch = decide(obj)
        if patch is None:
            return None
        # The version that was read goes along: what is recorded as the state before is then certainly the state that
        # is changed.
        patch["metadata"]["resourceVersion"] = obj["metadata"]["resourceVersion"]
        try:
            cluster.patch(api_version, kind, name, namespace, patch=patch)
            return f"{kind} {namespace}/{name}"
        except Conflict:
            if attempt == RETRIES - 1:
                raise
            current = cluster.get(api_version, kind, name, namespace)
            if current is None:
                return None
            obj = current
    return None


@dataclass(frozen=True)
class Managed:
    """A workload and somebody who may start it again at any time."""

    workload: str
    manager: Manager

    def __str__(self) -> str:
        return f"{self.workload} is managed by {self.manager}, which may start it again: {self.manager.mend}"


def quiesce(cluster: Cluster, namespaces: Sequence[str], *, selector: str | None = None) -> list[str]:
    """Stop every workload of the namespaces (with these labels); returns those that this call has stopped. Already
    stopped ones are left as they are."""
    return _change_all(cluster, namespaces, lambda row: row.stop, selector)


def unquiesce(
    cluster: Cluster,
    namespaces: Sequence[str],
    *,
    selector: str | None = None,
    but_jobs: Callable[[Manifest], bool] | None = None,
) -> list[str]:
    """Start what ``quiesce`` has stopped, exactly as it was, but for the Jobs of which that is true; returns those that
    this call has started."""

    def change(row: Workload) -> Callable[[Manifest], Patch | None]:
        if row.kind != "Job" or but_jobs is None:
            return row.start
        return lambda job: None if but_jobs(job) else row.start(job)

    return _change_all(cluster, namespaces, change, selector)


def affected(
    cluster: Cluster, namespaces: Sequence[str], *, selector: str | None = None, would: str = "stop"
) -> list[str]:
    """The workloads that ``quiesce`` would stop or (``would="start"``) ``unquiesce`` would start."""
    pairs = [(row, namespace) for row in WORKLOADS for namespace in namespaces]

    def read(pair: tuple[Workload, str]) -> list[str]:
        row, namespace = pair
        decide = row.start if would == "start" else row.stop
        found = listed(cluster, row, namespace, selector=selector)
        return [f"{row.kind} {namespace}/{obj['metadata']['name']}" for obj in found if decide(obj) is not None]

    return sorted(name for found in cluster.map(read, pairs) for name in found)


def managed(cluster: Cluster, namespaces: Sequence[str]) -> list[Managed]:
    """The workloads that would be stopped and that somebody else manages, who may scale them back."""

    def read(pair: tuple[Workload, str]) -> list[Managed]:
        row, namespace = pair
        return [
            Managed(f"{row.kind} {namespace}/{obj['metadata']['name']}", manager)
            for obj in listed(cluster, row, namespace)
            if row.stop(obj) is not None
            for manager in managers_of(obj)
        ]

    pairs = [(row, namespace) for row in WORKLOADS for namespace in namespaces]
    return sorted((item for found in cluster.map(read, pairs) for item in found), key=str)


def _controller(pod: Manifest) -> str:
    owner = controller_of(pod)
    return f"{owner['kind']} {owner['name']}" if owner else ""


def _claims(pod: Manifest) -> set[str]:
    return {
        volume["persistentVolumeClaim"]["claimName"]
        for volume in pod["spec"].get("volumes") or ()
        if "persistentVolumeClaim" in volume
    }


def _can_write(pod: Manifest) -> bool:
    """False once no container of the pod runs or can still start."""
    status = pod.get("status") or {}
    if status.get("phase") in ("Succeeded", "Failed"):
        return False
    containers = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    terminating = "deletionTimestamp" in pod["metadata"]
    return not (terminating and containers and all("terminated" in (entry.get("state") or {}) for entry in containers))


@dataclass(frozen=True)
class Writer:
    """A pod that could still write to a volume of the plan."""

    namespace: str
    pod: str
    claims: tuple[str, ...]
    owner: str
    """What controls it, ``Kind name``; "" for a bare pod."""
    stoppable: bool
    """False for a pod that nothing which is stopped here would take away: a bare one, or one of an operator's own."""

    def __str__(self) -> str:
        return f"Pod {self.namespace}/{self.pod} (mounts {', '.join(self.claims)})"


def writers(cluster: Cluster, claims: Sequence[tuple[str, str]]) -> list[Writer]:
    """The pods, movers of any run excepted, that mount one of the (namespace, claim) and could write to it."""
    wanted: dict[str, set[str]] = {}
    for namespace, claim in claims:
        wanted.setdefault(namespace, set()).add(claim)

    def of_namespace(namespace: str) -> list[Writer]:
        return [
            Writer(
                namespace,
                pod["metadata"]["name"],
                tuple(sorted(mounted)),
                owner=_controller(pod),
                stoppable=goes_with_its_owner(pod),
            )
            for pod in cluster.list("v1", "Pod", namespace)
            if (mounted := _claims(pod) & wanted[namespace])
            and names.RUN_LABEL not in (pod["metadata"].get("labels") or {})
            and _can_write(pod)
        ]

    return [writer for found in cluster.map(of_namespace, sorted(wanted)) for writer in found]
