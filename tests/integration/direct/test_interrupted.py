# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A copy that is killed, given up, or met by a second call."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from integration.direct.conftest import MODULE, World
from integration.migration import applications, processes
from lab.targets import targets

SLOW = 1000
"""KiB per second: the copy of 8 MiB then takes some eight seconds."""
COPYING = "copy1: 0 of 1 volumes done"


def both() -> tuple[Path, Path]:
    """The kubeconfigs of source and destination."""
    return targets().source, targets().destination


def seeded(world: World) -> list[str]:
    """The application with its files, stopped; what the files are."""
    world.deploy(mebibytes=8, files=50)
    files = applications.files(world.source, world.name)
    world.stop()
    return files


def test_killed_during_the_copy_the_same_task_goes_on_and_leaves_nothing(world: World) -> None:
    files = seeded(world)
    run = world.start(bandwidth=SLOW)
    run.wait_for(COPYING)
    processes.send(processes.tree(run.process.pid), signal.SIGKILL)
    run.end()
    begun = world.stored()
    assert begun is not None
    assert begun["status"]["phase"] == "RunRsyncOperations"

    other = world.call(delete_progress_reporting_crs=True, allow_writers=True)
    assert other.code != 0
    assert "spec.deleteProgressReportingCRs: is not what the unfinished run began with" in other.failure
    other = world.call(allow_writers=True)
    assert other.code != 0
    assert "allow_writers: the run began with False and this call asks for True" in other.failure
    predicted = world.call(MODULE, "--check")
    assert (predicted.code, predicted.changed) == (0, 1), predicted.output
    assert world.stored() == begun

    ended = world.call()
    assert ended.code == 0, ended.output
    result = ended.result(MODULE)
    assert result["resource"]["metadata"]["uid"] == begun["metadata"]["uid"]
    assert result["volumes"][0]["proven"] is True
    assert "copy2" not in ended.output
    assert world.read() == files
    assert world.left_behind() == []


def test_when_the_time_is_used_up_it_is_told_how_far_the_copy_came(world: World) -> None:
    seeded(world)
    left = world.call(wait_timeout=1, bandwidth=SLOW)
    assert left.code != 0
    result = left.result(MODULE)
    assert result["error"]["type"] == "DeadlineExceeded"
    assert "wait_timeout of 1 s is used up in phase" in left.failure
    stored = world.stored()
    assert stored is not None
    assert (result["changed"], result["phase"]) == (True, stored["status"]["phase"])
    assert result["resource"] == stored
    assert result["conditions"]["Running"]["status"] == "True"
    assert (result["errors"], result["engine"]) == ([], "builtin")

    other = world.call(allow_writers=True)
    assert (other.code != 0, other.result(MODULE)["changed"]) == (True, False)
    assert other.result(MODULE)["phase"] == stored["status"]["phase"]
    ended = world.call()
    assert ended.code == 0, ended.output
    assert ended.result(MODULE)["volumes"][0]["proven"] is True


def test_one_that_is_under_way_is_removed_only_by_force_which_stops_its_process(world: World) -> None:
    seeded(world)
    run = world.start(bandwidth=SLOW // 4)
    run.wait_for(COPYING)
    kept = world.call(state="absent", persistent_volume_claims=None)
    assert kept.code != 0
    assert "its run stands in phase RunRsyncOperations" in kept.failure
    assert "force: true" in kept.failure

    removed = world.call(state="absent", force=True, persistent_volume_claims=None)
    assert (removed.code, removed.changed) == (0, 1), removed.output
    stopped = run.end(timeout=30)
    assert stopped.code != 0, stopped.output
    assert world.stored() is None
    assert world.left_behind() == []
    assert world.destination.get("v1", "PersistentVolumeClaim", "data", world.target) is not None
    again = world.call(state="absent", persistent_volume_claims=None)
    assert (again.code, again.changed) == (0, 0), again.output


def test_without_waiting_each_call_goes_on_a_little_until_it_has_ended(world: World) -> None:
    seeded(world)
    asked: dict[str, Any] = {"wait": False, "delete_progress_reporting_crs": True}
    calls = [world.call(**asked)]
    while calls[-1].result(MODULE)["waiting_for"]:
        assert calls[-1].code == 0, calls[-1].output
        assert len(world.progress()) == 1
        assert len(calls) < 20
        calls.append(world.call(**asked))
    assert len(calls) > 1
    assert calls[-1].result(MODULE)["volumes"][0]["proven"] is True
    assert world.progress() == []


def test_what_a_killed_copy_has_left_is_known_to_gc_and_made_anew(world: World) -> None:
    files = seeded(world)
    run = world.start(bandwidth=SLOW)
    run.wait_for(COPYING)
    processes.send(processes.tree(run.process.pid), signal.SIGKILL)
    run.end()
    sides = {side: {"kubeconfig": str(path)} for side, path in zip(("source", "destination"), both(), strict=True)}
    kept = world.call("mig_gc", **sides)
    assert (kept.code, kept.changed) == (0, 0), kept.output
    told = {row["migration"]: row["reason"] for row in kept.result("mig_gc")["kept"]}
    assert "it is not finished" in told[f"DirectVolumeMigration {world.resources}/data"]
    assert world.left_behind() != []

    # The record stays, so whoever goes on knows where.
    removed = world.call("mig_gc", unfinished=True, **sides)
    assert (removed.code, removed.changed) == (0, 1), removed.output
    ended = world.call()
    assert ended.code == 0, ended.output
    assert ended.result(MODULE)["volumes"][0]["proven"] is True
    assert world.read() == files
