# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Both clusters, namespaces that are removed afterwards, and an application with one object of every kind."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.objects.collect import collect
from ansible_collections.openmig.mtc.plugins.module_utils.objects.context import TransformContext
from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms import transform
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import AlreadyExists
from lab.targets import targets

Manifest = dict[str, Any]
MakeNamespace = Callable[[Cluster, str], None]
FIXTURE = Path(__file__).parent / "application.yaml"

WIDGETS = "widgets.objects.openmig.test"
DEFINITION: Manifest = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": WIDGETS},
    "spec": {
        "group": "objects.openmig.test",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "listKind": "WidgetList", "plural": "widgets", "singular": "widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        ],
    },
}


def container(namespace: str) -> Manifest:
    """A container that does nothing and ends at once when told to, and names the application's Service."""
    return {
        "name": "main",
        "image": "localhost/openmig/mover:0.1.0",
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sleep", "infinity"],
        "env": [
            {"name": "BACKEND", "value": f"http://web.{namespace}.svc:80"},
            {"name": "HERE", "value": namespace},
        ],
    }


def application(namespace: str) -> list[Manifest]:
    """The manifests of the fixture, for that namespace."""
    text = FIXTURE.read_text().replace("CONTAINERS", json.dumps([container(namespace)]))
    text = text.replace("NAMESPACE", namespace).replace("NODEPORT", str(30000 + secrets.randbelow(2000)))
    found = list(yaml.safe_load(text)["items"])
    for obj in found:
        obj["metadata"]["namespace"] = namespace
    return found


def _connected(path: Path, name: str) -> Cluster:
    return connect({"kubeconfig": str(path)}, name=name, environ={})


@pytest.fixture(scope="session")
def source() -> Iterator[Cluster]:
    cluster = _connected(targets().source, "source")
    _define(cluster)
    yield cluster
    cluster.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", WIDGETS)
    cluster.close()


@pytest.fixture(scope="session")
def destination() -> Iterator[Cluster]:
    cluster = _connected(targets().destination, "destination")
    _define(cluster)
    yield cluster
    cluster.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", WIDGETS)
    cluster.close()


def _define(cluster: Cluster) -> None:
    with contextlib.suppress(AlreadyExists):
        cluster.create(DEFINITION)
    for _attempt in range(100):
        cluster.types(refresh=True)
        if any(kind.kind == "Widget" for kind in cluster.types()):
            return
        time.sleep(0.1)
    pytest.fail("the definition of Widget is not served")


@pytest.fixture
def make_namespace() -> Iterator[MakeNamespace]:
    made: list[tuple[Cluster, str]] = []

    def make(cluster: Cluster, name: str) -> None:
        made.append((cluster, name))
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        for _attempt in range(100):
            if cluster.get("v1", "ServiceAccount", "default", name):
                return
            time.sleep(0.05)

    yield make
    for cluster, name in made:
        cluster.delete("v1", "Namespace", name)


@pytest.fixture
def namespace() -> str:
    return f"objects-{secrets.token_hex(4)}"


@pytest.fixture
def target(namespace: str) -> str:
    return f"{namespace}-there"


@pytest.fixture
def context(namespace: str, target: str) -> TransformContext:
    return TransformContext(
        namespace_mapping={namespace: target},
        migplan_uid=f"plan-{secrets.token_hex(4)}",
        migmigration_uid=f"run-{secrets.token_hex(4)}",
    )


@pytest.fixture
def deployed(source: Cluster, make_namespace: MakeNamespace, namespace: str) -> list[Manifest]:
    """The application on the source, once its controllers have made what they make."""
    make_namespace(source, namespace)
    manifests = application(namespace)
    for obj in manifests:
        source.create(obj)
    for _attempt in range(200):
        pods = list(source.list("v1", "Pod", namespace))
        slices = list(source.list("discovery.k8s.io/v1", "EndpointSlice", namespace))
        if len(pods) >= 3 and len(slices) >= 5:
            return manifests
        time.sleep(0.1)
    pytest.fail("the controllers of the source have not made pods and endpoints")


def sent_from(source: Cluster, namespace: str, context: TransformContext, **options: Any) -> list[Manifest]:
    """What would be sent now."""
    found = [transform(obj, context) for obj in collect(source, namespaces=[namespace], **options)]
    return [item.object for item in found if item.object is not None]


@pytest.fixture
def empty(destination: Cluster, make_namespace: Callable[[Cluster, str], None], target: str) -> str:
    make_namespace(destination, target)
    return target


@pytest.fixture
def sent(source: Cluster, deployed: list[Manifest], namespace: str, context: TransformContext) -> list[Manifest]:
    return sent_from(source, namespace, context)
