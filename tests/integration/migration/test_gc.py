# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run that was killed has left: kept while somebody may come back for it, removed when nobody does."""

from __future__ import annotations

import signal

from integration.migration import applications, processes
from integration.migration.conftest import World
from integration.migration.ended import leave_lease
from integration.migration.playbooks import Run, play

PLAYBOOK = "openmig.mtc.gc"
SLOW = 1000
"""KiB per second, so that the copy is met in its middle."""


def collect(world: World, *arguments: str, unfinished: bool = False) -> Run:
    return play(world.variables(mtc_gc_unfinished=unfinished), *arguments, playbook=PLAYBOOK)


def test_scaffolding_goes_when_nobody_comes_back_for_it_and_not_before(world: World) -> None:
    world.deploy(mebibytes=8, files=20)
    run = world.start(mtc_bandwidth=SLOW)
    run.wait_for("precopy: 0 of 1 volumes done")
    migration = f"MigMigration {world.resource_namespace}/app-final"

    alive = collect(world, unfinished=True).result("mig_gc")
    assert (alive["changed"], alive["removed"]) == (False, [])
    (kept,) = [run for run in alive["kept"] if run["migration"] == migration]
    assert kept["reason"].startswith("it is being carried out by ")

    processes.send(processes.tree(run.process.pid), signal.SIGKILL)
    run.end()
    left = set(world.left_behind())
    assert left

    spared = collect(world).result("mig_gc")
    assert (spared["changed"], spared["removed"]) == (False, [])
    (kept,) = [run for run in spared["kept"] if run["migration"] == migration]
    assert "it is not finished" in kept["reason"]

    told = collect(world, "--check", unfinished=True).result("mig_gc")
    assert told["changed"]
    assert told["removed"]
    assert set(world.left_behind()) == left

    collected = collect(world, unfinished=True)
    assert collected.code == 0, collected.output
    assert collected.result("mig_gc")["removed"] == told["removed"]
    # The Lease stands beside the resources: it is what says that nobody holds the run.
    assert [line for line in world.left_behind() if ": Lease " not in line] == []
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    assert collect(world, unfinished=True).changed == 0

    finished = world.migrate()
    assert finished.code == 0, finished.output
    assert world.left_behind() == []

    leave_lease(world, finished)
    assert collect(world, "--check").changed == 1
    assert len(world.left_behind()) == 1
    assert collect(world).changed == 1
    assert world.left_behind() == []
