# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Storage conversions in place: the same namespaces of the same cluster, with the volumes in another class, and the
workloads of every kind on them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.engine.claim_swap import JOURNAL_TYPE
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import ApiError
from integration.migration import applications, denials, evidence, processes
from integration.migration.applications import Manifest
from integration.migration.calls import PLAN_TASK
from integration.migration.conftest import World
from integration.migration.playbooks import Run, Started, play
from integration.migration.waiting import until
from lab.targets import targets

CLAIM = "PersistentVolumeClaim"
DENIAL = "no daemon set is pointed elsewhere"
REPOINTING = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["daemonsets"]}
ELSEWHERE = (
    "object.spec.template.spec.volumes.exists(v, has(v.persistentVolumeClaim) && "
    "v.persistentVolumeClaim.claimName.contains('-mig-'))"
)
HOLDS_UP = "example.com/holds-up"
KEEP = (
    "trap 'exit 0' TERM; [ -e $0/seed ] || head -c 100000 /dev/urandom > $0/seed; while :; do sleep 0.2 & wait $!; done"
)


def here() -> dict[str, str]:
    return {"kubeconfig": str(targets().source)}


def conversion(world: World, **changes: Any) -> dict[str, Any]:
    """The playbook's variables: one cluster on both sides, and namespaces that keep their names."""
    usual: dict[str, Any] = {
        "mtc_source": here(),
        "mtc_destination": here(),
        "mtc_namespaces": [world.source_namespace],
        "mtc_storage_class_mapping": {"source-ssd": "source-hdd"},
        "mtc_migrate_state": True,
    }
    return world.variables(**{**usual, **changes})


def convert(world: World, *arguments: str, playbook: str = "openmig.mtc.cutover", **changes: Any) -> Run:
    return play(conversion(world, **changes), *arguments, playbook=playbook)


def _pod(name: str, mount: str, **spec: Any) -> Manifest:
    container = {
        "name": "main",
        "image": applications.IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", KEEP, mount],
        "readinessProbe": {"exec": {"command": ["test", "-e", f"{mount}/seed"]}, "periodSeconds": 1},
        "securityContext": {"runAsUser": 0},
        "volumeMounts": [{"name": "files", "mountPath": mount}],
    }
    pod = {"containers": [container], "terminationGracePeriodSeconds": 5, **spec}
    return {"metadata": {"labels": {"app": name}}, "spec": pod}


def _claimed(name: str) -> list[Manifest]:
    return [{"name": "files", "persistentVolumeClaim": {"claimName": name}}]


def _claim_spec() -> Manifest:
    return {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "source-ssd",
        "resources": {"requests": {"storage": "20Mi"}},
    }


def stateful_set(namespace: str, *, replicas: int = 2) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "serviceName": "db",
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": {"app": "db"}},
            "template": _pod("db", "/files"),
            "volumeClaimTemplates": [{"metadata": {"name": "files"}, "spec": _claim_spec()}],
        },
    }


def every_kind(namespace: str) -> list[Manifest]:
    """What uses the claim of the usual application besides it, and a StatefulSet with claims of its own."""
    selector = {"matchLabels": {"app": "each-node"}}
    ending = {"restartPolicy": "Never", "volumes": _claimed("data")}
    return [
        stateful_set(namespace),
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "each-node", "namespace": namespace},
            "spec": {"selector": selector, "template": _pod("each-node", "/data", volumes=_claimed("data"))},
        },
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "nightly", "namespace": namespace},
            "spec": {
                "schedule": "0 0 31 2 *",
                "suspend": True,
                "jobTemplate": {"spec": {"template": _pod("nightly", "/data", **ending)}},
            },
        },
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "long", "namespace": namespace},
            "spec": {"template": _pod("long", "/data", **ending)},
        },
    ]


