# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A volume arrives whole, with what was written last, or the run fails, says which file, and the source runs again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integration.migration import applications, evidence
from integration.migration.conftest import World
from integration.migration.playbooks import Run
from integration.migration.waiting import until_measured
from integration.migration.writers import APPEND, PARTING, application, operator

LAST_PASS = ("CreateDirectVolumeMigrationFinal", "WaitForDirectVolumeMigrationToComplete")
MARKS = "migration.openshift.io/preQuiesce"


def must_have_turned_back(world: World, run: Run, *told: str) -> None:
    """The run failed with these words; the source runs as before and no object is on the destination."""
    assert run.code != 0, run.output
    message = run.failure
    for words in told:
        assert words in message
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    deployment = world.source.get("apps/v1", "Deployment", "web", world.source_namespace)
    assert deployment is not None
    assert [key for key in deployment["metadata"].get("annotations") or {} if key.startswith(MARKS)] == []
    arrived = evidence.restored(world.destination, world.destination_namespace)
    assert {what for what in arrived if not what.startswith("PersistentVolumeClaim ")} == set()
    assert run.migration["conditions"]["Failed"]["status"] == "True"
    assert world.left_behind() == []


def last_pass(world: World) -> dict[str, Any]:
    """What the run's record says of the pass that was made after the application had stopped."""
    record = world.destination.get("v1", "ConfigMap", "app-final-run", world.resource_namespace)
    assert record is not None
    return dict(json.loads(record["data"]["record.json"])["final_pass"])


@pytest.mark.sample
def test_what_is_written_until_the_last_moment_arrives(world: World) -> None:
    world.deploy(application(world.source_namespace, APPEND))
    run = world.migrate()
    assert run.code == 0, run.output

    applications.await_ready(world.destination, world.destination_namespace)
    log = applications.shell(world.destination, world.destination_namespace, "cut -d' ' -f1 /data/log").split()
    last = int(applications.shell(world.destination, world.destination_namespace, "cat /data/last"))
    assert last_pass(world)["files"] >= 1, "nothing was appended after the pre-copy, so nothing was shown"
    assert log == [str(number) for number in range(1, last + 1)]
    assert all(volume["ok"] for volume in run.migration["volumes"])


def test_a_file_that_the_mover_may_not_read_ends_the_run_and_is_named(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    run = world.migrate(mtc_run_as_root=False)
    must_have_turned_back(world, run, f"{world.source_namespace}/data", "private")


def test_a_file_of_the_last_moment_that_the_mover_may_not_read_ends_the_run_and_is_named(world: World) -> None:
    world.deploy(application(world.source_namespace, PARTING, parting_bytes=1000, mode="0600"))
    run = world.migrate(mtc_run_as_root=False)
    must_have_turned_back(world, run, f"{world.source_namespace}/data", "parting")
    assert run.migration["failed_phase"] in LAST_PASS
    assert run.migration["files"] == ["parting"]


def test_a_destination_that_fills_up_in_the_last_pass(world: World) -> None:
    world.deploy(application(world.source_namespace, PARTING, parting_bytes=12 * 1024 * 1024))
    size = [{"pvc": f"{world.source_namespace}/data", "size": "8Mi"}]
    run = world.migrate(mtc_persistent_volumes=size)
    must_have_turned_back(world, run, f"{world.source_namespace}/data", "8Mi is full")
    assert run.migration["failed_phase"] in LAST_PASS
    assert run.migration["files"] == ["parting"]


def test_a_destination_that_is_full_from_a_failed_run_takes_what_fits_again(world: World) -> None:
    world.deploy(application(world.source_namespace, PARTING, parting_bytes=12 * 1024 * 1024))
    size = [{"pvc": f"{world.source_namespace}/data", "size": "8Mi"}]
    assert world.migrate(mtc_persistent_volumes=size).code != 0
    # What had no room is gone from the source; part of it still fills the destination.
    applications.shell(world.source, world.source_namespace, "echo 1000 > /data/size; test ! -e /data/parting")
    until_measured(world.source, world.source_namespace, at_most=4 * 1024 * 1024)

    run = world.migrate("--start-at-task", "Plan the migration", mtc_persistent_volumes=size)
    assert run.code == 0, run.output
    assert [volume["ok"] for volume in run.migration["volumes"]] == [True]


def test_an_operator_that_never_lets_the_application_stop_is_found(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    marks = {"metadata": {"labels": {"argocd.argoproj.io/instance": "shop"}}}
    world.source.patch("apps/v1", "Deployment", "web", world.source_namespace, patch=marks)
    managed = f"Deployment {world.source_namespace}/web is managed by Argo CD application shop"
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    world.source.create(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {
                "name": "keda-hpa-queue",
                "namespace": world.source_namespace,
                "labels": {"scaledobject.keda.sh/name": "queue"},
            },
            "spec": {"minReplicas": 1, "maxReplicas": 1, "scaleTargetRef": target},
        }
    )
    scaled = f"Deployment {world.source_namespace}/web is scaled by KEDA ScaledObject queue, which may start it again"
    told = world.migrate("--check")
    for text in (managed, scaled):
        assert [each for each in told.migration["prediction"]["warnings"] if each.startswith(text)]
    with operator(namespace=world.source_namespace, resource_namespace=world.resource_namespace):
        run = world.migrate(mtc_quiesce_timeout=8)
        must_have_turned_back(world, run, "still able to write", f"Pod {world.source_namespace}/web-", managed)
    # Said while the application still ran, too.
    assert f"warning: {scaled}" in run.output
    assert run.migration["failed_phase"] == "EnsureSrcQuiesced"


def test_an_operator_that_starts_the_application_during_the_last_pass_is_found(world: World) -> None:
    # Slow enough, by what is written at the end, that the pod is there before the pass has ended.
    world.deploy(application(world.source_namespace, PARTING, parting_bytes=6 * 1024 * 1024))
    where = {"namespace": world.source_namespace, "resource_namespace": world.resource_namespace}
    with operator(**where, phases=LAST_PASS):
        run = world.migrate(mtc_quiesce_timeout=30, mtc_bandwidth=1024)
        must_have_turned_back(world, run, "came back", f"Pod {world.source_namespace}/web-", "operator")
    assert run.migration["failed_phase"] == LAST_PASS[-1]
