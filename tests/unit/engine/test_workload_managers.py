# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who manages a workload, told from the marks that the field's tools leave; and which pods go with what is stopped."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine.quiesce import Managed
from ansible_collections.openmig.mtc.plugins.module_utils.engine.workload_managers import (
    goes_with_its_owner,
    managers_of,
)


def owned_by(api_version: str, kind: str, name: str, *, controller: bool = True) -> dict[str, Any]:
    return {"ownerReferences": [{"apiVersion": api_version, "kind": kind, "name": name, "controller": controller}]}


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
        owned_by("kafka.strimzi.io/v1beta2", "Kafka", "events", controller=False),
    ],
)
def test_what_nobody_scales_back_has_no_manager(metadata: dict[str, Any]) -> None:
    assert managers_of({"kind": "ReplicaSet", "metadata": {"name": "web", **metadata}}) == []


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
