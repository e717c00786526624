# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The order in which objects are created: waves, one after the other; within a wave all side by side.

After Velero's order as OADP 1.3 sets it (service accounts and rights before pods, configuration before what reads it,
pods before the controllers that could adopt them), with differences that have a reason in the table. Kinds that the
table does not know are custom resources: they come after the Secrets and Services that they may name, so that an
operator finds them, and before the workloads, so that what an operator makes is there or on its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .manifest import GroupKind, Manifest, group_kind


@dataclass(frozen=True)
class Wave:
    """Kinds that are created together. ``kinds`` is empty for the wave of all kinds that no other wave names."""

    kinds: frozenset[GroupKind]
    reason: str


def _wave(reason: str, *kinds: GroupKind) -> Wave:
    return Wave(frozenset(kinds), reason)


_RBAC = "rbac.authorization.k8s.io"

WAVES: Final = (
    _wave("a kind must be served before its first object", ("apiextensions.k8s.io", "CustomResourceDefinition")),
    _wave("everything else lives in one", ("", "Namespace")),
    _wave("secrets of a service account are refused without it, and pods too", ("", "ServiceAccount")),
    _wave(
        "a binding is refused by the server if its role grants more than the creator has",
        (_RBAC, "Role"),
        (_RBAC, "ClusterRole"),
    ),
    _wave(
        "rights are there before the first pod asks for something or is judged by what its account may",
        (_RBAC, "RoleBinding"),
        (_RBAC, "ClusterRoleBinding"),
        ("security.openshift.io", "SecurityContextConstraints"),
    ),
    _wave(
        "configuration, defaults and walls stand before anything starts",
        ("", "Secret"),
        ("", "ConfigMap"),
        ("", "LimitRange"),
        ("", "PodTemplate"),
        ("networking.k8s.io", "NetworkPolicy"),
        ("extensions", "NetworkPolicy"),
        ("policy", "PodDisruptionBudget"),
    ),
    _wave("a pod that names a claim waits for it", ("", "PersistentVolumeClaim")),
    _wave("a Service finds its hand-made endpoints", ("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")),
    _wave("containers get the addresses of the Services that exist when they start", ("", "Service")),
    Wave(frozenset(), "custom resources: after what they name, before what waits for what an operator makes"),
    _wave("a bare pod is there before a controller whose selector fits, so it is adopted, not doubled", ("", "Pod")),
    _wave(
        "workloads start when all that they read is there",
        ("", "ReplicationController"),
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("apps.openshift.io", "DeploymentConfig"),
        ("batch", "CronJob"),
        ("batch", "Job"),
        ("build.openshift.io", "BuildConfig"),
        ("extensions", "DaemonSet"),
        ("extensions", "Deployment"),
        ("extensions", "ReplicaSet"),
    ),
    _wave(
        "they point at workloads and Services",
        ("autoscaling", "HorizontalPodAutoscaler"),
        ("networking.k8s.io", "Ingress"),
        ("extensions", "Ingress"),
        ("route.openshift.io", "Route"),
    ),
    _wave("a fresh quota refuses everything until it has counted; nothing is left to refuse", ("", "ResourceQuota")),
)

_RANKS: Final = {kind: rank for rank, wave in enumerate(WAVES) for kind in wave.kinds}
_OTHERS: Final = next(rank for rank, wave in enumerate(WAVES) if not wave.kinds)


def rank(obj: Manifest) -> int:
    """The number of the wave in which the object is created."""
    return _RANKS.get(group_kind(obj), _OTHERS)
