# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""State migrations: the data moves and no object does; whoever deploys the application starts it at the destination."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration import applications, evidence, processes
from integration.migration.calls import PLAN_TASK, record, stored
from integration.migration.conftest import World
from integration.migration.playbooks import Run, Started, play
from integration.migration.waiting import until
from integration.migration.writers import APPEND, PARTING, application
from lab import audit
from lab.targets import targets

LAST_PASS = ("CreateDirectVolumeMigrationStage", "WaitForDirectVolumeMigrationToComplete")
STATE = {"mtc_migrate_state": True}


def claims(world: World) -> list[str]:
    """What the destination's namespace holds; nothing but claims may be there."""
    there = evidence.restored(world.destination, world.destination_namespace)
    assert {what for what in there if not what.startswith("PersistentVolumeClaim ")} == set()
    return sorted(what.removeprefix("PersistentVolumeClaim ") for what in there)


def deploy_there(world: World, objects: list[applications.Manifest]) -> None:
    """The user's own deployment at the destination, onto the claims that are there."""
    wanted = [obj for obj in objects if obj["kind"] not in ("Namespace", "PersistentVolumeClaim")]
    applications.deploy(world.destination, wanted)


def roll_back(world: World, *arguments: str, **changes: Any) -> Run:
    return play(world.variables(**changes), *arguments, playbook="openmig.mtc.rollback")


def test_the_data_moves_and_the_application_is_deployed_anew(world: World) -> None:
    world.deploy(application(world.source_namespace, APPEND))
    marks = {name: audit.mark(name) for name in ("source", "destination")}
    told = world.migrate("--check", "--diff", **STATE)
    assert told.code == 0, told.output
    prediction = told.migration["prediction"]
    assert (prediction["objects"], len(prediction["volumes"])) == ([], 1)
    assert prediction["stops"] == [f"Deployment {world.source_namespace}/web"]
    assert {"EnsureSrcQuiesced", "WaitForDirectVolumeMigrationToComplete"} <= set(prediction["phases"])
    assert not {"EnsureInitialBackup", "EnsureFinalRestore"} & set(prediction["phases"])
    for name, mark in marks.items():
        written = evidence.described(evidence.our_writes(name, mark))
        assert [line for line in written if world.name in line] == []

    before = applications.pod_of(world.source, world.source_namespace)
    copied = world.stage(**STATE)
    assert copied.code == 0, copied.output
    assert copied.migration["resource"]["spec"]["migrateState"] is True
    assert [(row["proven"], row["bytes_moved"] > 0) for row in copied.migration["volumes"]] == [(False, True)]
    assert "Nothing of this is proven" in copied.output
    assert applications.pod_of(world.source, world.source_namespace) == before, "the application was restarted"
    idle = roll_back(world, mtc_rollback_sync=True)
    assert "app-state: nothing is copied back (rollback_sync): it has not handed the application over" in idle.failure
    further = world.stage(*PLAN_TASK, **STATE)
    assert further.code == 0, further.output
    assert claims(world) == ["data"]

    moved = world.migrate(*PLAN_TASK, **STATE)
    assert moved.code == 0, moved.output
    assert stored(world) == {"app-state": "Completed", "app-state-2": "Completed", "app-state-3": "Completed"}
    assert moved.migration["resource"]["status"]["itinerary"] == "Stage"
    assert [(row["ok"], row["proven"]) for row in moved.migration["volumes"]] == [(True, True)]
    assert record(world, "app-state-3")["final_pass"]["files"] >= 1, "nothing was written after the pre-copy"
    assert moved.migration["stays_stopped"] == [f"Deployment {world.source_namespace}/web"]
    assert moved.migration["down_since"]
    assert "the source stays stopped" in moved.output
    assert applications.replicas_ready(world.source, world.source_namespace) == (0, 0)
    assert claims(world) == ["data"]
    assert world.left_behind() == []

    again = world.migrate(*PLAN_TASK, **STATE)
    assert (again.code, again.changed) == (0, 0), again.output
    deploy_there(world, application(world.destination_namespace, APPEND))
    log = applications.shell(world.destination, world.destination_namespace, "cut -d' ' -f1 /data/log").split()
    last = int(applications.shell(world.destination, world.destination_namespace, "cat /data/last"))
    assert log == [str(number) for number in range(1, last + 1)]

    refused = roll_back(world)
    assert refused.code != 0
    assert "it is not rolled back while its volumes are in use" in refused.failure
    world.destination.delete("apps/v1", "Deployment", "web", world.destination_namespace, propagation="Foreground")
    undone = roll_back(world, "-e", "mtc_wait_timeout=120")
    assert undone.code == 0, undone.output
    (received,) = undone.migration["rollback"]["received"]
    assert received["changed"]
    assert ".seeded" in received["files"], "the application touches it as it starts"
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    there = evidence.restored(world.destination, world.destination_namespace)
    assert set(there) == {"ConfigMap settings", "Secret login", "Service web"}, (
        "what others deployed goes or claims stay"
    )


