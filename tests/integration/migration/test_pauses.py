# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A migration stops where it was told to, goes on when it is told, gives up when that takes too long; and its resource
is removed."""

from __future__ import annotations

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration import applications, evidence
from integration.migration.calls import call, definition, migration, stored
from integration.migration.conftest import World
from integration.migration.test_cancel import must_be_as_before
from integration.migration.waiting import until


def prepared(world: World) -> None:
    """The application runs, the clusters are known, and nothing has been moved."""
    world.deploy(mebibytes=1, files=20)
    assert world.migrate(mtc_storage_class_mapping={"source-ssd": "nowhere"}).code != 0


def running(world: World) -> tuple[int, int]:
    return applications.replicas_ready(world.source, world.source_namespace)


def test_a_migration_pauses_before_the_application_stops_and_before_objects_are_created(world: World) -> None:
    prepared(world)
    first = migration(world, pause_before="quiesce", plan_definition=definition(world))
    assert (first.code, first.changed) == (0, 1), first.output
    assert "paused before quiesce" in first.migration["waiting_for"]
    assert first.migration["down_since"] is None
    assert running(world) == (1, 1)
    again = migration(world, pause_before="quiesce", plan_definition=definition(world))
    assert (again.code, again.changed) == (0, 0), again.output
    assert stored(world) == {"app-final": "QuiesceSourceApplications"}

    second = migration(world, pause_before="restore")
    assert (second.code, second.changed) == (0, 1), second.output
    assert "paused before restore; the application has been down for" in second.migration["waiting_for"]
    assert second.migration["down_since"] is not None
    assert [volume["ok"] for volume in second.migration["volumes"]] == [True]
    assert running(world) == (0, 0)
    arrived = evidence.restored(world.destination, world.destination_namespace)
    assert {what for what in arrived if not what.startswith("PersistentVolumeClaim ")} == set()

    ended = migration(world)
    assert ended.code == 0, ended.output
    assert ended.migration["down_since"] is None
    assert stored(world) == {"app-final": "Completed"}
    applications.await_ready(world.destination, world.destination_namespace)


def test_a_pause_that_lasts_longer_than_the_downtime_allowed_ends_the_cutover(world: World) -> None:
    prepared(world)
    options = {"max_downtime": 1, "plan_definition": definition(world)}
    paused = migration(world, pause_before="restore", **{**options, "max_downtime": 300})
    assert paused.code == 0, paused.output
    assert running(world) == (0, 0)
    given_up = migration(world, pause_before="restore", **options)
    assert given_up.code != 0
    assert "the cutover is given up and the source started again" in given_up.failure
    assert running(world) == (1, 1)
    assert given_up.migration["conditions"]["Failed"]["status"] == "True"


def test_a_migration_is_removed_with_its_record_and_cancelled_before_if_need_be(world: World) -> None:
    prepared(world)
    paused = migration(world, pause_before="restore", plan_definition=definition(world))
    assert paused.code == 0, paused.output
    absent = {"name": "app-final", "state": "absent"}
    refused = call(world, "mig_migration", **absent)
    assert refused.code != 0
    assert (
        f"MigMigration {world.resource_namespace}/app-final: it is not removed: it is not finished" in refused.failure
    )

    cancelled = call(world, "mig_migration", plan="app", cancel=True)
    assert cancelled.code == 0, cancelled.output
    must_be_as_before(world, "app-final")
    removed = call(world, "mig_migration", **absent)
    assert (removed.code, removed.changed) == (0, 1), removed.output
    gone = call(world, "mig_migration", **absent)
    assert (gone.code, gone.changed) == (0, 0), gone.output

    paused = migration(world, pause_before="restore", plan_definition=definition(world))
    assert paused.code == 0, paused.output
    forced = call(world, "mig_migration", **absent, force=True)
    assert (forced.code, forced.changed) == (0, 1), forced.output
    assert running(world) == (1, 1)
    assert stored(world) == {}
    left = [
        obj["metadata"]["name"]
        for kind in ("ConfigMap", "Secret")
        for obj in world.destination.list("v1", kind, world.resource_namespace)
        if obj["metadata"]["name"].startswith("app-final")
    ]
    assert left == []
    until(
        lambda: (
            not list(world.destination.list(names.API_VERSION, names.DIRECT_VOLUME_MIGRATION, world.resource_namespace))
        ),
        "the volume migration goes with its owner",
    )
