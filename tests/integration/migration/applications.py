# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small real application to move: a Deployment that owns a volume with files of every kind, a Service, settings and
a secret."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import AlreadyExists
from lab.versions import IMAGES

Manifest = dict[str, Any]
IMAGE = f"localhost/openmig/mover:{IMAGES}"
READY_WITHIN = 90

SEED = r"""
set -eu
trap 'exit 0' TERM
if [ ! -e /data/.seeded ]; then
    mkdir -p "/data/a dir" /data/deep/er
    head -c "$BYTES" /dev/urandom > /data/blob
    i=0; while [ $i -lt "$FILES" ]; do echo "file $i" > "/data/deep/er/$i"; i=$((i + 1)); done
    echo odd > "/data/a dir/ -odd \"name\"'"
    ln /data/blob /data/hard; ln -s blob /data/soft
    ln -s /nowhere /data/dangling; ln -s ../../etc/outside /data/deep/outside
    : > /data/empty; truncate -s 3M /data/sparse
    echo private > /data/private; chown 1234:2345 /data/private; chmod 0600 /data/private
    touch -d 2001-02-03T04:05:06Z /data/deep
    : > /data/.seeded
fi
while :; do sleep 0.2 & wait $!; done
"""

MEASURE = r"""
cd /data && find . -printf '%y %m %U %G %n %s %T@ %l %p\0' | sort -z | tr '\0' '\n'
find . -type f -print0 | sort -z | xargs -0 sha256sum
"""


def manifests(
    namespace: str, *, mebibytes: int = 10, files: int = 200, storage_class: str = "source-ssd"
) -> list[Manifest]:
    """The application with about ``mebibytes`` MiB in one large file and ``files`` small ones."""
    labels = {"app": "web"}
    container = {
        "name": "web",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", SEED],
        "env": [
            {"name": "BYTES", "value": str(mebibytes * 1024 * 1024)},
            {"name": "FILES", "value": str(files)},
            {"name": "PEER", "value": f"web.{namespace}.svc.cluster.local"},
        ],
        "envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "login"}}],
        "readinessProbe": {"exec": {"command": ["test", "-e", "/data/.seeded"]}, "periodSeconds": 1},
        "securityContext": {"runAsUser": 0},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}

    def named(kind: str, name: str, api_version: str = "v1", **content: Any) -> Manifest:
        metadata = {"name": name, "namespace": namespace}
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}

    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        named("ConfigMap", "settings", data={"COLOUR": "blue", "HOME_URL": f"http://web.{namespace}.svc/"}),
        named("Secret", "login", type="Opaque", stringData={"PASSWORD": "not-for-logs-8431"}),
        named(
            "PersistentVolumeClaim",
            "data",
            spec={
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": storage_class,
                "resources": {"requests": {"storage": f"{mebibytes * 2 + 20}Mi"}},
            },
        ),
        named("Service", "web", spec={"selector": labels, "ports": [{"port": 80}]}),
        named(
            "Deployment",
            "web",
            "apps/v1",
            spec={
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [container], "volumes": [volume], "terminationGracePeriodSeconds": 5},
                },
            },
        ),
    ]


def deploy(cluster: Cluster, objects: list[Manifest]) -> None:
    """Create the objects and wait until every Deployment among them is ready."""
    for manifest in objects:
        try:
            cluster.create(manifest)
        except AlreadyExists:
            cluster.replace(manifest)
    for manifest in objects:
        if manifest["kind"] == "Deployment":
            await_ready(cluster, manifest["metadata"]["namespace"], manifest["metadata"]["name"])


def replicas_ready(cluster: Cluster, namespace: str, name: str = "web") -> tuple[int, int]:
    """(wanted, ready) of a Deployment; (-1, -1) when there is none."""
    found = cluster.get("apps/v1", "Deployment", name, namespace)
    if found is None:
        return -1, -1
    return int(found["spec"].get("replicas", 1)), int((found.get("status") or {}).get("readyReplicas", 0))


def await_ready(cluster: Cluster, namespace: str, name: str = "web") -> None:
    """Wait until a Deployment has as many ready pods as it wants, and wants one."""
    until = time.monotonic() + READY_WITHIN
    while (counts := replicas_ready(cluster, namespace, name)) != (1, 1):
        assert time.monotonic() < until, f"Deployment {namespace}/{name}: (wanted, ready) is {counts}"
        time.sleep(0.1)


def pod_of(cluster: Cluster, namespace: str, app: str = "web") -> str:
    """The application's running pod."""
    for pod in cluster.list("v1", "Pod", namespace, label_selector=f"app={app}"):
        if pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]:
            return str(pod["metadata"]["name"])
    raise AssertionError(f"no pod of {app} runs in {namespace}")


def shell(cluster: Cluster, namespace: str, script: str, app: str = "web") -> str:
    """What a script prints in the application's pod; a script that fails fails the test."""
    done = cluster.exec(namespace, pod_of(cluster, namespace, app), ["/bin/sh", "-c", script], timeout=60)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def files(cluster: Cluster, namespace: str) -> list[str]:
    """Every file of the volume: type, mode, owner, links, size, time, target, name; and the content's hash of each."""
    return shell(cluster, namespace, MEASURE).splitlines()
