# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One whole final migration of a small application, as a user runs it, and again."""

from __future__ import annotations

import pytest

from integration.migration import applications
from integration.migration.conftest import World
from integration.migration.playbooks import play_tasks
from lab.targets import targets

MEBIBYTES = 10


@pytest.mark.sample
def test_an_application_moves_with_its_data_and_a_second_run_changes_nothing(world: World) -> None:
    world.deploy(mebibytes=MEBIBYTES)
    before = applications.files(world.source, world.source_namespace)
    assert len(before) > 400, "the application has not made its files"

    first = world.migrate()
    assert first.code == 0, first.output
    assert applications.replicas_ready(world.destination, world.destination_namespace) == (1, 1)
    assert applications.files(world.destination, world.destination_namespace) == before
    assert applications.replicas_ready(world.source, world.source_namespace) == (0, 0)

    result = first.migration
    assert result["phase"] == "Completed"
    assert result["conditions"]["Succeeded"]["status"] == "True"
    assert result["downtime_seconds"] > 0
    (volume,) = result["volumes"]
    assert volume["ok"]
    assert volume["bytes"] >= MEBIBYTES * 1024 * 1024
    settings = world.destination.get("v1", "ConfigMap", "settings", world.destination_namespace)
    assert settings is not None
    assert settings["data"]["HOME_URL"] == f"http://web.{world.destination_namespace}.svc/"

    second = world.migrate()
    assert second.code == 0, second.output
    assert [task["task"] for task in second.tasks if task["result"].get("changed")] == []
    assert second.result("mig_plan")["migrated_by"] == result["resource"]["metadata"]["name"]

    asked = {"kubeconfig": str(targets().destination), "namespace": world.resource_namespace, "plan": "app"}
    looked = play_tasks([{"name": "Look", "openmig.mtc.mig_migration_info": {**asked, "newest": True}}])
    (told,) = looked.result("mig_migration_info")["summaries"]
    assert (told["state"], told["phase"], told["errors"]) == ("succeeded", "Completed", [])
    assert [(each["state"], each["proven"], each["bytes"]) for each in told["volumes"]] == [
        ("succeeded", True, volume["bytes"])
    ]
    assert told["downtime_seconds"] == result["downtime_seconds"]
    assert [each["state"] for each in told["direct_volume_migrations"]] == ["succeeded"]
