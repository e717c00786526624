# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plans that cannot end well because of what is on the clusters already, or is not: one clear error each, and nothing
happens."""

from __future__ import annotations

from typing import Any

import pytest

from integration.migration import applications
from integration.migration.applications import Manifest
from integration.migration.conftest import World
from integration.migration.refusals.conftest import Application, Attempt, must_say


def namespace(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def settings(where: str, **data: str) -> Manifest:
    metadata = {"name": "settings", "namespace": where}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def test_a_source_namespace_that_does_not_exist(application: Application, attempt: Attempt) -> None:
    must_say(application.first, "MigPlan", f"{application.world.name}-absent", "do not exist")
    attempt.must_have_left_all_as_it_was()
    assert application.world.destination.get("v1", "Namespace", application.world.destination_namespace) is None


@pytest.mark.sample
def test_a_storage_class_that_the_destination_does_not_have(attempt: Attempt) -> None:
    run = attempt.run(mtc_storage_class_mapping={"source-ssd": "nowhere"})
    attempt.must_have_been_refused(
        run, "nowhere", f"{attempt.world.source_namespace}/data", "destination-slow", "storage_class_mapping"
    )
    assert attempt.world.destination.get("v1", "Namespace", attempt.world.destination_namespace) is None


@pytest.mark.sample
def test_objects_of_others_under_the_same_name(attempt: Attempt) -> None:
    world = attempt.world
    world.destination.create(namespace(world.destination_namespace))
    world.destination.create(settings(world.destination_namespace, COLOUR="theirs"))
    run = attempt.run()
    attempt.must_have_been_refused(
        run, "MigMigration", f"ConfigMap {world.destination_namespace}/settings", "existing_objects"
    )
    kept = world.destination.get("v1", "ConfigMap", "settings", world.destination_namespace)
    assert kept is not None
    assert kept["data"] == {"COLOUR": "theirs"}


@pytest.mark.parametrize(("policy", "colour"), [("keep", "theirs"), ("update", "blue")])
def test_objects_of_others_are_kept_or_updated_when_that_is_asked_for(world: World, policy: str, colour: str) -> None:
    # Without volumes: what happens to objects is the same, and the test is short.
    objects: list[dict[str, Any]] = [
        namespace(world.source_namespace),
        settings(world.source_namespace, COLOUR="blue"),
        {**settings(world.source_namespace, SIZE="large"), "metadata": {"name": "more", "namespace": world.name}},
    ]
    applications.deploy(world.source, objects)
    world.destination.create(namespace(world.destination_namespace))
    world.destination.create(settings(world.destination_namespace, COLOUR="theirs"))

    run = world.migrate(mtc_existing_objects=policy)
    assert run.code == 0, run.output
    found = world.destination.get("v1", "ConfigMap", "settings", world.destination_namespace)
    assert found is not None
    assert found["data"] == {"COLOUR": colour}
    new = world.destination.get("v1", "ConfigMap", "more", world.destination_namespace)
    assert new is not None
    assert new["data"] == {"SIZE": "large"}
