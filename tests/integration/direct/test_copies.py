# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Volumes are copied without a plan: staged while they are written to, then for good, and always told truly."""

from __future__ import annotations

from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.direct.conftest import MODULE, World
from integration.migration import applications


def conditions(result: dict[str, Any]) -> dict[str, str]:
    """Type to category of the result's conditions."""
    return {name: entry["category"] for name, entry in result["conditions"].items()}


def test_a_volume_is_staged_then_cut_over_and_the_same_task_again_changes_nothing(world: World) -> None:
    world.deploy(mebibytes=5, files=50)
    staged = world.call(migration_type="Stage")
    assert staged.code == 0, staged.output
    (volume,) = staged.result(MODULE)["volumes"]
    assert volume["source"] == f"{world.name}/data"
    assert volume["proven"] is False
    assert volume["reason"].startswith("not proven while written")
    assert volume["bytes_copied"] > 5 * 1024 * 1024

    before = world.stored()
    assert before is not None
    (written,) = before["spec"]["persistentVolumeClaims"]
    assert (written["targetName"], written["targetNamespace"]) == ("data", world.target)
    refused = world.call(migration_type="CutOver")
    assert refused.code != 0
    assert f"Pod {world.name}/web" in refused.failure
    assert "allow_writers" in refused.failure
    assert world.stored() == before

    files = applications.files(world.source, world.name)
    world.stop()
    moved = world.call(migration_type="CutOver")
    assert moved.code == 0, moved.output
    result = moved.result(MODULE)
    (volume,) = result["volumes"]
    assert (volume["proven"], volume["reason"], volume["downgrades"]) == (True, "", [])
    assert volume["bytes_copied"] < 1024 * 1024
    assert (result["phase"], result["itinerary"], result["errors"]) == ("Completed", "VolumeMigration", [])
    assert conditions(result) == {"Succeeded": "Advisory"}
    status = result["resource"]["status"]
    (pod,) = status["successfulPods"]
    assert pod["pvcRef"] == {"namespace": world.name, "name": "data"}
    assert [status[name] for name in ("failedPods", "runningPods", "pendingPods")] == [[], [], []]
    (progress,) = world.progress()
    assert progress["status"]["totalProgressPercentage"] == "100%"
    assert world.read() == files

    again = world.call(migration_type="CutOver")
    assert (again.code, again.changed) == (0, 0), again.output
    assert again.result(MODULE)["volumes"] == result["volumes"]
    claim = world.destination.get("v1", "PersistentVolumeClaim", "data", world.target)
    assert claim is not None
    label = names.MIGRATED_BY_DIRECT_VOLUME_MIGRATION_LABEL
    assert claim["metadata"]["labels"][label] == result["resource"]["metadata"]["uid"]


def test_what_is_excluded_is_neither_copied_nor_asked_for(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    files = applications.files(world.source, world.name)
    world.stop()
    wrong = world.call(excludes=[{"pvc": "other", "patterns": ["/deep/"]}, {"patterns": ["*"]}])
    assert wrong.code != 0
    assert "excludes[1].patterns[0]" in wrong.failure
    done = world.call(excludes=[{"pvc": f"{world.name}/data", "patterns": ["/deep/"]}])
    assert done.code == 0, done.output
    assert done.result(MODULE)["volumes"][0]["proven"] is True
    assert [line for line in files if "./deep" in line] != []
    copied = world.read()
    assert [line for line in copied if "./deep" in line] == []
    assert any(line.endswith("./blob") for line in copied)
