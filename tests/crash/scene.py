# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One row's own small world: two namespaces with applications, hooks and a plan, named like nobody else's."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import AlreadyExists
from integration.conditions.tasks import Call, perform
from integration.migration import applications
from integration.migration.playbooks import Run, Started
from lab.images import HOOK_RUNNER
from lab.targets import targets

Manifest = dict[str, Any]
MEBIBYTES = 2
SETTINGS = 60
"""ConfigMaps beside each application, so that the restore takes a while."""
ACCOUNT = "worker"
HOOKS = {"PreBackup": "source", "PostBackup": "source", "PreRestore": "destination", "PostRestore": "destination"}
READY = {
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "category": "Required",
            "message": "The hook is ready.",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ]
}
"""What mig_hook says of a hook; it is not called for each row."""
BROKEN_IMAGE = "localhost/openmig/no-such-image:1"
PLAYBOOKS = {
    "final": "migrate",
    "final with storage": "migrate",
    "failing final": "migrate",
    "stage": "stage",
    "cancel": "cancel",
    "rollback": "rollback",
    "rollback with copy": "rollback",
    "final indirect": "migrate",
    "stage indirect": "stage",
    "cancel indirect": "cancel",
    "rollback indirect": "rollback",
}
"""The playbook that is disturbed, for each run of the table."""
INDIRECT = " indirect"
"""The end of the name of a run whose volumes go through the object storage."""
WITH_STORAGE = ("final with storage", *(run for run in PLAYBOOKS if run.endswith(INDIRECT)))
FIRST, LATER, ADOPT = "Name the destination cluster", "Plan the migration", "Adopt the source cluster"
"""Tasks at which the playbooks begin here: what comes before was done already."""


