# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An administrator of a test's own: whatever the audit log says about it was done by what the test has started."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from integration.migration.waiting import until

ACCOUNT = "administrator"
BINDING = ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding")


@dataclass(frozen=True)
class Identity:
    """``user`` as the audit log names it."""

    user: str
    kubeconfig: Path


@contextmanager
def administrator(cluster: Cluster, *, like: Path, namespace: str, folder: Path) -> Iterator[Identity]:
    """A service account that may do everything, in a namespace made for it, with a kubeconfig; removed at the end.

    ``like`` is a kubeconfig that says how the cluster is reached.
    """
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    metadata = {"name": ACCOUNT, "namespace": namespace}
    try:
        cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        annotated = {**metadata, "annotations": {"kubernetes.io/service-account.name": ACCOUNT}}
        kind = "kubernetes.io/service-account-token"
        cluster.create({"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": annotated})
        cluster.create(
            {
                "apiVersion": BINDING[0],
                "kind": BINDING[1],
                "metadata": {"name": namespace},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}],
            }
        )
        until(lambda: bool(_token(cluster, namespace)), "the account has a token")
        content = yaml.safe_load(like.read_text())
        for user in content["users"]:
            user["user"] = {"token": _token(cluster, namespace)}
        file = folder / f"{cluster.name}.yaml"
        file.write_text(yaml.safe_dump(content))
        yield Identity(f"system:serviceaccount:{namespace}:{ACCOUNT}", file)
    finally:
        cluster.delete(*BINDING, namespace)
        cluster.delete("v1", "Namespace", namespace)


def _token(cluster: Cluster, namespace: str) -> str:
    secret = cluster.get("v1", "Secret", ACCOUNT, namespace) or {}
    return base64.b64decode((secret.get("data") or {}).get("token", "")).decode()
