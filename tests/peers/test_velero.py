# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run lays into its plan's repository, in the hands of Velero itself: a server on the destination that has never
seen the source and knows nothing but the bucket."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from integration.migration import applications, calls, evidence
from integration.migration.buckets import bucket_keys, bucket_object, stored_in
from integration.migration.conftest import World
from integration.migration.test_indirect import INDIRECT
from integration.migration.waiting import until
from integration.objects.conftest import DEFINITION, WIDGETS, application
from lab.targets import targets
from peers.velero import Velero, velero

MARKS = ("velero.io/backup-name", "velero.io/restore-name")
"""Labels that Velero puts on everything that it restores."""
NOT_CARRIED = ("Event happened", "PersistentVolumeClaim files", "ConfigMap election")
"""Of the application with every kind, what no backup of objects holds."""
MADE_ANEW = {
    "RoleBinding reader": "its account is that of the new namespace",
    "Secret shop-login": "the cluster's own token",
    "Service balanced": "the cluster's own ports",
    "Service chosen": "the cluster's own ports",
    "Job running": "labels with which its pods are found",
}
"""Whose content Velero changes on purpose, and what in it."""
CLASSES = {"source-ssd": "destination-fast"}


@pytest.fixture
def peer(world: World) -> Iterator[Velero]:
    """A Velero for the destination that watches the test's bucket."""
    name = f"{world.name}-velero"
    with velero(world.destination, targets().destination, namespace=name, bucket=world.name) as made:
        yield made


@pytest.fixture
def back(world: World) -> Iterator[str]:
    """A namespace of the destination for Velero to restore into, gone at the end."""
    name = f"{world.name}-back"
    yield name
    world.destination.delete("v1", "Namespace", name)
    until(lambda: world.destination.get("v1", "Namespace", name) is None, f"Namespace {name} is gone")


def stored(world: World, folder: str) -> list[str]:
    """The names of the backups or the restores that the bucket holds."""
    return sorted({key.split("/")[2] for key in bucket_keys(world, f"velero/{folder}/")})


def listed(world: World, key: str) -> dict[str, list[str]]:
    """A list of objects that is in the bucket: kinds to names."""
    found: dict[str, list[str]] = json.loads(gzip.decompress(bucket_object(world, key)))
    return found


def must_name(description: str, objects: dict[str, list[str]]) -> None:
    """A description that shows every object of a list, and no file that could not be read."""
    shown = {line.strip() for line in description.splitlines()}
    for kind, names in objects.items():
        assert f"{kind}:" in shown
        assert {f"- {name}" for name in names} <= shown
    assert not re.search(r"<error|not found>", description), description


def restore(peer: Velero, name: str, backup: str, mapping: str) -> dict[str, Any]:
    """The status of a restore that has come to its end."""
    peer.run("restore", "create", name, "--from-backup", backup, "--namespace-mappings", mapping, "--wait")
    status: dict[str, Any] = peer.object("Restore", name)["status"]
    assert status["phase"] == "Completed", f"{status}\n{peer.run('restore', 'logs', name)}"
    assert not status.get("errors"), peer.run("restore", "describe", name, "--details")
    return status


def test_velero_lists_describes_restores_and_removes_what_a_run_has_left(world: World, peer: Velero, back: str) -> None:
    world.deploy(mebibytes=1, files=20)
    had = evidence.restored(world.source, world.source_namespace)
    stored_in(world)
    run = world.migrate(**INDIRECT)
    assert run.code == 0, run.output
    initial, stage = stored(world, "backups")
    peer.await_backups(initial, stage)

    for backup in (initial, stage):
        key = f"velero/backups/{backup}/{backup}"
        objects = listed(world, f"{key}-resource-list.json.gz")
        total = sum(map(len, objects.values()))
        told = peer.run("backup", "describe", backup, "--details")
        must_name(told, objects)
        assert re.search(r"^Phase:\s+Completed$", told, re.MULTILINE)
        assert re.search(rf"^Items backed up:\s+{total}$", told, re.MULTILINE)
        assert f"Backed up a total of {total} items" in peer.run("backup", "logs", backup)
        peer.run("backup", "download", backup, "--output", f"{backup}.tar.gz")
        assert (peer.folder / f"{backup}.tar.gz").read_bytes() == bucket_object(world, f"{key}.tar.gz")

    # The claims first, empty ones of a class that is here, then what uses them.
    labels = {"velero.io/plugin-config": "", "velero.io/change-storage-class": "RestoreItemAction"}
    metadata = {"name": "classes", "namespace": peer.namespace, "labels": labels}
    world.destination.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": CLASSES})
    mapping = f"{world.source_namespace}:{back}"
    assert not restore(peer, "claims", stage, mapping).get("warnings")
    assert not restore(peer, "objects", initial, mapping).get("warnings")
    applications.await_ready(world.destination, back)
    must_be_what_there_was(evidence.restored(world.destination, back), had, back)

    must_tell_of_our_restores(world, peer)

    copies = bucket_keys(world, "velero/restic/")
    peer.allow_removal()
    peer.run("backup", "delete", initial, stage, "--confirm")
    peer.await_backups()
    assert (stored(world, "backups"), stored(world, "restores")) == ([], [])
    assert bucket_keys(world, "velero/restic/") == copies != []
    assert evidence.restored(world.destination, back).keys() == had.keys()


