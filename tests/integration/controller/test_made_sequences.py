# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was not recorded, made after the reference: each test says what of upstream's behaviour it plays."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.controller import traces
from integration.controller.conftest import CALL, DEPLOYMENT, Play, available, call, options, start, until
from integration.migration.playbooks import play

READY = {"type": "Ready", "status": "True", "category": "Required", "message": "It is ready."}
RECONCILE_FAILED = {
    "type": "ReconcileFailed",
    "status": "True",
    "category": "Critical",
    "message": "Reconcile failed: [the cache is not synced]. See controller logs for details.",
}
HOOK: dict[str, Any] = {
    "name": "stop-jobs",
    "image": "quay.io/example/hook:1",
    "target_cluster": "source",
    "custom": True,
}
CLUSTERS = {"source_cluster": "src", "destination_cluster": "host", "namespaces": ["shop"]}
NOT_READY = {"type": "SourceClusterNotReady", "status": "True", "category": "Critical", "message": "Not ready."}


def stored(control: Cluster, kind: str, name: str) -> dict[str, Any]:
    found = control.get(names.API_VERSION, kind, name, names.CONTROLLER_NAMESPACE)
    assert found is not None
    return found


def volumes(**selection: Any) -> dict[str, Any]:
    """The one volume of the recorded plan, as discovery lists it."""
    (entry,) = traces.last("final-succeeded", names.MIG_PLAN)["spec"]["persistentVolumes"]
    return {**entry, "selection": {**entry["selection"], **selection}}


DISCOVERED = {"type": "PvsDiscovered", "status": "True", "category": "Required", "reason": "Done"}


def test_a_hook_is_ready_when_its_generations_are_equal(clean: Cluster, controller: Play) -> None:
    """MigHook has no refresh: its marker is observedGeneration."""
    with controller(passes={names.MIG_HOOK: [[{"after": 0.3, "conditions": [READY]}]]}):
        run = call("mig_hook", **HOOK)
        assert run.code == 0, run.output
        assert run.result("mig_hook")["engine"] == "controller"
        again = call("mig_hook", **HOOK)
        assert (again.code, again.changed) == (0, 0), again.output


def test_a_plan_s_old_status_is_not_believed(plan: dict[str, Any], clean: Cluster, controller: Play) -> None:
    """The plan is Ready from before; the pass that the change causes finds its source gone."""
    with controller(passes={names.MIG_PLAN: [[{"after": 1.0, "conditions": [NOT_READY]}]]}):
        run = call("mig_plan", name="shop", namespaces=["shop", "more"])
    assert run.code != 0
    assert "SourceClusterNotReady" in run.failure
    assert run.result("mig_plan")["changed"] is True
    assert stored(clean, names.MIG_PLAN, "shop")["spec"]["namespaces"] == ["shop", "more"]


def test_ready_that_flickers_is_no_verdict(plan: dict[str, Any], clean: Cluster, controller: Play) -> None:
    """Three passes in a row, as when a plan's clusters are looked at as well: ready, blocked, ready."""
    writes = [
        {"after": 0.2, "conditions": [READY, DISCOVERED]},
        {"after": 0.5, "conditions": [NOT_READY]},
        {"after": 0.7, "conditions": [READY, DISCOVERED]},
    ]
    with controller(passes={names.MIG_PLAN: [writes]}):
        run = call("mig_plan", name="shop", namespaces=["shop", "more"])
    assert run.code == 0, run.output
    assert run.result("mig_plan")["conditions"].keys() == {"Ready", "PvsDiscovered"}


def test_a_failed_pass_leaves_refresh_and_is_told(plan: dict[str, Any], clean: Cluster, controller: Play) -> None:
    """Q19: after ReconcileFailed, refresh stays; who waits for it alone waits for ever."""
    passes = {names.MIG_PLAN: [[{"after": 0.2, "conditions": [RECONCILE_FAILED], "refresh": "leave"}]]}
    with controller(passes=passes):
        run = call("mig_plan", name="shop", namespaces=["shop", "more"])
    assert run.code != 0
    assert "the cache is not synced" in run.failure