def ready(world: World, *, db: int = 2, each_node: bool = False) -> bool:
    """Whether everything runs that shall."""
    source, namespace = world.source, world.source_namespace
    found = source.get("apps/v1", "StatefulSet", "db", namespace)
    if found is None or int((found.get("status") or {}).get("readyReplicas", 0)) != db:
        return False
    if each_node:
        daemons = source.get("apps/v1", "DaemonSet", "each-node", namespace)
        if daemons is None or int(daemons["status"].get("numberReady", 0)) < 1:
            return False
    return applications.replicas_ready(source, namespace) == (1, 1)


def deploy(world: World, *more: Manifest) -> None:
    world.deploy(mebibytes=1, files=20)
    for manifest in more:
        world.source.create(manifest)
    until(lambda: ready(world), "the application runs", seconds=90)


def digests(world: World) -> list[str]:
    """Every file of the Deployment's volume, and of those of the set's pods."""
    found = applications.files(world.source, world.source_namespace)
    for number in range(2):
        done = world.source.exec(
            world.source_namespace, f"db-{number}", ["/bin/sh", "-c", "sha256sum /files/seed"], timeout=30
        )
        assert done.exit_code == 0, done.stderr
        found.append(f"db-{number}: {done.stdout}")
    return found


def everything(world: World) -> dict[str, Manifest]:
    """What a user would name in the namespace, without how often a DaemonSet has changed."""
    found = evidence.restored(world.source, world.source_namespace)
    for obj in found.values():
        annotations = obj["metadata"].get("annotations") or {}
        annotations.pop("deprecated.daemonset.template.generation", None)
    return found


def mounted(world: World) -> set[str]:
    """The claims of the pods that run or are about to."""
    return {
        volume["persistentVolumeClaim"]["claimName"]
        for pod in world.source.list("v1", "Pod", world.source_namespace)
        if pod["status"].get("phase") in ("Pending", "Running") and "deletionTimestamp" not in pod["metadata"]
        for volume in pod["spec"].get("volumes") or ()
        if "persistentVolumeClaim" in volume
    }


def journals(world: World) -> list[str]:
    """The Secrets that hold sets which are being made anew."""
    found = world.source.list("v1", "Secret", world.resource_namespace)
    return [item["metadata"]["name"] for item in found if item.get("type") == JOURNAL_TYPE]


def suffix_of(world: World) -> str:
    plan = world.source.get(names.API_VERSION, names.MIG_PLAN, "app", world.resource_namespace)
    assert plan is not None
    return str(plan["status"]["suffix"])


