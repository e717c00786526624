# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""mig_migration while a second process writes what the real controller wrote in seven runs."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.controller import traces
from integration.controller.conftest import Play, call

EMPTY_VOLUME = "final-dvm-failed-but-succeeded-with-warnings"


def stored(control: Cluster) -> dict[str, dict[str, Any]]:
    found = control.list(names.API_VERSION, names.MIG_MIGRATION, names.CONTROLLER_NAMESPACE)
    return {item["metadata"]["name"]: item for item in found}


def test_a_cutover_that_succeeded(plan: dict[str, Any], clean: Cluster, controller: Play) -> None:
    with controller(events=traces.events("final-succeeded"), scale=0.02):
        run = call("mig_migration", plan="shop")
    assert run.code == 0, run.output
    result = run.migration
    assert (result["engine"], result["phase"], result["changed"]) == ("controller", "Completed", True)
    assert result["conditions"]["Succeeded"]["status"] == "True"
    assert [(row["namespace"], row["claim"], row["state"]) for row in result["volumes"]] == [
        ("shop", "data", "succeeded")
    ]
    assert result["pipeline"][0]["name"] == "Prepare"
    assert any("WaitForDirectVolumeMigrationToComplete" in line for line in result["progress"])
    migration = stored(clean)["shop-final"]
    assert migration["spec"]["quiescePods"] is True
    again = call("mig_migration", plan="shop")
    assert (again.code, again.changed) == (0, 0), again.output
    assert stored(clean)["shop-final"]["metadata"]["resourceVersion"] == migration["metadata"]["resourceVersion"]


@pytest.mark.sample
def test_an_application_that_runs_on_an_empty_volume(plan: dict[str, Any], clean: Cluster, controller: Play) -> None:
    with controller(events=traces.events(EMPTY_VOLUME), scale=0.02):
        run = call("mig_migration", plan="shop")
    assert run.code != 0
    assert "was restored and started on the destination without the data of shop/data" in run.failure
    assert 'ConfigMap "migration-controller" not found' in run.failure
    assert "rollback: true" in run.failure
    assert run.migration["conditions"]["SucceededWithWarnings"]["status"] == "True"
    assert [row["state"] for row in run.migration["volumes"]] == ["failed"]


def test_an_empty_volume_is_told_again_until_it_is_accepted(
    plan: dict[str, Any], clean: Cluster, controller: Play
) -> None:
    with controller(events=traces.events(EMPTY_VOLUME), scale=0.02):
        assert call("mig_migration", plan="shop").code != 0
    # MTC calls it a success; asked again the answer is the same, and nothing is written.
    again = call("mig_migration", plan="shop")
    assert again.code != 0
    assert again.changed == 0
    accepted = call("mig_migration", plan="shop", accept_warnings=["shop/data"])
    assert accepted.code == 0, accepted.output
    assert accepted.migration["accepted"][0]["volumes"] == ["shop/data"]


def test_a_stage_run(plan: dict[str, Any], clean: Cluster, controller: Play) -> None:
    with controller(events=traces.events("stage-succeeded"), scale=0.02):
        run = call("mig_migration", plan="shop", stage=True)
    assert run.code == 0, run.output
    assert stored(clean)["shop-stage"]["spec"]["stage"] is True
    assert "quiescePods" not in stored(clean)["shop-stage"]["spec"]


def test_a_run_that_waits_for_ever(plan: dict[str, Any], clean: Cluster, controller: Play) -> None:
    with controller(events=traces.events("final-blocked-on-pods"), scale=0.02):
        run = call("mig_migration", plan="shop", wait_timeout=12)
        assert run.code != 0
        assert "it did not end within 12 s" in run.failure
        assert "DirectVolumeMigrationBlocked" in run.failure
        assert "the application has been stopped for at least" in run.failure
        assert run.migration["phase"] == "WaitForDirectVolumeMigrationToComplete"
        assert "DirectVolumeMigrationBlocked" in run.migration["conditions"]
        assert [row["state"] for row in run.migration["volumes"]] == ["unknown"]
        assert "cancel: true" in run.failure
    assert stored(clean)["shop-final"]["status"]["phase"] == "WaitForDirectVolumeMigrationToComplete"


def test_what_mtc_refuses_is_removed_again(plan: dict[str, Any], clean: Cluster, controller: Play) -> None:
    with controller(events=traces.events("final-refused-then-cancel-ignored"), scale=0.02):
        run = call("mig_migration", plan="shop")
    assert run.code != 0
    assert "MTC refuses it" in run.failure
    assert "HasFinalMigration" in run.failure
    assert stored(clean) == {}
