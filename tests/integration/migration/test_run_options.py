# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run is told beyond the resource: what is left out of volumes, what is accepted, and what may change in
mid-run."""

from __future__ import annotations

from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration import applications
from integration.migration.calls import PLAN_TASK, migration, record
from integration.migration.conftest import World
from integration.migration.playbooks import Run
from integration.migration.waiting import until_measured
from integration.migration.writers import APPEND, application

ONLY_HERE = "test $(wc -c </var/run/secrets/kubernetes.io/serviceaccount/namespace) = {length}"
"""A probe that succeeds in a namespace whose name has that length."""

REASONS = {"UnhealthyNamespaces": "ErrorsDetected", "PvCapacityAdjustmentRequired": "NotDone"}
"""The reasons of MTC's warnings."""


def must_have_accepted(world: World, run: Run, *names: str) -> None:
    """The run succeeded with warnings; result and record tell what was accepted."""
    assert run.code == 0, run.output
    assert run.migration["conditions"]["SucceededWithWarnings"]["status"] == "True"
    assert [item["name"] for item in run.migration["accepted"]] == list(names)
    assert record(world)["accepted"] == run.migration["accepted"]
    for name in names:
        shown = run.migration["conditions"][name]
        assert (shown["category"], shown.get("reason", "")) == ("Warn", REASONS[name])
        assert f"accepted {name}: " in run.output