def must_be_what_there_was(found: dict[str, Any], had: dict[str, Any], namespace: str) -> None:
    """The same objects with the same content, but for the namespace, the class of storage, and Velero's marks."""
    for obj in found.values():
        for mark in MARKS:
            assert obj["metadata"]["labels"].pop(mark)
        if not obj["metadata"]["labels"]:
            obj["metadata"].pop("labels")
        assert obj["metadata"].pop("namespace") == namespace
    for obj in had.values():
        obj["metadata"].pop("namespace")
        if obj["kind"] == "PersistentVolumeClaim":
            obj["spec"]["storageClassName"] = CLASSES[obj["spec"]["storageClassName"]]
    assert found.keys() == had.keys()
    assert [key for key in had if found[key] != had[key] and key not in MADE_ANEW] == []


def must_tell_of_our_restores(world: World, peer: Velero) -> None:
    """Velero looks for no restores in a bucket. One that the cluster knows under the name of ours is described from our
    files."""
    known = peer.names("restore")
    ours = [name for name in stored(world, "restores") if name not in known]
    assert known == ["claims", "objects"]
    for name, backup in zip(ours, stored(world, "backups"), strict=True):
        objects = listed(world, f"velero/restores/{name}/restore-{name}-resource-list.json.gz")
        total = sum(map(len, objects.values()))
        world.destination.create(
            {
                "apiVersion": "velero.io/v1",
                "kind": "Restore",
                "metadata": {"name": name, "namespace": peer.namespace},
                "spec": {"backupName": backup},
                "status": {"phase": "Completed", "warnings": 1},
            }
        )
        must_name(peer.run("restore", "describe", name, "--details"), objects)
        assert f"Restored a total of {total} items" in peer.run("restore", "logs", name)


@pytest.fixture
def widgets(world: World) -> Iterator[None]:
    """A kind of the source's own, which the destination has never heard of; gone from both at the end."""
    world.source.create(DEFINITION)
    until(lambda: any(kind.kind == "Widget" for kind in world.source.types(refresh=True)), "Widgets are served")
    yield
    kind = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    for cluster in (world.source, world.destination):
        cluster.delete(*kind, WIDGETS)
        until(lambda cluster=cluster: cluster.get(*kind, WIDGETS) is None, "Widgets are gone")  # type: ignore[misc]


@pytest.mark.usefixtures("widgets")
def test_velero_restores_every_kind_from_a_run_with_a_long_name(world: World, peer: Velero, back: str) -> None:
    world.source.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.source_namespace}})
    for obj in application(world.source_namespace):
        if f"{obj['kind']} {obj['metadata']['name']}" not in NOT_CARRIED:
            world.source.create(obj)
    had = evidence.restored(world.source, world.source_namespace)
    stored_in(world)
    plan = f"{'long' * 14}-app"
    run = world.migrate(mtc_plan=plan, mtc_storage="backups", mtc_pause_before="quiesce")
    assert run.code == 0, run.output
    ended = calls.migration(world, plan=plan, cancel=True)
    assert ended.code == 0, ended.output
    (backup,) = stored(world, "backups")
    assert len(backup.partition("-initial-")[0]) > 63
    peer.await_backups(backup)
    objects = listed(world, f"velero/backups/{backup}/{backup}-resource-list.json.gz")
    must_name(peer.run("backup", "describe", backup, "--details"), objects)

    restore(peer, "all", backup, f"{world.source_namespace}:{back}")
    done = listed(world, "velero/restores/all/restore-all-resource-list.json.gz")
    there = {kind: [name.replace(world.source_namespace, back, 1) for name in names] for kind, names in objects.items()}
    there["v1/ServiceAccount"].remove(f"{back}/default")
    done["v1/ServiceAccount"].remove(f"{back}/default(skipped)")
    assert done == {kind: [f"{name}(created)" for name in names] for kind, names in there.items()}
    world.destination.types(refresh=True)
    must_be_what_there_was(evidence.restored(world.destination, back), had, back)
