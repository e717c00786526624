# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Transforms of metadata: what a server owns goes, what a person wrote stays and says the new namespace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..resources import names
from .context import Note, Result, TransformContext
from .manifest import (
    LAST_APPLIED,
    GroupKind,
    Manifest,
    annotations_of,
    controller_of,
    group_kind,
    labels_of,
    name_of,
    namespace_of,
    pruned,
    put,
    read,
    without,
)

SERVER_OWNED: Final = (
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "generateName",
    "managedFields",
    "selfLink",
    "clusterName",
)
"""Metadata that only a server writes. ``generateName`` has had its effect: the object has its name."""

PLATFORM_SERVICE_ACCOUNTS: Final = frozenset({"default", "builder", "deployer"})
"""Made by the platform in every namespace: merged, never created, labelled or deleted (D27)."""


@dataclass(frozen=True)
class Generated:
    """An annotation (or all below a prefix that ends in ``/``) that a controller writes for itself."""

    kinds: frozenset[GroupKind] | None
    annotation: str
    reason: str


_POD = frozenset({("", "Pod")})
_DEPLOYMENT = frozenset(
    {("apps", "Deployment"), ("apps", "ReplicaSet"), ("extensions", "Deployment"), ("extensions", "ReplicaSet")}
)
_HPA = frozenset({("autoscaling", "HorizontalPodAutoscaler")})

GENERATED: Final = (
    Generated(_DEPLOYMENT, "deployment.kubernetes.io/revision", "counts the rollouts of one cluster"),
    Generated(_DEPLOYMENT, "deployment.kubernetes.io/revision-history", "counts the rollouts of one cluster"),
    Generated(_DEPLOYMENT, "deployment.kubernetes.io/desired-replicas", "bookkeeping of a rollout"),
    Generated(_DEPLOYMENT, "deployment.kubernetes.io/max-replicas", "bookkeeping of a rollout"),
    Generated(
        frozenset({("apps", "DaemonSet"), ("extensions", "DaemonSet")}),
        "deprecated.daemonset.template.generation",
        "counts the templates of one cluster; quiescing raises it",
    ),
    Generated(frozenset({("batch", "Job")}), "batch.kubernetes.io/job-tracking", "bookkeeping of the Job controller"),
    Generated(_HPA, "autoscaling.alpha.kubernetes.io/conditions", "status of an old API version"),
    Generated(_HPA, "autoscaling.alpha.kubernetes.io/current-metrics", "status of an old API version"),
    Generated(
        frozenset({("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")}),
        "endpoints.kubernetes.io/last-change-trigger-time",
        "written with every change of the endpoints",
    ),
    Generated(_POD, "cni.projectcalico.org/", "the network plugin's record of this pod"),
    Generated(_POD, "k8s.ovn.org/", "the network plugin's record of this pod"),
    Generated(_POD, "k8s.v1.cni.cncf.io/network-status", "the network plugin's record of this pod"),
    Generated(_POD, "k8s.v1.cni.cncf.io/networks-status", "the network plugin's record of this pod"),
    Generated(_POD, "kubernetes.io/limit-ranger", "says which defaults the source's LimitRange filled in"),
    Generated(_POD, "openshift.io/scc", "says which constraint admitted the pod on the source"),
)


def generated_annotations(obj: Manifest, _context: TransformContext) -> Result:
    """Drop the annotations that controllers keep for themselves (table GENERATED)."""
    kind = group_kind(obj)
    for annotation in annotations_of(obj):
        for row in GENERATED:
            if row.kinds is not None and kind not in row.kinds:
                continue
            if annotation == row.annotation or (row.annotation.endswith("/") and annotation.startswith(row.annotation)):
                obj = pruned(obj, "metadata", "annotations", annotation)
    return obj, ()


def last_applied(obj: Manifest, context: TransformContext) -> Result:
    """The manifest that ``kubectl apply`` remembers: its namespace follows, all else stays for the next apply.

    Text that is no JSON object is left as it is: nobody but kubectl reads it.
    """
    text = annotations_of(obj).get(LAST_APPLIED)
    if text is None:
        return obj, ()
    try:
        manifest = json.loads(text)
    except ValueError:
        return obj, ()
    namespace = read(manifest, "metadata", "namespace")
    if not isinstance(namespace, str) or namespace not in context.renamed:
        return obj, ()
    manifest = put(manifest, context.namespace(namespace), "metadata", "namespace")
    # The form in which kubectl writes it: sorted keys, no blanks, a newline at the end.
    written = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    end = "\n" if text.endswith("\n") else ""
    return put(obj, written + end, "metadata", "annotations", LAST_APPLIED), ()


def owners(obj: Manifest, context: TransformContext) -> Result:
    """Drop ownerReferences: they name UIDs of the source, and the garbage collector would remove the object for them.

    What its controller makes again does not travel at all (exclusions.py); this is for the rest. Those to objects that
    travel, too, are made again when all are there (links.py).
    """
    references = obj["metadata"].get("ownerReferences")
    if references is None:
        return obj, ()
    controller = controller_of(obj)
    notes = tuple(
        Note(
            "dropped",
            "metadata.ownerReferences",
            f"{owner.get('kind')} {owner.get('name')} of the source"
            + (" managed it" if controller and owner.get("uid") == controller.get("uid") else " owned it"),
        )
        for owner in references
        if owner.get("uid") not in context.owners
    )
    return without(obj, "metadata", "ownerReferences"), notes


def finalizers(obj: Manifest, _context: TransformContext) -> Result:
    """Drop finalizers: the controller that needs one adds it when it sees the object; without it nobody could delete.

    Velero 1.10 and newer keep them.
    """
    held = obj["metadata"].get("finalizers")
    if held is None:
        return obj, ()
    notes = (Note("dropped", "metadata.finalizers", ", ".join(held)),) if held else ()
    return without(obj, "metadata", "finalizers"), notes


def namespace(obj: Manifest, context: TransformContext) -> Result:
    """The namespace that the plan gives it, if it lives in one."""
    if not namespace_of(obj):
        return obj, ()
    return put(obj, context.namespace(namespace_of(obj)), "metadata", "namespace"), ()


def server_owned(obj: Manifest, _context: TransformContext) -> Result:
    """Drop what only a server writes, ``status`` included. Rows before ask whether a server stored it."""
    return without_server_owned(obj), ()


def without_server_owned(obj: Manifest) -> Manifest:
    """The object as somebody would write it."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in SERVER_OWNED}
    for field in ("labels", "annotations"):
        if field in metadata and not metadata[field]:
            del metadata[field]
    changed = {key: value for key, value in obj.items() if key != "status"}
    changed["metadata"] = metadata
    return changed


def is_platform_service_account(obj: Manifest) -> bool:
    return group_kind(obj) == ("", "ServiceAccount") and name_of(obj) in PLATFORM_SERVICE_ACCOUNTS


def migrated_by(obj: Manifest, context: TransformContext) -> Result:
    """Both labels by which a rollback finds what a migration has created; not on what the platform makes anyway."""
    if is_platform_service_account(obj):
        return obj, ()
    labels: Mapping[str, Any] = {
        **labels_of(obj),
        names.MIGRATED_BY_MIGMIGRATION_LABEL: context.migmigration_uid,
        names.MIGRATED_BY_MIGPLAN_LABEL: context.migplan_uid,
    }
    return put(obj, labels, "metadata", "labels"), ()
