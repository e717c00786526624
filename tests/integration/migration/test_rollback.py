# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A rollback: the source is as it was, and on the destination only what the migration made is gone."""

from __future__ import annotations

from typing import Any

import pytest

from integration.migration import applications, evidence
from integration.migration.calls import PLAN_TASK, call, stored
from integration.migration.conftest import World
from integration.migration.playbooks import Run, play
from integration.migration.waiting import until

FOREIGN = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"of": "somebody else"}}


def roll_back(world: World, *arguments: str, **changes: Any) -> Run:
    return play(world.variables(**changes), *arguments, playbook="openmig.mtc.rollback")


def source_state(world: World) -> dict[str, Any]:
    """Everything of the source's namespace that a user would name."""
    return evidence.restored(world.source, world.source_namespace)


def replicas(world: World, count: int) -> None:
    """What somebody does to the application of the source by hand."""
    world.source.patch("apps/v1", "Deployment", "web", world.source_namespace, patch={"spec": {"replicas": count}})


def put_foreign(world: World, namespace: str) -> None:
    world.destination.create({**FOREIGN, "metadata": {"name": "foreign", "namespace": namespace}})


def test_after_success_the_source_is_as_before_and_a_new_migration_may_start(world: World) -> None:
    world.deploy(mebibytes=2, files=20)
    before = source_state(world)
    files = applications.files(world.source, world.source_namespace)
    moved = world.migrate()
    assert moved.code == 0, moved.output
    applications.await_ready(world.destination, world.destination_namespace)
    applications.shell(world.destination, world.destination_namespace, "echo new > /data/written-later")

    told = roll_back(world, "--check", "--diff")
    assert (told.code, told.changed) == (0, 1), told.output
    assert f"Namespace {world.destination_namespace}" in told.migration["prediction"]["removes"]
    assert told.migration["prediction"]["starts"] == [f"Deployment {world.source_namespace}/web"]
    assert applications.replicas_ready(world.destination, world.destination_namespace) == (1, 1)

    undone = roll_back(world)
    assert (undone.code, undone.changed) == (0, 1), undone.output
    assert source_state(world) == before
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    assert applications.files(world.source, world.source_namespace) == files
    assert world.destination.get("v1", "Namespace", world.destination_namespace) is None
    (received,) = undone.migration["rollback"]["received"]
    assert received["changed"]
    assert "written-later" in received["files"]
    assert undone.migration["downtime_seconds"] > 0
    assert undone.migration["rollback"]["started"] == [f"Deployment {world.source_namespace}/web"]
    assert world.left_behind() == []

    again = roll_back(world)
    assert (again.code, again.changed) == (0, 0), again.output
    anew = world.migrate(*PLAN_TASK)
    assert anew.code == 0, anew.output
    assert stored(world) == {"app-final": "Completed", "app-rollback": "Completed", "app-final-2": "Completed"}
    assert applications.files(world.destination, world.destination_namespace) == files


@pytest.mark.parametrize("existed", [True, False], ids=["existing-namespace", "foreign-object"])
def test_what_others_have_put_there_stays(existed: bool, world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    namespace = world.destination_namespace
    if existed:
        world.destination.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    else:
        assert world.stage().code == 0
    put_foreign(world, namespace)
    moved = world.migrate()
    assert moved.code == 0, moved.output
    undone = roll_back(world)
    assert undone.code == 0, undone.output
    assert set(evidence.restored(world.destination, namespace)) == {"ConfigMap foreign"}
    assert world.destination.get("v1", "ServiceAccount", "default", namespace) is not None
    kept = undone.migration["rollback"].get("kept_namespaces", [])
    assert kept == ([] if existed else [namespace])
    applications.await_ready(world.source, world.source_namespace)


@pytest.mark.sample
def test_after_a_stage_run_the_copies_go_and_the_application_is_not_touched(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    pod = applications.pod_of(world.source, world.source_namespace)
    assert world.stage().code == 0
    undone = roll_back(world)
    assert undone.code == 0, undone.output
    assert world.destination.get("v1", "Namespace", world.destination_namespace) is None
    assert undone.migration["downtime_seconds"] is None
    assert applications.pod_of(world.source, world.source_namespace) == pod


def test_what_was_never_migrated_cannot_be_rolled_back(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    assert world.migrate(mtc_storage_class_mapping={"source-ssd": "nowhere"}).code != 0
    refused = call(world, "mig_migration", plan="app", rollback=True)
    assert refused.code != 0
    assert "MigPlan app: there is nothing to roll back" in refused.failure


def test_what_was_written_on_the_destination_is_taken_back(world: World) -> None:
    world.deploy(mebibytes=2, files=20)
    moved = world.migrate()
    assert moved.code == 0, moved.output
    applications.await_ready(world.destination, world.destination_namespace)
    applications.shell(world.destination, world.destination_namespace, "echo new > /data/written-later; rm /data/empty")
    files = applications.files(world.destination, world.destination_namespace)

    replicas(world, 1)
    applications.await_ready(world.source, world.source_namespace)
    refused = roll_back(world, mtc_rollback_sync=True)
    assert refused.code != 0
    assert "the volumes of the source are in use, so nothing is copied back" in refused.failure
    assert applications.files(world.destination, world.destination_namespace) == files, "it was touched"
    replicas(world, 0)
    until(lambda: not list(world.source.list("v1", "Pod", world.source_namespace)), "nobody uses it any more")

    undone = roll_back(world, mtc_rollback_sync=True)
    assert undone.code == 0, undone.output
    (copied,) = undone.migration["rollback"]["copied_back"]
    assert (copied["ok"], copied["files_moved"]) == (True, 1)
    assert applications.files(world.source, world.source_namespace) == files
    assert world.destination.get("v1", "Namespace", world.destination_namespace) is None
    assert world.left_behind() == []