def test_every_kind_of_workload_runs_on_the_other_class_and_goes_back(world: World) -> None:
    deploy(world, *every_kind(world.source_namespace))
    until(lambda: ready(world, each_node=True), "the DaemonSet runs")
    before, files = everything(world), digests(world)

    copied = convert(world, playbook="openmig.mtc.stage")
    assert copied.code == 0, copied.output
    assert [row["proven"] for row in copied.migration["volumes"]] == [False, False, False]
    assert not {claim for claim in mounted(world) if "-mig-" in claim}
    kept = everything(world)
    assert {name: kept[name] for name in before} == before, "a pass while the application runs has changed it"

    told = convert(world, *PLAN_TASK, "--check", "--diff")
    assert told.code == 0, told.output
    space = world.source_namespace
    workloads = ["CronJob nightly", "DaemonSet each-node", "Deployment web", "Job long", "StatefulSet db"]
    assert told.migration["prediction"]["repoints"] == [each.replace(" ", f" {space}/") for each in workloads]
    assert everything(world) == kept

    done = convert(world, *PLAN_TASK)
    assert done.code == 0, done.output
    suffix = suffix_of(world)
    new = {f"data-mig-{suffix}", *(f"files-mig-{suffix}-db-{number}" for number in range(2))}
    assert [(row["ok"], row["proven"]) for row in done.migration["volumes"]] == [(True, True)] * 3
    assert "SwapPVCReferences" in done.migration["phase_seconds"]
    assert done.migration["downtime_seconds"] > 0
    assert (done.migration["down_since"], done.migration["stays_stopped"]) == (None, [])
    assert ready(world, each_node=True)
    until(lambda: mounted(world) == new, "every pod has a new claim, the Job's too")
    assert digests(world) == files
    for claim in new:
        found = world.source.get("v1", CLAIM, claim, space)
        assert found is not None
        assert found["spec"]["storageClassName"] == "source-hdd"
    for claim in ("data", "files-db-0"):
        found = world.source.get("v1", CLAIM, claim, space)
        assert found is not None
        assert names.SOURCE_FOR_DIRECT_VOLUME_MIGRATION_LABEL in found["metadata"]["labels"]
    nightly = world.source.get("batch/v1", "CronJob", "nightly", space)
    assert nightly is not None
    assert nightly["spec"]["suspend"] is True, "its user had suspended it"
    assert (journals(world), world.left_behind()) == ([], [])

    again = convert(world, *PLAN_TASK)
    assert (again.code, again.changed) == (0, 0), again.output
    world.source.patch("apps/v1", "StatefulSet", "db", space, patch={"spec": {"replicas": 3}})
    until(lambda: ready(world, db=3), "a further replica runs")
    third = world.source.get("v1", CLAIM, f"files-mig-{suffix}-db-2", space)
    assert third is not None
    assert third["spec"]["storageClassName"] == "source-hdd", "a further replica has its claim in the former class"
    world.source.patch("apps/v1", "StatefulSet", "db", space, patch={"spec": {"replicas": 2}})
    until(lambda: ready(world), "it is gone again")
    world.source.delete("v1", CLAIM, f"files-mig-{suffix}-db-2", space)
    applications.shell(world.source, space, "echo new > /data/written-later")

    told = play(conversion(world), "--check", playbook="openmig.mtc.rollback")
    expected = [each.replace(" ", f" {space}/") for each in workloads if not each.startswith("Job")]
    assert told.migration["prediction"]["repoints"] == [*expected[:3], f"Job {space}/long-mig-{suffix}", *expected[3:]]
    undone = play(conversion(world), playbook="openmig.mtc.rollback")
    assert undone.code == 0, undone.output
    assert [row["volume"] for row in undone.migration["rollback"]["received"] if row.get("changed")] == [
        f"{space}/data-mig-{suffix}"
    ]
    until(lambda: ready(world, each_node=True), "everything runs again")
    assert digests(world) == files
    assert everything(world) == before
    assert (journals(world), world.left_behind()) == ([], [])


@pytest.fixture
def held(world: World) -> Iterator[Callable[[], None]]:
    """Lets go of a StatefulSet whose removal a finalizer holds up, and at the latest at the end."""

    def let_go() -> None:
        found = world.source.get("apps/v1", "StatefulSet", "db", world.source_namespace)
        if found is not None:
            others = [each for each in found["metadata"].get("finalizers") or () if each != HOLDS_UP]
            patch = {"metadata": {"finalizers": others, "resourceVersion": found["metadata"]["resourceVersion"]}}
            world.source.patch("apps/v1", "StatefulSet", "db", world.source_namespace, patch=patch)

    yield let_go
    let_go()


def test_killed_while_a_set_is_made_anew_it_goes_on(world: World, held: Callable[[], None]) -> None:
    database = stateful_set(world.source_namespace)
    database["metadata"]["finalizers"] = [HOLDS_UP]
    deploy(world, database)
    files = digests(world)
    run = world.start(**conversion(world))
    run.wait_for(f"StatefulSet {world.source_namespace}/db is made anew")
    processes.send(processes.tree(run.process.pid), signal.SIGKILL)
    run.end()
    held()
    until(
        lambda: world.source.get("apps/v1", "StatefulSet", "db", world.source_namespace) is None,
        "the set is deleted and nobody has made it again",
    )
    assert len(journals(world)) == 1
    again = convert(world, *PLAN_TASK)
    assert again.code == 0, again.output
    assert ready(world)
    assert digests(world) == files
    assert {claim.partition("-mig-")[1] for claim in mounted(world)} == {"-mig-"}
    assert (journals(world), world.left_behind()) == ([], [])


