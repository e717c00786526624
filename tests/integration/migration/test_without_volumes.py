# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An application that keeps nothing in volumes: nothing is copied, and all the rest is as with any other."""

from __future__ import annotations

import pytest

from integration.migration import applications
from integration.migration.applications import Manifest
from integration.migration.conftest import World
from integration.migration.denials import DENIAL, denied, there
from integration.migration.playbooks import play


def stateless(namespace: str) -> list[Manifest]:
    """The usual application; what it writes is gone with its pod."""
    objects = [each for each in applications.manifests(namespace) if each["kind"] != "PersistentVolumeClaim"]
    workload = next(each for each in objects if each["kind"] == "Deployment")
    workload["spec"]["template"]["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
    return objects


@pytest.mark.sample
def test_it_moves_and_can_be_rolled_back(world: World) -> None:
    world.deploy(stateless(world.source_namespace))
    first = world.migrate()
    assert first.code == 0, first.output
    assert first.migration["volumes"] == []
    assert applications.replicas_ready(world.destination, world.destination_namespace) == (1, 1)
    assert applications.replicas_ready(world.source, world.source_namespace) == (0, 0)
    assert world.migrate().changed == 0

    undone = play(world.variables(), playbook="openmig.mtc.rollback")
    assert undone.code == 0, undone.output
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    assert not there(world.destination, world.destination_namespace)


def test_a_run_that_fails_at_its_objects_leaves_no_namespace(world: World) -> None:
    world.deploy(stateless(world.source_namespace))
    with denied(world.destination, world.destination_namespace):
        failed = world.migrate()
    assert failed.code != 0
    assert f"Service {world.destination_namespace}/web" in failed.failure
    assert DENIAL in failed.failure
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    assert not there(world.destination, world.destination_namespace)
