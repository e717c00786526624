# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Metadata: what goes, what stays, what says the new namespace."""

from __future__ import annotations

import json

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.objects.context import TransformContext
from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms import transform
from unit.objects.manifests import CONTEXT, RUN_LABELS, deployment, live, notes, sent

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def test_only_what_somebody_would_write_is_left() -> None:
    obj = live(
        "v1",
        "ConfigMap",
        metadata={
            "labels": {"app": "web"},
            "annotations": {"note": "kept"},
            "managedFields": [{"manager": "x"}],
            "selfLink": "/x",
            "generateName": "we",
            "deletionGracePeriodSeconds": 0,
        },
        data={"key": "value"},
        status={"phase": "x"},
    )
    assert sent(obj) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "web",
            "namespace": "store",
            "labels": {"app": "web", **RUN_LABELS},
            "annotations": {"note": "kept"},
        },
        "data": {"key": "value"},
    }


def test_labels_of_an_earlier_run_are_replaced() -> None:
    earlier = dict.fromkeys(RUN_LABELS, "earlier")
    assert sent(live("v1", "ConfigMap", metadata={"labels": earlier}))["metadata"]["labels"] == RUN_LABELS


@pytest.mark.parametrize("name", ["default", "builder", "deployer"])
def test_the_platforms_accounts_are_not_labelled(name: str) -> None:
    assert "labels" not in sent(live("v1", "ServiceAccount", name=name))["metadata"]
    assert sent(live("v1", "ConfigMap", name=name))["metadata"]["labels"] == RUN_LABELS


def test_owners_are_dropped_and_told() -> None:
    owners = [
        {"apiVersion": "v1", "kind": "Database", "name": "db", "uid": "1", "controller": True},
        {"apiVersion": "v1", "kind": "Tenant", "name": "t", "uid": "2"},
    ]
    result = transform(live("v1", "Secret", metadata={"ownerReferences": owners}), CONTEXT)
    assert result.object is not None
    assert "ownerReferences" not in result.object["metadata"]
    assert notes(result) == [
        "metadata.ownerReferences: dropped: Database db of the source managed it",
        "metadata.ownerReferences: dropped: Tenant t of the source owned it",
    ]
    assert str(result.notes[0]).startswith("Secret shop/web: metadata.ownerReferences")


def test_finalizers_are_dropped_and_told() -> None:
    result = transform(live("v1", "ConfigMap", metadata={"finalizers": ["example.org/a"]}), CONTEXT)
    assert result.object is not None
    assert "finalizers" not in result.object["metadata"]
    assert notes(result) == ["metadata.finalizers: dropped: example.org/a"]


@pytest.mark.parametrize(
    ("namespace", "expected"),
    [("shop", "store"), ("elsewhere", "elsewhere")],
)
def test_last_applied_says_the_new_namespace(namespace: str, expected: str) -> None:
    text = json.dumps({"kind": "ConfigMap", "metadata": {"namespace": namespace, "name": "ü"}}) + "\n"
    written = sent(live("v1", "ConfigMap", metadata={"annotations": {LAST_APPLIED: text}}))
    kept = written["metadata"]["annotations"][LAST_APPLIED]
    assert json.loads(kept)["metadata"] == {"namespace": expected, "name": "ü"}
    assert kept.endswith("\n")
    assert (kept == text) == (namespace == expected), "only rewritten when it must be"


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "null", '{"metadata": null}', '{"metadata": {"namespace": 1}}'])
def test_a_last_applied_that_nobody_understands_stays(text: str) -> None:
    written = sent(live("v1", "ConfigMap", metadata={"annotations": {LAST_APPLIED: text}}))
    assert written["metadata"]["annotations"] == {LAST_APPLIED: text}


@pytest.mark.parametrize(
    ("api_version", "kind", "annotation"),
    [
        ("apps/v1", "Deployment", "deployment.kubernetes.io/revision"),
        ("apps/v1", "ReplicaSet", "deployment.kubernetes.io/desired-replicas"),
        ("apps/v1", "DaemonSet", "deprecated.daemonset.template.generation"),
        ("batch/v1", "Job", "batch.kubernetes.io/job-tracking"),
        ("autoscaling/v1", "HorizontalPodAutoscaler", "autoscaling.alpha.kubernetes.io/conditions"),
        ("v1", "Endpoints", "endpoints.kubernetes.io/last-change-trigger-time"),
        ("v1", "Pod", "cni.projectcalico.org/podIP"),
    ],
)
def test_bookkeeping_goes_where_it_is_bookkeeping(api_version: str, kind: str, annotation: str) -> None:
    metadata = {"annotations": {annotation: "1"}}
    assert "annotations" not in sent(live(api_version, kind, metadata=metadata, spec={}))["metadata"]
    assert sent(live("v1", "ConfigMap", metadata=metadata))["metadata"]["annotations"] == {annotation: "1"}


def test_a_namespace_outside_the_plan_does_not_travel() -> None:
    result = transform({**deployment(), "metadata": {"name": "web", "namespace": "elsewhere"}}, CONTEXT)
    assert result.object is None
    assert notes(result) == ["metadata.namespace: left: elsewhere is not part of the plan"]


def test_namespaces_may_change_places() -> None:
    context = TransformContext(
        namespace_mapping={"shop": "store", "store": "shop"}, migplan_uid="p", migmigration_uid="m"
    )
    assert sent(live("v1", "ConfigMap", data={"a": "x.shop.svc y.store.svc"}), context)["data"] == {
        "a": "x.store.svc y.shop.svc"
    }
