# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan whose run was killed in its middle: kept, unless the run may be cancelled for it; then nothing is left."""

from __future__ import annotations

import signal

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration import applications, evidence, processes
from integration.migration.calls import call
from integration.migration.conftest import World
from integration.migration.test_kills import in_the_last_pass

SLOW = {"mtc_bandwidth": 500, "mtc_pre_copy": False}


def test_a_plan_with_a_killed_run_goes_only_by_force_and_the_application_runs_again(world: World) -> None:
    world.deploy(mebibytes=4, files=20)
    run = world.start(**SLOW)
    in_the_last_pass(run, world)
    processes.send(processes.tree(run.process.pid), signal.SIGKILL)
    run.end()

    refused = call(world, "mig_plan", name="app", state="absent")
    assert refused.code != 0
    assert "app-final is not finished" in refused.failure
    assert "force" in refused.failure

    gone = call(world, "mig_plan", name="app", state="absent", force=True)
    assert (gone.code, gone.changed) == (0, 1), gone.output
    applications.await_ready(world.source, world.source_namespace)
    assert world.left_behind() == []
    kinds = (names.MIG_PLAN, names.MIG_MIGRATION, names.DIRECT_VOLUME_MIGRATION)
    assert [list(world.destination.list(names.API_VERSION, kind, world.resource_namespace)) for kind in kinds] == [
        []
    ] * 3
    records = evidence.restored(world.destination, world.resource_namespace)
    assert [what for what in records if "app-final" in what] == []
    again = call(world, "mig_plan", name="app", state="absent", force=True)
    assert (again.code, again.changed) == (0, 0), again.output
