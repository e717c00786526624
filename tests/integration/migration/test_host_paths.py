# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Volumes that are directories of a node: they move like others, from the node that they are on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from integration.migration import applications
from integration.migration.applications import IMAGE, Manifest
from integration.migration.conftest import World
from integration.migration.waiting import until

ROOT = "/var/tmp/openmig-host-paths"
"""On the node; each world has a directory in it."""
STORAGE_CLASS = "source-ssd"


def on_a_node(world: World) -> list[Manifest]:
    """The usual application, its claim bound to a directory."""
    objects = applications.manifests(world.source_namespace, mebibytes=1, files=20, storage_class=STORAGE_CLASS)
    claim = next(each for each in objects if each["kind"] == "PersistentVolumeClaim")
    claim["spec"]["volumeName"] = world.name
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": world.name},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": STORAGE_CLASS,
            "hostPath": {"path": f"{ROOT}/{world.name}", "type": "DirectoryOrCreate"},
            "claimRef": {"namespace": world.source_namespace, "name": "data"},
        },
    }
    return [*objects[:1], volume, *objects[1:]]


@pytest.fixture
def world(world: World) -> Iterator[World]:
    """A world whose directory and volume are gone from the source afterwards."""
    yield world
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "sweep", "namespace": world.source_namespace},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "volumes": [{"name": "root", "hostPath": {"path": ROOT}}],
            "containers": [
                {
                    "name": "sweep",
                    "image": IMAGE,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["rm", "-rf", f"/root-of-all/{world.name}"],
                    "securityContext": {"runAsUser": 0},
                    "volumeMounts": [{"name": "root", "mountPath": "/root-of-all"}],
                }
            ],
        },
    }
    world.source.create(pod)
    until(lambda: _ended(world.source, world.source_namespace), "the directory is swept")
    world.source.delete("v1", "PersistentVolume", world.name)


def _ended(cluster: Cluster, namespace: str) -> bool:
    pod = cluster.get("v1", "Pod", "sweep", namespace)
    return pod is not None and (pod.get("status") or {}).get("phase") == "Succeeded"


@pytest.fixture
def second_node(source: Cluster) -> Iterator[str]:
    """A node that takes no pods: a source of several nodes as far as can be read of it."""
    name = "of-no-kubelet"
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {"unschedulable": True}}
    source.create(node)
    yield name
    source.delete("v1", "Node", name)


def test_a_directory_of_the_only_node_moves(world: World) -> None:
    world.deploy(on_a_node(world))
    before = applications.files(world.source, world.source_namespace)
    run = world.migrate()
    assert run.code == 0, run.output
    (volume,) = run.migration["volumes"]
    assert volume["ok"]
    assert applications.files(world.destination, world.destination_namespace) == before


def test_a_directory_of_one_of_several_nodes_is_refused_until_it_says_of_which(world: World, second_node: str) -> None:
    world.deploy(on_a_node(world))
    refused = world.migrate("--check")
    assert refused.code != 0
    assert f"PersistentVolume {world.name}: it cannot be copied" in refused.failure
    assert "nodeAffinity" in refused.failure

    (node,) = [item["metadata"]["name"] for item in world.source.list("v1", "Node") if not _is(item, second_node)]
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    affinity = {"required": {"nodeSelectorTerms": [term]}}
    world.source.patch("v1", "PersistentVolume", world.name, patch={"spec": {"nodeAffinity": affinity}})
    looked = world.migrate("--check")
    assert looked.code == 0, looked.output


def _is(node: Manifest, name: str) -> bool:
    return bool(node["metadata"]["name"] == name)
