# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The faults beside the kill: what has to be arranged before a run, and what happens at the row's moment.

All are injected from outside. A way of the row's own through the lab's fault proxy stands in for the network, so no
other row notices; only a restarted API server is everybody's.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.engine.adoption import SERVICE_ACCOUNT
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from crash.scene import ADOPT, WITH_STORAGE, Scene
from integration.migration import applications
from integration.migration.waiting import until
from lab import faults, lifecycle, s3
from lab.api import Api
from lab.certificates import Authority
from lab.paths import Paths
from lab.topology import API_PORT, CLUSTERS, HOST_IP, S3_PORT

FLOW = "flowcontrol.apiserver.k8s.io/v1"
ANYTHING = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
SHORT = 2.0
"""Seconds for which a way is cut."""
LONG = 60.0
ADOPTED_IN = "openmig"
"""The namespace of the account with which the source was adopted."""

FILL = """
trap 'exit 0' TERM
exec 3>/volume/.filling
while :; do cat /dev/zero >&3 2>/dev/null; sleep 0.2 & wait $!; done
"""
"""Takes whatever room there is, and holds on to it although a copy may remove the file."""


@dataclass(frozen=True)
class Fault:
    """``arrange`` prepares the scene before it is built, ``furnish`` after that; ``strike`` happens at the moment."""

    arrange: Callable[[ExitStack, Scene], None] | None = None
    furnish: Callable[[ExitStack, Scene], None] | None = None
    strike: Callable[[Scene], None] | None = None


def proxied(stack: ExitStack, scene: Scene) -> None:
    """Both clusters are reached by ways of the row's own, named after the scene and the cluster."""
    for name in CLUSTERS:
        port = stack.enter_context(faults.way(_way(scene, name), f"{CLUSTERS[name].ip}:{API_PORT}"))
        told = yaml.safe_load(scene.kubeconfigs[name].read_text(encoding="utf-8"))
        told["clusters"][0]["cluster"]["server"] = f"https://{HOST_IP}:{port}"
        scene.kubeconfigs[name] = _written(stack, scene, name, told)


def far_away(stack: ExitStack, scene: Scene) -> None:
    proxied(stack, scene)
    for name in CLUSTERS:
        stack.enter_context(faults.latency(_way(scene, name), 200))


def cut_ways(scene: Scene) -> None:
    """Twice, with a breath in between: every connection breaks, those of watches and commands too."""
    for _time in range(2):
        with ExitStack() as stack:
            for name in CLUSTERS:
                stack.enter_context(faults.cut(_way(scene, name)))
            time.sleep(SHORT)
        time.sleep(SHORT / 2)


def throttled(stack: ExitStack, scene: Scene) -> None:
    """The control cluster admits one request at a time of the user that the row comes as, and rejects the rest."""
    cluster, name = scene.destination, f"{scene.name}-user"
    account = {"name": name, "namespace": "default"}
    cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    stack.callback(cluster.delete, "v1", "ServiceAccount", name, "default")
    rbac = "rbac.authorization.k8s.io"
    cluster.create(
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", **account}],
        }
    )
    stack.callback(cluster.delete, f"{rbac}/v1", "ClusterRoleBinding", name)
    limits = {"nominalConcurrencyShares": 0, "borrowingLimitPercent": 0, "limitResponse": {"type": "Reject"}}
    level = {"type": "Limited", "limited": limits}
    cluster.create(
        {"apiVersion": FLOW, "kind": "PriorityLevelConfiguration", "metadata": {"name": name}, "spec": level}
    )
    stack.callback(cluster.delete, FLOW, "PriorityLevelConfiguration", name)
    rule = {
        "subjects": [{"kind": "ServiceAccount", "serviceAccount": account}],
        "resourceRules": [ANYTHING],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    }
    schema = {"matchingPrecedence": 2, "priorityLevelConfiguration": {"name": name}, "rules": [rule]}
    cluster.create({"apiVersion": FLOW, "kind": "FlowSchema", "metadata": {"name": name}, "spec": schema})
    stack.callback(cluster.delete, FLOW, "FlowSchema", name)
    token, _expiry = cluster.issue_token("default", name, 3600)
    told = yaml.safe_load(scene.kubeconfigs["destination"].read_text(encoding="utf-8"))
    told["users"][0]["user"] = {"token": token}
    scene.kubeconfigs["destination"] = _written(stack, scene, "destination", told)


def stored_backups(stack: ExitStack, scene: Scene) -> None:
    """The plan's repository is the lab's, by a way of the row's own."""
    port = stack.enter_context(faults.way(_way(scene, faults.S3), f"{HOST_IP}:{S3_PORT}"))
    lab = s3.storage()
    scene.storage = {
        "backup_storage_provider": "aws",
        "backup_storage_config": {"aws_bucket_name": lab.bucket, "aws_s3_url": f"http://{HOST_IP}:{port}"},
        "credentials": {"aws_access_key_id": lab.access_key, "aws_secret_access_key": lab.secret_key},
    }