@pytest.mark.sample
def test_within_one_cluster_under_other_names(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    files = applications.files(world.source, world.source_namespace)
    here = {"kubeconfig": str(targets().source)}
    changes: dict[str, Any] = {
        **STATE,
        "mtc_source": here,
        "mtc_destination": here,
        "mtc_storage_class_mapping": {"source-ssd": "source-hdd"},
        "mtc_persistent_volumes": [{"pvc": "data", "target_name": "data-new"}],
    }
    moved = world.migrate(**changes)
    assert moved.code == 0, moved.output
    assert applications.replicas_ready(world.source, world.source_namespace) == (0, 0)
    claim = world.source.get("v1", "PersistentVolumeClaim", "data-new", world.destination_namespace)
    assert claim is not None
    assert claim["spec"]["storageClassName"] == "source-hdd"
    objects = applications.manifests(world.destination_namespace)
    for obj in objects:
        if obj["kind"] == "Deployment":
            obj["spec"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] = "data-new"
    wanted = [obj for obj in objects if obj["kind"] not in ("Namespace", "PersistentVolumeClaim")]
    applications.deploy(world.source, wanted)
    assert applications.files(world.source, world.destination_namespace) == files


def test_a_last_pass_that_is_not_proven_starts_the_source_again(world: World) -> None:
    world.deploy(application(world.source_namespace, PARTING, parting_bytes=1000, mode="0600"))
    run = world.migrate(mtc_run_as_root=False, **STATE)
    assert run.code != 0
    assert "parting" in run.failure
    assert run.migration["failed_phase"] in LAST_PASS
    assert run.migration["stays_stopped"] == []
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    assert world.left_behind() == []

    cancelled = world.start(mtc_bandwidth=100, **STATE)
    cancelled.wait_for("Stage 13/38 QuiesceSourceApplications")
    play(world.variables(), playbook="openmig.mtc.cancel")
    ended = cancelled.end()
    assert "it was cancelled" in ended.failure
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)


def test_killed_while_the_application_is_down_it_goes_on(world: World) -> None:
    world.deploy(mebibytes=8, files=50)
    files = applications.files(world.source, world.source_namespace)
    run = world.start(mtc_bandwidth=1000, mtc_pre_copy=False, **STATE)
    run.wait_for("final: 0 of 1 volumes done")
    processes.send(processes.tree(run.process.pid), signal.SIGKILL)
    run.end()
    again = world.migrate(mtc_pre_copy=False, **STATE)
    assert again.code == 0, again.output
    assert applications.replicas_ready(world.source, world.source_namespace) == (0, 0)
    deploy_there(world, applications.manifests(world.destination_namespace))
    assert applications.files(world.destination, world.destination_namespace) == files
    found = world.destination.get(names.API_VERSION, names.MIG_MIGRATION, "app-state", world.resource_namespace)
    assert found is not None
    assert found["spec"]["quiescePods"] is True


def in_use(world: World) -> bool:
    """Whether the user's own pods are still there."""
    return any(True for _pod in world.destination.list("v1", "Pod", world.destination_namespace))


def test_what_was_written_after_it_is_taken_back_whole_or_not_at_all(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    moved = world.migrate(**STATE, mtc_bandwidth=3000)
    assert moved.code == 0, moved.output
    deploy_there(world, applications.manifests(world.destination_namespace))
    changes = "echo new > /data/written-later; rm /data/empty; head -c 9000000 /dev/urandom > /data/much"
    applications.shell(world.destination, world.destination_namespace, changes)
    files = applications.files(world.destination, world.destination_namespace)
    used = roll_back(world, mtc_rollback_sync=True)
    assert "it is not rolled back while its volumes are in use" in used.failure
    world.destination.delete("apps/v1", "Deployment", "web", world.destination_namespace, propagation="Foreground")
    until(lambda: not in_use(world), "the user's application is gone")
    told = roll_back(world, "--check", "--diff", mtc_rollback_sync=True)
    assert told.migration["prediction"]["copies_back"] == [f"{world.source_namespace}/data"]

    copying = Started(world.variables(mtc_rollback_sync=True), playbook="openmig.mtc.rollback")
    copying.wait_for("back: 0 of 1 volumes done")
    processes.send(processes.tree(copying.process.pid), signal.SIGKILL)
    copying.end()
    powerless = play(world.variables(), playbook="openmig.mtc.cancel")
    assert "what copies data back to it cannot be made or removed there" in powerless.failure
    assert stored(world)["app-rollback"] == "CreateDirectVolumeMigrationRollback"
    cancelled = play(world.variables(mtc_rollback_sync=True), playbook="openmig.mtc.cancel")
    assert cancelled.code == 0, cancelled.output
    assert world.left_behind() == []
    assert applications.replicas_ready(world.source, world.source_namespace) == (0, 0)
    parted = roll_back(world)
    assert "it is not rolled back without rollback_sync" in parted.failure
    assert "app-rollback has begun to copy back and did not finish" in parted.failure
    assert applications.replicas_ready(world.source, world.source_namespace) == (0, 0)
    assert "PersistentVolumeClaim data" in evidence.restored(world.destination, world.destination_namespace)

    undone = roll_back(world, mtc_rollback_sync=True)
    assert undone.code == 0, undone.output
    (copied,) = undone.migration["rollback"]["copied_back"]
    assert (copied["ok"], copied["proven"]) == (True, True)
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    assert applications.files(world.source, world.source_namespace) == files
    assert "PersistentVolumeClaim data" not in evidence.restored(world.destination, world.destination_namespace)
    assert world.left_behind() == []
