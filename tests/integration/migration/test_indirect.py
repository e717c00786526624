# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Volumes that go through a replication repository, by a real restic and a real S3 server that both clusters reach."""

from __future__ import annotations

import base64
import copy
import io
import signal
import tarfile
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration import applications, calls, evidence, processes, waiting
from integration.migration.buckets import bucket_keys, bucket_object, own_bucket, stored_in
from integration.migration.conftest import World
from integration.migration.playbooks import Run, Started
from lab import faults, s3
from lab.topology import HOST_IP, S3_PORT

PLAN_TASK = calls.PLAN_TASK
GROWTH = 100_000
INDIRECT = {"mtc_storage": "backups", "mtc_indirect_volumes": True}


@pytest.fixture(autouse=True)
def bucket(world: World) -> Iterator[str]:
    with own_bucket(world):
        yield world.name


def unpacked(archive: bytes) -> list[str]:
    """The paths of an archive."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        return tar.getnames()


def password_of(world: World) -> str:
    secret = world.destination.get("v1", "Secret", "app-repository", world.resource_namespace)
    assert secret is not None
    return base64.b64decode(secret["data"]["password"]).decode()


def must_not_show_secrets(world: World, *runs: Run) -> None:
    """Neither the repository's password nor the store's keys are in what a user sees of the runs."""
    written = [str(calls.record(world, name)) for name in calls.stored(world)]
    for secret in (password_of(world), s3.storage().secret_key, s3.storage().access_key):
        for text in (*(run.output + str(run.tasks) for run in runs), *written):
            assert secret not in text


def volume_of(run: Run) -> dict[str, Any]:
    (volume,) = run.migration["volumes"]
    return dict(volume)


@pytest.mark.sample
def test_a_migration_through_the_store_is_proven_and_leaves_no_secret(world: World) -> None:
    world.deploy(mebibytes=2, files=50)
    stored_in(world)
    files = applications.files(world.source, world.source_namespace)
    run = world.migrate(**INDIRECT)
    assert run.code == 0, run.output
    assert applications.files(world.destination, world.destination_namespace) == files
    assert (volume_of(run)["proven"], volume_of(run)["differing"]) == (True, [])
    assert world.left_behind() == []
    must_not_show_secrets(world, run)


def test_stages_add_the_difference_and_the_cutover_proves_all(world: World) -> None:
    world.deploy(mebibytes=4, files=50)
    stored_in(world)

    first = world.stage(**INDIRECT)
    assert first.code == 0, first.output
    assert volume_of(first)["bytes_moved"] > 4 * 1024 * 1024
    there = evidence.restored(world.destination, world.destination_namespace)
    assert list(there) == ["PersistentVolumeClaim data"]
    assert world.left_behind() == []

    applications.shell(
        world.source,
        world.source_namespace,
        f"cd /data && head -c {GROWTH} /dev/urandom > grown && rm deep/er/7 && mv empty moved && chmod 0700 deep",
    )
    second = world.stage(*PLAN_TASK, **INDIRECT)
    assert second.code == 0, second.output
    assert GROWTH < volume_of(second)["bytes_moved"] < 3 * GROWTH
    third = world.stage(*PLAN_TASK, **INDIRECT)
    assert third.code == 0, third.output
    assert volume_of(third)["bytes_moved"] < GROWTH
    prefix = f"velero/restic/{world.resource_namespace}-app-"
    snapshots = [key for key in bucket_keys(world, prefix) if "/snapshots/" in key]
    assert len(snapshots) == 2, "a stage run forgets all backups but the newest and makes one"

    files = applications.files(world.source, world.source_namespace)
    final = world.migrate(*PLAN_TASK, **INDIRECT)
    assert final.code == 0, final.output
    assert applications.files(world.destination, world.destination_namespace) == files
    assert volume_of(final)["proven"] is True
    assert volume_of(final)["bytes_moved"] < GROWTH
    assert calls.record(world)["precopy"]["bytes"] < GROWTH, "what the stage runs had sent was sent again"
    assert world.left_behind() == []

    again = world.migrate(*PLAN_TASK, **INDIRECT)
    assert (again.code, again.changed) == (0, 0), again.output

    (backup,) = {key.split("/")[2] for key in bucket_keys(world, "velero/backups/app-final-stage-")}
    held = unpacked(bucket_object(world, f"velero/backups/{backup}/{backup}.tar.gz"))
    space = f"namespaces/{world.source_namespace}"
    assert f"resources/persistentvolumeclaims/{space}/data.json" in held
    assert f"resources/namespaces/cluster/{world.source_namespace}.json" in held
    assert len([path for path in held if path.startswith("resources/persistentvolumes/cluster/")]) == 1
    assert len(bucket_keys(world, f"velero/restores/{backup}/restore-{backup}-")) == 3

    assert bucket_keys(world, prefix)
    refused = calls.call(world, "mig_plan", name="app", delete_repository=True)
    assert refused.code != 0
    assert "delete_repository" in refused.failure
    gone = calls.call(world, "mig_plan", name="app", state="absent", delete_repository=True)
    assert (gone.code, gone.changed) == (0, 1), gone.output
    assert bucket_keys(world, prefix) == []


SLOW = {**INDIRECT, "mtc_bandwidth": 300, "mtc_pre_copy": False}
"""The backup of the volume then takes some ten seconds, while the application is stopped."""


LOST_FOR = 15
"""Seconds: what is shown is that time passes and nothing else does."""


def in_the_backup(run: Started) -> None:
    run.wait_for("final: backing up")


def test_killed_in_the_backup_the_same_command_goes_on(world: World) -> None:
    world.deploy(mebibytes=3, files=20)
    stored_in(world)
    files = applications.files(world.source, world.source_namespace)
    run = world.start(**SLOW)
    in_the_backup(run)
    processes.send(processes.tree(run.process.pid), signal.SIGKILL)
    run.end()
    pods = {pod["metadata"]["uid"] for pod in stage_pods(world)}
    assert len(pods) == 2, "the pods that opened the repository and back the volume up go on without the engine"

    ended = world.migrate(*PLAN_TASK, **SLOW)
    assert ended.code == 0, ended.output
    (step,) = [step for step in ended.migration["resource"]["status"]["pipeline"] if step["name"] == "StageBackup"]
    assert [line for line in step["progress"] if line.startswith("[data]")], step
    assert applications.files(world.destination, world.destination_namespace) == files
    assert list(calls.stored(world)) == ["app-final"]
    assert world.left_behind() == []


def test_a_stage_pod_that_is_deleted_is_made_again(world: World) -> None:
    world.deploy(mebibytes=3, files=20)
    stored_in(world)
    files = applications.files(world.source, world.source_namespace)
    run = world.start(**SLOW)
    in_the_backup(run)
    for pod in stage_pods(world):
        world.source.delete("v1", "Pod", pod["metadata"]["name"], world.source_namespace, grace_seconds=0)
    ended = run.end()
    assert ended.code == 0, ended.output
    assert applications.files(world.destination, world.destination_namespace) == files


def test_a_store_that_is_lost_for_a_while_costs_time_and_nothing_else(world: World) -> None:
    world.deploy(mebibytes=3, files=20)
    with faults.way(f"s3-{world.name}", f"{HOST_IP}:{S3_PORT}") as port:
        stored_in(world, endpoint=f"http://{HOST_IP}:{port}")
        files = applications.files(world.source, world.source_namespace)
        run = world.start(**SLOW)
        in_the_backup(run)
        with faults.cut(f"s3-{world.name}"):
            time.sleep(LOST_FOR)
        ended = run.end()
    assert ended.code == 0, ended.output
    assert applications.files(world.destination, world.destination_namespace) == files


def test_cancelled_in_the_backup_the_source_runs_and_nothing_is_left(world: World) -> None:
    world.deploy(mebibytes=3, files=20)
    stored_in(world)
    run = world.start(**{**SLOW, "mtc_bandwidth": 60})  # the backup must not end before the cancelling call has begun
    in_the_backup(run)
    under_way = world.destination.get(names.API_VERSION, names.MIG_MIGRATION, "app-final", world.resource_namespace)
    assert "StagePodsCreated" in [item["type"] for item in (under_way or {})["status"]["conditions"]]
    ended = calls.migration(world, cancel=True)
    assert ended.code == 0, ended.output
    assert run.end().code != 0
    conditions = ended.migration["conditions"]
    assert conditions["Canceled"]["status"] == "True"
    assert "StagePodsCreated" not in conditions
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    there = evidence.restored(world.destination, world.destination_namespace)
    assert set(there) <= {"PersistentVolumeClaim data"}
    assert world.left_behind() == []


def test_a_password_that_is_not_the_repositorys_ends_the_run_before_the_application_stops(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    stored_in(world)
    assert world.stage(**INDIRECT).code == 0
    planted = base64.b64encode(b"another-password-planted").decode()
    patch = {"data": {"password": planted}}
    world.destination.patch("v1", "Secret", "app-repository", world.resource_namespace, patch=patch)
    pod = applications.pod_of(world.source, world.source_namespace)

    run = world.migrate(*PLAN_TASK, **INDIRECT)
    assert run.code != 0
    assert "it cannot be opened" in run.failure
    assert "password" in run.failure
    assert "another-password-planted" not in run.output
    assert applications.pod_of(world.source, world.source_namespace) == pod
    assert world.left_behind() == []


def test_check_mode_tells_the_way_through_the_store(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    stored_in(world)
    told = world.migrate("--check", "--diff", **INDIRECT)
    assert told.code == 0, told.output
    prediction = told.migration["prediction"]
    assert [row["method"] for row in prediction["volumes"]] == ["restic"]
    assert "whether the pods of both clusters reach the replication repository" in prediction["not_checked"]
    assert {"EnsureStageBackup", "StageRestoreCreated"} <= set(prediction["phases"])
    assert not {phase for phase in prediction["phases"] if phase.startswith("CreateDirectVolume")}
    assert calls.stored(world) == {}


ODD = r"""
mkdir -p /data/cache/inner '/data/deep/odd [x]* $HOME'
echo left > /data/cache/inner/file; echo left > '/data/deep/odd [x]* $HOME/out.tmp '
echo left > '/data/deep/odd [x]* $HOME/$$?.tmp '; echo kept > '/data/deep/odd [x]* $HOME/kept'
echo left > '/data/percent%[ab].tmp '; echo kept > /data/cache.kept
"""


def test_what_is_left_out_is_neither_carried_nor_proven(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    applications.shell(world.source, world.source_namespace, ODD)
    stored_in(world)
    # rsync's patterns: a folder of the root, any folder's files with an odd end, and one of two links to one file.
    patterns = ["/cache/", "*.tmp ", "/hard"]
    options = {**INDIRECT, "mtc_excludes": [{"pvc": f"{world.source_namespace}/data", "patterns": patterns}]}
    staged = world.stage(**options)
    assert staged.code == 0, staged.output
    before = sums(applications.files(world.source, world.source_namespace))
    run = world.migrate(*PLAN_TASK, **options)
    assert run.code == 0, run.output
    row = volume_of(run)
    assert (row["proven"], row["differing"], row["excluded"]) == (True, [], 5)
    left = ("./cache/", "./hard", ".tmp ")
    kept = [line for line in before if not any(part in line for part in left)]
    assert len(kept) == len(before) - 5
    assert sums(applications.files(world.destination, world.destination_namespace)) == kept


def test_a_file_that_the_stage_pod_may_not_read_ends_the_run_before_the_application_stops(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    stored_in(world)
    pod = applications.pod_of(world.source, world.source_namespace)
    run = world.migrate(mtc_run_as_root=False, **INDIRECT)
    assert run.code != 0
    assert f"{world.source_namespace}/data" in run.failure
    assert run.migration["files"] == ["private"]
    assert applications.pod_of(world.source, world.source_namespace) == pod
    assert world.destination.get("v1", "Namespace", world.destination_namespace) is None
    assert world.left_behind() == []


def test_without_root_contents_arrive_and_what_is_lost_is_told(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    applications.shell(world.source, world.source_namespace, "rm /data/private")
    stored_in(world)
    files = applications.files(world.source, world.source_namespace)
    run = world.migrate(mtc_run_as_root=False, mtc_verification="full", **INDIRECT)
    assert run.code == 0, run.output
    assert volume_of(run)["proven"] is True
    assert any("owner" in line for line in volume_of(run)["downgrades"])
    assert sums(applications.files(world.destination, world.destination_namespace)) == sums(files)


def sums(lines: list[str]) -> list[str]:
    """Of what was measured the lines that tell a file's content."""
    found = [line for line in lines if len(line.split("  ")[0]) == 64]
    assert found
    return found


