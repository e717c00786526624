# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The same command does what a process did not come to that was killed between its run's end and giving the lease
back: the lease goes, and the plan says what is true after the run."""

from __future__ import annotations

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration import calls
from integration.migration.conftest import World
from integration.migration.ended import leave_lease
from integration.migration.test_rollback import roll_back


def conditions(world: World) -> list[str]:
    plan = world.destination.get(names.API_VERSION, names.MIG_PLAN, "app", world.resource_namespace)
    assert plan is not None
    return sorted(item["type"] for item in plan["status"]["conditions"])


def forget(world: World, known: list[str]) -> None:
    """The plan's status as it was before the run's end, in which it was suspended or was not."""
    plan = world.destination.get(names.API_VERSION, names.MIG_PLAN, "app", world.resource_namespace)
    assert plan is not None
    suspended = {
        "type": "Suspended",
        "status": "True",
        "category": "Advisory",
        "message": "The plan is suspended.",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    others = [item for item in plan["status"]["conditions"] if item["type"] != "Suspended"]
    plan["status"]["conditions"] = others if "Suspended" in known else [*others, suspended]
    world.destination.replace(plan)


def test_the_same_command_ends_what_was_killed_right_after_its_end(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    moved = world.migrate()
    assert moved.code == 0, moved.output
    suspended = conditions(world)
    assert "Suspended" in suspended

    leave_lease(world, moved)
    forget(world, suspended)
    again = world.migrate()
    assert again.code == 0, again.output
    assert (world.left_behind(), conditions(world)) == ([], suspended)
    assert world.migrate().changed == 0

    leave_lease(world, moved)
    forget(world, suspended)
    told = world.migrate("--check", *calls.PLAN_TASK)
    assert (told.code, told.changed) == (0, 1), told.output
    assert len(world.left_behind()) == 1
    again = calls.migration(world)
    assert (again.code, again.changed) == (0, 1), again.output
    assert (world.left_behind(), conditions(world)) == ([], suspended)
    assert calls.migration(world).changed == 0

    undone = roll_back(world)
    assert undone.code == 0, undone.output
    opened = conditions(world)
    assert "Suspended" not in opened
    leave_lease(world, undone)
    forget(world, opened)
    assert (roll_back(world).changed, conditions(world)) == (1, opened)
    assert world.left_behind() == []
    assert roll_back(world).changed == 0
