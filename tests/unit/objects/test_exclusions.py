# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What stays behind, and why."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.resource_types import ResourceType
from ansible_collections.openmig.mtc.plugins.module_utils.objects.exclusions import excluded_kind, excluded_object
from unit.objects.manifests import live, pod_spec

Manifest = dict[str, Any]

UPSTREAM = [
    "imagetags",
    "templateinstances",
    "clusterserviceversions",
    "packagemanifests",
    "subscriptions",
    "servicebrokers",
    "servicebindings",
    "serviceclasses",
    "serviceinstances",
    "serviceplans",
    "operatorgroups",
    "events",
    "events.events.k8s.io",
    "rolebindings.authorization.openshift.io",
    "imagestreams",
    "persistentvolumes",
    "persistentvolumeclaims",
]
"""mig-operator's EXCLUDED_RESOURCES and what the initial backup excludes besides."""

GROUPS = {
    "imagetags": "image.openshift.io",
    "imagestreams": "image.openshift.io",
    "templateinstances": "template.openshift.io",
    "packagemanifests": "packages.operators.coreos.com",
    **dict.fromkeys(("clusterserviceversions", "subscriptions", "operatorgroups"), "operators.coreos.com"),
    **dict.fromkeys(
        ("servicebrokers", "servicebindings", "serviceclasses", "serviceinstances", "serviceplans"),
        "servicecatalog.k8s.io",
    ),
}


def kind_of(group: str, plural: str) -> ResourceType:
    return ResourceType(group=group, version="v1", kind=plural.title(), plural=plural, namespaced=True)


@pytest.mark.parametrize("name", UPSTREAM)
def test_upstreams_list_is_covered(name: str) -> None:
    plural, _dot, group = name.partition(".")
    assert excluded_kind(kind_of(group or GROUPS.get(plural, ""), plural))


@pytest.mark.parametrize(
    ("group", "plural", "excluded"),
    [
        ("coordination.k8s.io", "leases", True),
        ("apps", "controllerrevisions", True),
        ("metrics.k8s.io", "pods", True),
        ("", "pods", False),
        ("apps", "deployments", False),
        ("messaging.knative.dev", "subscriptions", False),
        ("rbac.authorization.k8s.io", "rolebindings", False),
        ("migration.openshift.io", "migplans", True),
    ],
)
def test_kinds(group: str, plural: str, excluded: bool) -> None:
    assert bool(excluded_kind(kind_of(group, plural))) is excluded


def meta(**fields: Any) -> Manifest:
    return {"metadata": fields}


def token(name: str, account: str, type: str = "kubernetes.io/service-account-token") -> Manifest:
    annotations = {"kubernetes.io/service-account.name": account}
    return live("v1", "Secret", name=name, type=type, metadata={"annotations": annotations})


def condition(type: str, status: str = "True") -> Manifest:
    return {"conditions": [{"type": type, "status": status}]}


@pytest.mark.parametrize(
    ("obj", "reason"),
    [
        (live("v1", "ConfigMap"), None),
        (live("v1", "ConfigMap", metadata={"deletionTimestamp": "2024"}), "is being deleted"),
        (live("v1", "ConfigMap", metadata={"labels": {"openmig.io/run": "1"}}), "is scaffolding"),
        (live("v1", "ConfigMap", metadata={"labels": {"velero.io/exclude-from-backup": "true"}}), "carries the label"),
        (live("v1", "ConfigMap", metadata={"labels": {"velero.io/exclude-from-backup": "false"}}), None),
        (
            live("v1", "Endpoints", metadata={"annotations": {"control-plane.alpha.kubernetes.io/leader": "{}"}}),
            "is a lock",
        ),
        (live("v1", "ConfigMap", name="kube-root-ca.crt"), "Kubernetes publishes"),
        (live("v1", "ConfigMap", name="openshift-service-ca.crt"), "OpenShift publishes"),
        (live("v1", "Secret", name="kube-root-ca.crt"), None),
        (live("v1", "ConfigMap", metadata={"ownerReferences": [{"kind": "Pod", "name": "a-build"}]}), "with the pod"),
        (token("shop-token-x2b4z", "shop"), "the platform generates"),
        (token("shop-token", "shop"), None),
        (token("other-token-x2b4z", "shop"), None),
        (token("shop-dockercfg-x2b4z", "shop", "kubernetes.io/dockercfg"), "the platform generates"),
        (token("shop-token-x2b4z", "shop", "Opaque"), None),
        (
            live(
                "v1",
                "Secret",
                metadata={"annotations": {"service.beta.openshift.io/originating-service-name": "web"}},
            ),
            "OpenShift's service authority",
        ),
        (live("v1", "Pod", spec=pod_spec(), status={"phase": "Running"}), None),
        (live("v1", "Pod", spec=pod_spec(), status={"phase": "Succeeded"}), "has run to its end"),
        (live("v1", "Pod", spec=pod_spec(), status={"phase": "Failed"}), "has run to its end"),
        (live("v1", "Pod", metadata={"annotations": {"kubernetes.io/config.mirror": "x"}}), "static pod"),
        (live("v1", "Pod", metadata={"annotations": {"openshift.io/build.name": "x"}}), "belongs to a build"),
        (live("batch/v1", "Job", status=condition("Complete")), "is finished"),
        (live("batch/v1", "Job", status=condition("Failed")), "is finished"),
        (live("batch/v1", "Job", status=condition("Complete", "False")), None),
        (live("batch/v1", "Job", status=condition("Suspended")), None),
        (live("rbac.authorization.k8s.io/v1", "RoleBinding", name="system:image-pullers"), "OpenShift makes it"),
        (live("rbac.authorization.k8s.io/v1", "RoleBinding", name="system:mine"), None),
        (
            live(
                "discovery.k8s.io/v1",
                "EndpointSlice",
                metadata={"labels": {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}},
            ),
            "a controller makes it",
        ),
        (
            live(
                "discovery.k8s.io/v1",
                "EndpointSlice",
                metadata={"labels": {"endpointslice.kubernetes.io/managed-by": "me"}},
            ),
            None,
        ),
        (
            live("v1", "Endpoints", metadata={"labels": {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}}),
            "a controller makes it",
        ),
    ],
)
def test_objects(obj: Manifest, reason: str | None) -> None:
    told = excluded_object(obj)
    assert told is None if reason is None else reason in str(told)
