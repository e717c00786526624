# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stage runs: the application keeps running, each pass copies the difference and says how much it was."""

from __future__ import annotations

from integration.migration import applications, evidence
from integration.migration.calls import migration, record, stored
from integration.migration.conftest import World

MEBIBYTES = 6
GROWTH = 100_000


def only_volumes(world: World) -> bool:
    """Nothing but claims has been made on the destination."""
    there = evidence.restored(world.destination, world.destination_namespace)
    return bool(there) and all(what.startswith("PersistentVolumeClaim ") for what in there)


def test_each_pass_copies_the_difference_and_the_cutover_the_rest(world: World) -> None:
    world.deploy(mebibytes=MEBIBYTES, files=50)
    before = applications.pod_of(world.source, world.source_namespace)

    told = world.stage("--check", "--diff")
    assert told.code == 0, told.output
    prediction = told.migration["prediction"]
    assert (prediction["objects"], prediction["stops"], len(prediction["volumes"])) == ([], [], 1)
    assert "EnsureFinalRestore" not in prediction["phases"]

    first = world.stage()
    assert first.code == 0, first.output
    (volume,) = first.migration["volumes"]
    assert volume["bytes_moved"] >= MEBIBYTES * 1024 * 1024
    assert volume["files_moved"] > 50
    assert first.migration["resource"]["spec"]["stage"] is True
    assert first.migration["conditions"]["Succeeded"]["status"] == "True"
    assert only_volumes(world)
    assert world.left_behind() == []

    applications.shell(world.source, world.source_namespace, f"head -c {GROWTH} /dev/urandom > /data/grown")
    second = world.stage("--start-at-task", "Plan the migration")
    assert second.code == 0, second.output
    (volume,) = second.migration["volumes"]
    assert (volume["files_moved"], volume["bytes_moved"]) == (1, GROWTH)
    assert stored(world) == {"app-stage": "Completed", "app-stage-2": "Completed"}

    once = migration(world, stage=True)
    assert (once.code, once.changed) == (0, 0), once.output
    assert once.migration["resource"]["metadata"]["name"] == "app-stage-2"
    assert applications.pod_of(world.source, world.source_namespace) == before, "the application was restarted"

    files = applications.files(world.source, world.source_namespace)
    final = world.migrate("--start-at-task", "Plan the migration")
    assert final.code == 0, final.output
    assert applications.files(world.destination, world.destination_namespace) == files
    assert record(world)["precopy"]["bytes"] == 0, "what the stage runs had copied was copied again"

    refused = migration(world, stage=True, again=True)
    assert refused.code != 0
    assert "app-final: no stage run is started after it" in refused.failure
    moved = world.stage("--start-at-task", "Plan the migration")
    assert (moved.code, moved.changed) == (0, 0), moved.output


def test_a_stage_run_that_stops_the_application_starts_it_again(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    files = applications.files(world.source, world.source_namespace)
    run = world.stage(mtc_quiesce_pods=True)
    assert run.code == 0, run.output
    assert run.migration["downtime_seconds"] > 0
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    assert applications.files(world.source, world.source_namespace) == files
    assert only_volumes(world)


def test_a_stage_run_without_volumes_says_that_it_did_nothing(world: World) -> None:
    settings = [
        manifest
        for manifest in applications.manifests(world.source_namespace)
        if manifest["kind"] in ("Namespace", "ConfigMap")
    ]
    world.deploy(settings)
    run = world.stage()
    assert run.code == 0, run.output
    conditions = run.migration["conditions"]
    assert conditions["StageNoOp"]["category"] == "Warn"
    assert conditions["SucceededWithWarnings"]["status"] == "True"
    assert world.destination.get("v1", "Namespace", world.destination_namespace) is None