def test_choices_for_volumes_are_written_once_they_are_known(clean: Cluster, controller: Play) -> None:
    """The first pass lists the volumes with default selections; the choices cause a second one."""
    found = {"after": 0.2, "conditions": [READY, DISCOVERED], "spec": {"persistentVolumes": [volumes()]}}
    judged = {"after": 0.2, "conditions": [READY, DISCOVERED]}
    choice = [{"pvc": "shop/data", "storage_class": "fast", "verify": True}]
    with controller(passes={names.MIG_PLAN: [[found], [judged]]}):
        run = call("mig_plan", name="shop", persistent_volumes=choice, **CLUSTERS)
        assert run.code == 0, run.output
        plan = stored(clean, names.MIG_PLAN, "shop")
        (entry,) = plan["spec"]["persistentVolumes"]
        assert entry["selection"] == {**volumes()["selection"], "storageClass": "fast", "verify": True}
        assert plan["metadata"]["annotations"][names.ENGINE_ANNOTATION] == "controller"
        assert plan["status"]["conditions"]
        again = call("mig_plan", name="shop", persistent_volumes=choice, **CLUSTERS)
        assert (again.code, again.changed) == (0, 0), again.output
        wrong = call("mig_plan", name="shop", persistent_volumes=[{"pvc": "shop/none"}], **CLUSTERS)
        assert wrong.code != 0
        assert "persistent_volumes[0].pvc: no claim matches 'shop/none'" in wrong.failure


def test_a_resource_that_nobody_takes_up(clean: Cluster) -> None:
    """The controller runs and leaves the resource alone, as with a watch that it has lost."""
    run = call("mig_hook", **HOOK)
    assert run.code != 0
    assert "nobody reconciles it" in run.failure
    assert "Deployment openshift-migration/migration-controller" in run.failure


def test_a_controller_that_restarts_is_waited_for(clean: Cluster, controller: Play) -> None:
    """It is away when the resource is written, and takes it up half a minute later."""
    running = start("mig_hook", **HOOK)
    try:
        until(lambda: bool(clean.get(names.API_VERSION, names.MIG_HOOK, HOOK["name"], DEPLOYMENT[3])), what="the hook")
        clean.patch(*DEPLOYMENT, patch={"spec": {"replicas": 0}})
        running.wait_for("waits for the controller")
    finally:
        clean.patch(*DEPLOYMENT, patch={"spec": {"replicas": 1}})
    with controller(passes={names.MIG_HOOK: [[{"conditions": [READY]}]]}):
        run = running.end()
    until(lambda: available(clean))
    assert run.code == 0, run.output


@pytest.mark.sample
def test_mtc_that_is_not_ready_is_an_error_and_never_a_reason_to_switch(clean: Cluster) -> None:
    clean.patch(*DEPLOYMENT, patch={"spec": {"replicas": 0}})
    try:
        run = call("mig_hook", **HOOK)
    finally:
        clean.patch(*DEPLOYMENT, patch={"spec": {"replicas": 1}})
    until(lambda: available(clean))
    assert run.code != 0
    assert "MTC cannot be driven" in run.failure
    assert "scaled to zero" in run.failure
    assert clean.get(names.API_VERSION, names.MIG_HOOK, HOOK["name"], names.BUILTIN_NAMESPACE) is None


def test_a_migration_that_nobody_takes_up(plan: dict[str, Any], clean: Cluster) -> None:
    run = call("mig_migration", plan="shop")
    assert run.code != 0
    assert "nobody takes it up" in run.failure


