# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The same task again, in every state that a run can be in; and the removal of what it is about."""

from __future__ import annotations

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration import applications
from integration.migration.calls import PLAN_TASK, call, definition, migration, stored
from integration.migration.conftest import World
from integration.migration.playbooks import Run
from integration.migration.waiting import until
from integration.migration.writers import PARTING, application


def test_a_failed_run_is_followed_by_one_of_the_next_name_once_its_cause_is_gone(world: World) -> None:
    world.deploy(application(world.source_namespace, PARTING, parting_bytes=12 * 1024 * 1024))

    def again(*arguments: str, size: str) -> Run:
        return world.migrate(
            *arguments, mtc_persistent_volumes=[{"pvc": f"{world.source_namespace}/data", "size": size}]
        )

    failed = again(size="8Mi")
    assert failed.code != 0
    assert failed.migration["downtime_seconds"] > 0
    assert stored(world) == {"app-final": "Completed"}

    # The failed run's claim stays, to be filled up. It has not grown, and that is seen before the application stops.
    refused = again(*PLAN_TASK, size="22Mi")
    assert refused.code != 0
    message = refused.failure
    for words in (f"PersistentVolumeClaim {world.destination_namespace}/data", "8Mi", "22Mi", "elete"):
        assert words in message
    assert stored(world) == {"app-final": "Completed"}

    world.destination.delete("v1", "PersistentVolumeClaim", "data", world.destination_namespace)
    mended = again(*PLAN_TASK, size="22Mi")
    assert mended.code == 0, mended.output
    assert mended.migration["resource"]["metadata"]["name"] == "app-final-2"
    assert stored(world) == {"app-final": "Completed", "app-final-2": "Completed"}
    failure = world.destination.get(names.API_VERSION, names.MIG_MIGRATION, "app-final", world.resource_namespace)
    assert failure is not None
    assert "Failed" in [item["type"] for item in failure["status"]["conditions"]]
    applications.await_ready(world.destination, world.destination_namespace)


def test_an_unfinished_run_keeps_its_options_and_its_resources_until_it_has_ended(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    # Makes the clusters known, and is refused.
    assert world.migrate(mtc_storage_class_mapping={"source-ssd": "nowhere"}).code != 0
    begun = migration(world, wait=False, plan_definition=definition(world))
    assert begun.code == 0, begun.output
    assert begun.migration["waiting_for"]
    name = begun.migration["resource"]["metadata"]["name"]
    phase = stored(world)[name]
    assert phase != "Completed"
    assert begun.migration["conditions"]["Running"]["reason"] == phase
    assert begun.migration["conditions"]["Ready"]["status"] == "True"

    other = migration(world, verification="full", existing_objects="keep", start_timeout=111)
    assert other.code != 0
    assert f"MigMigration {world.resource_namespace}/{name}" in other.failure
    for field, was, wanted in (("verification", "changed", "full"), ("existing_objects", "fail", "keep")):
        assert f"{field}: the run began with '{was}' and this call asks for '{wanted}'" in other.failure
    assert "start_timeout" not in other.failure
    assert stored(world)[name] == phase

    kept = call(world, "mig_plan", name="app", state="absent")
    assert kept.code != 0
    assert f"MigPlan {world.resource_namespace}/app: it is not removed" in kept.failure
    assert name in kept.failure
    used = call(world, "mig_cluster", name="source", state="absent")
    assert used.code != 0
    assert f"it is used by MigPlan {world.resource_namespace}/app" in used.failure

    ended = migration(world)
    assert ended.code == 0, ended.output
    assert ended.migration["resource"]["metadata"]["name"] == name
    assert ended.migration["phase"] == "Completed"

    removed = call(world, "mig_plan", name="app", state="absent")
    assert (removed.code, removed.changed) == (0, 1), removed.output
    until(lambda: stored(world) == {}, "the migrations are removed with their plan")
    again = call(world, "mig_plan", name="app", state="absent")
    assert (again.code, again.changed) == (0, 0), again.output
    for cluster in ("source", "destination"):
        gone = call(world, "mig_cluster", name=cluster, state="absent")
        assert (gone.code, gone.changed) == (0, 1), gone.output
    assert world.destination.get("v1", "Secret", "source-token", world.resource_namespace) is None
    assert list(world.destination.list(names.API_VERSION, names.MIG_CLUSTER, world.resource_namespace)) == []
    # What was moved stays.
    assert applications.replicas_ready(world.destination, world.destination_namespace) == (1, 1)
