# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan's life on real clusters: predicted, made, left alone, changed in part, limited, closed, opened, removed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.conditions.plan_clusters import named
from integration.conditions.tasks import Call, Result, perform
from integration.migration import evidence
from integration.migration.waiting import until
from lab import audit
from lab.targets import targets

Manifest = dict[str, Any]
CLAIM = "PersistentVolumeClaim"


@pytest.fixture(scope="module")
def shop(source: Cluster, source_namespace: str, control: Cluster, namespace: str) -> Iterator[str]:
    """The source namespace, with two bound claims that nobody uses, and both clusters known in ``namespace``."""
    volumes = [f"{source_namespace}-{claim}" for claim in ("data", "logs")]
    size, modes = {"storage": "64Mi"}, ["ReadWriteOnce"]
    for volume in volumes:
        claim = volume.rpartition("-")[2]
        wanted = {"accessModes": modes, "storageClassName": ""}
        backing = {"csi": {"driver": "disk.example.com", "volumeHandle": volume}, "capacity": size}
        owner = {"claimRef": {"name": claim, "namespace": source_namespace}}
        source.create(named("v1", "PersistentVolume", volume, spec={**wanted, **backing, **owner}))
        ask = {"resources": {"requests": size}, "volumeName": volume}
        source.create(named("v1", CLAIM, claim, source_namespace, spec={**wanted, **ask}))
    until(
        lambda: [claim["status"].get("phase") for claim in source.list("v1", CLAIM, source_namespace)] == ["Bound"] * 2,
        "the claims are bound",
    )
    clusters: list[Call] = [
        ("mig_cluster", {"name": "source", "remote": {"kubeconfig": str(targets().source)}}),
        ("mig_cluster", {"name": "destination", "is_host_cluster": True}),
    ]
    assert [result["failed"] for result in perform(clusters, namespace=namespace)] == [False, False]
    yield source_namespace
    for volume in volumes:
        source.delete("v1", "PersistentVolume", volume)


def plan(name: str, shop: str, **options: Any) -> Call:
    usual = {"source_cluster": "source", "destination_cluster": "destination"}
    return "mig_plan", {"name": name, **usual, "namespaces": [f"{shop}:{shop}-{name}"], **options}


def only(name: str, **options: Any) -> Call:
    return "mig_plan", {"name": name, **options}


def stored(control: Cluster, namespace: str, name: str) -> Manifest | None:
    return control.get(names.API_VERSION, names.MIG_PLAN, name, namespace)


def migration(control: Cluster, namespace: str, plan: str, phase: str) -> str:
    """A run of the plan as it stands in that phase, without anybody who carries it out; gives its UID."""
    made = control.create(
        named(
            names.API_VERSION,
            names.MIG_MIGRATION,
            f"{plan}-final",
            namespace,
            spec={"migPlanRef": {"name": plan, "namespace": namespace}, "stage": False},
            status={"phase": phase},
        )
    )
    return str(made["metadata"]["uid"])


def leftover(cluster: Cluster, namespace: str, run: str, plan_uid: str) -> None:
    labels = {names.RUN_LABEL: run, names.MIGRATED_BY_MIGPLAN_LABEL: plan_uid}
    manifest = named("v1", "ConfigMap", "left", namespace)
    manifest["metadata"]["labels"] = labels
    cluster.create(manifest)


def writes(marks: dict[str, int], *namespaces: str) -> list[str]:
    """What processes of ours have changed since the marks in these namespaces, or of them; others may be at work."""
    return evidence.described(
        event
        for side, mark in marks.items()
        for event in evidence.our_writes(side, mark)
        if {(event.get("objectRef") or {}).get(key) for key in ("namespace", "name")} & set(namespaces)
    )


def changed(*results: Result) -> list[bool]:
    assert [result.get("msg") for result in results if result["failed"]] == []
    return [bool(result["changed"]) for result in results]


@pytest.mark.sample
def test_check_mode_tells_what_then_happens_and_a_second_run_changes_nothing(
    control: Cluster, namespace: str, shop: str
) -> None:
    call = plan("life", shop, persistent_volumes=[{"pvc": "logs", "action": "skip"}], pod_limit=7)
    marks = {side: audit.mark(side) for side in ("source", "destination")}
    (predicted,) = perform([call], "--check", "--diff", namespace=namespace)
    assert writes(marks, namespace, shop) == []
    assert stored(control, namespace, "life") is None
    made, again = perform([call, call], "--diff", namespace=namespace)
    assert changed(predicted, made, again) == [True, True, False]
    assert predicted["volumes"] == made["volumes"]
    assert predicted["diff"] == made["diff"]
    assert again["diff"] == {"before": {}, "after": {}}
    assert [(row["claim"], row["action"]) for row in made["volumes"]] == [("data", "copy"), ("logs", "skip")]
    now = stored(control, namespace, "life")
    assert now is not None
    assert now["metadata"]["annotations"]["openmig.io/pod-limit"] == "7"


