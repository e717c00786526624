# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""State migrations: the data moves and no object does; whoever deploys the application starts it at the destination."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration import applications, processes
from integration.migration.conftest import World
from lab.targets import targets

STATE = {"mtc_migrate_state": True}


def deploy_there(world: World, objects: list[applications.Manifest]) -> None:
    """The user's own deployment at the destination, onto the claims that are there."""
    wanted = [obj for obj in objects if obj["kind"] not in ("Namespace", "PersistentVolumeClaim")]
    applications.deploy(world.destination, wanted)


@pytest.mark.sample
def test_within_one_cluster_under_other_names(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    files = applications.files(world.source, world.source_namespace)
    here = {"kubeconfig": str(targets().source)}
    changes: dict[str, Any] = {
        **STATE,
        "mtc_source": here,
        "mtc_destination": here,
        "mtc_storage_class_mapping": {"source-ssd": "source-hdd"},
        "mtc_persistent_volumes": [{"pvc": "data", "target_name": "data-new"}],
    }
    moved = world.migrate(**changes)
    assert moved.code == 0, moved.output
    assert applications.replicas_ready(world.source, world.source_namespace) == (0, 0)
    claim = world.source.get("v1", "PersistentVolumeClaim", "data-new", world.destination_namespace)
    assert claim is not None
    assert claim["spec"]["storageClassName"] == "source-hdd"
    objects = applications.manifests(world.destination_namespace)
    for obj in objects:
        if obj["kind"] == "Deployment":
            obj["spec"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] = "data-new"
    wanted = [obj for obj in objects if obj["kind"] not in ("Namespace", "PersistentVolumeClaim")]
    applications.deploy(world.source, wanted)
    assert applications.files(world.source, world.destination_namespace) == files


def test_killed_while_the_application_is_down_it_goes_on(world: World) -> None:
    world.deploy(mebibytes=8, files=50)
    files = applications.files(world.source, world.source_namespace)
    run = world.start(mtc_bandwidth=1000, mtc_pre_copy=False, **STATE)
    run.wait_for("final: 0 of 1 volumes done")
    processes.send(processes.tree(run.process.pid), signal.SIGKILL)
    run.end()
    again = world.migrate(mtc_pre_copy=False, **STATE)
    assert again.code == 0, again.output
    assert applications.replicas_ready(world.source, world.source_namespace) == (0, 0)
    deploy_there(world, applications.manifests(world.destination_namespace))
    assert applications.files(world.destination, world.destination_namespace) == files
    found = world.destination.get(names.API_VERSION, names.MIG_MIGRATION, "app-state", world.resource_namespace)
    assert found is not None
    assert found["spec"]["quiescePods"] is True