def removed_set(world: World) -> str | None:
    """The UID of the StatefulSet while it is on its way out."""
    found = world.source.get("apps/v1", "StatefulSet", "db", world.source_namespace)
    return None if found is None or "deletionTimestamp" not in found["metadata"] else str(found["metadata"]["uid"])


def test_cancelled_while_a_set_is_made_anew_everything_is_as_before(world: World, held: Callable[[], None]) -> None:
    database = stateful_set(world.source_namespace)
    database["metadata"]["finalizers"] = [HOLDS_UP]
    deploy(world, database)
    before, files = everything(world), digests(world)
    run = world.start(**conversion(world))
    run.wait_for(f"StatefulSet {world.source_namespace}/db is made anew, on the new claims")
    first = removed_set(world)
    assert first is not None
    cancelling = Started(conversion(world), playbook="openmig.mtc.cancel")
    run.wait_for("DeleteRestores")
    held()
    # What was under way is finished first; then the set is made anew once more, which the finalizer holds up as well.
    until(lambda: removed_set(world) not in (None, first), "the set goes back to its former claims")
    assert len(journals(world)) == 1
    held()
    ended, given_up = cancelling.end(), run.end()
    assert (ended.code, ended.changed) == (0, 1), ended.output
    assert "app-state: it was cancelled: somebody asked for that while it stood in phase SwapPVCReferences" in (
        given_up.failure
    )
    conditions = {kind for kind, found in ended.migration["conditions"].items() if found["status"] == "True"}
    assert "Canceled" in conditions
    assert not conditions & {"Succeeded", "SucceededWithWarnings", "Failed", "Canceling", "Running"}
    assert ready(world)
    assert digests(world) == files
    assert mounted(world) == {"data", "files-db-0", "files-db-1"}
    kept = everything(world)
    assert {name: kept[name] for name in before} == before
    assert {name.partition(" ")[0] for name in kept.keys() - before.keys()} == {CLAIM}, "only copies stay, for the next"
    assert (journals(world), world.left_behind()) == ([], [])


def test_what_was_written_to_the_new_claims_is_taken_back(world: World) -> None:
    deploy(world, stateful_set(world.source_namespace))
    before = everything(world)
    done = convert(world, mtc_bandwidth=3000)
    assert done.code == 0, done.output
    space = world.source_namespace
    changes = "echo new > /data/written-later; rm /data/empty; head -c 6000000 /dev/urandom > /data/much"
    applications.shell(world.source, space, changes)
    written = world.source.exec(space, "db-1", ["/bin/sh", "-c", "echo more >> /files/seed"], timeout=30)
    assert written.exit_code == 0, written.stderr
    files, suffix = digests(world), suffix_of(world)
    variables = conversion(world, mtc_rollback_sync=True)
    copying = Started(variables, playbook="openmig.mtc.rollback")
    copying.wait_for("] app-rollback: back: ")
    processes.send(processes.tree(copying.process.pid), signal.SIGKILL)
    copying.end()
    cancelled = play(variables, playbook="openmig.mtc.cancel")
    assert cancelled.code == 0, cancelled.output
    until(lambda: ready(world), "everything runs again on the new claims")
    assert {claim.partition("-mig-")[1] for claim in mounted(world)} == {"-mig-"}
    assert digests(world) == files
    parted = play(conversion(world), playbook="openmig.mtc.rollback")
    assert "app-rollback has begun to copy back and did not finish" in parted.failure
    applications.shell(world.source, space, "echo newer > /data/written-last")
    files = digests(world)

    undone = play(variables, playbook="openmig.mtc.rollback")
    assert undone.code == 0, undone.output
    told = undone.migration["rollback"]
    changed = {row["volume"] for row in told["received"] if row["changed"]}
    assert f"{space}/data-mig-{suffix}" in changed
    assert "which is copied back" in undone.output
    copied = {row["move"]["target_claim"]: row["ok"] for row in told["copied_back"]}
    assert copied == {"data": True, "files-db-0": True, "files-db-1": True}
    until(lambda: ready(world), "everything runs again")
    assert digests(world) == files
    assert mounted(world) == {"data", "files-db-0", "files-db-1"}
    assert everything(world) == before
    assert (journals(world), world.left_behind()) == ([], [])


