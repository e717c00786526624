# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kinds that only OpenShift has, and images of its internal registry."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms import transform
from unit.objects.manifests import CONTEXT, deployment, live, notes, pod_spec, sent

Manifest = dict[str, Any]
REGISTRY = "image-registry.openshift-image-registry.svc:5000"
OLD_REGISTRY = "docker-registry.default.svc:5000"


@pytest.mark.parametrize(
    ("image", "there"),
    [
        (f"{REGISTRY}/shop/web@sha256:1234", f"{REGISTRY}/store/web@sha256:1234"),
        (f"{OLD_REGISTRY}/shop/web:latest", f"{OLD_REGISTRY}/store/web:latest"),
        (f"{REGISTRY}/openshift/httpd:2.4", f"{REGISTRY}/openshift/httpd:2.4"),
    ],
)
def test_images_of_the_own_registry_lie_in_the_new_project_and_are_told(image: str, there: str) -> None:
    result = transform(deployment(pod=pod_spec(containers=[{"name": "main", "image": image}])), CONTEXT)
    assert result.object is not None
    assert result.object["spec"]["template"]["spec"]["containers"][0]["image"] == there
    assert notes(result)[-1].endswith(f"image {there} lies in the cluster's own registry and has to be pushed there")
    assert any("rewritten" in note for note in notes(result)) is (image != there)


@pytest.mark.parametrize("image", ["quay.io/shop/web:1", "shop/web", "web", f"mirror.example.com/{REGISTRY}/shop/web"])
def test_other_images_stay(image: str) -> None:
    result = transform(deployment(pod=pod_spec(containers=[{"name": "main", "image": image}])), CONTEXT)
    assert result.object is not None
    assert result.object["spec"]["template"]["spec"]["containers"][0]["image"] == image
    assert notes(result) == []


def test_a_deployment_config_watches_the_stream_of_its_new_namespace() -> None:
    stream = {"kind": "ImageStreamTag", "name": "web:latest", "namespace": "shop"}
    seen = {"automatic": True, "containerNames": ["main"], "from": stream, "lastTriggeredImage": f"{REGISTRY}/shop/web"}
    obj = live(
        "apps.openshift.io/v1",
        "DeploymentConfig",
        spec={
            "replicas": 1,
            "triggers": [{"type": "ConfigChange"}, {"type": "ImageChange", "imageChangeParams": seen}],
            "template": {"spec": pod_spec()},
        },
        status={"latestVersion": 3},
    )
    written = sent(obj)
    parameters = written["spec"]["triggers"][1]["imageChangeParams"]
    assert parameters == {"automatic": True, "containerNames": ["main"], "from": {**stream, "namespace": "store"}}
    assert written["spec"]["triggers"][0] == {"type": "ConfigChange"}
    assert "status" not in written


def test_a_build_config_builds_into_its_new_namespace_with_the_secrets_of_the_destination() -> None:
    base = {"kind": "ImageStreamTag", "name": "httpd:2.4", "namespace": "openshift"}
    source = {"kind": "DockerImage", "name": f"{REGISTRY}/shop/base:1"}
    obj = live(
        "build.openshift.io/v1",
        "BuildConfig",
        spec={
            "output": {
                "to": {"kind": "ImageStreamTag", "name": "web:latest", "namespace": "shop"},
                "pushSecret": {"name": "builder-dockercfg-x2b4z"},
            },
            "strategy": {"dockerStrategy": {"from": source, "pullSecret": {"name": "of-the-user"}}},
            "triggers": [{"type": "ImageChange", "imageChange": {"from": base, "lastTriggeredImageID": "x"}}],
        },
    )
    spec = sent(obj)["spec"]
    assert spec["output"] == {"to": {"kind": "ImageStreamTag", "name": "web:latest", "namespace": "store"}}
    strategy = spec["strategy"]["dockerStrategy"]
    assert strategy == {
        "from": {"kind": "DockerImage", "name": f"{REGISTRY}/store/base:1"},
        "pullSecret": {"name": "of-the-user"},
    }
    assert spec["triggers"] == [{"type": "ImageChange", "imageChange": {"from": base}}]


@pytest.mark.parametrize(("written", "there"), [("v1", "apps.openshift.io/v1"), ("apps.openshift.io/v1",) * 2])
def test_an_autoscaler_finds_its_deployment_config(written: str, there: str) -> None:
    target = {"apiVersion": written, "kind": "DeploymentConfig", "name": "web"}
    obj = live("autoscaling/v1", "HorizontalPodAutoscaler", spec={"maxReplicas": 3, "scaleTargetRef": target})
    assert sent(obj)["spec"]["scaleTargetRef"]["apiVersion"] == there


def test_a_generated_route_host_goes_and_a_chosen_one_stays() -> None:
    spec = {"host": "web-shop.apps.example.com", "to": {"kind": "Service", "name": "web"}}
    generated = {"annotations": {"openshift.io/host.generated": "true"}}
    assert "host" not in sent(live("route.openshift.io/v1", "Route", metadata=generated, spec=spec))["spec"]
    assert sent(live("route.openshift.io/v1", "Route", spec=spec))["spec"]["host"] == spec["host"]
