# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Workloads that are pointed to other claims: what is sent, by kind, and that going back gives what there was."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.objects import claim_references
from ansible_collections.openmig.mtc.plugins.module_utils.objects.manifest import POD_SPECS, read
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names

Manifest = dict[str, Any]
FORWARD = {
    "data": "data-mig-ab12",
    "files-db-0": "files-mig-ab12-db-0",
    "files-db-1": "files-mig-ab12-db-1",
}
BACK = {target: claim for claim, target in FORWARD.items()}
CLASSES = dict.fromkeys(BACK, "fast")


def pod(*claims: str) -> Manifest:
    volumes: list[Manifest] = [
        {"name": f"v{number}", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
        for number, claim in enumerate(claims)
    ]
    return {"containers": [{"name": "web"}], "volumes": [*volumes, {"name": "tmp", "emptyDir": {}}]}


def workload(api_version: str, kind: str, *claims: str, **spec: Any) -> Manifest:
    obj: Manifest = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "db", "namespace": "shop", "uid": "u", "resourceVersion": "5"},
        "spec": dict(spec),
    }
    holder = obj
    path = POD_SPECS[api_version.partition("/")[0] if "/" in api_version else "", kind]
    for step in path[:-1]:
        holder = holder.setdefault(step, {})
    holder[path[-1]] = pod(*claims)
    return obj


TEMPLATED = [
    ("apps/v1", "Deployment"),
    ("apps.openshift.io/v1", "DeploymentConfig"),
    ("apps/v1", "ReplicaSet"),
    ("v1", "ReplicationController"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "CronJob"),
    ("apps/v1", "StatefulSet"),
]


@pytest.mark.parametrize(("api_version", "kind"), TEMPLATED)
def test_a_template_is_patched_with_all_its_volumes(api_version: str, kind: str) -> None:
    obj = workload(api_version, kind, "data", "other")
    before = copy.deepcopy(obj)
    patch = claim_references.patch_of(obj, FORWARD)
    assert patch is not None
    volumes = read(patch, *POD_SPECS[api_version.rpartition("/")[0], kind], "volumes")
    claims = [read(volume, "persistentVolumeClaim", "claimName") for volume in volumes]
    assert claims == ["data-mig-ab12", "other", None]
    assert volumes[0]["persistentVolumeClaim"]["readOnly"] is True
    assert list(patch) == ["spec"]
    assert obj == before
    assert claim_references.uses(obj, FORWARD) == {"data"}
    assert claim_references.patch_of(workload(api_version, kind, "other"), FORWARD) is None


def stateful_set(**spec: Any) -> Manifest:
    obj = workload("apps/v1", "StatefulSet", "data", replicas=0, serviceName="db", **spec)
    obj["metadata"]["annotations"] = {names.PRE_QUIESCE_REPLICAS_ANNOTATION: "2", "mine": "kept"}
    obj["metadata"] |= {"labels": {"app": "db"}, "creationTimestamp": "now", "managedFields": [], "generation": 3}
    obj["spec"]["volumeClaimTemplates"] = [
        {
            "metadata": {"name": name},
            "spec": {"storageClassName": "slow", "resources": {"requests": {"storage": "1Gi"}}},
            "status": {"phase": "Pending"},
        }
        for name in ("files", "skipped")
    ]
    template = obj["spec"]["template"]["spec"]
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in ("files", "skipped", "tmp")]
    template["containers"] = [{"name": "db", "volumeMounts": mounts}]
    template["initContainers"] = [{"name": "init", "volumeDevices": [{"name": "files", "devicePath": "/dev/x"}]}]
    obj["status"] = {"replicas": 0}
    return obj


