# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What stands on both clusters while plans are judged: volumes of every sort, pods in trouble, secrets for proxies, a
kind that only the source has, KubeVirt's own resource, and resources that other hands have written."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import NotFound
from integration.migration.applications import IMAGE
from integration.migration.waiting import until
from lab.topology import SOURCE

Manifest = dict[str, Any]

CLAIM = "PersistentVolumeClaim"
CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
KUBEVIRT = ("kubevirt.io/v1", "KubeVirt")
READY = {
    "type": "Ready",
    "status": "True",
    "category": "Required",
    "lastTransitionTime": "2024-05-01T00:00:00Z",
}
VOLUMES: dict[str, Manifest] = {
    "data": {"csi": {"driver": "disk.example.com", "volumeHandle": "disk-1"}},
    "files": {"nfs": {"server": "192.0.2.7", "path": "/export"}},
    "host": {"hostPath": {"path": "/var/lib/nowhere"}},
    "gluster": {"glusterfs": {"endpoints": "gluster", "path": "volume"}},
}
"""Source volumes by the name of their claim. Nothing mounts them, so nothing need lie behind them."""


def named(api_version: str, kind: str, name: str, namespace: str | None = None, **content: Any) -> Manifest:
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **place}, **content}


@dataclass(frozen=True)
class Stage:
    """The namespaces of one run of the tests, all beginning alike."""

    source: Cluster
    control: Cluster
    prefix: str

    def of(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def entry(self, name: str, plan: str) -> str:
        """A namespace of the source under a name that no other plan uses: plans that share an entry conflict."""
        return f"{self.of(name)}:{self.of(f'{name}-{plan}')}"

    def resource(self, kind: str, name: str, namespace: str | None = None, **content: Any) -> Manifest:
        """Store a resource of MTC's as somebody else than the module would."""
        return self.control.create(named(names.API_VERSION, kind, name, namespace or self.of("openmig"), **content))

    def stored(self, plan: str) -> Manifest:
        found = self.control.get(names.API_VERSION, names.MIG_PLAN, plan, self.of("openmig"))
        assert found is not None
        return found


def container(*command: str) -> Manifest:
    return {"name": "main", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "command": list(command)}


def pod(name: str, namespace: str, *command: str, **spec: Any) -> Manifest:
    return named(
        "v1",
        "Pod",
        name,
        namespace,
        spec={
            "containers": [container(*command)],
            "terminationGracePeriodSeconds": 0,
            "restartPolicy": "Never",
            **spec,
        },
    )


def definition(group: str, kind: str, *, scope: str = "Namespaced", version: str = "v1") -> Manifest:
    plural = f"{kind.lower()}s"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return named(
        *CRD,
        f"{plural}.{group}",
        spec={
            "group": group,
            "scope": scope,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
        },
    )


def define(cluster: Cluster, manifest: Manifest) -> None:
    """Install a definition and wait until the API server serves it."""
    cluster.create(manifest)
    spec = manifest["spec"]
    api_version = f"{spec['group']}/{spec['versions'][0]['name']}"

    def served() -> bool:
        try:
            next(cluster.list(api_version, spec["names"]["kind"]), None)
        except NotFound:
            return False
        return any(kind.kind == spec["names"]["kind"] for kind in cluster.types(refresh=True))

    until(served, f"{manifest['metadata']['name']} is served")


def volume(stage: Stage, claim: str, backing: Manifest) -> list[Manifest]:
    """A volume and its claim that know each other from the start, so that no provisioner is asked."""
    name, modes = stage.of(claim), ["ReadWriteOnce"]
    size = {"storage": "64Mi"}
    return [
        named(
            "v1",
            "PersistentVolume",
            name,
            spec={
                "capacity": size,
                "accessModes": modes,
                "persistentVolumeReclaimPolicy": "Retain",
                "claimRef": {"name": claim, "namespace": stage.of("vols")},
                "storageClassName": "",
                **backing,
            },
        ),
        named(
            "v1",
            CLAIM,
            claim,
            stage.of("vols"),
            spec={
                "accessModes": modes,
                "resources": {"requests": size},
                "volumeName": name,
                "storageClassName": "",
            },
        ),
    ]


def source_objects(stage: Stage) -> list[Manifest]:
    pods, sick = stage.of("pods"), stage.of("sick")
    return [
        pod("one", pods, "sleep", "3600", nodeSelector={"kubernetes.io/hostname": SOURCE.node}),
        pod("two", pods, "sleep", "3600"),
        pod("failed", sick, "false"),
        pod("homeless", sick, "true", nodeSelector={"openmig.example/nowhere": "true"}),
        *(item for claim, backing in VOLUMES.items() for item in volume(stage, claim, backing)),
        named("v1", "Secret", "one", stage.of("proxies"), data={"HTTP_PROXY": ""}),
        named("v1", "Secret", "two", stage.of("proxies"), data={"HTTP_PROXY": ""}),
        named("v1", "Secret", "one", stage.of("proxies-2"), data={"PROXY": ""}),
    ]


def destination_objects(stage: Stage) -> list[Manifest]:
    return [
        named("v1", "Secret", "one", stage.of("proxies"), data={"PROXY": ""}),
        named("v1", "Secret", "one", stage.of("proxies-2"), data={"HTTP_PROXY": ""}),
        named("v1", "Secret", "two", stage.of("proxies-2"), data={"HTTP_PROXY": ""}),
    ]


def prepare(stage: Stage) -> None:
    """Everything that the rows of the table need, before any plan is judged."""
    for name in ("app", "pods", "sick", "vols", "kinds", "users", "proxies", "proxies-2"):
        manifest = named("v1", "Namespace", stage.of(name))
        if name == "users":
            manifest["metadata"]["annotations"] = {names.SCC_ANNOTATIONS[2]: "1000/10000"}
        stage.source.create(manifest)
    for name in ("openmig", "proxies", "proxies-2", "users-permissions"):
        stage.control.create(named("v1", "Namespace", stage.of(name)))
    for cluster, manifests in ((stage.source, source_objects(stage)), (stage.control, destination_objects(stage))):
        for manifest in manifests:
            if manifest["kind"] == "Secret":
                manifest["metadata"]["labels"] = {names.PROXY_CONFIG_LABEL: "true"}
            cluster.create(manifest)
    group = f"{stage.prefix}.example.com"
    define(stage.source, definition(group, "Widget"))
    stage.source.create(named(f"{group}/v1", "Widget", "one", stage.of("kinds")))
    # A definition that the destination lacks would travel; its own knows another version.
    define(stage.control, definition(group, "Widget", version="v2"))
    for cluster in (stage.source, stage.control):
        define(cluster, definition("kubevirt.io", "KubeVirt"))
    _await(stage)


def _await(stage: Stage) -> None:
    def states() -> dict[str, str]:
        claims = stage.source.list("v1", CLAIM, stage.of("vols"))
        pods = [*stage.source.list("v1", "Pod", stage.of("pods")), *stage.source.list("v1", "Pod", stage.of("sick"))]
        return {item["metadata"]["name"]: (item.get("status") or {}).get("phase", "") for item in (*claims, *pods)}

    wanted = {
        **dict.fromkeys(VOLUMES, "Bound"),
        "one": "Running",
        "two": "Running",
        "failed": "Failed",
        "homeless": "Pending",
    }
    until(lambda: states() == wanted, f"volumes and pods are in the states {wanted}")

    def homeless() -> bool:
        found = stage.source.get("v1", "Pod", "homeless", stage.of("sick")) or {}
        return any(item.get("reason") == "Unschedulable" for item in found["status"].get("conditions") or ())

    until(homeless, "a pod is told that no node takes it")


def clear(stage: Stage) -> None:
    """Take all of it away again."""
    for cluster, spaces in (
        (stage.source, ("app", "pods", "sick", "vols", "kinds", "users", "proxies", "proxies-2", "openmig")),
        (stage.control, ("openmig", "proxies", "proxies-2", "users-permissions")),
    ):
        for name in ("kubevirts.kubevirt.io", f"widgets.{stage.prefix}.example.com"):
            cluster.delete(*CRD, name)
        for space in spaces:
            cluster.delete("v1", "Namespace", stage.of(space))
    for claim in VOLUMES:
        stage.source.delete("v1", "PersistentVolume", stage.of(claim))
    clusters = (stage.source, stage.control)

    def left() -> list[str]:
        return [
            namespace["metadata"]["name"]
            for cluster in clusters
            for namespace in cluster.list("v1", "Namespace")
            if namespace["metadata"]["name"].startswith(f"{stage.prefix}-")
        ]

    until(lambda: left() == [], "the namespaces of the tests are gone")


@contextlib.contextmanager
def stage_on(source: Cluster, control: Cluster) -> Iterator[Stage]:
    """Both clusters prepared, and as they were before in the end."""
    stage = Stage(source, control, f"pl-{secrets.token_hex(3)}")
    try:
        prepare(stage)
        yield stage
    finally:
        clear(stage)
