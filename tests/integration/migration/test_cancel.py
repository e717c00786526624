# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A run is cancelled: by somebody else while it works, after a kill, and when there is nothing to cancel."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration import applications, evidence, processes
from integration.migration.calls import call, migration, stored
from integration.migration.conftest import World
from integration.migration.test_kills import in_the_last_pass, in_the_pre_copy, in_the_restore, seeded
from integration.migration.test_volume_truth import MARKS

SLOW = {"mtc_bandwidth": 500}


def conditions(world: World, name: str) -> dict[str, dict[str, Any]]:
    found = world.destination.get(names.API_VERSION, names.MIG_MIGRATION, name, world.resource_namespace)
    assert found is not None
    return {item["type"]: item for item in found["status"]["conditions"]}


def must_be_as_before(world: World, name: str) -> None:
    """The run ended as cancelled only; the source runs, without any mark; no object has stayed on the destination."""
    told = conditions(world, name)
    assert told["Canceled"]["reason"] == "Cancel"
    assert not {"Succeeded", "SucceededWithWarnings", "Canceling", "Running", "Ready", "Failed"} & set(told)
    applications.await_ready(world.source, world.source_namespace)
    deployment = world.source.get("apps/v1", "Deployment", "web", world.source_namespace)
    assert deployment is not None
    assert [key for key in deployment["metadata"].get("annotations") or {} if key.startswith(MARKS)] == []
    arrived = evidence.restored(world.destination, world.destination_namespace)
    assert {what for what in arrived if not what.startswith("PersistentVolumeClaim ")} == set()
    direct = world.destination.list(names.API_VERSION, names.DIRECT_VOLUME_MIGRATION, world.resource_namespace)
    assert list(direct) == []
    assert world.left_behind() == []


def cancel(world: World, **options: Any) -> Any:
    return call(world, "mig_migration", plan="app", cancel=True, **options)


@pytest.mark.parametrize(
    ("moment", "options"),
    [
        pytest.param(in_the_pre_copy, SLOW, id="pre-copy"),
        pytest.param(in_the_last_pass, {**SLOW, "mtc_pre_copy": False}, id="last-pass"),
    ],
)
def test_a_live_process_sees_the_wish_and_gives_up(moment: Any, options: dict[str, Any], world: World) -> None:
    seeded(world)
    run = world.start(**options)
    moment(run, world)
    ended = cancel(world)
    given_up = run.end()
    assert (ended.code, ended.changed) == (0, 1), ended.output
    assert ended.migration["conditions"]["Canceled"]["status"] == "True"
    assert given_up.code != 0
    assert "app-final: it was cancelled" in given_up.failure
    must_be_as_before(world, "app-final")
    again = cancel(world)
    assert (again.code, again.changed) == (0, 0), again.output


@pytest.mark.parametrize("moment", [in_the_last_pass, in_the_restore], ids=["last-pass", "restore"])
def test_a_killed_run_is_cancelled_by_the_call_itself_and_a_new_one_reuses_its_volumes(
    moment: Any, world: World
) -> None:
    seeded(world)
    run = world.start(**SLOW, mtc_pre_copy=False) if moment is in_the_last_pass else world.start()
    moment(run, world)
    processes.send(processes.tree(run.process.pid), signal.SIGKILL)
    run.end()
    ended = cancel(world)
    assert (ended.code, ended.changed) == (0, 1), ended.output
    must_be_as_before(world, "app-final")
    files = applications.files(world.source, world.source_namespace)
    mended = migration(world)
    assert mended.code == 0, mended.output
    assert stored(world) == {"app-final": "Completed", "app-final-2": "Completed"}
    assert applications.files(world.destination, world.destination_namespace) == files


@pytest.mark.sample
def test_a_run_that_nobody_began_is_cancelled_and_nothing_is_done_for_it(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    assert world.migrate(mtc_storage_class_mapping={"source-ssd": "nowhere"}).code != 0
    reference = {"name": "app", "namespace": world.resource_namespace}
    world.destination.create(
        {
            "apiVersion": names.API_VERSION,
            "kind": names.MIG_MIGRATION,
            "metadata": {"name": "by-hand", "namespace": world.resource_namespace},
            "spec": {"migPlanRef": reference, "stage": True},
        }
    )
    refused = migration(world)
    assert refused.code != 0
    assert "by-hand: another run of the plan is not finished" in refused.failure
    ended = cancel(world)
    assert (ended.code, ended.changed) == (0, 1), ended.output
    assert "Canceled" in conditions(world, "by-hand")
    assert world.destination.get("v1", "Namespace", world.destination_namespace) is None


def test_there_is_nothing_to_cancel(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    assert world.migrate(mtc_storage_class_mapping={"source-ssd": "nowhere"}).code != 0
    nothing = cancel(world)
    assert (nothing.code, nothing.changed) == (0, 0), nothing.output
    unknown = cancel(world, name="unknown")
    assert unknown.code != 0
    assert "MigMigration unknown: it cannot be cancelled: plan app has no such migration" in unknown.failure
