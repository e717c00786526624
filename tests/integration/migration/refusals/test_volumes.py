# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Volumes that cannot be copied, or not to where they should go: one clear error each, and nothing happens."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources.quantity import parse
from integration.migration import applications, evidence
from integration.migration.applications import Manifest
from integration.migration.conftest import World
from integration.migration.refusals.conftest import Attempt, must_say
from integration.migration.waiting import until, until_measured
from lab import audit

CLAIM = "PersistentVolumeClaim"
BLOCK_CLASS = "source-block"


def claim(where: str, name: str, storage_class: str, **spec: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": CLAIM,
        "metadata": {"name": name, "namespace": where},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": "8Mi"}},
            **spec,
        },
    }


def idle_pod(where: str, name: str, **uses: list[dict[str, str]]) -> Manifest:
    """A pod that nothing owns, with the claim of the same name as ``volumeMounts`` or ``volumeDevices``."""
    used = next(iter(uses.values()))[0]["name"]
    container = {"name": name, "image": applications.IMAGE, "command": ["sleep", "3600"], **uses}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": where},
        "spec": {
            "containers": [container],
            "volumes": [{"name": used, "persistentVolumeClaim": {"claimName": used}}],
            "terminationGracePeriodSeconds": 0,
        },
    }


def sized(world: World, size: str) -> list[dict[str, str]]:
    return [{"pvc": f"{world.source_namespace}/data", "size": size}]


@pytest.mark.sample
def test_a_destination_volume_that_the_files_do_not_fit_into(attempt: Attempt) -> None:
    world = attempt.world
    used = until_measured(world.source, world.source_namespace, at_least=1024 * 1024)
    assert used > parse("1Mi")
    run = attempt.run(mtc_persistent_volumes=sized(world, "1Mi"))
    attempt.must_have_been_refused(
        run, f"{CLAIM} {world.destination_namespace}/data", "too small", "1Mi", "persistent_volumes"
    )
    assert world.destination.get("v1", "Namespace", world.destination_namespace) is None


def test_a_destination_volume_smaller_than_the_source_suffices_for_the_files(attempt: Attempt) -> None:
    world = attempt.world
    assert until_measured(world.source, world.source_namespace) < parse("8Mi") < parse("22Mi")
    run = attempt.run(arguments=("--check",), mtc_persistent_volumes=sized(world, "8Mi"))
    assert run.code == 0, run.output
    assert [row["size"] for row in run.migration["prediction"]["volumes"]] == ["8Mi"]


def test_a_claim_of_others_on_the_destination(attempt: Attempt) -> None:
    world = attempt.world
    name = world.destination_namespace
    world.destination.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    made = world.destination.create(claim(name, "data", "destination-slow"))
    run = attempt.run()
    attempt.must_have_been_refused(run, f"{CLAIM} {name}/data", "not made by this plan", "target_name")
    found = world.destination.get("v1", CLAIM, "data", name)
    assert found is not None
    assert found["metadata"]["uid"] == made["metadata"]["uid"]


def test_a_pod_that_nobody_can_stop(attempt: Attempt) -> None:
    world = attempt.world
    where = world.source_namespace
    world.source.create(idle_pod(where, "bare", volumeMounts=[{"name": "data", "mountPath": "/data"}]))
    try:
        run = attempt.run()
        attempt.must_have_been_refused(run, f"Pod {where}/bare", "mounts data", "Delete the pod")
        still = world.source.get("v1", "Pod", "bare", where)
        assert still is not None
        assert "deletionTimestamp" not in still["metadata"]
    finally:
        world.source.delete("v1", "Pod", "bare", where)
        until(lambda: world.source.get("v1", "Pod", "bare", where) is None, "the bare pod is gone")


@pytest.fixture
def blocks(attempt: Attempt) -> Iterator[str]:
    """A namespace of the source with a bound block volume; its static volume is available again afterwards."""
    source = attempt.world.source
    name = f"{attempt.world.name}-{secrets.token_hex(2)}"
    source.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    source.create(claim(name, "raw", BLOCK_CLASS, volumeMode="Block"))
    source.create(idle_pod(name, "user", volumeDevices=[{"name": "raw", "devicePath": "/dev/raw"}]))

    def bound() -> bool:
        found = source.get("v1", CLAIM, "raw", name) or {}
        return bool(found["status"].get("phase") == "Bound")

    until(bound, "the block claim is bound")
    yield name
    source.delete("v1", "Namespace", name)
    until(lambda: source.get("v1", "Namespace", name) is None, f"{name} is gone")
    for volume in source.list("v1", "PersistentVolume"):
        if (volume["spec"].get("claimRef") or {}).get("namespace") == name:
            source.patch("v1", "PersistentVolume", volume["metadata"]["name"], patch={"spec": {"claimRef": None}})


def test_a_block_volume(attempt: Attempt, blocks: str) -> None:
    world = attempt.world
    run = attempt.run(
        mtc_namespaces=[f"{blocks}:{world.destination_namespace}"],
        mtc_storage_class_mapping={BLOCK_CLASS: "destination-block"},
    )
    attempt.must_have_been_refused(run, f"{CLAIM} {blocks}/raw", "Block", "action: skip")
    assert world.destination.get("v1", "Namespace", world.destination_namespace) is None


def test_a_mover_image_that_cannot_be_pulled_ends_the_run_before_the_application_stops(attempt: Attempt) -> None:
    world = attempt.world
    image = "localhost/openmig/nowhere:1"
    began = audit.mark("source")
    run = attempt.run(mtc_transfer_image=image, mtc_start_timeout=20)
    must_say(run, image, "Pod ")
    assert run.migration["failed_phase"] == "CreateDirectVolumeMigrationStage"
    assert run.migration["downtime_seconds"] is None

    # What the run had made is gone again, and the workload was never touched.
    assert world.destination.get("v1", "Namespace", world.destination_namespace) is None
    assert world.left_behind() == []
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    workloads = [
        line
        for line in evidence.described(evidence.our_writes("source", began))
        if f"deployments {world.source_namespace}/" in line
    ]
    assert workloads == []
    assert attempt.migrations == [f"{attempt.plan}-final"]
