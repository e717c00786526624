# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A real Velero for one cluster: its server runs on this machine with a kubeconfig, and its command line asks it.

It differs from an installed one in where it runs, and in that there are no agents on the nodes, which are for volumes.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from integration.migration.waiting import until
from integration.stores import servers
from lab import peers, s3
from lab.programs import Programs

Manifest = dict[str, Any]
DEFINITION = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
API_VERSION = "velero.io/v1"
LOCATION = "migrations"
PREFIX = "velero"
SECRET, KEY = "cloud-credentials", "cloud"
LIMIT = 180
"""Seconds for one command."""
SYNCED_WITHIN = 150
"""The server looks into its buckets once a minute, and passes over one that it has not tried yet."""
PAUSE = 0.5
GONE_WITHIN = 60


@dataclass(frozen=True)
class Velero:
    """The command line, for the server that runs. ``folder`` is for what it writes."""

    programs: Programs
    cluster: Cluster
    kubeconfig: Path
    namespace: str
    folder: Path

    def run(self, *words: str) -> str:
        """What ``velero`` prints; a command that fails fails the test."""
        done = subprocess.run(
            [str(self.programs.path("velero")), "--colorized=false", *words],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        said = f"velero {' '.join(words)}:\n{done.stdout}{done.stderr}\nThe server:\n{self.log}"
        assert done.returncode == 0, said
        return done.stdout

    def names(self, kind: str) -> list[str]:
        """What ``velero KIND get`` lists."""
        found = json.loads(self.run(kind, "get", "--output", "json") or "{}")
        items = found["items"] if found.get("kind", "").endswith("List") else [found] if found else []
        return sorted(item["metadata"]["name"] for item in items)

    def await_backups(self, *names: str) -> None:
        """Wait until ``velero backup get`` lists these and no others; if not, the server's log says why."""
        end = time.monotonic() + SYNCED_WITHIN
        while (listed := self.names("backup")) != sorted(names):
            assert time.monotonic() < end, f"listed are {listed} and not {sorted(names)}; the server:\n{self.log}"
            time.sleep(PAUSE)

    def object(self, kind: str, name: str) -> Manifest:
        """A resource of Velero's, as the cluster has it."""
        found = self.cluster.get(API_VERSION, kind, name, self.namespace)
        assert found is not None, f"there is no {kind} {name}"
        return found

    def allow_removal(self) -> None:
        """Takes the protection off the bucket; there is no command for it."""
        patch = {"spec": {"accessMode": "ReadWrite"}}
        self.cluster.patch(API_VERSION, "BackupStorageLocation", LOCATION, self.namespace, patch=patch)

    @property
    def environment(self) -> dict[str, str]:
        """The server's and the commands'. Nothing of this machine's user is read, and nothing is left."""
        return {
            **os.environ,
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "KUBECONFIG": str(self.kubeconfig),
            "VELERO_NAMESPACE": self.namespace,
        }

    @property
    def log(self) -> str:
        file = self.folder / "log"
        return file.read_text(errors="replace")[-4000:] if file.exists() else "has not been started"


@contextmanager
def velero(cluster: Cluster, kubeconfig: Path, *, namespace: str, bucket: str) -> Iterator[Velero]:
    """A server that watches the bucket, until the end of the block; then it and all that it has are gone."""
    with ExitStack() as stack:
        # Not the test's own folder: sockets of plugins lie here, and the path of one may have no more than 108 letters.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="velero-")))
        made = Velero(peers.velero(), cluster, kubeconfig, namespace, folder)
        definitions = _definitions(made)
        there = [name for name in definitions if cluster.get(*DEFINITION, name) is not None]
        assert not there, f"the cluster has a Velero of its own: {', '.join(there)}"
        stack.callback(_remove, made, list(definitions))
        _install(made, definitions, bucket)
        (folder / "plugins").mkdir()
        (folder / "plugins" / "aws").symlink_to(made.programs.path("velero-plugin-for-aws"))
        port = servers.free_port()
        words = ["server", f"--plugin-dir={folder / 'plugins'}", f"--metrics-address=127.0.0.1:{port}"]
        program = str(made.programs.path("velero"))
        stack.enter_context(servers.running(folder, [program, *words], port=port, env=made.environment))
        until(lambda: _available(made), f"the location is available; the server:\n{made.log}")
        yield made


def _definitions(velero: Velero) -> dict[str, Manifest]:
    """Velero's kinds, as it installs them."""
    printed = velero.run("install", "--crds-only", "--dry-run", "--output", "yaml")
    return {item["metadata"]["name"]: item for item in yaml.safe_load(printed)["items"]}


def _install(velero: Velero, definitions: dict[str, Manifest], bucket: str) -> None:
    cluster, store = velero.cluster, s3.storage()
    for definition in definitions.values():
        cluster.create(definition)
    for name in definitions:
        until(lambda name=name: _established(cluster, name), f"{name} is served")  # type: ignore[misc]
    cluster.types(refresh=True)
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": velero.namespace}})
    keys = f"[default]\naws_access_key_id={store.access_key}\naws_secret_access_key={store.secret_key}\n"
    metadata = {"name": SECRET, "namespace": velero.namespace}
    cluster.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {KEY: keys}})
    cluster.create(_deployment(velero))
    config = f"region={store.region},s3ForcePathStyle=true,s3Url={store.endpoint}"
    velero.run(
        "backup-location",
        "create",
        LOCATION,
        "--provider=aws",
        f"--bucket={bucket}",
        f"--prefix={PREFIX}",
        f"--config={config}",
        f"--credential={SECRET}={KEY}",
        "--access-mode=ReadOnly",
        "--backup-sync-period=10s",
    )


def _deployment(velero: Velero) -> Manifest:
    """Stands for the one that an installed server runs in: a restore reads from it which image its pods have. None is
    started of it, for the server is a process of this machine."""
    labels = {"deploy": "velero"}
    container = {"name": "velero", "image": f"velero/velero:{peers.velero_version()}"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "velero", "namespace": velero.namespace},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def _established(cluster: Cluster, name: str) -> bool:
    found = cluster.get(*DEFINITION, name) or {}
    conditions = (found.get("status") or {}).get("conditions") or ()
    return any(item["type"] == "Established" and item["status"] == "True" for item in conditions)


def _available(velero: Velero) -> bool:
    status = velero.object("BackupStorageLocation", LOCATION).get("status") or {}
    assert status.get("phase") != "Unavailable", f"{status.get('message')}; the server:\n{velero.log}"
    return status.get("phase") == "Available"


def _remove(velero: Velero, definitions: list[str]) -> None:
    """Everything of Velero's. The server is gone, so nobody else takes the finalizers off."""
    cluster, namespace = velero.cluster, velero.namespace
    cluster.types(refresh=True)
    for kind in (kind for kind in cluster.types() if kind.group == "velero.io" and kind.namespaced):
        for item in cluster.list(kind.api_version, kind.kind, namespace):
            if item["metadata"].get("finalizers"):
                patch = {"metadata": {"finalizers": None}}
                cluster.patch(kind.api_version, kind.kind, item["metadata"]["name"], namespace, patch=patch)
    cluster.delete("v1", "Namespace", namespace)
    for name in definitions:
        cluster.delete(*DEFINITION, name)

    def gone() -> bool:
        left = [name for name in definitions if cluster.get(*DEFINITION, name) is not None]
        return not left and cluster.get("v1", "Namespace", namespace) is None

    until(gone, "Velero's definitions and its namespace are gone", seconds=GONE_WITHIN)
