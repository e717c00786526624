# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A real API server accepts and refuses resources by our definitions as it does by MTC's.

Every request is a dry run: it is judged, and nothing is stored. That the definitions themselves are equal, field by
field, is shown by the unit tests; here it is shown that a server understands them so.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import Invalid
from lab.targets import targets

REFERENCE = {"name": "a", "namespace": "b"}
CONDITION = {"type": "Ready", "status": "True", "category": "Required", "lastTransitionTime": "2024-05-01T12:00:00Z"}
VOLUME = {"name": "pv", "selection": {}, "supported": {"actions": ["copy"], "copyMethods": []}}
CLAIM = {"name": "data", "namespace": "shop", "targetStorageClass": "", "targetAccessModes": []}
HOOK = {"executionNamespace": "a", "phase": "anything", "reference": REFERENCE, "serviceAccount": "b"}
ANALYSIS = {"migPlanRef": {}, "analyzeImageCount": False, "analyzeK8SResources": False, "analyzePVCapacity": False}


def without(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != name}


def resource(kind: str, spec: Any, status: Any = None) -> dict[str, Any]:
    body = {
        "apiVersion": names.API_VERSION,
        "kind": kind,
        "metadata": {"name": "accepted", "namespace": "default"},
        "spec": spec,
    }
    return body if status is None else {**body, "status": status}


ACCEPTED = [
    resource(names.MIG_CLUSTER, {"isHostCluster": True}),
    resource(names.MIG_CLUSTER, {"isHostCluster": False, "caBundle": "YWJj", "serviceAccountSecretRef": {"kind": "x"}}),
    resource(names.MIG_CLUSTER, {"isHostCluster": True}, {"conditions": [CONDITION], "registryPath": "x"}),
    resource(names.MIG_STORAGE, {"backupStorageProvider": "no such", "backupStorageConfig": {}}),
    resource(
        names.MIG_HOOK, {"custom": True, "image": "", "targetCluster": "elsewhere", "activeDeadlineSeconds": 2**40}
    ),
    resource(names.MIG_PLAN, {}),
    resource(
        names.MIG_PLAN, {"namespaces": ["a:b:c", "NOT A NAME"], "persistentVolumes": [VOLUME], "hooks": [HOOK, HOOK]}
    ),
    resource(names.MIG_PLAN, {"persistentVolumes": [{**VOLUME, "capacity": "1.5Gi", "proposedCapacity": 0}]}),
    resource(names.MIG_PLAN, {"labelSelector": {"matchExpressions": [{"key": "a", "operator": "Whatever"}]}}),
    resource(names.MIG_ANALYTIC, ANALYSIS),
    resource(names.MIG_MIGRATION, {"stage": True, "rollback": True, "runAsUser": 0}),
    resource(
        names.MIG_MIGRATION, {"stage": False}, {"pipeline": [{"name": "Prepare", "started": "2024-05-01T12:00:00Z"}]}
    ),
    resource(names.DIRECT_VOLUME_MIGRATION, {"persistentVolumeClaims": [CLAIM], "migrationType": "Sometime"}),
    resource(
        names.DIRECT_VOLUME_MIGRATION, {}, {"observedDigest": "", "phaseDescription": "", "successfulPods": [REFERENCE]}
    ),
    resource(names.DIRECT_VOLUME_MIGRATION_PROGRESS, {"podSelector": {"a": "b"}}, {"exitCode": -1}),
    resource(names.DIRECT_IMAGE_MIGRATION, {"labelSelector": {}}, {"newISs": [{"destNamespace": "x"}]}),
    resource(names.DIRECT_IMAGE_STREAM_MIGRATION, {"imageStreamRef": {}}),
]

