# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is awaited between waves, and what the destination must allow and have free before the first."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.engine import object_checks
from ansible_collections.openmig.mtc.plugins.module_utils.objects.context import TransformContext
from lab.targets import targets

from .sending import apply, labelled

Manifest = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"


def token_secret(namespace: str, account: str) -> Manifest:
    """As a person asks for the token of an account."""
    annotations = {"kubernetes.io/service-account.name": account}
    metadata = {"name": f"{account}-key", "namespace": namespace, "annotations": annotations}
    kind = "kubernetes.io/service-account-token"
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind}


def account(namespace: str, name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}


def test_a_token_is_there_when_the_wave_is_over(destination: Cluster, context: TransformContext, empty: str) -> None:
    names = [f"robot-{number}" for number in range(5)]
    objects = [make(empty, name) for name in names for make in (account, token_secret)]
    report = apply(destination, [labelled(obj, context) for obj in objects], context)
    assert len(report.created) == 10
    for name in names:
        secret = destination.get("v1", "Secret", f"{name}-key", empty)
        assert secret is not None
        assert secret["data"]["token"]


def test_rights_outside_of_namespaces_are_asked_for(destination: Cluster, empty: str, tmp_path: Path) -> None:
    """A connection that may do everything in its namespace, and nothing outside of it."""
    destination.create(account(empty, "narrow"))
    metadata = {"name": "narrow", "namespace": empty}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "admin"}
    subjects = [{"kind": "ServiceAccount", **metadata}]
    binding = {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": metadata}
    destination.create({**binding, "roleRef": role, "subjects": subjects})
    token, _expires = destination.issue_token(empty, "narrow", 600)
    content = yaml.safe_load(targets().destination.read_text())
    for user in content["users"]:
        user["user"] = {"token": token}
    file = tmp_path / "narrow.yaml"
    file.write_text(yaml.safe_dump(content))
    narrow = connect({"kubeconfig": str(file)}, name="destination", environ={})
    wanted = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": "reader"}, "rules": []}
    (error,) = object_checks.cluster_rights(narrow, [wanted])
    assert "the connection may not create clusterroles.rbac.authorization.k8s.io" in error.message
    assert object_checks.cluster_rights(narrow, [account(empty, "other")]) == []
    assert object_checks.cluster_rights(destination, [wanted]) == []
    narrow.close()


def test_a_node_port_of_another_service_is_named(destination: Cluster, empty: str) -> None:
    port = 30000 + secrets.randbelow(2700)
    spec = {"type": "NodePort", "ports": [{"port": 80, "nodePort": port}]}
    theirs = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "theirs", "namespace": empty}, "spec": spec}
    destination.create(theirs)
    mine = {**theirs, "metadata": {"name": "mine", "namespace": empty}}
    (error,) = object_checks.node_ports(destination, [mine])
    assert f"{port} of Service {empty}/mine is that of {empty}/theirs there" in error.message
    # Its own, from an earlier try; and none at all.
    assert object_checks.node_ports(destination, [theirs]) == []
    assert object_checks.node_ports(destination, [{**mine, "spec": {"ports": [{"port": 80}]}}]) == []
