# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run that was killed has left: kept while somebody may come back for it, removed when nobody does."""

from __future__ import annotations

import signal

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration import applications, calls, processes
from integration.migration.conftest import World
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
    (kept,) = alive["kept"]
    assert kept["migration"] == migration
    assert kept["reason"].startswith("it is being carried out by ")

    processes.send(processes.tree(run.process.pid), signal.SIGKILL)
    run.end()
    left = set(world.left_behind())
    assert left

    spared = collect(world).result("mig_gc")
    assert (spared["changed"], spared["removed"]) == (False, [])
    assert "it is not finished" in spared["kept"][0]["reason"]

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

    leave_lease(world, finished)
    again = world.migrate()
    assert (again.code, again.changed) == (0, 1), again.output
    assert world.left_behind() == []
    assert world.migrate().changed == 0

    leave_lease(world, finished)
    again = calls.migration(world)
    assert (again.code, again.changed) == (0, 1), again.output
    assert world.left_behind() == []
    assert calls.migration(world).changed == 0


def leave_lease(world: World, ended: Run) -> None:
    """The lease as a process leaves it that is killed between the end of its run and giving the lease back."""
    metadata = ended.migration["resource"]["metadata"]
    owner = {"apiVersion": names.API_VERSION, "kind": names.MIG_MIGRATION, **{k: metadata[k] for k in ("name", "uid")}}
    world.destination.create(
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": metadata["name"],
                "namespace": world.resource_namespace,
                "labels": {names.RUN_LABEL: metadata["uid"]},
                "ownerReferences": [owner],
            },
            "spec": {"holderIdentity": "gone", "leaseDurationSeconds": 15, "leaseTransitions": 1},
        }
    )
