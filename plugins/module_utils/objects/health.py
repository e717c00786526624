# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the workloads of namespaces run, and if not, which one waits for what.

The rules are those of ``kubectl rollout status`` for workloads, and for pods the reasons that a person would look for
in ``kubectl get pods``. Nobody waits here: who asks decides how long a failure may take to heal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from ..cluster.api import Cluster
from .inventory import reference
from .manifest import GroupKind, Manifest, controller_of, group_kind, read

STUCK: Final = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
"""Reasons for which the kubelet keeps a container waiting, and which seldom go away by themselves."""

_LONGEST = 200


class Health(NamedTuple):
    """Each entry is a reference and what it waits for or why it fails; both empty: everything runs."""

    waiting: tuple[str, ...]
    failed: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.waiting and not self.failed


def health(cluster: Cluster, namespaces: Sequence[str], *, concurrency: int = 8) -> Health:
    """Workloads and pods of the namespaces. Jobs and their pods are ignored: they end in their own time."""
    if not namespaces:
        return Health((), ())
    wanted = {**_WORKLOADS, ("", "Pod"): _pod}
    types = [kind for kind in cluster.types() if (kind.group, kind.kind) in wanted]
    waiting: set[str] = set()
    failed: set[str] = set()
    for _kind, _namespace, obj in cluster.list_types(types, namespaces, concurrency=concurrency):
        if "deletionTimestamp" in obj["metadata"]:
            continue
        state = wanted[group_kind(obj)](obj)
        waiting.update(f"{reference(obj)}: {text}" for text in state.waiting)
        failed.update(f"{reference(obj)}: {text}" for text in state.failed)
    return Health(tuple(sorted(waiting)), tuple(sorted(failed)))


_WELL: Final = Health((), ())


def _waits(text: str) -> Health:
    return Health((text,), ())


def _fails(text: str) -> Health:
    return Health((), (text[:_LONGEST],))


def _condition(obj: Manifest, type: str) -> Manifest:
    for condition in read(obj, "status", "conditions") or ():
        if condition.get("type") == type:
            return dict(condition)
    return {}


def _observed(obj: Manifest) -> bool:
    return int(read(obj, "status", "observedGeneration", default=0)) >= int(obj["metadata"].get("generation", 0))


def _count(obj: Manifest, *path: str) -> int:
    return int(read(obj, *path, default=0) or 0)


def _replicas(obj: Manifest, fields: Sequence[str]) -> Health:
    failure = _condition(obj, "ReplicaFailure")
    if failure.get("status") == "True":
        return _fails(f"{failure.get('reason')}: {failure.get('message', '')}")
    wanted = int(read(obj, "spec", "replicas", default=1))
    if not _observed(obj):
        return _waits("not seen by its controller yet")
    for field in fields:
        held = _count(obj, "status", field)
        if held < wanted:
            return _waits(f"{held} of {wanted} {_WORDS[field]}")
    return _WELL


_WORDS: Final = {
    "readyReplicas": "replicas ready",
    "updatedReplicas": "replicas of the newest template",
    "availableReplicas": "replicas available",
}


def _deployment(obj: Manifest) -> Health:
    progressing = _condition(obj, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded" and _observed(obj):
        return _fails(f"ProgressDeadlineExceeded: {progressing.get('message', '')}")
    return _replicas(obj, ("updatedReplicas", "readyReplicas"))


def _stateful_set(obj: Manifest) -> Health:
    return _replicas(obj, ("readyReplicas",))


def _replica_set(obj: Manifest) -> Health:
    return _WELL if controller_of(obj) else _replicas(obj, ("readyReplicas",))


def _daemon_set(obj: Manifest) -> Health:
    if not _observed(obj):
        return _waits("not seen by its controller yet")
    wanted, ready = _count(obj, "status", "desiredNumberScheduled"), _count(obj, "status", "numberReady")
    return _waits(f"ready on {ready} of {wanted} nodes") if ready < wanted else _WELL


_WORKLOADS: Final[dict[GroupKind, Callable[[Manifest], Health]]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "ReplicaSet"): _replica_set,
    ("", "ReplicationController"): _replica_set,
    ("apps.openshift.io", "DeploymentConfig"): _stateful_set,
}


def _pod(obj: Manifest) -> Health:
    owner = controller_of(obj)
    if owner and owner.get("kind") == "Job":
        return _WELL
    phase = read(obj, "status", "phase")
    if phase == "Succeeded":
        return _WELL
    if phase == "Failed":
        reason = read(obj, "status", "reason") or "Failed"
        # Its controller has replaced an evicted pod; the leftover says nothing about the application.
        if owner and reason == "Evicted":
            return _WELL
        return _fails(f"{reason}: {read(obj, 'status', 'message', default='')}".rstrip(": "))
    scheduled = _condition(obj, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        return _fails(f"Unschedulable: {scheduled.get('message', '')}")
    for field in ("initContainerStatuses", "containerStatuses"):
        for status in read(obj, "status", field) or ():
            waiting = read(status, "state", "waiting") or {}
            if waiting.get("reason") in STUCK:
                return _fails(f"{waiting['reason']} in container {status.get('name')}: {waiting.get('message', '')}")
    # A pod with a controller is counted there.
    if owner is None and _condition(obj, "Ready").get("status") != "True":
        return _waits("not ready")
    return _WELL