def lose_the_storage(scene: Scene) -> None:
    with faults.cut(_way(scene, faults.S3)):
        time.sleep(LONG)


def bound_token(stack: ExitStack, scene: Scene) -> None:
    """The source is reached with a token that ends with an object, so that it can be made to."""
    scene.adopt()
    secret = {"metadata": {"name": scene.name, "namespace": ADOPTED_IN}}
    made = scene.source.create({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", **secret})
    stack.callback(scene.source.delete, "v1", "Secret", scene.name, ADOPTED_IN)
    bound = {"apiVersion": "v1", "kind": "Secret", "name": scene.name, "uid": made["metadata"]["uid"]}
    token = _token(bound)
    (cluster,) = [
        item
        for item in scene.destination.list(names.API_VERSION, names.MIG_CLUSTER, scene.resource_namespace)
        if item["metadata"]["name"] == "source"
    ]
    reference = cluster["spec"]["serviceAccountSecretRef"]
    scene.later = ADOPT
    data = {names.SERVICE_ACCOUNT_TOKEN_KEY: base64.b64encode(token.encode()).decode()}
    scene.destination.patch("v1", "Secret", reference["name"], reference["namespace"], patch={"data": data})


def end_the_token(scene: Scene) -> None:
    scene.source.delete("v1", "Secret", scene.name, ADOPTED_IN)


def delete_mover(side: str) -> Callable[[Scene], None]:
    """The pods that send, on the source, or that receive, on the destination; as soon as one of them runs."""

    def strike(scene: Scene) -> None:
        cluster = scene.source if side == "source" else scene.destination
        namespaces = scene.source_namespaces if side == "source" else scene.destination_namespaces

        def running() -> list[dict[str, Any]]:
            return [
                pod
                for namespace in namespaces
                for pod in cluster.list("v1", "Pod", namespace, label_selector=names.RUN_LABEL)
                if pod["status"].get("phase") == "Running"
            ]

        until(lambda: bool(running()), f"a mover runs on the {side}")
        for pod in running():
            cluster.delete("v1", "Pod", pod["metadata"]["name"], pod["metadata"]["namespace"], grace_seconds=0)

    return strike


def fill_volume(scene: Scene) -> None:
    """Somebody else's pod takes all the room of the first volume on the destination."""
    namespace, cluster = scene.destination_namespaces[0], scene.destination
    until(lambda: cluster.get("v1", "PersistentVolumeClaim", "data", namespace) is not None, "the claim is there")
    container = {
        "name": "filler",
        "image": applications.IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", FILL],
        "volumeMounts": [{"name": "data", "mountPath": "/volume"}],
        "securityContext": {"runAsUser": 0},
    }
    spec = {
        "containers": [container],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        "activeDeadlineSeconds": 30,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
    }
    metadata = {"name": "filler", "namespace": namespace}
    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


def restart_api_server(name: str) -> Callable[[Scene], None]:
    return lambda _scene: lifecycle.restart_api_server(Paths.from_environment(), name)


FAULTS: Mapping[str, Fault] = {
    "sending pod deleted": Fault(strike=delete_mover("source")),
    "receiving pod deleted": Fault(strike=delete_mover("destination")),
    "watch and connections cut": Fault(arrange=proxied, strike=cut_ways),
    "destination volume filled": Fault(strike=fill_volume),
    "API server of the source restarted": Fault(strike=restart_api_server("source")),
    "API server of the destination restarted": Fault(strike=restart_api_server("destination")),
    "token expired": Fault(furnish=bound_token, strike=end_the_token),
    "200 ms latency": Fault(arrange=far_away),
    "answers 429 by priority and fairness": Fault(arrange=throttled),
    "object storage lost for 60 s": Fault(strike=lose_the_storage),
}
"""By the name that a row gives it."""
ARRANGED: Mapping[str, Callable[[ExitStack, Scene], None]] = dict.fromkeys(WITH_STORAGE, stored_backups)
"""What a kind of run needs, disturbed or not."""


def _way(scene: Scene, name: str) -> str:
    return f"{scene.name}-{name}"


def _written(stack: ExitStack, scene: Scene, name: str, told: dict[str, Any]) -> Path:
    path = Path("/tmp") / f"{scene.name}-{name}-{secrets.token_hex(3)}.yaml"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(told), encoding="utf-8")
    stack.callback(path.unlink, missing_ok=True)
    return path


def _token(bound: Mapping[str, Any]) -> str:
    """Of the account with which the source was adopted, and no longer valid than the object that it is bound to."""
    cluster = CLUSTERS["source"]
    client = Api(cluster, Authority(Paths.from_environment().of(cluster) / "pki"))
    spec = {"expirationSeconds": 3600, "boundObjectRef": dict(bound)}
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    path = f"/api/v1/namespaces/{ADOPTED_IN}/serviceaccounts/{SERVICE_ACCOUNT}/token"
    status, answer = client.request("POST", path, request)
    assert status == 201, answer
    return str(json.loads(answer)["status"]["token"])
