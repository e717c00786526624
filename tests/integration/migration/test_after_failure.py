# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What follows a run that failed, was cancelled or was rolled back: the same application, one call after the other."""

from __future__ import annotations

from typing import Any

import pytest

from integration.migration import applications
from integration.migration.calls import call, definition, migration
from integration.migration.conftest import World
from integration.migration.playbooks import Run

NO_IMAGE = {"transfer_image": "localhost/openmig/no-such-image:1", "start_timeout": 5}
"""Only a pod can show that: the run begins, and fails."""


def name_and_end(run: Run) -> tuple[str, bool]:
    """The run that a call was about, and whether it ended well."""
    return str(run.migration["resource"]["metadata"]["name"]), run.code == 0


@pytest.fixture
def known(world: World) -> World:
    """A world with an application, on clusters that have resources."""
    world.deploy(mebibytes=1, files=5)
    assert world.migrate(mtc_storage_class_mapping={"source-ssd": "nowhere"}).code != 0
    return world


def cancelled(world: World, **options: Any) -> str:
    """The name of a run that was begun and cancelled."""
    begun = migration(world, wait=False, **options)
    assert begun.code == 0, begun.output
    ended = call(world, "mig_migration", plan="app", cancel=True)
    assert (ended.code, ended.changed) == (0, 1), ended.output
    assert ended.migration["conditions"]["Canceled"]["status"] == "True"
    return name_and_end(ended)[0]


def test_a_stage_run_follows_one_that_failed_was_cancelled_or_was_rolled_back(known: World) -> None:
    plan = {"plan_definition": definition(known)}
    assert name_and_end(migration(known, stage=True, **plan, **NO_IMAGE)) == ("app-stage", False)
    assert name_and_end(migration(known, stage=True)) == ("app-stage-2", True)
    assert cancelled(known, stage=True, again=True) == "app-stage-3"
    assert name_and_end(migration(known, stage=True)) == ("app-stage-4", True)
    assert name_and_end(migration(known, rollback=True)) == ("app-rollback", True)
    assert known.destination.get("v1", "PersistentVolumeClaim", "data", known.destination_namespace) is None
    assert name_and_end(migration(known, stage=True)) == ("app-stage-5", True)
    assert known.left_behind() == []


def test_a_cutover_that_failed_or_was_cancelled_can_be_rolled_back(known: World) -> None:
    plan = {"plan_definition": definition(known)}
    assert name_and_end(migration(known, **plan, **NO_IMAGE)) == ("app-final", False)
    assert name_and_end(migration(known, rollback=True)) == ("app-rollback", True)
    assert cancelled(known) == "app-final-2"
    assert name_and_end(migration(known, rollback=True)) == ("app-rollback-2", True)
    assert known.destination.get("v1", "Namespace", known.destination_namespace) is None
    assert applications.replicas_ready(known.source, known.source_namespace) == (1, 1)
    assert name_and_end(migration(known)) == ("app-final-3", True)
    assert known.left_behind() == []
