# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The recorded runs that are canceled and rolled back."""

from __future__ import annotations

from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.controller import traces
from integration.controller.conftest import Play, call, start, until
from integration.controller.test_recorded_runs import stored

QUIESCED = "EnsureSrcQuiesced"


def as_found(control: Cluster, trace: str, name: str) -> None:
    """The run of a trace as it ended, made by somebody else before the test began."""
    recorded = traces.last(trace, names.MIG_MIGRATION)
    control.create(
        {
            "apiVersion": names.API_VERSION,
            "kind": names.MIG_MIGRATION,
            "metadata": {"name": name, "namespace": names.CONTROLLER_NAMESPACE},
            "spec": recorded["spec"],
            "status": recorded["status"],
        }
    )


def test_a_cutover_that_is_canceled(plan: dict[str, Any], clean: Cluster, controller: Play) -> None:
    with controller(events=traces.events("final-canceled"), scale=0.02):
        running = start("mig_migration", plan="shop")
        running.wait_for("WaitForDirectVolumeMigrationToComplete")
        canceled = call("mig_migration", plan="shop", cancel=True)
        ended = running.end()
    assert canceled.code == 0, canceled.output
    assert canceled.migration["changed"] is True
    assert canceled.migration["conditions"]["Canceled"]["status"] == "True"
    assert ended.code != 0
    # MTC adds Succeeded to a canceled run.
    assert ended.migration["conditions"]["Succeeded"]["status"] == "True"
    assert "it was canceled" in ended.failure
    again = call("mig_migration", plan="shop", cancel=True)
    assert (again.code, again.changed) == (0, 0), again.output


def host(control: Cluster) -> None:
    """The destination of the recorded plan, which is the control cluster."""
    control.create(
        {
            "apiVersion": names.API_VERSION,
            "kind": names.MIG_CLUSTER,
            "metadata": {"name": "host", "namespace": names.CONTROLLER_NAMESPACE},
            "spec": {"isHostCluster": True},
        }
    )


def test_a_rollback(plan: dict[str, Any], clean: Cluster, controller: Play) -> None:
    host(clean)
    as_found(clean, "final-succeeded", "shop-final")
    with controller(events=traces.events("rollback-succeeded"), scale=0.02):
        run = call("mig_migration", plan="shop", rollback=True)
    assert run.code == 0, run.output
    assert stored(clean)["shop-rollback"]["spec"]["rollback"] is True
    again = call("mig_migration", plan="shop", rollback=True)
    assert (again.code, again.changed) == (0, 0), again.output


def test_a_rollback_that_left_something_behind(plan: dict[str, Any], clean: Cluster, controller: Play) -> None:
    """As in the recorded run, where Velero had no plugin of MTC's: what it restored has no label of MTC's."""
    host(clean)
    as_found(clean, "final-succeeded", "shop-final")
    clean.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    try:
        clean.create(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": "settings",
                    "namespace": "shop",
                    "labels": {"velero.io/restore-name": "shop-final-final-x7k2p"},
                },
            }
        )
        with controller(events=traces.events("rollback-succeeded"), scale=0.02):
            run = call("mig_migration", plan="shop", rollback=True)
    finally:
        clean.delete("v1", "Namespace", "shop")
        until(lambda: clean.get("v1", "Namespace", "shop") is None, what="Namespace shop")
    assert run.code != 0
    assert "not everything was undone: still on the destination: ConfigMap shop/settings" in run.failure


def test_an_unfinished_run_is_removed_only_by_force_which_cancels_it_first(
    plan: dict[str, Any], clean: Cluster, controller: Play
) -> None:
    removal = {"name": "shop-final", "state": "absent"}
    with controller(events=traces.events("final-canceled"), scale=0.02):
        running = start("mig_migration", plan="shop")
        running.wait_for("WaitForDirectVolumeMigrationToComplete")
        kept = call("mig_migration", **removal)
        predicted = call("mig_migration", "--check", **removal, force=True)
        assert stored(clean)["shop-final"]["spec"].get("canceled") is None
        gone = call("mig_migration", **removal, force=True)
        followed = running.end()
    assert kept.code != 0
    assert "shop-final: it is not removed: it is not finished" in kept.failure
    assert (predicted.code, predicted.changed) == (0, 1), predicted.output
    assert (gone.code, gone.changed) == (0, 1), gone.output
    assert stored(clean) == {}
    assert followed.code != 0
    assert "it was canceled" in followed.failure or "it was deleted" in followed.failure
    again = call("mig_migration", **removal, force=True)
    assert (again.code, again.changed) == (0, 0), again.output


def test_a_plan_with_an_unfinished_run_is_removed_only_by_force_which_cancels_it_first(
    plan: dict[str, Any], clean: Cluster, controller: Play
) -> None:
    """Canceled as recorded; then the plan is closed, which MTC does in two writes."""
    closing = [
        {"after": 0.2, "conditions": []},
        {"after": 0.2, "conditions": [{"type": "Closed", "status": "True", "category": "Advisory"}]},
    ]
    removal = {"name": "shop", "state": "absent"}
    with controller(events=traces.events("final-canceled"), scale=0.02):
        begun = call("mig_migration", plan="shop", wait_condition={"type": "Running", "reason": QUIESCED})
        assert begun.code == 0, begun.output
        kept = call("mig_plan", **removal)
        assert kept.code != 0
        assert "it is not removed: MigMigration openshift-migration/shop-final is not finished" in kept.failure
        running = start("mig_plan", **removal, force=True)
        until(lambda: canceled(clean), what="the run is canceled")
    with controller(passes={names.MIG_PLAN: [closing]}):
        gone = running.end()
    assert gone.code == 0, gone.output
    assert clean.get(names.API_VERSION, names.MIG_PLAN, "shop", names.CONTROLLER_NAMESPACE) is None


def canceled(control: Cluster) -> bool:
    """Whether the run has ended so."""
    conditions = (stored(control).get("shop-final") or {}).get("status", {}).get("conditions") or []
    return "Canceled" in [item["type"] for item in conditions]
