# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each condition of a DirectVolumeMigration on real clusters: what keeps it from beginning, what it shows while it
runs, and how it ends.

The volume was written by a pod that has ended, so nothing is in the way of a copy but what a row puts there.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.condition_names import (
    Category,
    Reason,
    VolumeCondition as Type,
)
from integration.conditions.tasks import Result, by_type, perform
from integration.migration import applications
from integration.migration.evidence import scaffolding
from integration.migration.playbooks import Started
from integration.migration.waiting import until
from lab.targets import targets

MODULE = "direct_volume_migration"
KIND = names.DIRECT_VOLUME_MIGRATION
MEBIBYTES = 12
UNROUTABLE = "192.0.2.1"
"""An address of TEST-NET-1 (RFC 5737), which nobody has."""


def claim(name: str, namespace: str, size: str, storage_class: str) -> dict[str, Any]:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": storage_class,
        "resources": {"requests": {"storage": size}},
    }
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


@pytest.fixture(scope="module")
def written(source: Cluster, source_namespace: str) -> str:
    """The namespace of claim ``data`` on the source, which a pod has filled."""
    source.create(claim("data", source_namespace, "40Mi", "source-ssd"))
    script = f"head -c {MEBIBYTES}M /dev/urandom > /data/blob; echo kept > /data/kept"
    container = {
        "name": "writer",
        "image": applications.IMAGE,
        "command": ["/bin/sh", "-c", script],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "securityContext": {"runAsUser": 0},
    }
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    metadata = {"name": "writer", "namespace": source_namespace}
    spec = {"containers": [container], "volumes": [volume], "restartPolicy": "Never"}
    source.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

    def ended() -> bool:
        pod = source.get("v1", "Pod", "writer", source_namespace)
        return pod is not None and (pod.get("status") or {}).get("phase") == "Succeeded"

    until(ended, "the volume is written")
    return source_namespace


@pytest.fixture
def target(control: Cluster) -> Iterator[str]:
    """A namespace of the destination that a test may make or have made."""
    name = f"cond-{secrets.token_hex(3)}"
    yield name
    control.delete("v1", "Namespace", name)
    until(lambda: control.get("v1", "Namespace", name) is None, f"Namespace {name} goes")


def options(written: str, target: str, **changes: Any) -> dict[str, Any]:
    """A copy of the claim, with nothing wrong about it but the changes; None leaves an option out."""
    files = targets()
    entry = {
        "name": "data",
        "namespace": written,
        "target_namespace": target,
        "target_storage_class": "destination-fast",
        "target_access_modes": ["ReadWriteOnce"],
    }
    made = {
        "source": {"kubeconfig": str(files.source)},
        "destination": {"kubeconfig": str(files.destination)},
        "persistent_volume_claims": [entry],
        "transfer_image": applications.IMAGE,
        **changes,
    }
    return {key: value for key, value in made.items() if value is not None}


def stored(control: Cluster, namespace: str, name: str) -> dict[str, Any]:
    found = control.get(names.API_VERSION, KIND, name, namespace)
    assert found is not None
    return found


BLOCKED: dict[str, tuple[dict[str, Any], str, str]] = {
    "source-unknown": (
        {"source": None, "source_cluster": "nowhere"},
        Type.INVALID_SOURCE_CLUSTER_REF,
        Reason.NOT_FOUND,
    ),
    "destination-unknown": (
        {"destination": None, "destination_cluster": "nowhere"},
        Type.INVALID_DESTINATION_CLUSTER_REF,
        Reason.NOT_FOUND,
    ),
    "source-unnamed": ({"source": None}, Type.INVALID_SOURCE_CLUSTER_REF, Reason.NOT_SET),
    "destination-unnamed": ({"destination": None}, Type.INVALID_DESTINATION_CLUSTER_REF, Reason.NOT_SET),
    "source-unready": (
        {"source": None, "source_cluster": "unready"},
        Type.SOURCE_CLUSTER_NOT_READY,
        Reason.NOT_READY,
    ),
    "destination-unready": (
        {"destination": None, "destination_cluster": "unready"},
        Type.DESTINATION_CLUSTER_NOT_READY,
        Reason.NOT_READY,
    ),
    "no-claims": ({"persistent_volume_claims": None}, Type.INVALID_PVCS, Reason.NOT_SET),
    "claim-unknown": ({}, Type.PVCS_NOT_FOUND_ON_SOURCE, Reason.NOT_FOUND),
}
"""What is wrong, and the one condition for it."""
WHILE_OR_AT_THE_END = {
    Type.RUNNING,
    Type.READY,
    Type.SUCCEEDED,
    Type.FAILED,
    Type.TRANSFER_PODS_PENDING,
    Type.CLIENT_PODS_PENDING,
    Type.SERVER_PODS_NON_ROOT,
    Type.CREATING_PODS_FAILED,
    Type.NETWORK_ERROR,
}
"""Produced by the tests below the first."""
NOT_PRODUCED = {
    Type.ROUTE_NOT_ADMITTED: "the builtin engine makes no routes",
    Type.DELETING_PODS_FAILED: "takes a pod that does not go for two minutes; see the unit tests of the phases",
    Type.RECONCILE_FAILED: "MTC does not set it for this kind either",
}


