# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What does not travel, and why: kinds as a table, and single objects by rules that read nothing but the object.

Sources: the default list of excluded resources of MTC's operator (mig-operator, EXCLUDED_RESOURCES), Velero's own
list, and the controllers of Kubernetes and OpenShift, which make again on the destination what they have made here.
What a controller owns is decided in ownership.py, for it needs to know the owner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..cluster.resource_types import ResourceType
from ..resources import names
from .manifest import GroupKind, Manifest, annotations_of, group_kind, labels_of, name_of, read
from .transforms_accounts import SERVICE_ACCOUNT_ANNOTATION, TOKEN_TYPE, is_generated_name

LEADER_ANNOTATION: Final = "control-plane.alpha.kubernetes.io/leader"
EXCLUDE_LABEL: Final = "velero.io/exclude-from-backup"
MIRROR_ANNOTATION: Final = "kubernetes.io/config.mirror"


@dataclass(frozen=True)
class ExcludedKind:
    """A kind that never travels. ``plural`` ``*`` means every kind of the group."""

    group: str
    plural: str
    reason: str


_OLM = "the operator lifecycle manager makes it again from what is subscribed there"
_CATALOG = "the service catalog belongs to the cluster"
_METRICS = "measured, not stored"
_SNAPSHOT = "a snapshot lies in the source's storage"
_VELERO = "a backup's own records belong to the cluster that made them"

EXCLUDED_KINDS: Final = (
    ExcludedKind("", "events", "says what happened on the source"),
    ExcludedKind("events.k8s.io", "events", "says what happened on the source"),
    ExcludedKind("coordination.k8s.io", "leases", "a lock that a process on the source holds"),
    ExcludedKind("apps", "controllerrevisions", "history that a controller makes from its own object"),
    ExcludedKind("storage.k8s.io", "csistoragecapacities", "measured by the source's storage driver"),
    ExcludedKind("", "persistentvolumeclaims", "volumes are moved with their data"),
    ExcludedKind("", "persistentvolumes", "volumes are moved with their data"),
    ExcludedKind("snapshot.storage.k8s.io", "*", _SNAPSHOT),
    ExcludedKind("groupsnapshot.storage.k8s.io", "*", _SNAPSHOT),
    ExcludedKind("metrics.k8s.io", "*", _METRICS),
    ExcludedKind("custom.metrics.k8s.io", "*", _METRICS),
    ExcludedKind("external.metrics.k8s.io", "*", _METRICS),
    ExcludedKind("authentication.k8s.io", "*", "a question to the server, not an object"),
    ExcludedKind("authorization.k8s.io", "*", "a question to the server, not an object"),
    ExcludedKind("cilium.io", "ciliumendpoints", "the network plugin makes one for each pod"),
    ExcludedKind("operators.coreos.com", "clusterserviceversions", _OLM),
    ExcludedKind("operators.coreos.com", "installplans", _OLM),
    ExcludedKind("operators.coreos.com", "operatorconditions", _OLM),
    ExcludedKind("operators.coreos.com", "operatorgroups", _OLM),
    ExcludedKind("operators.coreos.com", "subscriptions", _OLM),
    ExcludedKind("packages.operators.coreos.com", "packagemanifests", "a view of the cluster's catalogs"),
    ExcludedKind("servicecatalog.k8s.io", "servicebindings", _CATALOG),
    ExcludedKind("servicecatalog.k8s.io", "servicebrokers", _CATALOG),
    ExcludedKind("servicecatalog.k8s.io", "serviceclasses", _CATALOG),
    ExcludedKind("servicecatalog.k8s.io", "serviceinstances", _CATALOG),
    ExcludedKind("servicecatalog.k8s.io", "serviceplans", _CATALOG),
    ExcludedKind("authorization.openshift.io", "rolebindings", "another view of rbac.authorization.k8s.io"),
    ExcludedKind("authorization.openshift.io", "roles", "another view of rbac.authorization.k8s.io"),
    ExcludedKind("template.openshift.io", "templateinstances", "would instantiate its template once more"),
    ExcludedKind("build.openshift.io", "builds", "would build once more; its BuildConfig travels"),
    ExcludedKind("image.openshift.io", "imagestreams", "images are moved with their layers"),
    ExcludedKind("image.openshift.io", "imagestreamtags", "a view of an image stream"),
    ExcludedKind("image.openshift.io", "imagetags", "a view of an image stream"),
    ExcludedKind("image.openshift.io", "imagestreamimages", "a view of an image stream"),
    ExcludedKind("velero.io", "backups", _VELERO),
    ExcludedKind("velero.io", "restores", _VELERO),
    ExcludedKind("velero.io", "resticrepositories", _VELERO),
    ExcludedKind("velero.io", "backuprepositories", _VELERO),
    ExcludedKind(names.GROUP, "*", "the migration's own record"),
)