def test_what_is_excluded_is_neither_copied_nor_compared_and_is_told(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    claim = f"{world.source_namespace}/data"
    excludes = [{"pvc": claim, "patterns": ["/deep/"]}, {"patterns": ["*private", "/dangling"]}]
    told = world.migrate("--check", "--diff", mtc_excludes=excludes)
    assert [row["excludes"] for row in told.migration["prediction"]["volumes"]] == [["/deep/", "*private", "/dangling"]]

    # Without root "private" could not be read and these links not be kept: that they are excluded makes it possible.
    run = world.migrate(mtc_excludes=excludes, mtc_run_as_root=False, mtc_verification="full")
    assert run.code == 0, run.output
    (volume,) = run.migration["volumes"]
    assert volume["ok"]
    assert volume["excluded"] == 21
    assert volume["move"]["excludes"] == ["/deep/", "*private", "/dangling"]
    assert "21 files excluded" in run.output
    assert record(world)["intent"]["excludes"][0] == excludes[0]
    there = {line.rpartition(" ")[2] for line in applications.files(world.destination, world.destination_namespace)}
    assert "./blob" in there
    assert {"./private", "./deep", "./deep/er/0", "./dangling"}.isdisjoint(there)


def test_an_exclusion_for_no_volume_is_refused_before_anything_is_touched(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    run = world.migrate(mtc_excludes=[{"pvc": "other", "patterns": ["x"]}, {"patterns": ["../x", "*"]}])
    assert run.code != 0
    assert [item["path"] for item in run.migration["problems"]] == [
        "excludes[1].patterns[0]",
        "excludes[1].patterns[1]",
    ]
    run = world.migrate(*PLAN_TASK, mtc_excludes=[{"pvc": "other", "patterns": ["x"]}])
    assert [item["path"] for item in run.migration["problems"]] == ["excludes[0].pvc"]
    assert world.left_behind() == []
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)


def test_a_volume_that_is_not_proven_is_accepted_by_name_only(world: World) -> None:
    world.deploy(application(world.source_namespace, APPEND))
    # Makes the clusters and the plan known, and is refused.
    assert world.migrate(mtc_transfer_image="").code != 0
    options: dict[str, Any] = {"quiesce_pods": False, "pre_copy": False, "verification": "full"}
    refused = migration(world, **options, accept_warnings=[f"{world.source_namespace}/other"])
    assert refused.code != 0
    assert "the copy is not equal to the source" in refused.failure
    assert refused.migration["accepted"] == []

    run = migration(world, **options, accept_warnings=[f"{world.source_namespace}/data"])
    assert run.code == 0, run.output
    assert [item["name"] for item in run.migration["accepted"]] == ["DirectVolumeMigrationFailed"]
    assert not run.migration["volumes"][0]["ok"]
    assert "SucceededWithWarnings" in run.migration["conditions"]


def test_an_unhealthy_application_is_accepted(world: World) -> None:
    objects = applications.manifests(world.source_namespace, mebibytes=1, files=5)
    for manifest in objects:
        if manifest["kind"] == "Deployment":
            probe = {"exec": {"command": ["sh", "-c", ONLY_HERE.format(length=len(world.source_namespace))]}}
            manifest["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = {**probe, "periodSeconds": 1}
    world.deploy(objects)
    run = world.migrate(mtc_health_timeout=3, mtc_accept_warnings=["UnhealthyNamespaces"])
    must_have_accepted(world, run, "UnhealthyNamespaces")
    again = world.migrate(mtc_health_timeout=3, mtc_accept_warnings=["UnhealthyNamespaces"])
    assert again.code == 0, again.output
    assert again.changed == 0


def test_a_volume_smaller_than_its_source_is_accepted_when_the_rest_is_excluded(world: World) -> None:
    world.deploy(mebibytes=8, files=20)
    until_measured(world.source, world.source_namespace, at_least=8 * 1024 * 1024)
    small: dict[str, Any] = {
        "mtc_persistent_volumes": [{"pvc": "data", "size": "6Mi"}],
        "mtc_excludes": [{"patterns": ["/blob", "/hard"]}],
    }
    refused = world.migrate(**small)
    assert refused.code != 0
    assert "would be too small" in refused.failure
    run = world.migrate(*PLAN_TASK, **small, mtc_accept_warnings=["PvCapacityAdjustmentRequired"])
    must_have_accepted(world, run, "PvCapacityAdjustmentRequired")
    assert run.migration["volumes"][0]["excluded"] == 2


def test_when_the_time_is_used_up_it_is_told_how_far_the_run_came(world: World) -> None:
    world.deploy(mebibytes=8, files=20)
    left = world.migrate(mtc_wait_timeout=1, mtc_bandwidth=1000)
    assert left.code != 0
    result = left.migration
    assert result["error"]["type"] == "DeadlineExceeded"
    assert "wait_timeout of 1 s is used up in phase" in left.failure
    stored = world.destination.get(names.API_VERSION, names.MIG_MIGRATION, "app-final", world.resource_namespace)
    assert stored is not None
    assert (result["changed"], result["phase"]) == (True, stored["status"]["phase"])
    assert result["resource"] == stored
    assert result["conditions"]["Running"]["reason"] == stored["status"]["phase"]
    assert (result["errors"], result["down_since"], result["engine"]) == ([], None, "builtin")

    refused = world.migrate(*PLAN_TASK, mtc_verification="full")
    assert refused.code != 0
    assert (refused.migration["changed"], refused.migration["phase"]) == (False, result["phase"])
    ended = world.migrate(*PLAN_TASK)
    assert (ended.code, ended.migration["phase"]) == (0, "Completed"), ended.output


def test_what_is_frozen_is_refused_field_by_field_and_the_rest_may_change(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    first = world.migrate(mtc_wait=False, mtc_bandwidth=2000)
    assert first.code == 0, first.output
    assert first.migration["waiting_for"]
    changed = {
        "mtc_excludes": [{"patterns": ["x"]}],
        "mtc_accept_warnings": ["UnhealthyNamespaces"],
        "mtc_verification": "full",
        "mtc_endpoint": "ClusterIP",
        "mtc_endpoint_address": "10.0.0.1",
        "mtc_existing_objects": "keep",
        "mtc_pre_copy": False,
        "mtc_run_as_root": False,
        "mtc_transfer_image": "other:1",
    }
    refused = world.migrate(*PLAN_TASK, **changed)
    assert refused.code != 0
    assert sorted(item["path"] for item in refused.migration["problems"]) == sorted(
        name.removeprefix("mtc_") for name in changed
    )
    before = record(world)["intent"]
    later = {"mtc_bandwidth": 50_000, "mtc_health_timeout": 200, "mtc_start_timeout": 200, "mtc_max_downtime": 500}
    run = world.migrate(*PLAN_TASK, **later)
    assert run.code == 0, run.output
    after = record(world)["intent"]
    assert {name for name in after if after[name] != before[name]} == {name.removeprefix("mtc_") for name in later}