def test_what_a_task_does_not_name_stays(control: Cluster, namespace: str, shop: str) -> None:
    volume = f"{shop}-data"
    first, other, same = perform(
        [
            plan("parts", shop, persistent_volumes=[{"pvc": "data", "size": "128Mi"}]),
            only("parts", persistent_volumes=[{"pv": volume, "storage_class": "destination-slow"}], pv_limit=1),
            only("parts", refresh=True),
        ],
        "--diff",
        namespace=namespace,
    )
    assert changed(first, other, same) == [True, True, False]
    assert list(other["diff"]["after"]) == ["persistentVolumes"]
    assert "PvLimitExceeded" in same["conditions"], "the limit stands on the plan"
    now = stored(control, namespace, "parts")
    assert now is not None
    entry = next(entry for entry in now["spec"]["persistentVolumes"] if entry["name"] == volume)
    assert (entry["proposedCapacity"], entry["capacityConfirmed"]) == ("128Mi", True)
    assert entry["selection"]["storageClass"] == "destination-slow"


def test_check_mode_lets_the_server_judge(control: Cluster, namespace: str, shop: str) -> None:
    quota = {"hard": {f"count/migplans.{names.GROUP}": "0"}}
    control.create(named("v1", "ResourceQuota", "none", namespace, spec=quota))

    def known() -> bool:
        found = control.get("v1", "ResourceQuota", "none", namespace) or {}
        return bool((found.get("status") or {}).get("hard"))

    until(known, "the quota is known")
    try:
        (refused,) = perform([plan("refused", shop)], "--check", namespace=namespace)
    finally:
        control.delete("v1", "ResourceQuota", "none", namespace)
    assert refused["failed"]
    assert "exceeded quota" in refused["msg"]


def test_a_rule_for_no_volume_is_an_error_and_nothing_is_stored(control: Cluster, namespace: str, shop: str) -> None:
    rules = [{"pvc": "dtaa", "action": "skip"}, {"pv": "pv-nowhere", "action": "skip"}]
    (refused,) = perform([plan("wrong", shop, persistent_volumes=rules)], namespace=namespace)
    assert [problem["path"] for problem in refused["problems"]] == [
        "persistent_volumes[0].pvc",
        "persistent_volumes[1].pv",
    ]
    assert stored(control, namespace, "wrong") is None


def test_a_plan_is_closed_once_its_runs_are_finished_and_can_be_opened_again(
    control: Cluster, source: Cluster, namespace: str, shop: str
) -> None:
    (made,) = perform([plan("closing", shop)], namespace=namespace)
    uid = made["resource"]["metadata"]["uid"]
    run = migration(control, namespace, "closing", "CreateDirectVolumeMigrationStage")
    leftover(source, shop, run, uid)
    (kept,) = perform([only("closing", close=True)], namespace=namespace)
    assert kept["failed"]
    assert "closing-final is not finished" in kept["msg"]
    assert source.get("v1", "ConfigMap", "left", shop) is not None
    found = control.get(names.API_VERSION, names.MIG_MIGRATION, "closing-final", namespace)
    assert found is not None
    control.replace({**found, "status": {**found["status"], "phase": "Completed"}})

    (told,) = perform([only("closing", close=True)], "--check", namespace=namespace)
    assert source.get("v1", "ConfigMap", "left", shop) is not None
    closed, again, twin, opened = perform(
        [
            only("closing", close=True),
            only("closing", close=True),
            # A plan with the same entry: it would conflict with an open one.
            plan("twin", shop, namespaces=[f"{shop}:{shop}-closing"]),
            only("closing", close=False),
        ],
        namespace=namespace,
    )
    assert changed(told, closed, again, twin) == [True, True, False, True]
    assert list(closed["conditions"]) == ["PvsDiscovered", "Closed"]
    assert source.get("v1", "ConfigMap", "left", shop) is None
    assert opened["failed"]
    assert "PlanConflict" in opened["msg"]
    assert "Closed" not in opened["conditions"]


def test_a_plan_goes_with_its_runs_and_what_they_left(
    control: Cluster, source: Cluster, namespace: str, shop: str
) -> None:
    (made,) = perform([plan("going", shop)], namespace=namespace)
    uid = made["resource"]["metadata"]["uid"]
    run = migration(control, namespace, "going", "Completed")
    leftover(source, shop, run, uid)
    (told,) = perform([only("going", state="absent")], "--check", namespace=namespace)
    assert stored(control, namespace, "going") is not None
    gone, again = perform([only("going", state="absent")] * 2, namespace=namespace)
    assert changed(told, gone, again) == [True, True, False]
    assert stored(control, namespace, "going") is None
    assert control.get(names.API_VERSION, names.MIG_MIGRATION, "going-final", namespace) is None
    assert source.get("v1", "ConfigMap", "left", shop) is None
