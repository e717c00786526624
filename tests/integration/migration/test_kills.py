# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The engine is killed or stopped in the middle of its work, and the same command is given again.

The end has to be that of a run that nobody disturbed, with nothing left behind; and a process that wakes up after
another has taken its run over may not send a single request any more.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine.lease import DURATION
from ansible_collections.openmig.mtc.plugins.module_utils.engine.process import ProcessName
from integration.migration import applications, evidence, processes
from integration.migration.conftest import World
from integration.migration.playbooks import Started
from lab import audit

MEBIBYTES = 8
SLOW = 1000
"""KiB per second: the copy of the volume then takes some eight seconds."""
OBJECTS = 500
"""ConfigMaps besides the application, so that the restore takes long enough to be met in its middle."""


@dataclass(frozen=True)
class EndState:
    """What a migration has made of an application, in terms that do not name its world."""

    files: list[str]
    objects: dict[str, Any]
    source: tuple[int, int]


def seeded(world: World) -> World:
    """The application and many small objects, on the source."""
    world.deploy(mebibytes=MEBIBYTES, files=50)
    metadata = {"namespace": world.source_namespace}
    manifests = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {**metadata, "name": f"many-{number}"},
            "data": {"n": "1"},
        }
        for number in range(OBJECTS)
    ]
    world.source.map(world.source.create, manifests, concurrency=16)
    return world


def end_state(world: World) -> EndState:
    text = json.dumps(evidence.restored(world.destination, world.destination_namespace), sort_keys=True)
    return EndState(
        files=applications.files(world.destination, world.destination_namespace),
        objects=json.loads(text.replace(world.name, "WORLD")),
        source=applications.replicas_ready(world.source, world.source_namespace),
    )


@pytest.fixture(scope="module")
def undisturbed_objects() -> dict[str, Any]:
    """Filled by the first test: the objects that a run without any fault has made."""
    return {}


def migrated_objects(world: World, memory: dict[str, Any]) -> dict[str, Any]:
    """The objects of a run that nobody disturbed, made once."""
    if not memory:
        run = seeded(world).migrate()
        assert run.code == 0, run.output
        memory.update(end_state(world).objects)
    return memory


# -- moments
# -------------------------------------------------------------------------------------------------------------


def in_the_pre_copy(run: Started, _world: World) -> None:
    run.wait_for("precopy: 0 of 1 volumes done")


def in_the_last_pass(run: Started, _world: World) -> None:
    run.wait_for("final: 0 of 1 volumes done")


def in_the_restore(_run: Started, world: World) -> None:
    """Some of the objects are there, not all of them."""
    until = time.monotonic() + 120
    while True:
        there = len(list(world.destination.list("v1", "ConfigMap", world.destination_namespace)))
        if there > OBJECTS // 20:
            return
        assert time.monotonic() < until, "the restore has not begun"
        time.sleep(0.01)


Moment = Callable[[Started, World], None]
MOMENTS: dict[str, tuple[Moment, dict[str, Any]]] = {
    "pre-copy": (in_the_pre_copy, {"mtc_bandwidth": SLOW}),
    "last-pass": (in_the_last_pass, {"mtc_bandwidth": SLOW, "mtc_pre_copy": False}),
    "restore": (in_the_restore, {}),
}


def rerun_of(options: dict[str, Any]) -> dict[str, Any]:
    """The same command. The bandwidth may change in mid-run, and a test has no time."""
    return {name: value for name, value in options.items() if name != "mtc_bandwidth"}


def check_end(world: World, before: list[str], expected: dict[str, Any]) -> None:
    state = end_state(world)
    assert state.files == before
    assert state.objects == expected
    assert state.source == (0, 0)
    assert world.left_behind() == []


# -- faults
# --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", list(MOMENTS))
def test_killing_ansible_playbook_alone_stops_the_engine_and_a_rerun_completes(
    moment: str, make_world: Callable[[], World], undisturbed_objects: dict[str, Any]
) -> None:
    expected = migrated_objects(make_world(), undisturbed_objects)
    world = seeded(make_world())
    before = applications.files(world.source, world.source_namespace)
    reach, options = MOMENTS[moment]
    run = world.start(**options)
    reach(run, world)
    engine = processes.engine_of(run.process.pid)
    run.process.kill()
    processes.await_gone(engine, within=10)
    run.end()
    again = world.migrate(**rerun_of(options))
    assert again.code == 0, again.output
    check_end(world, before, expected)


@pytest.mark.parametrize(
    "moment", [pytest.param("pre-copy"), pytest.param("last-pass"), pytest.param("restore", marks=pytest.mark.sample)]
)
def test_killing_every_process_leaves_a_run_that_completes_when_it_is_run_again(
    moment: str, make_world: Callable[[], World], undisturbed_objects: dict[str, Any]
) -> None:
    expected = migrated_objects(make_world(), undisturbed_objects)
    world = seeded(make_world())
    before = applications.files(world.source, world.source_namespace)
    reach, options = MOMENTS[moment]
    run = world.start(**options)
    reach(run, world)
    processes.send(processes.tree(run.process.pid), signal.SIGKILL)
    run.end()
    again = world.migrate(**rerun_of(options))
    assert again.code == 0, again.output
    check_end(world, before, expected)


@pytest.mark.parametrize(
    "moment", [pytest.param("pre-copy", marks=pytest.mark.sample), pytest.param("last-pass"), pytest.param("restore")]
)
def test_a_process_that_was_stopped_longer_than_its_lease_sends_nothing_when_it_wakes(
    moment: str, make_world: Callable[[], World], undisturbed_objects: dict[str, Any]
) -> None:
    expected = migrated_objects(make_world(), undisturbed_objects)
    world = seeded(make_world())
    before = applications.files(world.source, world.source_namespace)
    reach, options = MOMENTS[moment]
    run = world.start(**options)
    reach(run, world)
    stopped = processes.tree(run.process.pid)
    holder = ProcessName.of(processes.engine_of(run.process.pid))
    assert holder is not None
    processes.send(stopped, signal.SIGSTOP)
    stopped_at = time.monotonic()
    marks = {name: audit.mark(name) for name in ("source", "destination")}
    again = world.migrate(**rerun_of(options))
    assert again.code == 0, again.output
    assert time.monotonic() - stopped_at > DURATION, "it was taken over before its lease could expire"
    woken_at = datetime.now(UTC)
    processes.send(stopped, signal.SIGCONT)
    old = run.end(timeout=60)
    assert old.code != 0, old.output
    assert "no longer carries the migration out" in old.output
    for name, mark in marks.items():
        sent = [
            event
            for event in audit.events(name, mark)
            if str(holder) in str(event.get("userAgent", ""))
            and datetime.fromisoformat(event["requestReceivedTimestamp"]) > woken_at
        ]
        assert evidence.described(sent) == []
    check_end(world, before, expected)