REFUSED = [
    (resource(names.MIG_CLUSTER, {}), "spec.isHostCluster"),
    (resource(names.MIG_CLUSTER, {"isHostCluster": "yes"}), "spec.isHostCluster"),
    (resource(names.MIG_CLUSTER, {"isHostCluster": True, "caBundle": "not base64!"}), "spec.caBundle"),
    (
        resource(names.MIG_CLUSTER, {"isHostCluster": True}, {"conditions": [without(CONDITION, "category")]}),
        "category",
    ),
    (
        resource(
            names.MIG_CLUSTER, {"isHostCluster": True}, {"conditions": [{**CONDITION, "lastTransitionTime": "now"}]}
        ),
        "lastTransitionTime",
    ),
    (resource(names.MIG_STORAGE, {"backupStorageProvider": "aws"}), "spec.backupStorageConfig"),
    (resource(names.MIG_HOOK, {"custom": True, "image": "x"}), "spec.targetCluster"),
    (resource(names.MIG_PLAN, {"namespaces": "shop"}), "spec.namespaces"),
    (resource(names.MIG_PLAN, {"persistentVolumes": [without(VOLUME, "supported")]}), "supported"),
    (resource(names.MIG_PLAN, {"persistentVolumes": [without(VOLUME, "selection")]}), "selection"),
    (resource(names.MIG_PLAN, {"persistentVolumes": [{**VOLUME, "supported": {"actions": []}}]}), "copyMethods"),
    (resource(names.MIG_PLAN, {"persistentVolumes": [{**VOLUME, "capacity": "much"}]}), "capacity"),
    (resource(names.MIG_PLAN, {"includedResources": [{"kind": "ConfigMap"}]}), "group"),
    (resource(names.MIG_PLAN, {"hooks": [without(HOOK, "serviceAccount")]}), "serviceAccount"),
    (resource(names.MIG_PLAN, {"labelSelector": {"matchExpressions": [{"key": "a"}]}}), "operator"),
    (resource(names.MIG_ANALYTIC, without(ANALYSIS, "analyzePVCapacity")), "spec.analyzePVCapacity"),
    (resource(names.MIG_MIGRATION, {"rollback": True}), "spec.stage"),
    (resource(names.MIG_MIGRATION, {"stage": True, "runAsUser": "root"}), "spec.runAsUser"),
    (resource(names.MIG_MIGRATION, {"stage": True}, {"pipeline": [{"phase": "x"}]}), "name"),
    (
        resource(names.DIRECT_VOLUME_MIGRATION, {"persistentVolumeClaims": [without(CLAIM, "targetStorageClass")]}),
        "targetStorageClass",
    ),
    (resource(names.DIRECT_VOLUME_MIGRATION, {}, {"observedDigest": ""}), "phaseDescription"),
    (resource(names.DIRECT_VOLUME_MIGRATION_PROGRESS, {}, {"exitCode": "0"}), "exitCode"),
    (resource(names.DIRECT_IMAGE_MIGRATION, {"namespaces": [1]}), "namespaces"),
    (resource(names.DIRECT_IMAGE_STREAM_MIGRATION, {"destNamespace": 1}), "destNamespace"),
]


@pytest.mark.parametrize("manifest", ACCEPTED, ids=lambda manifest: manifest["kind"])
def test_accepted(control: Cluster, manifest: dict[str, Any]) -> None:
    stored = control.create(manifest, dry_run=True)
    assert stored["spec"] == manifest["spec"]
    assert stored.get("status") == manifest.get("status")


@pytest.mark.parametrize(
    ("manifest", "field"), REFUSED, ids=lambda part: part if isinstance(part, str) else part["kind"]
)
def test_refused(control: Cluster, manifest: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid, match=field):
        control.create(manifest, dry_run=True)


def test_unknown_fields_are_pruned(control: Cluster) -> None:
    stored = control.create(resource(names.MIG_PLAN, {"surplus": 1, "namespaces": ["a"]}), dry_run=True)
    assert stored["spec"] == {"namespaces": ["a"]}


@pytest.mark.parametrize("kind", names.KINDS.values(), ids=lambda kind: kind.kind)
def test_every_name_of_a_kind_is_served(control: Cluster, kind: names.KindNames) -> None:
    found = control.resource(names.API_VERSION, kind.kind)
    assert (found.plural, found.namespaced) == (kind.plural, True)


@pytest.mark.parametrize("path", ["migplan.spec.persistentVolumes.selection", "migcluster.spec", "dvm.spec"])
def test_the_kinds_explain_themselves(control: Cluster, path: str) -> None:
    command = [sys.executable, "-m", "lab", "kubectl", "destination", "explain", path]
    if targets().own:
        command = ["kubectl", "--kubeconfig", str(targets().destination), "explain", path]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]).stdout
    assert names.GROUP in told
    assert "FIELDS:" in told
    assert "<no description>" not in told.partition("FIELDS:")[2].partition("status")[0]