def velero(kind: str, plural: str) -> dict[str, Any]:
    """A definition that takes anything, where Velero's own is not installed."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.velero.io"},
        "spec": {
            "group": "velero.io",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [version],
        },
    }


KINDS = {
    "Backup": "backups",
    "Restore": "restores",
    "PodVolumeBackup": "podvolumebackups",
    "PodVolumeRestore": "podvolumerestores",
}


def test_a_partial_restore_of_velero_s_fails_the_run(plan: dict[str, Any], clean: Cluster, controller: Play) -> None:
    """D7: PartiallyFailed passes in MTC, here even without its warning."""
    for kind, plural in KINDS.items():
        clean.create(velero(kind, plural))
    try:
        until(
            lambda: clean.get("velero.io/v1", "Restore", "none", names.CONTROLLER_NAMESPACE) is None and served(clean)
        )
        events = traces.events("final-succeeded")
        with controller(events=events, scale=0.02):
            running = start("mig_migration", plan="shop")
            running.wait_for("EnsureFinalRestore")
            migration = stored(clean, names.MIG_MIGRATION, "shop-final")["metadata"]
            clean.create(
                {
                    "apiVersion": "velero.io/v1",
                    "kind": "Restore",
                    "metadata": {
                        "name": "shop-final-final-x7k2p",
                        "namespace": names.CONTROLLER_NAMESPACE,
                        "labels": {names.MIGMIGRATION_LABEL: migration["uid"]},
                    },
                    "status": {"phase": "PartiallyFailed", "errors": 2, "warnings": 1},
                }
            )
            run = running.end()
        assert run.code != 0
        assert "not everything arrived" in run.failure
        assert "Restore openshift-migration/shop-final-final-x7k2p: PartiallyFailed, 2 errors" in run.failure
        assert run.migration["conditions"]["Succeeded"]["status"] == "True"
        excused = call("mig_migration", plan="shop", accept_warnings=["VeleroFinalRestorePartiallyFailed"])
        assert excused.code == 0, excused.output
    finally:
        for plural in KINDS.values():
            clean.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{plural}.velero.io")


def served(control: Cluster) -> bool:
    control.types(refresh=True)
    return all(any(item.kind == kind and item.group == "velero.io" for item in control.types()) for kind in KINDS)


def test_a_copy_that_began_before_the_application_had_stopped(
    plan: dict[str, Any], clean: Cluster, controller: Play
) -> None:
    """D1: MTC 1.8 makes its one DirectVolumeMigration before it stops the application. The recorded pod began after;
    here it began ten seconds earlier."""
    events = traces.events("final-succeeded")
    for event in events:
        if event["kind"] == names.DIRECT_VOLUME_MIGRATION_PROGRESS:
            for attempt in (event.get("status") or {}).get("rsyncPodStatuses") or []:
                attempt["creationTimestamp"] = "2026-11-21T16:05:43Z"
    with controller(events=events, scale=0.02):
        run = call("mig_migration", plan="shop")
    assert run.code != 0
    assert "volume shop/data was copied once, and that began before the application had stopped" in run.failure
    excused = call("mig_migration", plan="shop", accept_warnings=["CopiedBeforeQuiesce"])
    assert excused.code == 0, excused.output


def test_too_long_a_downtime_cancels_the_cutover(plan: dict[str, Any], clean: Cluster, controller: Play) -> None:
    """The recorded run that waits for ever with its source stopped, then what MTC wrote when another was canceled."""
    waiting = [event for event in traces.events("final-blocked-on-pods") if event["t"] < 13]
    ending = [event for event in traces.events("final-canceled") if event["spec"].get("canceled")]
    shift = waiting[-1]["t"] - ending[0]["t"]
    events = [*waiting, *({**event, "t": event["t"] + shift} for event in ending)]
    with controller(events=events, scale=0.02):
        run = call("mig_migration", plan="shop", max_downtime=4)
    assert run.code != 0
    assert "down for more than max_downtime (4 s)" in run.failure
    assert stored(clean, names.MIG_MIGRATION, "shop-final")["spec"]["canceled"] is True


def test_check_mode_writes_nothing(plan: dict[str, Any], clean: Cluster) -> None:
    predicted = call("mig_migration", "--check", "--diff", plan="shop")
    assert predicted.code == 0, predicted.output
    assert predicted.migration["changed"] is True
    assert predicted.migration["prediction"]["volumes"] == ["shop/data -> shop/data"]
    planned = call("mig_plan", "--check", "--diff", name="shop", namespaces=["shop", "more"])
    assert planned.code == 0, planned.output
    assert planned.result("mig_plan")["diff"]["after"] == {"namespaces": ["shop", "more"]}
    now = stored(clean, names.MIG_PLAN, "shop")
    assert now["metadata"]["resourceVersion"] == plan["metadata"]["resourceVersion"]
    assert list(clean.list(names.API_VERSION, names.MIG_MIGRATION, names.CONTROLLER_NAMESPACE)) == []


def test_a_promise_that_mtc_cannot_keep_is_refused(plan: dict[str, Any], clean: Cluster) -> None:
    run = call("mig_migration", plan="shop", verification="full", bandwidth=100)
    assert run.code != 0
    assert {problem["path"] for problem in run.migration["problems"]} == {"verification", "bandwidth"}


def test_a_plan_of_the_builtin_engine_is_not_given_to_mtc(clean: Cluster) -> None:
    clean.create(
        {
            "apiVersion": names.API_VERSION,
            "kind": names.MIG_PLAN,
            "metadata": {
                "name": "shop",
                "namespace": names.CONTROLLER_NAMESPACE,
                "annotations": {names.ENGINE_ANNOTATION: "builtin"},
            },
            "spec": traces.last("final-succeeded", names.MIG_PLAN)["spec"],
        }
    )
    for module, given in (("mig_plan", {"name": "shop", **CLUSTERS}), ("mig_migration", {"plan": "shop"})):
        run = play(options(module, {**given, "namespace": names.CONTROLLER_NAMESPACE}), playbook=CALL)
        assert run.code != 0
        assert "it was made with engine builtin, and a plan keeps its engine" in run.failure


def test_a_plan_of_mtc_is_not_given_to_the_builtin_engine(clean: Cluster) -> None:
    """Somebody has copied a plan of MTC's into a namespace of the builtin engine."""
    namespace = "controller-copies"
    clean.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    try:
        clean.create(
            {
                "apiVersion": names.API_VERSION,
                "kind": names.MIG_PLAN,
                "metadata": {
                    "name": "shop",
                    "namespace": namespace,
                    "annotations": {names.ENGINE_ANNOTATION: "controller"},
                },
                "spec": traces.last("final-succeeded", names.MIG_PLAN)["spec"],
            }
        )
        for module, given in (("mig_plan", {"name": "shop", **CLUSTERS}), ("mig_migration", {"plan": "shop"})):
            run = call(module, **given, namespace=namespace)
            assert run.code != 0
            assert "it was made with engine controller, and a plan keeps its engine" in run.failure
    finally:
        clean.delete("v1", "Namespace", namespace)
        until(lambda: clean.get("v1", "Namespace", namespace) is None, what=f"Namespace {namespace}")


def test_a_plan_is_closed_before_it_is_removed(plan: dict[str, Any], clean: Cluster, controller: Play) -> None:
    """MTC removes what it made for a plan only when it is closed."""
    closing = [
        {"after": 0.2, "conditions": []},
        {"after": 0.2, "conditions": [{"type": "Closed", "status": "True", "category": "Advisory"}]},
    ]
    with controller(passes={names.MIG_PLAN: [closing]}):
        run = call("mig_plan", name="shop", state="absent")
    assert run.code == 0, run.output
    assert clean.get(names.API_VERSION, names.MIG_PLAN, "shop", names.CONTROLLER_NAMESPACE) is None
    again = call("mig_plan", name="shop", state="absent")
    assert (again.code, again.changed) == (0, 0), again.output
