# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Puts the scaffolding of a run on both clusters, or completes what an earlier process has left of it.

Everything is looked up first, then made in as few waves as the objects' dependencies allow, each wave side by side on
both clusters: anchors; services and keys; configuration; pods.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..cluster.api import Cluster
from ..resources import names
from ..resources.errors import AlreadyExists, Forbidden, NotFound
from . import cleanup, credentials, endpoint, manifests
from .admission import admitted
from .claims import require_filesystem
from .consumers import Consumer, consumers, node_for
from .layout import Layout, Role
from .model import SettledProfile, TransferOptions, VolumeMove
from .personas import receiver, sender
from .pods_client import client_pod
from .pods_server import server_pod
from .profiles import Persona

Manifest = dict[str, Any]
SIDE_BY_SIDE = 16
EXPIRES_SOON = dt.timedelta(minutes=10)


@dataclass(kw_only=True)
class Found:
    """What there was before anything was made."""

    objects: dict[tuple[str, str], list[Manifest]] = field(default_factory=dict)
    """(side, kind) to the run's objects."""
    consumers: dict[tuple[str, str], Consumer] = field(default_factory=dict)
    """(source namespace, claim) to a pod that mounts it."""
    claims: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    nodes: list[Manifest] = field(default_factory=list)


class Setup:
    """Made once in a process. After ``prepare()`` the pods' manifests can be had at any time."""

    def __init__(
        self,
        source: Cluster,
        destination: Cluster,
        layout: Layout,
        options: TransferOptions,
        report: Callable[[str], None],
    ) -> None:
        self._source = source
        self._destination = destination
        self._layout = layout
        self._options = options
        self._report = report
        self._anchors: dict[tuple[Role, str], str] = {}
        self._maps: dict[tuple[Role, str], str] = {}
        self._secrets = ""
        self._profiles: dict[str, SettledProfile] = {}
        self._found = Found()
        self.endpoints: dict[str, tuple[str, int]] = {}

    def profile(self, move: VolumeMove) -> SettledProfile:
        """With which profile a volume is copied."""
        return self._profiles[move.target_namespace]

    def prepare(self) -> str | None:
        """Everything but the pods; a text while an expired predecessor has to go first.

        Raises Refused, Forbidden, NotFound (namespace, claim) and what clusters raise.
        """
        for move in self._layout.moves:
            require_filesystem(move)
        self._found = self._look()
        if any(_expired(item) for side in ("server", "client") for item in self._found.objects[side, "ConfigMap"]):
            # Its certificates and pods end with it; what is proven is lost with the pods and will be read again.
            cleanup.remove(cleanup.leftovers(self._source, self._destination, self._layout))
            return "scaffolding of this run that has expired is being replaced"
        self._choose_profiles()
        host = self._options.endpoint_address or endpoint.node_address(self._found.nodes)
        self._make_anchors()
        services = self._make_services_and_secrets(host)
        self.endpoints = {
            namespace: endpoint.address(service, self._options, self._found.nodes)
            for namespace, service in services.items()
        }
        self._make_config_maps(services)
        return None

    # -- pods --------------------------------------------------------------------------------------------------------

    def expected(self, role: Role, namespace: str) -> tuple[str, str]:
        """The ConfigMap and the Secret that a current pod mounts."""
        return self._maps[role, namespace], self._layout.named(role, self._secrets)

    def server(self, namespace: str) -> Manifest:
        """The server pod of a destination namespace."""
        config_map, secret = self.expected("server", namespace)
        return server_pod(
            self._layout,
            namespace,
            self._options,
            self._receiver(namespace),
            anchor_uid=self._anchors["server", namespace],
            config_map=config_map,
            secret=secret,
        )

    def client(self, move: VolumeMove, *, look_again: bool = False) -> Manifest:
        """The client pod of a volume, placed where the volume is attached now."""
        if look_again:
            self._look_for_consumers(move.source_namespace)
        config_map, secret = self.expected("client", move.source_namespace)
        return self._client(
            move, self.profile(move), self._anchors["client", move.source_namespace], config_map, secret
        )

    def _client(self, move: VolumeMove, profile: SettledProfile, anchor: str, config_map: str, secret: str) -> Manifest:
        key = (move.source_namespace, move.source_claim)
        claim = self._found.claims.get(key)
        if claim is None:
            raise NotFound(
                subject=move.subject,
                attempt="it does not exist on the source cluster",
                mend="Reconcile the plan and run the task again",
                status=404,
            )
        consumer = self._found.consumers.get(key)
        return client_pod(
            self._layout,
            move,
            self._options,
            sender(profile, consumer, self._options),
            anchor_uid=anchor,
            config_map=config_map,
            secret=secret,
            node=node_for(move, claim, consumer),
        )

    def _receiver(self, namespace: str) -> Persona:
        found = [
            self._found.consumers.get((move.source_namespace, move.source_claim))
            for move in self._layout.into(namespace)
        ]
        return receiver(self._profiles[namespace], [each for each in found if each], self._options)

    # -- waves -------------------------------------------------------------------------------------------------------

    def _side_by_side(self, tasks: list[Callable[[], None]]) -> None:
        self._source.map(lambda task: task(), tasks, concurrency=SIDE_BY_SIDE)

    def _look(self) -> Found:
        found = Found()
        tasks: list[Callable[[], None]] = []

        def own(side: str, cluster: Cluster, namespace: str, kind: str) -> Callable[[], None]:
            def task() -> None:
                listed = list(cluster.list("v1", kind, namespace, label_selector=self._layout.selector))
                found.objects.setdefault((side, kind), []).extend(listed)

            return task

        def claims(namespace: str) -> Callable[[], None]:
            def task() -> None:
                for claim in self._source.list("v1", "PersistentVolumeClaim", namespace):
                    found.claims[namespace, claim["metadata"]["name"]] = claim

            return task

        def nodes() -> None:
            try:
                found.nodes = list(self._destination.list("v1", "Node"))
            except Forbidden:
                found.nodes = []

        for kind in ("Secret", "Service", "ConfigMap"):
            found.objects["server", kind] = []
            found.objects["client", kind] = []
            tasks += [own("server", self._destination, name, kind) for name in self._layout.target_namespaces]
            if kind != "Service":
                tasks += [own("client", self._source, name, kind) for name in self._layout.source_namespaces]
        for namespace in self._layout.source_namespaces:
            tasks += [claims(namespace), partial(self._consumers_into, found, namespace)]
        if self._options.endpoint == "NodePort" and not self._options.endpoint_address:
            tasks.append(nodes)
        self._side_by_side(tasks)
        return found

    def _consumers_into(self, found: Found, namespace: str) -> None:
        for claim, consumer in consumers(self._source.list("v1", "Pod", namespace)).items():
            found.consumers[namespace, claim] = consumer

    def _look_for_consumers(self, namespace: str) -> None:
        self._found.consumers = {key: each for key, each in self._found.consumers.items() if key[0] != namespace}
        self._consumers_into(self._found, namespace)

    def _choose_profiles(self) -> None:
        if self._options.profile != "auto":
            self._profiles = dict.fromkeys(self._layout.target_namespaces, self._options.profile)
            return
        layout = self._layout
        probes: list[tuple[Cluster, Manifest]] = []
        for namespace in layout.target_namespaces:
            self._profiles[namespace] = "root"
            manifest = server_pod(
                layout,
                namespace,
                self._options,
                Persona(profile="root"),
                anchor_uid="",
                config_map="probe",
                secret="probe",
            )
            probes.append((self._destination, manifest))
        for namespace in layout.source_namespaces:
            move = layout.out_of(namespace)[0]
            probes.append((self._source, self._client(move, "root", "", "probe", "probe")))
        answers = self._source.map(lambda probe: admitted(*probe), probes, concurrency=SIDE_BY_SIDE)
        refused = {
            (cluster is self._destination, manifest["metadata"]["namespace"]): why
            for (cluster, manifest), why in zip(probes, answers, strict=True)
            if why
        }
        for namespace in layout.target_namespaces:
            sources = {move.source_namespace for move in layout.into(namespace)}
            reasons = [refused.get((True, namespace)), *(refused.get((False, name)) for name in sorted(sources))]
            why = next((reason for reason in reasons if reason), None)
            if why:
                self._profiles[namespace] = "restricted"
                self._report(f"Namespace {namespace}: volumes are copied without root, so owners are not kept: {why}")

    def _make_anchors(self) -> None:
        now = dt.datetime.now(dt.UTC)
        existing: dict[tuple[Role, str], str] = {}
        sides: tuple[Role, ...] = ("server", "client")
        for side in sides:
            for item in self._found.objects[side, "ConfigMap"]:
                if item["metadata"]["name"] == self._layout.anchor and not item["metadata"].get("deletionTimestamp"):
                    existing[side, item["metadata"]["namespace"]] = item["metadata"]["uid"]

        def make(role: Role, cluster: Cluster, namespace: str) -> Callable[[], None]:
            def task() -> None:
                uid = existing.get((role, namespace))
                made = (
                    uid
                    or self._create(cluster, manifests.anchor(self._layout, namespace, role, now))["metadata"]["uid"]
                )
                self._anchors[role, namespace] = str(made)

            return task

        self._side_by_side(
            [make("server", self._destination, namespace) for namespace in self._layout.target_namespaces]
            + [make("client", self._source, namespace) for namespace in self._layout.source_namespaces]
        )

    def _make_services_and_secrets(self, host: str | None) -> dict[str, Manifest]:
        existing = {item["metadata"]["namespace"]: item for item in self._found.objects["server", "Service"]}
        services: dict[str, Manifest] = {}

        def make_service(namespace: str) -> Callable[[], None]:
            def task() -> None:
                services[namespace] = existing.get(namespace) or self._create(
                    self._destination,
                    endpoint.service(self._layout, namespace, self._anchors["server", namespace], self._options, host),
                )

            return task

        def present(side: str) -> list[tuple[str, str]]:
            return [
                (item["metadata"]["namespace"], item["metadata"]["name"])
                for item in self._found.objects[side, "Secret"]
            ]

        keys = credentials.found(self._layout, present("server"), present("client"))
        tasks = [make_service(namespace) for namespace in self._layout.target_namespaces]
        if keys is None:
            keys = credentials.fresh(self._layout, endpoint.certificate_addresses([host or ""]))
            server, client = keys.manifests(
                self._layout,
                lambda namespace: self._anchors["server", namespace],
                lambda namespace: self._anchors["client", namespace],
            )
            tasks += [partial(self._put, self._destination, manifest) for manifest in server]
            tasks += [partial(self._put, self._source, manifest) for manifest in client]
            tasks += [self._drop(self._destination, item) for item in self._found.objects["server", "Secret"]]
            tasks += [self._drop(self._source, item) for item in self._found.objects["client", "Secret"]]
        self._secrets = keys.ending
        self._side_by_side(tasks)
        return services

    def _make_config_maps(self, services: dict[str, Manifest]) -> None:
        wanted: list[tuple[Role, Cluster, Manifest]] = []
        for namespace in self._layout.target_namespaces:
            files = manifests.server_files(
                self._layout, namespace, self._profiles[namespace], ipv6=endpoint.is_ipv6(services[namespace])
            )
            anchor = self._anchors["server", namespace]
            made = manifests.config_map(self._layout, namespace, "server", anchor, files)
            wanted.append(("server", self._destination, made))
        for namespace in self._layout.source_namespaces:
            files = manifests.client_files(self._layout, namespace, self.endpoints)
            anchor = self._anchors["client", namespace]
            made = manifests.config_map(self._layout, namespace, "client", anchor, files)
            wanted.append(("client", self._source, made))
        tasks: list[Callable[[], None]] = []
        for role, cluster, manifest in wanted:
            name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
            self._maps[role, namespace] = name
            present = {
                (item["metadata"]["namespace"], item["metadata"]["name"])
                for item in self._found.objects[role, "ConfigMap"]
            }
            if (namespace, name) not in present:
                tasks.append(partial(self._put, cluster, manifest))
        self._side_by_side(tasks)

    def _create(self, cluster: Cluster, manifest: Manifest) -> Manifest:
        """Create; what another process has made meanwhile is taken as it is."""
        metadata = manifest["metadata"]
        try:
            return cluster.create(manifest)
        except AlreadyExists:
            found = cluster.get(manifest["apiVersion"], manifest["kind"], metadata["name"], metadata["namespace"])
            if found is None:
                raise
            return found

    def _put(self, cluster: Cluster, manifest: Manifest) -> None:
        self._create(cluster, manifest)

    def _drop(self, cluster: Cluster, item: Manifest) -> Callable[[], None]:
        metadata = item["metadata"]

        def task() -> None:
            cluster.delete("v1", item["kind"], metadata["name"], metadata["namespace"], uid=metadata["uid"])

        return task


def _expired(manifest: Manifest) -> bool:
    """Whether an anchor's deadline has passed or is about to."""
    deadline = (manifest["metadata"].get("annotations") or {}).get(names.DEADLINE_ANNOTATION)
    if deadline is None:
        return False
    return dt.datetime.fromisoformat(deadline) < dt.datetime.now(dt.UTC) + EXPIRES_SOON