@dataclass
class Scene:
    """Where a row is played. ``kubeconfigs`` are what the playbook is given; the row's fault may stand in between."""

    source: Cluster
    destination: Cluster
    run: str
    options: Mapping[str, Any] = field(default_factory=dict)
    kubeconfigs: dict[str, Path] = field(default_factory=dict)
    storage: Mapping[str, Any] = field(default_factory=dict)
    later: str = LATER
    name: str = field(default_factory=lambda: f"crash-{secrets.token_hex(3)}")

    def __post_init__(self) -> None:
        self._begun = False
        self.commands: list[Started] = []
        known = targets()
        self.kubeconfigs = {"source": known.source, "destination": known.destination, **self.kubeconfigs}

    @property
    def source_namespaces(self) -> list[str]:
        return [f"{self.name}-a", f"{self.name}-b"]

    @property
    def destination_namespaces(self) -> list[str]:
        return [f"{name}-new" for name in self.source_namespaces]

    @property
    def resource_namespace(self) -> str:
        return f"{self.name}-openmig"

    @property
    def hook_namespace(self) -> str:
        return f"{self.name}-ops"

    @property
    def namespaces(self) -> list[str]:
        return [*self.source_namespaces, *self.destination_namespaces, self.resource_namespace, self.hook_namespace]

    @property
    def clusters(self) -> tuple[Cluster, Cluster]:
        return self.source, self.destination

    def variables(self) -> dict[str, Any]:
        """What the playbooks are told."""
        pairs = zip(self.source_namespaces, self.destination_namespaces, strict=True)
        told = {
            "mtc_source": {"kubeconfig": str(self.kubeconfigs["source"])},
            "mtc_destination": {"kubeconfig": str(self.kubeconfigs["destination"])},
            "mtc_plan": "app",
            "mtc_namespaces": [f"{source}:{target}" for source, target in pairs],
            "mtc_storage_class_mapping": {"source-ssd": "destination-fast"},
            "mtc_transfer_image": applications.IMAGE,
            "mtc_resource_namespace": self.resource_namespace,
            **self.options,
        }
        if self.run == "failing final":
            told["mtc_start_timeout"] = 20
        if self.run == "rollback with copy":
            told["mtc_rollback_sync"] = True
        if self.storage:
            told["mtc_storage"] = "backups"
        if self.run.endswith(INDIRECT):
            told["mtc_indirect_volumes"] = True
        return told

    def start(self, playbook: str | None = None, **changes: Any) -> Started:
        """The command, running."""
        chosen = playbook or PLAYBOOKS[self.run]
        task = self.later if self._begun else FIRST
        arguments = ("--start-at-task", task) if chosen in ("migrate", "stage") else ()
        self._begun = True
        started = Started({**self.variables(), **changes}, arguments, playbook=f"openmig.mtc.{chosen}")
        self.commands.append(started)
        return started

    def play(self, playbook: str | None = None, **changes: Any) -> Run:
        """The command, to its end."""
        return self.start(playbook, **changes).end()

    def build(self) -> None:
        """Applications, hooks and the plan are there and ready."""
        self.source.map(self._deploy, self.source_namespaces)
        self.source.map(self._make_workshop, self.clusters)
        _make(self.destination, {"apiVersion": "v1", "kind": "Namespace", **_named(self.resource_namespace)})
        self.destination.map(self.destination.create, [*self._hooks(), self._plan()])
        if self.storage:
            self.perform(("mig_storage", {"name": "backups", **self.storage}))

    def perform(self, *calls: Call) -> None:
        """Calls of modules, which all have to succeed."""
        results = perform(calls, namespace=self.resource_namespace)
        assert [result["failed"] for result in results] == [False] * len(results), results

    def adopt(self) -> None:
        """Both clusters are known."""
        self.perform(
            ("mig_cluster", {"name": "destination", "is_host_cluster": True}),
            ("mig_cluster", {"name": "source", "remote": {"kubeconfig": str(self.kubeconfigs["source"])}}),
        )

    def _resource(self, kind: str, name: str, spec: Manifest) -> Manifest:
        return {"apiVersion": names.API_VERSION, "kind": kind, **_named(name, self.resource_namespace), "spec": spec}

    def _hooks(self) -> list[Manifest]:
        failing = self.run == "failing final"
        made = []
        for phase, cluster in HOOKS.items():
            image = BROKEN_IMAGE if failing and phase == "PostBackup" else HOOK_RUNNER
            spec = {"targetCluster": cluster, "image": image, "custom": True, "activeDeadlineSeconds": 300}
            made.append({**self._resource(names.MIG_HOOK, phase.lower(), spec), "status": READY})
        return made

    def _plan(self) -> Manifest:
        """By hand, with the hooks, which the playbook has no variable for; it keeps what is there."""
        references = {
            field: {"name": name, "namespace": self.resource_namespace}
            for field, name in (("srcMigClusterRef", "source"), ("destMigClusterRef", "destination"))
        }
        hooks = [
            {
                "reference": {"name": phase.lower(), "namespace": self.resource_namespace},
                "phase": phase,
                "executionNamespace": self.hook_namespace,
                "serviceAccount": ACCOUNT,
            }
            for phase in HOOKS
        ]
        spec = {**references, "namespaces": self.variables()["mtc_namespaces"], "hooks": hooks}
        return self._resource(names.MIG_PLAN, "app", spec)

    def _deploy(self, namespace: str) -> None:
        objects = applications.manifests(namespace, mebibytes=MEBIBYTES, files=20)
        _make(self.source, objects[0])
        settings = [
            {"apiVersion": "v1", "kind": "ConfigMap", **_named(f"many-{number}", namespace), "data": {"n": "1"}}
            for number in range(SETTINGS)
        ]
        self.source.map(self.source.create, settings)
        applications.deploy(self.source, objects)

    def _make_workshop(self, cluster: Cluster) -> None:
        _make(cluster, {"apiVersion": "v1", "kind": "Namespace", **_named(self.hook_namespace)})
        _make(cluster, {"apiVersion": "v1", "kind": "ServiceAccount", **_named(ACCOUNT, self.hook_namespace)})

    def go_to_the_start(self, interrupted: Callable[[Started], None]) -> None:
        """What precedes the command: nothing, a finished migration to be rolled back, or one to be cancelled that was
        ``interrupted`` after the application had been stopped."""
        if self.run.startswith("rollback"):
            moved = self.play("migrate")
            assert moved.code == 0, moved.output
            for namespace in self.destination_namespaces:
                applications.await_ready(self.destination, namespace)
        if self.run.startswith("cancel"):
            interrupted(self.start("migrate", mtc_bandwidth=512, mtc_pre_copy=False))

    def migrations(self) -> list[Manifest]:
        """The MigMigrations, oldest first."""
        found = self.destination.list(names.API_VERSION, names.MIG_MIGRATION, self.resource_namespace)
        return sorted(found, key=lambda item: (item["metadata"]["creationTimestamp"], item["metadata"]["name"]))

    def remove(self) -> None:
        """Asked for; the harness sees to it that all of it goes."""
        for cluster in self.clusters:
            for namespace in self.namespaces:
                cluster.delete("v1", "Namespace", namespace)

    def remains(self) -> list[str]:
        """Namespaces that are not gone yet."""
        return [
            f"{cluster.name}: {namespace}"
            for cluster in self.clusters
            for namespace in self.namespaces
            if cluster.get("v1", "Namespace", namespace) is not None
        ]


def _named(name: str, namespace: str | None = None) -> Manifest:
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    return {"metadata": metadata}


def _make(cluster: Cluster, manifest: Manifest) -> None:
    try:
        cluster.create(manifest)
    except AlreadyExists:
        return
