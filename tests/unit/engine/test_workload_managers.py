# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who manages a workload, told from the marks that the field's tools leave; and which pods go with what is stopped."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine.quiesce import Managed
from ansible_collections.openmig.mtc.plugins.module_utils.engine.restarts import restless
from ansible_collections.openmig.mtc.plugins.module_utils.engine.workload_managers import (
    argo_cd_by_default,
    goes_with_its_owner,
    managers_of,
)


def owned_by(api_version: str, kind: str, name: str, *, controller: bool = True) -> dict[str, Any]:
    return {"ownerReferences": [{"apiVersion": api_version, "kind": kind, "name": name, "controller": controller}]}


INSTANCE = {"app.kubernetes.io/instance": "shop"}
MANAGED: list[tuple[dict[str, Any], str, str]] = [
    (
        {"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:prod/web"}},
        "Argo CD application shop",
        "automatic sync",
    ),
    ({"labels": {"argocd.argoproj.io/instance": "shop"}}, "Argo CD application shop", "automatic sync"),
    (
        {"labels": {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux"}},
        "Flux Kustomization flux/apps",
        "suspend",
    ),
    (
        {"labels": {"helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "prod"}},
        "Flux HelmRelease prod/web",
        "suspend",
    ),
    ({"labels": {"olm.owner": "prometheus.v1"}}, "OLM ClusterServiceVersion prometheus.v1", "subscription"),
    (owned_by("kafka.strimzi.io/v1beta2", "Kafka", "events"), "the operator of Kafka events", "pause that operator"),
    (
        owned_by("kafka.strimzi.io/v1beta2", "Kafka", "events", controller=False),
        "the operator of Kafka events",
        "pause that operator",
    ),
    ({"labels": {"scaledobject.keda.sh/name": "queue"}}, "KEDA ScaledObject queue", "autoscaling.keda.sh/paused"),
    (owned_by("keda.sh/v1alpha1", "ScaledObject", "queue"), "KEDA ScaledObject queue", "autoscaling.keda.sh/paused"),
    (owned_by("keda.sh/v1alpha1", "ScaledJob", "queue"), "the operator of ScaledJob queue", "pause that operator"),
]


@pytest.mark.parametrize(("metadata", "name", "mend"), MANAGED, ids=lambda part: part if isinstance(part, str) else "")
def test_a_manager_is_named_with_the_mend(metadata: dict[str, Any], name: str, mend: str) -> None:
    (manager,) = managers_of({"kind": "Deployment", "metadata": {"name": "web", **metadata}})
    assert manager.name == name
    assert mend in manager.mend
    told = str(Managed("Deployment prod/web", manager))
    assert told.startswith(f"Deployment prod/web is managed by {name}, which may start it again: ")


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"labels": {"app.kubernetes.io/managed-by": "Helm"}},
        owned_by("apps/v1", "Deployment", "web"),
        owned_by("v1", "ConfigMap", "web", controller=False),
    ],
)
def test_what_nobody_scales_back_has_no_manager(metadata: dict[str, Any]) -> None:
    assert managers_of({"kind": "ReplicaSet", "metadata": {"name": "web", **metadata}}) == []


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ({"labels": INSTANCE}, "Argo CD application shop"),
        ({"labels": {**INSTANCE, "app.kubernetes.io/managed-by": "Helm"}}, "Argo CD application shop"),
        ({"labels": INSTANCE, "annotations": {"meta.helm.sh/release-name": "shop"}}, None),
        ({"labels": INSTANCE, "annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:a/b"}}, None),
        ({}, None),
    ],
    ids=["default", "rendered-from-a-chart", "released-by-helm", "named-already", "none"],
)
def test_the_default_label_of_argo_cd_is_no_release_of_helm(metadata: dict[str, Any], name: str | None) -> None:
    manager = argo_cd_by_default({"kind": "Deployment", "metadata": {"name": "web", **metadata}})
    assert (manager and manager.name) == name


@pytest.mark.parametrize(
    ("metadata", "spec", "who"),
    [
        ({}, {"minReplicas": 1}, None),
        ({}, {}, None),
        ({}, {"minReplicas": 0}, "HorizontalPodAutoscaler web (minReplicas 0)"),
        (owned_by("keda.sh/v1alpha1", "ScaledObject", "queue"), {"minReplicas": 1}, "KEDA ScaledObject queue"),
    ],
    ids=["rests", "rests-by-default", "starts-from-0", "keda"],
)
def test_only_autoscalers_that_start_from_0_are_restless(
    metadata: dict[str, Any], spec: dict[str, Any], who: str | None
) -> None:
    found = restless({"kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", **metadata}, "spec": spec})
    assert (found and found[0]) == who


@pytest.mark.parametrize(
    ("metadata", "goes"),
    [
        (owned_by("apps/v1", "ReplicaSet", "web-1"), True),
        (owned_by("batch/v1", "Job", "nightly"), True),
        ({}, False),
        (owned_by("core.strimzi.io/v1beta2", "StrimziPodSet", "kafka"), False),
        (owned_by("apps.example.com/v1", "StatefulSet", "db"), False),
    ],
)
def test_only_pods_of_what_is_stopped_go_with_it(metadata: dict[str, Any], goes: bool) -> None:
    assert goes_with_its_owner({"kind": "Pod", "metadata": {"name": "x", **metadata}}) is goes
