# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stage, stage, cutover, rollback, cutover again, while a client writes for as long as the application runs: no write
that was acknowledged is missing on the side that runs."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from integration.migration import applications
from integration.migration.calls import PLAN_TASK, stored
from integration.migration.clients import Client
from integration.migration.conftest import World
from integration.migration.playbooks import Run
from integration.migration.test_rollback import roll_back
from integration.migration.waiting import until

WRITES = 20
"""Acknowledged writes that have to come between two steps."""


def log(cluster: Cluster, namespace: str) -> list[int]:
    """What the application has."""
    applications.await_ready(cluster, namespace)
    return [int(line) for line in applications.shell(cluster, namespace, "cat /data/log").split()]


def write_more(client: Client) -> None:
    enough = len(client.acknowledged) + WRITES
    until(lambda: len(client.acknowledged) >= enough, "the application takes writes")


def moved(run: Run) -> int:
    return sum(int(volume["bytes_moved"]) for volume in run.migration["volumes"])


def cut_over(world: World, client: Client) -> list[int]:
    """The cutover ends the client; what it was told to be written is on the destination."""
    write_more(client)
    run = world.migrate(*PLAN_TASK)
    assert run.code == 0, run.output
    client.join(timeout=60)
    assert not client.is_alive(), "the client still writes to an application that has stopped"
    there = log(world.destination, world.destination_namespace)
    missing = sorted(set(client.acknowledged) - set(there))
    assert missing == []
    return there


def test_no_acknowledged_write_is_lost(world: World, record_property: Callable[[str, object], None]) -> None:
    world.deploy(mebibytes=4, files=50)
    client = Client(world.source, world.source_namespace)
    client.start()
    write_more(client)
    first = world.stage()
    assert first.code == 0, first.output
    write_more(client)
    second = world.stage(*PLAN_TASK)
    assert second.code == 0, second.output
    assert 0 < moved(second) < moved(first) / 10
    assert client.is_alive(), "a stage run has stopped the application"

    there = cut_over(world, client)
    assert there == list(range(1, len(there) + 1))
    applications.shell(world.destination, world.destination_namespace, "echo 0 >> /data/log")

    undone = roll_back(world)
    assert undone.code == 0, undone.output
    (received,) = undone.migration["rollback"]["received"]
    assert received["files"] == ["log"]
    back = log(world.source, world.source_namespace)
    assert back == there

    later = Client(world.source, world.source_namespace, first=back[-1] + 1)
    later.start()
    again = cut_over(world, later)
    assert again == list(range(1, len(again) + 1))
    assert stored(world) == dict.fromkeys(
        ["app-stage", "app-stage-2", "app-final", "app-rollback", "app-final-2"], "Completed"
    )
    record_property("acknowledged", [len(client.acknowledged), len(later.acknowledged)])
    print(f"acknowledged: {len(client.acknowledged)} and {len(later.acknowledged)} writes, none lost")
