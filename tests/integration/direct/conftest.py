# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two real clusters, claims of a small application on the source, and a pod that reads the copies."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.crds.conftest import definitions, role_on
from integration.migration import applications
from integration.migration.evidence import scaffolding
from integration.migration.playbooks import Run, Started, play
from integration.migration.waiting import until
from lab.targets import targets

CALL = str(Path(__file__).parent / "call.yml")
MODULE = "direct_volume_migration"
READER = "reader"


@dataclass
class World:
    """What one test has to itself: an application on the source, its copy's namespace, and one for resources."""

    source: Cluster
    destination: Cluster
    name: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def target(self) -> str:
        return f"{self.name}-new"

    @property
    def resources(self) -> str:
        return f"{self.name}-openmig"

    def call(self, module: str = MODULE, *arguments: str, **changes: Any) -> Run:
        """The module, to its end. Options of None are left out."""
        return play(self._variables(module, changes), *arguments, playbook=CALL)

    def start(self, **changes: Any) -> Started:
        """The module, running."""
        return Started(self._variables(MODULE, changes), (), CALL)

    def _variables(self, module: str, changes: dict[str, Any]) -> dict[str, Any]:
        files = targets()
        options: dict[str, Any] = {"kubeconfig": str(files.destination), "namespace": self.resources}
        if module == MODULE:
            claim = {"name": "data", "namespace": self.name, "target_namespace": self.target}
            options |= {
                "name": "data",
                "source": {"kubeconfig": str(files.source)},
                "destination": {"kubeconfig": str(files.destination)},
                "persistent_volume_claims": [{**claim, "target_storage_class": "destination-fast"}],
                "transfer_image": applications.IMAGE,
            }
        options = {key: value for key, value in {**options, **changes}.items() if value is not None}
        return {"call_module": module, "call_options": options}

    def deploy(self, **options: Any) -> None:
        """The application, on the source, ready."""
        applications.deploy(self.source, applications.manifests(self.name, **options))

    def stop(self) -> None:
        """The application stops; returns when its pod is gone."""
        self.source.patch("apps/v1", "Deployment", "web", self.name, patch={"spec": {"replicas": 0}})
        until(lambda: not list(self.source.list("v1", "Pod", self.name)), "the application has stopped")

    def stored(self, name: str = "data") -> dict[str, Any] | None:
        return self.destination.get(names.API_VERSION, names.DIRECT_VOLUME_MIGRATION, name, self.resources)

    def progress(self) -> list[dict[str, Any]]:
        return list(self.destination.list(names.API_VERSION, names.DIRECT_VOLUME_MIGRATION_PROGRESS, self.resources))

    def read(self, claim: str = "data", *, namespace: str | None = None, cluster: Cluster | None = None) -> list[str]:
        """Every file of a claim that no pod uses, as ``applications.files`` tells it; by a pod of its own."""
        where, cluster = namespace or self.target, cluster or self.destination
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": claim}}
        container = {
            "name": READER,
            "image": applications.IMAGE,
            "command": ["/bin/sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"],
            "securityContext": {"runAsUser": 0},
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }
        metadata = {"name": READER, "namespace": where, "labels": {"app": READER}}
        spec = {"containers": [container], "volumes": [volume], "terminationGracePeriodSeconds": 0}
        cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        until(lambda: self._runs(cluster, where), "the reader runs")
        try:
            return applications.shell(cluster, where, applications.MEASURE, READER).splitlines()
        finally:
            cluster.delete("v1", "Pod", READER, where)
            until(lambda: cluster.get("v1", "Pod", READER, where) is None, "the reader is gone")

    @staticmethod
    def _runs(cluster: Cluster, namespace: str) -> bool:
        pod = cluster.get("v1", "Pod", READER, namespace)
        return pod is not None and (pod.get("status") or {}).get("phase") == "Running"

    def left_behind(self) -> list[str]:
        return scaffolding((self.source, self.destination), [self.name, self.target, self.resources])

    def remove(self) -> None:
        wanted = [self.name, self.target, self.resources]
        for cluster in (self.source, self.destination):
            for namespace in wanted:
                cluster.delete("v1", "Namespace", namespace)
        for cluster in (self.source, self.destination):
            for namespace in wanted:
                end = time.monotonic() + 60
                while cluster.get("v1", "Namespace", namespace) is not None:
                    assert time.monotonic() < end, f"Namespace {namespace} does not go"
                    time.sleep(0.2)


@pytest.fixture(scope="session")
def source() -> Iterator[Cluster]:
    connected = connect({"kubeconfig": str(targets().source)}, name="source", environ={})
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def destination() -> Iterator[Cluster]:
    """With the definitions installed."""
    connected = connect({"kubeconfig": str(targets().destination)}, name="destination", environ={})
    if len(definitions(connected)) < len(names.KINDS):
        installed = role_on(targets().destination)()
        assert installed.code == 0, installed.output
    yield connected
    connected.close()


def new_world(source: Cluster, destination: Cluster) -> World:
    world = World(source, destination, f"dvm-{secrets.token_hex(3)}")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.resources}}
    destination.create(namespace)
    return world


@pytest.fixture
def world(source: Cluster, destination: Cluster) -> Iterator[World]:
    """At its end nothing that carries a run's label may be left, whatever the test was about."""
    made = new_world(source, destination)
    yield made
    left = made.left_behind()
    made.remove()
    assert left == []
