# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A cutover that fails before the application is stopped: what was copied by then is not copied again."""

from __future__ import annotations

import json
from typing import Any

from integration.migration import applications, evidence
from integration.migration.conftest import World

CLAIM = "PersistentVolumeClaim"


def uid_of_claim(world: World) -> str:
    found = world.destination.get("v1", CLAIM, "data", world.destination_namespace)
    assert found is not None
    return str(found["metadata"]["uid"])


def precopied(world: World, migration: str) -> dict[str, Any]:
    """What the run has copied while the application was running, as its record says."""
    record = world.destination.get("v1", "ConfigMap", f"{migration}-run", world.resource_namespace)
    assert record is not None
    return dict(json.loads(record["data"]["record.json"])["precopy"])


def test_what_a_failed_cutover_has_copied_stays_for_the_next_one(world: World) -> None:
    """Somebody creates an object in its way while it copies."""
    world.deploy(mebibytes=30, files=20)
    running = world.start()
    running.wait_for(f"{CLAIM} {world.destination_namespace}/data created")
    foreign = {"name": "settings", "namespace": world.destination_namespace}
    world.destination.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": foreign, "data": {"theirs": "yes"}})
    failed = running.end()
    assert failed.code != 0
    assert f"ConfigMap {world.destination_namespace}/settings" in failed.failure
    assert failed.migration["failed_phase"] == "InitialBackupCreated"
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    kept = uid_of_claim(world)
    there = evidence.restored(world.destination, world.destination_namespace)
    assert set(there) == {f"{CLAIM} data", "ConfigMap settings"}
    assert world.left_behind() == []

    world.destination.delete("v1", "ConfigMap", "settings", world.destination_namespace)
    moved = world.migrate()
    assert moved.code == 0, moved.output
    assert uid_of_claim(world) == kept
    assert precopied(world, "app-final")["bytes"] > 30 * 1024 * 1024
    assert precopied(world, "app-final-2")["bytes"] == 0
    assert [row["proven"] for row in moved.migration["volumes"]] == [True]
