# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Volumes with an application on the source cluster, and transfers of them."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import MtcError
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.claims import claim_manifest
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.model import (
    RunIdentity,
    TransferOptions,
    VolumeMove,
)
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.transfer import Transfer
from lab.targets import targets

IMAGE = "localhost/openmig/mover:0.1.0"
MIB = 1 << 20
SOURCE_CLASS = "source-ssd"
TARGET_CLASS = "destination-fast"


def new_connections() -> tuple[Cluster, Cluster]:
    """Connections as a new process would have them."""
    found = targets()
    return (
        connect({"kubeconfig": str(found.source)}, name="source", environ={}),
        connect({"kubeconfig": str(found.destination)}, name="destination", environ={}),
    )


def until(step: Callable[[], str | None], *, seconds: float = 60) -> float:
    """Call until it is done; how long it took. Each call returns soon."""
    began = time.monotonic()
    while True:
        called = time.monotonic()
        waiting = step()
        assert time.monotonic() - called < 10
        if waiting is None:
            return time.monotonic() - began
        assert time.monotonic() - began < seconds, waiting


@dataclass
class World:
    """Namespaces of one test on both clusters."""

    source: Cluster
    destination: Cluster
    namespaces: list[str] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)

    def namespace(self, labels: dict[str, str] | None = None) -> str:
        name = f"volumes-{secrets.token_hex(3)}"
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels or {}}}
        for cluster in (self.source, self.destination):
            cluster.create(manifest)
        self.namespaces.append(name)
        return name

    def application(
        self, namespace: str, claims: Sequence[str], script: str, *, security: dict[str, Any] | None = None
    ) -> None:
        """A pod that mounts the claims at /<claim>, runs the script and stays; returns when the script is done."""
        for claim in claims:
            self.source.create(
                {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "metadata": {"name": claim, "namespace": namespace, "labels": {"app": "shop"}},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "storageClassName": SOURCE_CLASS,
                        "resources": {"requests": {"storage": "200Mi"}},
                    },
                }
            )
        container: dict[str, Any] = {
            "name": "shop",
            "image": IMAGE,
            "command": ["/bin/sh", "-c", f"set -e; {script}\n: >/tmp/done; sleep 100000"],
            "volumeMounts": [
                *({"name": claim, "mountPath": f"/{claim}"} for claim in claims),
                {"name": "tmp", "mountPath": "/tmp"},
            ],
        }
        spec: dict[str, Any] = {"terminationGracePeriodSeconds": 0, "securityContext": {"runAsUser": 0}}
        if security is not None:
            spec["securityContext"] = security
            container["securityContext"] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        spec["containers"] = [container]
        spec["volumes"] = [
            *({"name": claim, "persistentVolumeClaim": {"claimName": claim}} for claim in claims),
            {"name": "tmp", "emptyDir": {}},
        ]
        metadata = {"name": "shop", "namespace": namespace}
        self.source.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        until(lambda: self.wait_for_file(namespace, "/tmp/done"))

    def wait_for_file(self, namespace: str, path: str) -> str | None:
        time.sleep(0.3)
        pod = self.source.get("v1", "Pod", "shop", namespace)
        if pod is None or (pod.get("status") or {}).get("phase") != "Running":
            return "the application starts"
        try:
            found = self.source.exec(namespace, "shop", ["/usr/bin/test", "-e", path]).exit_code == 0
        except MtcError as error:
            return error.message
        return None if found else "the application writes"

    def shell(self, namespace: str, script: str, *, pod: str = "shop", destination: bool = False) -> str:
        cluster = self.destination if destination else self.source
        result = cluster.exec(namespace, pod, ["/bin/sh", "-c", script])
        assert result.exit_code == 0, result
        return result.stdout

    def moves(self, *volumes: tuple[str, str], size: int = 220 * MIB) -> list[VolumeMove]:
        return [
            VolumeMove(
                source_namespace=namespace,
                source_claim=claim,
                target_namespace=namespace,
                target_claim=f"{claim}-new",
                storage_class=TARGET_CLASS,
                access_modes=("ReadWriteOnce",),
                volume_mode="Filesystem",
                size=size,
            )
            for namespace, claim in volumes
        ]

    def identity(self) -> RunIdentity:
        return RunIdentity(
            migration="move",
            uid=str(uuid.uuid4()),
            plan_uid=str(uuid.uuid4()),
            namespace="openmig",
            generation=1,
            deadline_seconds=1800,
        )

    def claims(self, moves: Sequence[VolumeMove], identity: RunIdentity) -> None:
        for move in moves:
            found = self.source.get("v1", "PersistentVolumeClaim", move.source_claim, move.source_namespace)
            assert found is not None
            self.destination.create(claim_manifest(found, move, identity))

    def transfer(
        self,
        moves: Sequence[VolumeMove],
        identity: RunIdentity,
        *,
        connections: tuple[Cluster, Cluster] | None = None,
        report: Callable[[str], None] = lambda _fact: None,
        **options: Any,
    ) -> Transfer:
        source, destination = connections or (self.source, self.destination)
        chosen = {"source_image": IMAGE, "destination_image": IMAGE, "start_timeout": 60.0, **options}
        made = Transfer(source, destination, moves, identity, TransferOptions(**chosen), report)
        self.transfers.append(made)
        return made

    def digest(self, namespace: str, claim: str, *, destination: bool = False) -> str:
        """A digest over names, modes, owners, times and contents of a volume, read by a pod of its own."""
        cluster = self.destination if destination else self.source
        name = f"read-{secrets.token_hex(3)}"
        script = (
            "cd /volume; { find . -path ./lost+found -prune -o -printf '%p %y %m %U %G %T@ %l\\n' | sort; "
            "find . -path ./lost+found -prune -o -type f -print0 | sort -z | xargs -0r sha256sum; } | sha256sum; "
            "sleep 1000"
        )
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [
                    {
                        "name": "read",
                        "image": IMAGE,
                        "command": ["/bin/sh", "-c", script],
                        "securityContext": {"runAsUser": 0},
                        "volumeMounts": [{"name": "volume", "mountPath": "/volume", "readOnly": True}],
                    }
                ],
                "volumes": [{"name": "volume", "persistentVolumeClaim": {"claimName": claim}}],
            },
        }
        cluster.create(pod)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            time.sleep(0.3)
            try:
                lines = list(cluster.logs(namespace, name))
            except MtcError:
                continue
            if lines:
                cluster.delete("v1", "Pod", name, namespace, grace_seconds=0)
                return lines[0]
        raise AssertionError(f"Pod {namespace}/{name} said nothing")


@pytest.fixture(scope="module")
def clusters() -> Iterator[tuple[Cluster, Cluster]]:
    made = new_connections()
    yield made
    for each in made:
        each.close()


@pytest.fixture
def world(clusters: tuple[Cluster, Cluster]) -> Iterator[World]:
    made = World(source=clusters[0], destination=clusters[1])
    yield made
    for transfer in made.transfers:
        transfer.remove(wait=False)
    for name in made.namespaces:
        for cluster in clusters:
            cluster.delete("v1", "Namespace", name)