def test_a_set_is_made_anew_with_templates_that_lead_to_the_other_claims() -> None:
    obj = stateful_set()
    assert claim_references.uses(obj, FORWARD) == set(FORWARD)
    assert claim_references.unfit(obj, FORWARD, [*FORWARD, "skipped-db-0"]) == []
    made = claim_references.recreated(obj, FORWARD, CLASSES)
    templates = {item["metadata"]["name"]: item for item in made["spec"]["volumeClaimTemplates"]}
    assert list(templates) == ["files-mig-ab12", "skipped"], "a template whose volume is skipped keeps its name (D30)"
    assert templates["files-mig-ab12"]["spec"]["storageClassName"] == "fast", "a replica more gets the new class"
    assert templates["skipped"]["spec"]["storageClassName"] == "slow"
    template = made["spec"]["template"]["spec"]
    mounts = [mount["name"] for mount in template["containers"][0]["volumeMounts"]]
    assert mounts == ["files-mig-ab12", "skipped", "tmp"]
    assert template["initContainers"][0]["volumeDevices"][0]["name"] == "files-mig-ab12"
    assert template["volumes"][0]["persistentVolumeClaim"]["claimName"] == "data-mig-ab12"
    assert set(made["metadata"]) == {"name", "namespace", "labels", "annotations"}
    assert made["metadata"]["annotations"][names.STATEFUL_SET_UPDATE_ANNOTATION] == "true"
    assert made["metadata"]["annotations"][names.PRE_QUIESCE_REPLICAS_ANNOTATION] == "2"
    assert "status" not in made
    assert made["spec"]["replicas"] == 0


@pytest.mark.parametrize("storage_class", ["slow", None])
def test_a_set_that_is_pointed_back_is_what_it_was(storage_class: str | None) -> None:
    obj = stateful_set()
    for template in obj["spec"]["volumeClaimTemplates"]:
        template.pop("status")
        if storage_class is None:
            template["spec"].pop("storageClassName")
    there = claim_references.recreated(obj, FORWARD, CLASSES)
    back = claim_references.recreated(there, BACK, {})
    assert back["spec"] == obj["spec"]
    assert back["metadata"]["annotations"] == obj["metadata"]["annotations"]
    assert claim_references.uses(back, BACK) == set()


def test_a_second_conversion_goes_back_to_the_first() -> None:
    first = claim_references.recreated(stateful_set(), FORWARD, CLASSES)
    again = {"files-mig-ab12-db-0": "files-mig-cd34-db-0"}
    second = claim_references.recreated(first, again, {"files-mig-cd34-db-0": "other"})
    back = claim_references.recreated(second, {"files-mig-cd34-db-0": "files-mig-ab12-db-0"}, {})
    assert back["spec"] == first["spec"]


@pytest.mark.parametrize(
    ("mapping", "claims", "words"),
    [
        ({"files-db-0": "files-new"}, [], "files-db-0 would become files-new"),
        ({"files-db-0": "files-mig-ab12-db-0"}, ["files-db-1"], "only some of the claims of template files"),
        ({"files-db-0": "a-db-0", "files-db-1": "b-db-1"}, [], "names of different kinds"),
        ({"files-db-0": f"{'f' * 64}-db-0"}, [], "longer than 63 characters"),
    ],
)
def test_a_set_that_no_templates_lead_to_the_other_claims(
    mapping: dict[str, str], claims: list[str], words: str
) -> None:
    (problem,) = claim_references.unfit(stateful_set(), mapping, claims)
    assert words in problem


def test_a_job_is_done_by_another() -> None:
    marks = {"batch.kubernetes.io/controller-uid": "u", "job-name": "db", "app": "db"}
    job = workload("batch/v1", "Job", "data", parallelism=0, completions=3)
    job["metadata"] |= {"labels": dict(marks), "annotations": {names.PRE_QUIESCE_REPLICAS_ANNOTATION: "2", "x": "y"}}
    job["spec"]["selector"] = {"matchLabels": {"controller-uid": "u"}}
    job["spec"]["template"]["metadata"] = {"labels": dict(marks)}
    before = copy.deepcopy(job)
    made = claim_references.other_job(job, FORWARD, suffix="ab12", labels={"plan": "p"})
    assert made["metadata"] == {
        "name": "db-mig-ab12",
        "namespace": "shop",
        "labels": {"app": "db", "plan": "p"},
        "annotations": {names.PRE_QUIESCE_REPLICAS_ANNOTATION: "2"},
    }
    assert made["spec"]["parallelism"] == 0
    assert made["spec"]["completions"] == 3
    assert "selector" not in made["spec"]
    assert made["spec"]["template"]["metadata"]["labels"] == {"app": "db"}
    assert claim_references.referenced(made) == {"data-mig-ab12"}
    assert job == before
    job["metadata"]["name"] = "j" * 63
    assert len(claim_references.other_job(job, FORWARD, suffix="ab12", labels={})["metadata"]["name"]) == 63
