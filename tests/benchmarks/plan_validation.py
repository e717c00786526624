# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long mig_plan needs for a plan with 60 claims in 6 namespaces: made, met again unchanged, and in check mode.

The volumes are tied to their claims by name, so that none has to be made and nothing lies behind them: a plan looks at
objects, not at files. The wish is less than 3 s for a call.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from integration.conditions.tasks import Call, perform
from integration.crds.conftest import role_on
from integration.migration.waiting import until
from lab import audit
from lab.targets import targets

Manifest = dict[str, Any]

NAMESPACES = 6
CLAIMS = 10
"""In each namespace, and as many ConfigMaps and Deployments without pods."""


def manifests(namespace: str) -> list[Manifest]:
    """A namespace with its claims, their volumes, and workloads that name them."""
    made: list[Manifest] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}]
    size, modes = {"storage": "1Mi"}, ["ReadWriteOnce"]
    for number in range(CLAIMS):
        claim = f"claim-{number}"
        volume = f"{namespace}-{claim}"
        place = {"name": claim, "namespace": namespace}
        labels = {"app": claim}
        mount = {"name": "data", "persistentVolumeClaim": {"claimName": claim}}
        template = {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "main", "image": "none"}], "volumes": [mount]},
        }
        made += [
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": volume},
                "spec": {
                    "capacity": size,
                    "accessModes": modes,
                    "claimRef": place,
                    "storageClassName": "",
                    "csi": {"driver": "disk.example.com", "volumeHandle": volume},
                },
            },
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": place,
                "spec": {
                    "accessModes": modes,
                    "resources": {"requests": size},
                    "volumeName": volume,
                    "storageClassName": "",
                },
            },
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": place,
                "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
            },
        ]
    return made


def bound(source: Cluster, namespaces: Sequence[str]) -> int:
    return sum(
        1
        for namespace in namespaces
        for claim in source.list("v1", "PersistentVolumeClaim", namespace)
        if (claim.get("status") or {}).get("phase") == "Bound"
    )


def requests(marks: dict[str, int]) -> str:
    """How often our processes have asked each cluster since the marks."""
    told = []
    for cluster, mark in marks.items():
        ours = [event for event in audit.events(cluster, mark) if "openmig.mtc" in str(event.get("userAgent"))]
        told.append(f"{len(ours)} {cluster}")
    return ", ".join(told)


def measure(what: str, call: Call, namespace: str, *arguments: str) -> None:
    marks = {cluster: audit.mark(cluster) for cluster in ("source", "destination")}
    (result,) = perform([call], *arguments, namespace=namespace)
    if result["failed"] or len(result["volumes"]) != NAMESPACES * CLAIMS:
        raise SystemExit(result.get("msg") or f"{len(result['volumes'])} volumes")
    print(f"{what:<24}{result['duration']:6.2f} s, changed: {result['changed']}, requests: {requests(marks)}")


def main() -> None:
    """Measure each call once and print."""
    chosen = targets()
    role_on(chosen.destination)()
    source = connect({"kubeconfig": str(chosen.source)}, name="source", environ={})
    destination = connect({"kubeconfig": str(chosen.destination)}, name="destination", environ={})
    prefix = f"bench-{secrets.token_hex(3)}"
    own = f"{prefix}-openmig"
    namespaces = [f"{prefix}-{number}" for number in range(NAMESPACES)]
    try:
        destination.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": own}})
        objects = [manifest for namespace in namespaces for manifest in manifests(namespace)]
        for kinds in (("Namespace", "PersistentVolume"), ("PersistentVolumeClaim", "Deployment")):
            source.map(source.create, [manifest for manifest in objects if manifest["kind"] in kinds])
        until(lambda: bound(source, namespaces) == NAMESPACES * CLAIMS, "all claims are bound")
        clusters: list[Call] = [
            ("mig_cluster", {"name": "source", "remote": {"kubeconfig": str(chosen.source)}}),
            ("mig_cluster", {"name": "destination", "is_host_cluster": True}),
        ]
        perform(clusters, namespace=own)
        plan: Call = (
            "mig_plan",
            {
                "name": "large",
                "source_cluster": "source",
                "destination_cluster": "destination",
                "namespaces": [f"{namespace}:{namespace}-new" for namespace in namespaces],
            },
        )
        print(f"{NAMESPACES * CLAIMS} claims in {NAMESPACES} namespaces")
        measure("check mode, no plan yet", plan, own, "--check")
        measure("made", plan, own)
        measure("unchanged", plan, own)
        measure("check mode, unchanged", plan, own, "--check")
    finally:
        destination.delete("v1", "Namespace", own)
        for namespace in namespaces:
            source.delete("v1", "Namespace", namespace)
        for volume in list(source.list("v1", "PersistentVolume")):
            if volume["metadata"]["name"].startswith(prefix):
                source.delete("v1", "PersistentVolume", volume["metadata"]["name"])


if __name__ == "__main__":
    main()