def refuses(cluster: Cluster, namespace: str) -> bool:
    """Whether the policy is in force; asked without changing anything."""
    patch = {"spec": {"template": {"spec": {"volumes": _claimed("x-mig-x")}}}}
    try:
        cluster.patch("apps/v1", "DaemonSet", "each-node", namespace, patch=patch, dry_run=True)
    except ApiError as error:
        return DENIAL in str(error)
    return False


@pytest.fixture
def denied() -> Iterator[Callable[[Cluster, str], None]]:
    """A policy of the cluster that lets no DaemonSet be pointed to another claim, in force when the call returns."""
    with ExitStack() as removed:

        def deny(cluster: Cluster, namespace: str) -> None:
            name = f"no-daemon-sets-in-{namespace}"
            made = denials.policy(name, namespace, REPOINTING, message=DENIAL, allowed=f"!({ELSEWHERE})")
            removed.enter_context(denials.enforced(cluster, made))
            until(lambda: refuses(cluster, namespace), "the policy is in force")

        yield deny


def test_what_cannot_be_pointed_over_whole_is_pointed_back(
    world: World, denied: Callable[[Cluster, str], None]
) -> None:
    deploy(world, *every_kind(world.source_namespace))
    until(lambda: ready(world, each_node=True), "the DaemonSet runs")
    before, files = everything(world), digests(world)
    denied(world.source, world.source_namespace)
    failed = convert(world)
    assert failed.code != 0
    assert DENIAL in failed.failure
    assert failed.migration["failed_phase"] == "SwapPVCReferences"
    until(lambda: ready(world, each_node=True), "everything runs again")
    assert digests(world) == files
    kept = everything(world)
    assert {name: kept[name] for name in before} == before
    assert not {claim for claim in mounted(world) if "-mig-" in claim}
    assert {name.partition(" ")[0] for name in kept.keys() - before.keys()} == {CLAIM}, "only copies stay, for the next"
    assert (journals(world), world.left_behind()) == ([], [])


def test_what_cannot_be_converted_is_named_before_anything_is_touched(world: World) -> None:
    bare = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "bare", "namespace": world.source_namespace},
        "spec": _pod("bare", "/data", volumes=_claimed("data"))["spec"],
    }
    deploy(world, stateful_set(world.source_namespace), bare)
    retention = {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}}}
    world.source.patch("apps/v1", "StatefulSet", "db", world.source_namespace, patch=retention)
    until(
        lambda: world.source.get("v1", "Pod", "bare", world.source_namespace)["status"].get("phase") == "Running",  # type: ignore[index]
        "the bare pod runs",
    )
    before = everything(world)
    some = [{"pvc": "*", "action": "copy"}, {"pvc": "files-db-1", "action": "skip"}]
    refused = convert(world, mtc_persistent_volumes=some)
    assert refused.code != 0
    space = world.source_namespace
    for words in (
        f"StatefulSet {space}/db: it cannot be pointed to new claims: only some of the claims of template files",
        f"StatefulSet {space}/db: it cannot be stopped without losing its volumes",
        f"Pod {space}/bare: it cannot be stopped",
    ):
        assert words in refused.failure
    whole = convert(world, *PLAN_TASK, mtc_migrate_state=False)
    assert "its objects cannot be moved to where they are" in whole.failure
    assert "migrate_state: true" in whole.failure
    assert everything(world) == before