def test_what_keeps_it_from_beginning_is_found_stored_and_told(control: Cluster, namespace: str, written: str) -> None:
    metadata = {"name": "unready", "namespace": namespace}
    unready = {"apiVersion": names.API_VERSION, "kind": names.MIG_CLUSTER, "metadata": metadata}
    control.create({**unready, "spec": {"isHostCluster": False}})
    control.create(
        {"apiVersion": names.API_VERSION, "kind": KIND, "metadata": {**metadata, "name": "no-claims"}, "spec": {}}
    )
    calls = [
        (MODULE, {"name": name, **options(written if name != "claim-unknown" else f"{written}-no", written, **changes)})
        for name, (changes, _type, _reason) in BLOCKED.items()
    ]
    results = perform(calls, namespace=namespace)
    for (name, (_changes, kind, reason)), result in zip(BLOCKED.items(), results, strict=True):
        assert result["failed"], name
        assert by_type(result) == {kind: (Category.CRITICAL, "True", reason)}, name
        found = stored(control, namespace, name)
        assert {item["type"]: item for item in found["status"]["conditions"]} == result["conditions"]
        assert kind in result["msg"]
    versions = {name: stored(control, namespace, name)["metadata"]["resourceVersion"] for name in BLOCKED}
    perform(calls, namespace=namespace)
    assert {name: stored(control, namespace, name)["metadata"]["resourceVersion"] for name in BLOCKED} == versions


def test_no_condition_of_the_kind_is_left_out() -> None:
    known = {value for name, value in vars(Type).items() if name.isupper()} | {Type.READY, Type.RECONCILE_FAILED}
    assert known == {kind for _changes, kind, _reason in BLOCKED.values()} | WHILE_OR_AT_THE_END | set(NOT_PRODUCED)


@pytest.mark.sample
def test_it_runs_and_succeeds(control: Cluster, source: Cluster, namespace: str, written: str, target: str) -> None:
    name = "succeeds"
    begun, ended = perform(
        [
            (MODULE, {"name": name, **options(written, target), "wait": False}),
            (MODULE, {"name": name, **options(written, target)}),
        ],
        namespace=namespace,
    )
    phase = begun["phase"]
    # The phases that wait; which of them a call meets is a matter of how fast pods start, copy and go.
    assert phase in ("WaitForRsyncTransferPodsRunning", "RunRsyncOperations", "WaitForRsyncResourcesTerminated")
    assert begun["waiting_for"]
    assert by_type(begun) == {
        Type.RUNNING: (Category.ADVISORY, "True", phase),
        Type.READY: (Category.REQUIRED, "True", ""),
    }
    assert begun["conditions"][Type.RUNNING]["message"].endswith("/22")
    assert by_type(ended) == {Type.SUCCEEDED: (Category.ADVISORY, "True", Reason.COMPLETED)}
    assert ended["conditions"][Type.SUCCEEDED]["durable"] is True
    assert scaffolding((source, control), [written, target]) == []


def test_root_that_is_not_admitted_is_warned_of_or_refused(
    control: Cluster, source: Cluster, namespace: str, written: str, target: str
) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    control.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": target, "labels": labels}})
    demanded, plain = perform(
        [
            (MODULE, {"name": "root", **options(written, target), "run_as_root": True}),
            (MODULE, {"name": "plain", **options(written, target)}),
        ],
        namespace=namespace,
    )
    assert demanded["failed"]
    found = by_type(demanded)
    assert found[Type.CREATING_PODS_FAILED] == (Category.WARN, "True", Reason.FAILED)
    assert found[Type.FAILED][0] == Category.WARN
    assert (demanded["phase"], demanded["itinerary"]) == ("Completed", "VolumeMigrationFailed")
    # Nothing had arrived, so nothing stays, and the other one finds the place free. Without root the writer's files
    # cannot be read by everybody, but these can.
    assert not plain["failed"], plain["msg"]
    warned = by_type(plain)[Type.SERVER_PODS_NON_ROOT]
    assert warned == (Category.WARN, "True", Reason.RSYNC_AS_NON_ROOT)
    assert target in plain["conditions"][Type.SERVER_PODS_NON_ROOT]["message"]
    assert plain["volumes"][0]["downgrades"] != []
    assert scaffolding((source, control), [written, target]) == []