SERVED_TWICE: Final = frozenset(
    {
        ("extensions", "daemonsets", "apps"),
        ("extensions", "deployments", "apps"),
        ("extensions", "replicasets", "apps"),
        ("extensions", "ingresses", "networking.k8s.io"),
        ("extensions", "networkpolicies", "networking.k8s.io"),
    }
)
"""(old group, plural, new group): the same objects under two names; the new one is taken where it is served."""


def excluded_kind(kind: ResourceType) -> str | None:
    """Why a kind never travels, or None."""
    for row in EXCLUDED_KINDS:
        if row.group == kind.group and row.plural in ("*", kind.plural):
            return row.reason
    return None


def _always(obj: Manifest) -> str | None:
    if "deletionTimestamp" in obj["metadata"]:
        return "is being deleted"
    labels = labels_of(obj)
    if names.RUN_LABEL in labels:
        return "is scaffolding of a migration"
    if labels.get(EXCLUDE_LABEL) == "true":
        return f"carries the label {EXCLUDE_LABEL}=true"
    if LEADER_ANNOTATION in annotations_of(obj):
        return "is a lock that a process on the source holds"
    return None


_PUBLISHED = {
    "kube-root-ca.crt": "Kubernetes publishes the cluster's own authority under this name",
    "openshift-service-ca.crt": "OpenShift publishes the cluster's own authority under this name",
    "istio-ca-root-cert": "Istio publishes the mesh's own authority under this name",
}


def _config_map(obj: Manifest) -> str | None:
    if any(owner.get("kind") in ("Build", "Pod") for owner in obj["metadata"].get("ownerReferences") or ()):
        return "is removed with the pod that it was made for"
    return _PUBLISHED.get(name_of(obj))


def _secret(obj: Manifest) -> str | None:
    annotations = annotations_of(obj)
    account = annotations.get(SERVICE_ACCOUNT_ANNOTATION) or annotations.get("openshift.io/token-secret.name")
    generated_types = (TOKEN_TYPE, "kubernetes.io/dockercfg", "kubernetes.io/dockerconfigjson")
    if account and obj.get("type") in generated_types and is_generated_name(name_of(obj), account):
        return "the platform generates one for each service account"
    if "openshift.io/internal-registry-auth-token.service-account" in annotations:
        return "the platform generates one for each service account"
    for version in ("alpha", "beta"):
        if f"service.{version}.openshift.io/originating-service-name" in annotations:
            return "OpenShift's service authority issues the certificate again"
    return None


def _pod(obj: Manifest) -> str | None:
    if MIRROR_ANNOTATION in annotations_of(obj):
        return "is the image of a static pod of a node"
    if read(obj, "status", "phase") in ("Succeeded", "Failed"):
        return "has run to its end and would run again"
    if "openshift.io/build.name" in annotations_of(obj):
        return "belongs to a build"
    return None


def _job(obj: Manifest) -> str | None:
    for condition in read(obj, "status", "conditions") or ():
        if condition.get("type") in ("Complete", "Failed") and condition.get("status") == "True":
            return "is finished and would run again"
    return None


def _role_binding(obj: Manifest) -> str | None:
    if name_of(obj) in ("system:image-pullers", "system:image-builders", "system:deployers"):
        return "OpenShift makes it in every project"
    return None


def _endpoint_slice(obj: Manifest) -> str | None:
    manager = labels_of(obj).get("endpointslice.kubernetes.io/managed-by", "")
    if manager in ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"):
        return "a controller makes it from a Service or from Endpoints"
    return None


def _endpoints(obj: Manifest) -> str | None:
    if labels_of(obj).get("endpoints.kubernetes.io/managed-by") == "endpoint-controller":
        return "a controller makes it from a Service"
    return None


RULES: Final[dict[GroupKind, Callable[[Manifest], str | None]]] = {
    ("", "ConfigMap"): _config_map,
    ("", "Endpoints"): _endpoints,
    ("", "Pod"): _pod,
    ("", "Secret"): _secret,
    ("batch", "Job"): _job,
    ("discovery.k8s.io", "EndpointSlice"): _endpoint_slice,
    ("rbac.authorization.k8s.io", "RoleBinding"): _role_binding,
}


def excluded_object(obj: Manifest) -> str | None:
    """Why this object stays behind although its kind travels, as the end of a sentence, or None."""
    rule = RULES.get(group_kind(obj))
    return _always(obj) or (rule(obj) if rule else None)
