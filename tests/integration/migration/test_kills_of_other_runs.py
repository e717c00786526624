# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stage run, cancelling and rollback are killed in their middle; the same command again comes to the same end."""

from __future__ import annotations

import signal
from typing import Any

from integration.migration import applications, processes
from integration.migration.calls import PLAN_TASK, stored
from integration.migration.conftest import World
from integration.migration.playbooks import Started
from integration.migration.test_cancel import cancel, conditions, must_be_as_before
from integration.migration.test_kills import SLOW, in_the_last_pass, in_the_pre_copy, seeded
from integration.migration.test_rollback import roll_back, source_state


def kill(run: Started) -> None:
    processes.send(processes.tree(run.process.pid), signal.SIGKILL)
    run.end()


def begin(world: World, playbook: str, **changes: Any) -> Started:
    return Started(world.variables(**changes), playbook=f"openmig.mtc.{playbook}")


def test_a_stage_run_that_was_killed_goes_on(world: World) -> None:
    seeded(world)
    run = begin(world, "stage", mtc_bandwidth=SLOW)
    in_the_pre_copy(run, world)
    kill(run)
    again = world.stage(*PLAN_TASK)
    assert again.code == 0, again.output
    assert stored(world) == {"app-stage": "Completed"}
    (volume,) = again.migration["volumes"]
    assert volume["bytes"] > 8 * 1024 * 1024
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    assert world.left_behind() == []


def test_cancelling_that_was_killed_goes_on(world: World) -> None:
    seeded(world)
    run = world.start(mtc_bandwidth=SLOW, mtc_pre_copy=False)
    in_the_last_pass(run, world)
    kill(run)
    canceling = begin(world, "cancel")
    canceling.wait_for("DeleteRegistries")
    kill(canceling)
    assert "Canceling" in conditions(world, "app-final")
    ended = cancel(world)
    assert (ended.code, ended.changed) == (0, 1), ended.output
    must_be_as_before(world, "app-final")


def test_a_rollback_that_was_killed_goes_on(world: World) -> None:
    seeded(world)
    before = source_state(world)
    moved = world.migrate()
    assert moved.code == 0, moved.output
    undoing = begin(world, "rollback")
    undoing.wait_for("EnsureMigratedDeleted")
    kill(undoing)
    undone = roll_back(world)
    assert (undone.code, undone.changed) == (0, 1), undone.output
    assert stored(world) == {"app-final": "Completed", "app-rollback": "Completed"}
    assert source_state(world) == before
    assert world.destination.get("v1", "Namespace", world.destination_namespace) is None
    assert world.left_behind() == []


def test_a_rollback_that_is_cancelled_in_time_leaves_the_migrated_application_running(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    moved = world.migrate()
    assert moved.code == 0, moved.output
    undoing = begin(world, "rollback")
    undoing.wait_for("EnsureDestQuiesced")
    kill(undoing)
    assert applications.replicas_ready(world.destination, world.destination_namespace)[0] == 0
    ended = cancel(world)
    assert (ended.code, ended.changed) == (0, 1), ended.output
    assert ended.migration["conditions"]["Canceled"]["status"] == "True"
    applications.await_ready(world.destination, world.destination_namespace)
    assert applications.replicas_ready(world.source, world.source_namespace) == (0, 0)
    moved_still = world.migrate(*PLAN_TASK)
    assert (moved_still.code, moved_still.changed) == (0, 0), moved_still.output

    undone = roll_back(world)
    assert undone.code == 0, undone.output
    assert undone.migration["resource"]["metadata"]["name"] == "app-rollback-2"
    applications.await_ready(world.source, world.source_namespace)
