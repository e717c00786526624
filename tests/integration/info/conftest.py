# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A namespace full of resources on the control cluster, as engines leave them.

The statuses are those of recorded runs of MTC or shaped like them, and nobody reconciles them: what is under test is
only the looking. That a real run of the builtin engine is told right is shown where one is made, in
``migration/test_final_migration.py``.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.crds.conftest import role_on
from lab.targets import targets

Manifest = dict[str, Any]
TRACES = Path(__file__).parents[2] / "data" / "traces"
FAILED_IN_SECRET = "final-dvm-failed-but-succeeded-with-warnings"
READY = {"type": "Ready", "status": "True", "category": "Required", "lastTransitionTime": "2026-11-21T15:44:07Z"}
INVALID = {**READY, "type": "InvalidURL", "category": "Critical", "reason": "NotSet"}


class Inventory:
    """Puts resources into one namespace of the control cluster."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    def reference(self, name: str) -> dict[str, str]:
        return {"name": name, "namespace": self.namespace}

    def add(
        self,
        kind: str,
        name: str,
        spec: Any,
        status: Any = None,
        *,
        owner: Manifest | None = None,
        labels: dict[str, str] | None = None,
    ) -> Manifest:
        """Create it, owned by another resource if one is given."""
        metadata: dict[str, Any] = {"name": name, "namespace": self.namespace, "labels": labels or {}}
        if owner is not None:
            of = {"apiVersion": names.API_VERSION, "kind": owner["kind"], "controller": True}
            metadata["ownerReferences"] = [{**of, "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}]
        manifest = {"apiVersion": names.API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}
        return self.cluster.create(manifest if status is None else {**manifest, "status": status})


def recorded(trace: str, kind: str) -> Manifest:
    """The last state of that kind in a recording."""
    lines = [json.loads(line) for line in (TRACES / f"{trace}.jsonl").read_text(encoding="utf-8").splitlines()]
    last: Manifest = [line for line in lines if line["kind"] == kind and line.get("spec")][-1]
    return last


@pytest.fixture(scope="session")
def control() -> Iterator[Cluster]:
    """The destination, with the definitions installed."""
    installed = role_on(targets().destination)()
    assert installed.code == 0, installed.output
    cluster = connect({"kubeconfig": str(targets().destination)}, name="destination", environ={})
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def stored(control: Cluster) -> Iterator[Inventory]:
    """Two plans with everything that belongs to them."""
    namespace = f"info-{secrets.token_hex(3)}"
    control.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    try:
        inventory = Inventory(control, namespace)
        _setup(inventory)
        _runs(inventory)
        yield inventory
    finally:
        control.delete("v1", "Namespace", namespace)


def _setup(to: Inventory) -> None:
    ready, token = {"conditions": [READY]}, {"serviceAccountSecretRef": to.reference("token")}
    remote = {"isHostCluster": False, "url": "https://src:6443", **token}
    to.cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "token", "namespace": to.namespace},
            "stringData": {"saToken": "planted-token"},
        }
    )
    to.add(names.MIG_CLUSTER, "host", {"isHostCluster": True}, ready)
    to.add(names.MIG_CLUSTER, "src", remote, ready)
    to.add(names.MIG_CLUSTER, "old", {"isHostCluster": False}, {"conditions": [INVALID]}, labels={"team": "shop"})
    storage = {"backupStorageProvider": "aws", "backupStorageConfig": {"credsSecretRef": to.reference("token")}}
    to.add(names.MIG_STORAGE, "s3", storage, ready)
    to.add(names.MIG_STORAGE, "other", storage)
    hook = {"custom": True, "image": "example/hook", "targetCluster": "source"}
    to.add(names.MIG_HOOK, "warm-up", hook, ready)
    to.add(names.MIG_HOOK, "other", hook, ready)
    recorded_plan = recorded(FAILED_IN_SECRET, names.MIG_PLAN)
    used = {"executionNamespace": "shop", "phase": "PreBackup", "serviceAccount": "a"}
    plan = {
        **recorded_plan["spec"],
        "srcMigClusterRef": to.reference("src"),
        "destMigClusterRef": to.reference("host"),
        "migStorageRef": to.reference("s3"),
        "hooks": [{**used, "reference": to.reference("warm-up")}],
    }
    to.add(names.MIG_PLAN, "shop", plan, recorded_plan["status"])
    to.add(names.MIG_PLAN, "blog", {"namespaces": ["blog"]})
    analysis = {"analyzeImageCount": False, "analyzeK8SResources": True, "analyzePVCapacity": False}
    totals = ("excludedk8sResourceTotal", "incompatiblek8sResourceTotal", "imageCount", "pvCount")
    sizes = {"pvCapacity": "1Gi", "imageSizeTotal": "0"}
    counted = {"plan": "shop", "percentComplete": 100, "k8sResourceTotal": 12, **dict.fromkeys(totals, 0), **sizes}
    found = {"analytics": counted, "conditions": [READY]}
    for name, of in (("analysis", "shop"), ("analysis-2", "shop"), ("elsewhere", "blog")):
        to.add(names.MIG_ANALYTIC, name, {**analysis, "migPlanRef": to.reference(of)}, found)


def _runs(to: Inventory) -> None:
    def migration(name: str, plan: str, status: Any = None, **spec: Any) -> Manifest:
        return to.add(names.MIG_MIGRATION, name, {"migPlanRef": to.reference(plan), "stage": False, **spec}, status)

    running = {**READY, "type": "Running", "category": "Advisory", "message": "Step: 10/40", "reason": "X"}
    final = migration("shop-final", "shop", recorded(FAILED_IN_SECRET, names.MIG_MIGRATION)["status"])
    migration("shop-again", "shop", {"phase": "X", "itinerary": "Final", "conditions": [READY, running]})
    migration("blog-stage", "blog", stage=True)
    direct = recorded(FAILED_IN_SECRET, names.DIRECT_VOLUME_MIGRATION)
    copies = to.add(names.DIRECT_VOLUME_MIGRATION, "shop-final-x", direct["spec"], direct["status"], owner=final)
    progress = recorded(FAILED_IN_SECRET, names.DIRECT_VOLUME_MIGRATION_PROGRESS)
    to.add(names.DIRECT_VOLUME_MIGRATION_PROGRESS, "digest", progress["spec"], progress["status"], owner=copies)
    to.add(names.DIRECT_VOLUME_MIGRATION, "mine", {"persistentVolumeClaims": []})
    to.add(names.DIRECT_VOLUME_MIGRATION_PROGRESS, "mine", {"podSelector": {}})
    done = {**READY, "type": "Succeeded", "category": "Advisory", "durable": True, "reason": "Completed"}
    ended = {"phase": "Completed", "itinerary": "PVC", "conditions": [done], "successfulISs": [to.reference("web")]}
    images = to.add(names.DIRECT_IMAGE_MIGRATION, "shop-final-i", {"namespaces": ["shop"]}, ended, owner=final)
    stream = {"imageStreamRef": {"name": "web", "namespace": "shop"}}
    ended.pop("successfulISs")
    to.add(names.DIRECT_IMAGE_STREAM_MIGRATION, "shop-final-s", stream, ended, owner=images)
    record = {
        "schema": 1,
        "downtime_seconds": 12.5,
        "volumes": [
            {
                "move": {"source_namespace": "shop", "source_claim": "logs", "target_namespace": "shop"},
                "ok": True,
                "files": 3,
                "bytes": 12,
            }
        ],
    }
    to.cluster.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "shop-final-run", "namespace": to.namespace},
            "data": {"record.json": json.dumps(record)},
        }
    )
