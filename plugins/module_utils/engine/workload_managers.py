# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who else decides how many pods a workload has: an operator, Argo CD, Flux, KEDA.

A workload that is managed may be scaled back the moment it is stopped. The marks that the field's tools leave on what
they manage tell who that is, before the night; a new tool is one function and one row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Manifest = Mapping[str, Any]

STOPPED_WITH = frozenset({"ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job"})
"""Kinds whose pods go when what is stopped here is stopped."""
KEDA = "keda.sh/"
BUILT_IN_GROUPS = frozenset({"", "apps", "batch", "extensions", "apps.openshift.io"})


@dataclass(frozen=True)
class Manager:
    """Who manages a workload, and how it is kept from doing so for a while."""

    name: str
    mend: str

    def __str__(self) -> str:
        return self.name


def _labels(obj: Manifest) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or {}


def _annotations(obj: Manifest) -> Mapping[str, str]:
    return obj["metadata"].get("annotations") or {}


def _argo_cd(obj: Manifest) -> Manager | None:
    tracked = _annotations(obj).get("argocd.argoproj.io/tracking-id", "").partition(":")[0]
    name = tracked or _labels(obj).get("argocd.argoproj.io/instance")
    if not name:
        return None
    return _application(name)


def _application(name: str) -> Manager:
    return Manager(f"Argo CD application {name}", "switch its automatic sync off (spec.syncPolicy.automated)")


def argo_cd_by_default(obj: Manifest) -> Manager | None:
    """The application that Argo CD's default label names. Charts set the same label, so it says something only where
    there is an Argo CD and Helm has not made the object itself; None, too, for what bears a mark that is certain."""
    name = _labels(obj).get("app.kubernetes.io/instance")
    if not name or "meta.helm.sh/release-name" in _annotations(obj) or _argo_cd(obj) is not None:
        return None
    return _application(name)


def _flux(obj: Manifest) -> Manager | None:
    for kind, prefix in (
        ("Kustomization", "kustomize.toolkit.fluxcd.io"),
        ("HelmRelease", "helm.toolkit.fluxcd.io"),
    ):
        name, namespace = (_labels(obj).get(f"{prefix}/{part}") for part in ("name", "namespace"))
        if name:
            return Manager(f"Flux {kind} {namespace}/{name}", "suspend it (spec.suspend: true)")
    return None


def _operator_lifecycle_manager(obj: Manifest) -> Manager | None:
    owner = _labels(obj).get("olm.owner")
    if not owner:
        return None
    kind = _labels(obj).get("olm.owner.kind", "ClusterServiceVersion")
    return Manager(f"OLM {kind} {owner}", "an installed operator moves with its subscription, not with its Deployment")


def scaled_object(obj: Manifest) -> Manager | None:
    """KEDA, by the mark on what it makes and tends."""
    owner = owner_outside(obj)
    name = _labels(obj).get("scaledobject.keda.sh/name")
    if owner is not None and owner["apiVersion"].startswith(KEDA) and owner["kind"] == "ScaledObject":
        name = str(owner["name"])
    if not name:
        return None
    return Manager(f"KEDA ScaledObject {name}", 'pause it (annotation autoscaling.keda.sh/paused: "true")')


def _custom_resource(obj: Manifest) -> Manager | None:
    owner = owner_outside(obj)
    if owner is None or scaled_object(obj) is not None:
        return None
    return Manager(
        f"the operator of {owner['kind']} {owner['name']}",
        "pause that operator as it documents, for example with an annotation on the resource, or scale it down",
    )


MANAGERS: tuple[Callable[[Manifest], Manager | None], ...] = (
    _argo_cd,
    _flux,
    _operator_lifecycle_manager,
    scaled_object,
    _custom_resource,
)


def controller_of(obj: Manifest) -> Mapping[str, Any] | None:
    """The owner reference of the controller; None for what nobody controls."""
    return next((owner for owner in obj["metadata"].get("ownerReferences") or () if owner.get("controller")), None)


def owner_outside(obj: Manifest) -> Mapping[str, Any] | None:
    """The first owner of a kind that is not Kubernetes' or OpenShift's own, the controller before the others: an
    operator need not call itself the controller of what it tends."""
    owners = sorted(obj["metadata"].get("ownerReferences") or (), key=lambda owner: not owner.get("controller"))
    return next((owner for owner in owners if owner["apiVersion"].rpartition("/")[0] not in BUILT_IN_GROUPS), None)


def managers_of(obj: Manifest) -> list[Manager]:
    """Everybody whose marks the object bears, in the table's order."""
    return [manager for find in MANAGERS if (manager := find(obj)) is not None]


def goes_with_its_owner(pod: Manifest) -> bool:
    """Whether stopping workloads takes the pod away: it is controlled by a kind that is stopped, or by something that
    such a kind controls."""
    owner = controller_of(pod)
    return (
        owner is not None
        and owner["kind"] in STOPPED_WITH
        and owner["apiVersion"].rpartition("/")[0] in BUILT_IN_GROUPS
    )