def test_a_destination_that_is_too_small_ends_the_run_and_the_source_runs_again(world: World) -> None:
    world.deploy(mebibytes=12, files=20)
    stored_in(world)
    size = [{"pvc": f"{world.source_namespace}/data", "size": "8Mi"}]
    run = world.migrate(mtc_persistent_volumes=size, mtc_accept_warnings=["PvCapacityAdjustmentRequired"], **INDIRECT)
    assert run.code != 0
    assert "8Mi is full" in run.failure
    assert run.migration["failed_phase"] == "StageRestoreCreated"
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    there = evidence.restored(world.destination, world.destination_namespace)
    assert list(there) == ["PersistentVolumeClaim data"]
    assert "StagePodsCreated" not in run.migration["conditions"]
    assert world.left_behind() == []


def test_a_volume_that_nobody_mounts_goes_too_and_a_rollback_removes_both(world: World) -> None:
    objects = applications.manifests(world.source_namespace, mebibytes=1, files=20)
    orphan = copy.deepcopy(next(each for each in objects if each["kind"] == "PersistentVolumeClaim"))
    orphan["metadata"]["name"] = "orphan"
    world.deploy([*objects, orphan, filler(world)])
    await_ended(world)
    stored_in(world)
    run = world.migrate(**INDIRECT)
    assert run.code == 0, run.output
    assert [(row["proven"], row["differing"]) for row in run.migration["volumes"]] == [(True, []), (True, [])]
    files = {row["move"]["source_claim"]: row["files"] for row in run.migration["volumes"]}
    assert files["orphan"] == 1

    refused = calls.migration(world, rollback=True, rollback_sync=True)
    assert refused.code != 0
    assert "one way only" in refused.failure
    back = calls.migration(world, rollback=True)
    assert back.code == 0, back.output
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    assert world.destination.get("v1", "Namespace", world.destination_namespace) is None


def filler(world: World) -> applications.Manifest:
    """A pod that writes one file to the claim that nobody uses, and ends."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "filler", "namespace": world.source_namespace},
        "spec": {
            "restartPolicy": "Never",
            "containers": [
                {
                    "name": "filler",
                    "image": applications.IMAGE,
                    "command": ["/bin/sh", "-c", "echo lonely > /data/only"],
                    "securityContext": {"runAsUser": 0},
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                }
            ],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "orphan"}}],
        },
    }


def await_ended(world: World) -> None:
    def ended() -> bool:
        pod = world.source.get("v1", "Pod", "filler", world.source_namespace)
        return pod is not None and pod["status"].get("phase") == "Succeeded"

    waiting.until(ended, "the pod that fills the claim ends")
    world.source.delete("v1", "Pod", "filler", world.source_namespace, grace_seconds=0)


def stage_pods(world: World) -> list[dict[str, Any]]:
    selector = f"{names.IS_STAGE_POD_LABEL}=True"
    return list(world.source.list("v1", "Pod", world.source_namespace, label_selector=selector))
