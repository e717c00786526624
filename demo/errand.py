# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One program, run once in a pod beside the application's volumes: started, waited for, read, removed.

The program's text travels in the pod's own specification, so nothing else is created for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from demo.cluster import Cluster, ClusterError
from demo.settings import CHECKER_LABEL, IMAGE, SHOP

TAIL = 2000
"""How much of a failed program's output an error tells."""


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A claim below a path; written to only where that is said."""

    claim: str
    path: str
    writable: bool = False


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What to run, where, with what."""

    name: str
    namespace: str
    command: Sequence[str]
    mounts: Sequence[Mount] = ()
    node: str | None = None
    """Where the volume is attached already, if it is."""
    seconds: float = 120

    def manifest(self) -> dict[str, Any]:
        """The pod. It runs as root, because files of every owner are read (or made); it has no right to the API."""
        volumes: list[dict[str, Any]] = [{"name": "scratch", "emptyDir": {}}]
        mounts: list[dict[str, Any]] = [{"name": "scratch", "mountPath": "/scratch"}]
        for number, mount in enumerate(self.mounts):
            claim = {"claimName": mount.claim}
            volumes.append({"name": f"claim-{number}", "persistentVolumeClaim": claim})
            mounts.append({"name": f"claim-{number}", "mountPath": mount.path, "readOnly": not mount.writable})
        environment = [
            {"name": "PGHOST", "value": "postgres"},
            {"name": "PGDATABASE", "value": "shop"},
            {"name": "PGUSER", "valueFrom": {"secretKeyRef": {"name": "database", "key": "username"}}},
            {"name": "PGPASSWORD", "valueFrom": {"secretKeyRef": {"name": "database", "key": "password"}}},
        ]
        container = {
            "name": "errand",
            "image": IMAGE,
            "imagePullPolicy": "IfNotPresent",
            "command": list(self.command),
            "env": environment,
            "volumeMounts": mounts,
            "securityContext": {"runAsUser": 0, "runAsGroup": 0},
            "terminationMessagePolicy": "FallbackToLogsOnError",
        }
        spec: dict[str, Any] = {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 1,
            "activeDeadlineSeconds": int(self.seconds),
            "containers": [container],
            "volumes": volumes,
        }
        if self.node:
            here = [{"key": "metadata.name", "operator": "In", "values": [self.node]}]
            required = {"nodeSelectorTerms": [{"matchFields": here}]}
            spec["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
        # The labels let it past the application's NetworkPolicy, and select it into none of the application's services.
        labels = {"app.kubernetes.io/part-of": SHOP, CHECKER_LABEL: "true", "shop.example/database-client": "true"}
        metadata = {"name": self.name, "namespace": self.namespace, "labels": labels}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def run(cluster: Cluster, errand: Errand) -> list[str]:
    """The lines that the program printed. The pod is gone afterwards.

    Raises ClusterError with the end of the output when the program fails.
    """
    remove(cluster, errand)
    cluster.create(errand.manifest())
    try:
        subject = f"Pod {errand.namespace}/{errand.name}"
        cluster.wait(
            f"{subject} has finished",
            lambda: _phase(cluster, errand) in {"Succeeded", "Failed"},
            seconds=errand.seconds,
        )
        lines = list(cluster.log(errand.namespace, errand.name))
        if _phase(cluster, errand) == "Failed":
            output = "\n".join(lines)[-TAIL:]
            raise ClusterError(f"{cluster.name}: {subject} failed: {output}")
        return lines
    finally:
        with contextlib.suppress(ClusterError):
            remove(cluster, errand)


def remove(cluster: Cluster, errand: Errand) -> None:
    """Take the pod away and wait until it is, so that it holds no volume any more."""
    if cluster.delete("Pod", errand.name, errand.namespace):
        gone = f"Pod {errand.namespace}/{errand.name} is gone"
        cluster.wait(gone, lambda: cluster.get("Pod", errand.name, errand.namespace) is None, seconds=30)


def _phase(cluster: Cluster, errand: Errand) -> str:
    pod = cluster.get("Pod", errand.name, errand.namespace)
    if pod is None:
        raise ClusterError(f"{cluster.name}: Pod {errand.namespace}/{errand.name} was removed by somebody else")
    return str(pod.get("status", {}).get("phase", "Pending"))
