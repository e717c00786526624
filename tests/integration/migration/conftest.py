# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two real clusters, an application of its own for each test, and the proof at each test's end that nothing was left
behind."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from integration.migration import applications
from integration.migration.applications import Manifest
from integration.migration.evidence import scaffolding
from integration.migration.playbooks import Run, Started, play
from lab.targets import targets

GONE_WITHIN = 60


@dataclass(frozen=True)
class World:
    """What one test has to itself: a namespace on each cluster and one for its resources, named like nobody else's."""

    source: Cluster
    destination: Cluster
    name: str
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def source_namespace(self) -> str:
        return self.name

    @property
    def destination_namespace(self) -> str:
        return f"{self.name}-new"

    @property
    def resource_namespace(self) -> str:
        return f"{self.name}-openmig"

    @property
    def namespaces(self) -> list[str]:
        """Of both clusters; one that a cluster does not have is an empty one."""
        return [self.source_namespace, self.destination_namespace, self.resource_namespace]

    def variables(self, **changes: Any) -> dict[str, Any]:
        """The playbook's variables for this world."""
        files = targets()
        return {
            "mtc_source": {"kubeconfig": str(files.source)},
            "mtc_destination": {"kubeconfig": str(files.destination)},
            "mtc_plan": "app",
            "mtc_namespaces": [f"{self.source_namespace}:{self.destination_namespace}"],
            "mtc_storage_class_mapping": {"source-ssd": "destination-fast", "source-hdd": "destination-slow"},
            "mtc_transfer_image": applications.IMAGE,
            "mtc_resource_namespace": self.resource_namespace,
            **changes,
        }

    def deploy(self, objects: list[Manifest] | None = None, **options: Any) -> None:
        """The application, on the source, ready."""
        applications.deploy(self.source, objects or applications.manifests(self.source_namespace, **options))

    def migrate(self, *arguments: str, **changes: Any) -> Run:
        """The playbook, to its end."""
        return play(self.variables(**changes), *arguments)

    def stage(self, *arguments: str, **changes: Any) -> Run:
        """The playbook that copies the volumes while the application runs."""
        return play(self.variables(**changes), *arguments, playbook="openmig.mtc.stage")

    def start(self, *arguments: str, **changes: Any) -> Started:
        """The playbook, running."""
        return Started(self.variables(**changes), arguments)

    def left_behind(self) -> list[str]:
        return scaffolding((self.source, self.destination), self.namespaces)


@pytest.fixture(scope="session")
def source() -> Iterator[Cluster]:
    connected = connect({"kubeconfig": str(targets().source)}, name="source", environ={})
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def destination() -> Iterator[Cluster]:
    connected = connect({"kubeconfig": str(targets().destination)}, name="destination", environ={})
    yield connected
    connected.close()


def _remove(cluster: Cluster, namespaces: list[str]) -> None:
    for namespace in namespaces:
        cluster.delete("v1", "Namespace", namespace)


def _await_gone(cluster: Cluster, namespaces: list[str]) -> None:
    until = time.monotonic() + GONE_WITHIN
    for namespace in namespaces:
        while cluster.get("v1", "Namespace", namespace) is not None:
            assert time.monotonic() < until, f"Namespace {namespace} does not go"
            time.sleep(0.2)


@pytest.fixture
def world(source: Cluster, destination: Cluster) -> Iterator[World]:
    """A world of its own; at the end nothing that carries a run's label may be left in it, whatever the test was
    about."""
    made = World(source, destination, f"mig-{secrets.token_hex(3)}")
    yield made
    left = made.left_behind()
    for cluster in (source, destination):
        _remove(cluster, made.namespaces)
    for cluster in (source, destination):
        _await_gone(cluster, made.namespaces)
    assert left == []


@pytest.fixture
def make_world(source: Cluster, destination: Cluster) -> Iterator[Callable[[], World]]:
    """For tests that need more than one world; the same promise for each."""
    made: list[World] = []

    def make() -> World:
        made.append(World(source, destination, f"mig-{secrets.token_hex(3)}"))
        return made[-1]

    yield make
    left = [line for each in made for line in each.left_behind()]
    for each in made:
        for cluster in (source, destination):
            _remove(cluster, each.namespaces)
    for each in made:
        for cluster in (source, destination):
            _await_gone(cluster, each.namespaces)
    assert left == []