def test_a_destination_that_is_not_reached_is_a_network_error(
    control: Cluster, source: Cluster, namespace: str, written: str, target: str
) -> None:
    unreachable = {"endpoint_address": UNROUTABLE, "start_timeout": 12}
    refusing = {"endpoint_address": "127.0.0.1", "start_timeout": 12}
    results: list[Result] = perform(
        [
            (MODULE, {"name": "unreachable", **options(written, target), **unreachable}),
            (MODULE, {"name": "refusing", **options(written, target), **refusing}),
        ],
        namespace=namespace,
    )
    for result in results:
        assert result["failed"]
        found = by_type(result)
        assert found[Type.NETWORK_ERROR][:2] == (Category.CRITICAL, "True")
        assert found[Type.NETWORK_ERROR][2] in (Reason.RSYNC_TIMED_OUT, Reason.RSYNC_NO_ROUTE)
        assert found[Type.FAILED] == (Category.WARN, "True", "WaitForRsyncTransferPodsRunning")
        assert result["failed_phase"] == "WaitForRsyncTransferPodsRunning"
        assert "Let the source's pods reach that address" in result["msg"]
    assert scaffolding((source, control), [written, target]) == []
    # What was made for a copy that never began is gone again.
    until(lambda: control.get("v1", "Namespace", target) is None, "the namespace goes")


def test_pods_that_do_not_come_are_warned_of(
    control: Cluster, source: Cluster, namespace: str, written: str, target: str
) -> None:
    name = f"never-{secrets.token_hex(3)}"
    control.create(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": "example.com/none",
        }
    )
    entry = {"name": "data", "namespace": written, "target_namespace": target, "target_storage_class": name}
    asked = {**options(written, target), "persistent_volume_claims": [entry], "start_timeout": 12}
    variables = {
        "call_module": MODULE,
        "call_options": {
            "name": "pending",
            "namespace": namespace,
            "kubeconfig": str(targets().destination),
            **asked,
        },
    }
    run = Started(variables, (), "tests/integration/direct/call.yml")
    try:
        seen: dict[str, tuple[str, str]] = {}

        def warned() -> bool:
            found = control.get(names.API_VERSION, KIND, "pending", namespace) or {}
            for item in (found.get("status") or {}).get("conditions") or ():
                seen[item["type"]] = (item["category"], item.get("reason", ""))
            return Type.CLIENT_PODS_PENDING in seen

        until(warned, "the pending pods are warned of", seconds=40)
    finally:
        ended = run.end(timeout=60)
        control.delete("storage.k8s.io/v1", "StorageClass", name)
    assert seen[Type.TRANSFER_PODS_PENDING] == (Category.WARN, Reason.NOT_READY)
    assert seen[Type.CLIENT_PODS_PENDING] == (Category.WARN, Reason.POD_STUCK_CREATING)
    assert ended.code != 0
    assert Type.TRANSFER_PODS_PENDING not in ended.result(MODULE)["conditions"]
    assert scaffolding((source, control), [written, target]) == []


def test_a_copy_that_fails_is_critical_and_the_same_task_mends_it(
    control: Cluster, source: Cluster, namespace: str, written: str, target: str
) -> None:
    control.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": target}})
    control.create(claim("data", target, "8Mi", "destination-fast"))
    asked = {"name": "full", **options(written, target), "existing_claims": "use"}
    (full,) = perform([(MODULE, asked)], namespace=namespace)
    assert full["failed"]
    assert by_type(full) == {Type.FAILED: (Category.CRITICAL, "True", "RunRsyncOperations")}
    assert (full["phase"], full["itinerary"]) == ("Completed", "VolumeMigrationFailed")
    assert "is full" in full["errors"][0]
    status = full["resource"]["status"]
    assert [pod["pvcRef"]["name"] for pod in status["failedPods"]] == ["data"]
    assert scaffolding((source, control), [written, target]) == []

    control.delete("v1", "PersistentVolumeClaim", "data", target)
    until(lambda: control.get("v1", "PersistentVolumeClaim", "data", target) is None, "the claim goes")
    (mended,) = perform([(MODULE, asked)], namespace=namespace)
    assert not mended["failed"], mended["msg"]
    assert by_type(mended) == {Type.SUCCEEDED: (Category.ADVISORY, "True", Reason.COMPLETED)}
    assert mended["errors"] == []
