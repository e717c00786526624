# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each condition of a MigAnalytic on real clusters, and its figures against what really stands on the source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names, quantity
from ansible_collections.openmig.mtc.plugins.module_utils.resources.condition_names import AnalyticCondition
from integration.conditions.tasks import Result, by_type, perform, written
from integration.migration import applications, evidence
from integration.migration.waiting import until, until_measured
from lab import audit
from lab.targets import targets

CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
IMAGES = "image.openshift.io"
REGISTRY = "registry.internal:5000"
READY = ("Required", "True", "")
PLAN_FOUND = ("Critical", "False", "")
PLAN_READY = ("Critical", "False", "TestFailed")
GOOD = {"Ready": READY, "InvalidPlanRef": PLAN_FOUND, "Postponed": PLAN_READY}
NOT_PRODUCED = {
    AnalyticCondition.EXTENDED_STARTED: "the analysis is one step of the call and has ended before anything is stored",
    AnalyticCondition.RECONCILE_FAILED: "an unexpected error ends the call and is told there; nothing is stored",
}


def idle_claim(namespace: str) -> dict[str, Any]:
    """A claim with a volume that no pod mounts."""
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "source-hdd",
        "resources": {"requests": {"storage": "8Mi"}},
    }
    metadata = {"name": "idle", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


@pytest.fixture(scope="module")
def plan(source: Cluster, namespace: str, source_namespace: str) -> str:
    """A plan that is ready, over an application with a volume in use and one that nobody uses; and one that is not."""
    objects = applications.manifests(source_namespace, mebibytes=2, files=5)[1:]
    applications.deploy(source, [*objects, idle_claim(source_namespace)])
    sides = {"source_cluster": "source", "destination_cluster": "destination"}
    results = perform(
        [
            ("mig_cluster", {"name": "destination", "is_host_cluster": True}),
            ("mig_cluster", {"name": "source", "remote": {"kubeconfig": str(targets().source)}}),
            ("mig_plan", {"name": "app", **sides, "namespaces": [source_namespace]}),
            ("mig_plan", {"name": "broken", **sides, "namespaces": ["no-such-namespace-8431"]}),
        ],
        namespace=namespace,
    )
    assert [result["failed"] for result in results] == [False, False, False, True], results
    return "app"


def analyze(namespace: str, *calls: dict[str, Any], arguments: tuple[str, ...] = ()) -> list[Result]:
    return perform([("mig_analytic", options) for options in calls], *arguments, namespace=namespace)


def stored(control: Cluster, namespace: str, name: str) -> dict[str, Any]:
    found = control.get(names.API_VERSION, names.MIG_ANALYTIC, name, namespace)
    assert found is not None
    return found


@pytest.mark.sample
def test_each_condition_is_found_and_stored(
    control: Cluster, source: Cluster, namespace: str, source_namespace: str, plan: str
) -> None:
    until_measured(source, source_namespace, "data")
    only_volumes = dict.fromkeys(("analyze_k8s_resources", "analyze_image_count", "analyze_pv_capacity"), False)
    rows: dict[str, tuple[dict[str, Any], bool, dict[str, Any]]] = {
        "ready": ({"plan": plan}, False, GOOD),
        "no-plan": ({"plan": "nowhere"}, True, {"InvalidPlanRef": ("Critical", "True", "NotFound")}),
        "early": (
            {"plan": "broken"},
            True,
            {"InvalidPlanRef": PLAN_FOUND, "Postponed": ("Critical", "True", "TestFailed")},
        ),
        "early-volumes": (
            {"plan": "broken", "analyze_extended_pv_capacity": True, **only_volumes},
            False,
            {"Ready": READY, "InvalidPlanRef": PLAN_FOUND},
        ),
        "volumes": (
            {"plan": plan, "analyze_extended_pv_capacity": True},
            False,
            {**GOOD, "ExtendedPVAnalysisFailed": ("Warn", "True", "FailedRunningDf")},
        ),
    }
    results = analyze(namespace, *({"name": name, **options} for name, (options, _failed, _found) in rows.items()))
    for (name, (_options, failed, found)), result in zip(rows.items(), results, strict=True):
        assert (result["failed"], by_type(result)) == (failed, found), name
        now = stored(control, namespace, name)
        assert {item["type"]: item for item in now["status"]["conditions"]} == result["conditions"]
        assert now["status"]["observedGeneration"] == now["metadata"]["generation"]
    warned = results[-1]["conditions"]["ExtendedPVAnalysisFailed"]["message"]
    assert f"[{source_namespace}/idle]" in warned
    assert any("ExtendedPVAnalysisFailed" in told for told in results[-1]["warnings"])
    (volume,) = results[-1]["analytics"]["namespaces"][0]["persistentVolumes"]
    assert volume["name"] == "data"
    assert 0 < volume["usagePercentage"] < 100
    assert quantity.parse(volume["proposedCapacity"]) >= quantity.parse(volume["requestedCapacity"])
    shown = {type_name for result in results for type_name in result["conditions"]}
    known = {value for name, value in vars(AnalyticCondition).items() if name.isupper()}
    assert shown | set(NOT_PRODUCED) == known | {AnalyticCondition.READY, AnalyticCondition.RECONCILE_FAILED}


def test_figures_are_what_stands_there(source: Cluster, namespace: str, source_namespace: str, plan: str) -> None:
    (result,) = analyze(namespace, {"name": "figures", "plan": plan})
    (row,) = result["analytics"]["namespaces"]
    lists = ("k8sResources", "excludedK8SResources", "incompatibleK8SResources")
    counts = {(item["group"], item["kind"]): item["count"] for name in lists for item in row.get(name, ())}
    kinds = [
        ("", "v1", "ConfigMap", "configmaps"),
        ("", "v1", "Secret", "secrets"),
        ("", "v1", "Pod", "pods"),
        ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
        ("apps", "apps/v1", "Deployment", "deployments"),
        ("apps", "apps/v1", "ReplicaSet", "replicasets"),
    ]
    there = {
        (group, plural): len(list(source.list(version, kind, source_namespace)))
        for group, version, kind, plural in kinds
    }
    assert {key: counts.get(key, 0) for key in there} == there
    assert there["", "persistentvolumeclaims"] == row["pvCount"] == 2
    assert row["pvCapacity"] == result["analytics"]["pvCapacity"] == "32Mi"
    assert [item["kind"] for item in row["excludedK8SResources"]] == ["events"]
    assert row["k8sResourceTotal"] == sum(item["count"] for item in row["k8sResources"])
    assert (row["imageCount"], row["imageSizeTotal"]) == (0, "0")


def test_it_is_counted_again_only_when_asked(
    control: Cluster, source: Cluster, namespace: str, source_namespace: str, plan: str
) -> None:
    wanted = {"name": "again", "plan": plan, "analyze_image_count": False}
    mark = audit.mark("destination")
    (predicted,) = analyze(namespace, wanted, arguments=("--check",))
    assert written(namespace, mark) == []
    first, second = analyze(namespace, wanted, wanted)
    assert [each["changed"] for each in (predicted, first, second)] == [True, True, False]
    assert stored(control, namespace, "again")["metadata"]["labels"]["migplan"] == plan
    extra = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra", "namespace": source_namespace}}
    source.create(extra)
    look = audit.mark("source")
    third, fourth, fifth = analyze(namespace, wanted, {**wanted, "refresh": True}, {**wanted, "list_images": False})
    seen = [
        event
        for event in audit.events("source", look)
        if evidence.AGENT in str(event.get("userAgent"))
        and (event.get("objectRef") or {}).get("namespace") == source_namespace
    ]
    assert third["changed"] is False
    before, after = (each["analytics"]["k8sResourceTotal"] for each in (third, fourth))
    assert (fourth["changed"], after - before) == (True, 1)
    assert fifth["changed"] is True
    assert seen != []
    assert [event["requestURI"] for event in seen if event["verb"] not in ("list", "get")] == []
    source.delete("v1", "ConfigMap", "extra", source_namespace)


def test_what_the_destination_does_not_serve_is_counted_by_itself(
    control: Cluster, namespace: str, source_namespace: str, plan: str
) -> None:
    """The plan's finding is written into its status here, as its own validation would."""
    gvk = {"group": "", "version": "v1", "kind": "services"}
    status = {"status": {"incompatibleNamespaces": [{"name": source_namespace, "gvks": [gvk]}]}}
    control.patch(names.API_VERSION, names.MIG_PLAN, plan, namespace, patch=status)
    (result,) = analyze(namespace, {"name": "incompatible", "plan": plan})
    (row,) = result["analytics"]["namespaces"]
    assert [(item["kind"], item["count"]) for item in row["incompatibleK8SResources"]] == [("services", 1)]
    assert result["analytics"]["incompatiblek8sResourceTotal"] == 1
    assert "services" not in [item["kind"] for item in row["k8sResources"]]
    control.patch(names.API_VERSION, names.MIG_PLAN, plan, namespace, patch={"status": {"incompatibleNamespaces": []}})


@pytest.fixture
def image_streams(source: Cluster) -> Iterator[None]:
    """Stands in for OpenShift's image API: its two kinds as plain custom resources, with the fields that are read."""
    kinds = (("ImageStream", "imagestreams", "Namespaced"), ("Image", "images", "Cluster"))
    for kind, plural, scope in kinds:
        version = {
            "name": "v1",
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
        }
        spec = {
            "group": IMAGES,
            "scope": scope,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [version],
        }
        manifest = {"apiVersion": CRD[0], "kind": CRD[1], "metadata": {"name": f"{plural}.{IMAGES}"}, "spec": spec}
        source.create(manifest)
    until(
        lambda: {"ImageStream", "Image"} <= {each.kind for each in source.types(refresh=True) if each.group == IMAGES},
        "the kinds of images are served",
    )
    yield
    for _kind, plural, _scope in kinds:
        source.delete(*CRD, f"{plural}.{IMAGES}")
    until(
        lambda: not [each for each in source.types(refresh=True) if each.group == IMAGES],
        "the kinds of images are gone",
    )


def image(name: str, mebibytes: float) -> dict[str, Any]:
    size = int(mebibytes * 1024 * 1024)
    content = {"dockerImageReference": f"{REGISTRY}/team/web@{name}", "dockerImageMetadata": {"Size": size}}
    return {"apiVersion": f"{IMAGES}/v1", "kind": "Image", "metadata": {"name": name}, **content}


def test_images_are_those_of_the_own_registry(
    source: Cluster, namespace: str, source_namespace: str, plan: str, image_streams: None
) -> None:
    del image_streams
    for each in (image("old", 3.5), image("new", 2), image("other", 7)):
        source.create(each)
    items = [
        {"image": "new", "dockerImageReference": f"{REGISTRY}/team/web@new"},
        {"image": "old", "dockerImageReference": f"{REGISTRY}/team/web@old"},
        {"image": "other", "dockerImageReference": "quay.io/team/web@other"},
        {"image": "pruned", "dockerImageReference": f"{REGISTRY}/team/web@pruned"},
    ]
    stream = {
        "apiVersion": f"{IMAGES}/v1",
        "kind": "ImageStream",
        "metadata": {"name": "web", "namespace": source_namespace},
        "status": {"dockerImageRepository": f"{REGISTRY}/team/web", "tags": [{"tag": "latest", "items": items}]},
    }
    source.create(stream)
    listing = {"name": "images", "plan": plan, "list_images": True, "list_images_limit": 1}
    (result,) = analyze(namespace, listing)
    (row,) = result["analytics"]["namespaces"]
    assert (row["imageCount"], row["imageSizeTotal"]) == (2, "5Mi")
    assert row["images"] == [{"name": "old", "reference": f"{REGISTRY}/team/web@old", "size": "3Mi"}]
    assert result["analytics"]["imageSizeTotal"] == "5Mi"


def test_content_is_not_read_where_it_is_only_counted(source: Cluster, source_namespace: str) -> None:
    types = [source.resource("v1", "Secret"), source.resource("apps/v1", "Deployment")]
    found = list(source.list_types(types, [source_namespace], metadata_only=True))
    assert {obj["kind"] for _kind, _namespace, obj in found} >= {"Secret", "Deployment"}
    assert [sorted(obj) for _kind, _namespace, obj in found] == [["apiVersion", "kind", "metadata"]] * len(found)
