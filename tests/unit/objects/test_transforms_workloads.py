# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pods, Jobs and claims: what was filled in goes, what the plan renames follows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.objects.context import TransformContext
from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms import transform
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import Refused
from unit.objects.manifests import CONTEXT, deployment, live, notes, pod_spec, sent

Manifest = dict[str, Any]


def claims(**mapping: str) -> TransformContext:
    """Underscores stand for dashes."""
    names = {old.replace("_", "-"): new for old, new in mapping.items()}
    return replace(CONTEXT, claim_mapping={("shop", old): new for old, new in names.items()})


def test_a_bare_pod_is_placed_and_admitted_anew() -> None:
    mounts = [{"name": "kube-api-access-x2b4z", "mountPath": "/token"}, {"name": "data", "mountPath": "/data"}]
    obj = live(
        "v1",
        "Pod",
        spec=pod_spec(
            nodeName="node",
            priority=0,
            preemptionPolicy="PreemptLowerPriority",
            ephemeralContainers=[{"name": "debug"}],
            runtimeClassName="kata",
            overhead={"cpu": "1"},
            imagePullSecrets=[{"name": "default-dockercfg-x2b4z"}, {"name": "mine"}],
            nodeSelector={"disk": "ssd"},
            volumes=[{"name": "kube-api-access-x2b4z", "projected": {}}, {"name": "data", "emptyDir": {}}],
            containers=[{"name": "main", "volumeMounts": mounts}],
        ),
        status={"phase": "Running"},
    )
    result = transform(obj, CONTEXT)
    assert result.object is not None
    assert result.object["spec"] == {
        "runtimeClassName": "kata",
        "imagePullSecrets": [{"name": "mine"}],
        "nodeSelector": {"disk": "ssd"},
        "volumes": [{"name": "data", "emptyDir": {}}],
        "containers": [{"name": "main", "volumeMounts": [mounts[1]]}],
    }
    assert notes(result) == ["spec.nodeSelector: kept: a node with disk=ssd must exist on the destination"]


def test_a_volume_that_only_sounds_like_a_token_stays() -> None:
    spec = pod_spec(
        volumes=[{"name": "my-token-x2b4z", "emptyDir": {}}, {"name": "kube-api-access-a", "projected": {}}]
    )
    assert sent(live("v1", "Pod", spec=spec))["spec"] == spec


@pytest.mark.parametrize("label", ["controller-uid", "batch.kubernetes.io/controller-uid"])
def test_a_job_gets_a_new_selector(label: str) -> None:
    labels = {label: "1", "job-name": "web", "batch.kubernetes.io/job-name": "web"}
    obj = live(
        "batch/v1",
        "Job",
        metadata={"labels": labels},
        spec={
            "selector": {"matchLabels": {label: "1"}},
            "template": {"metadata": {"labels": {**labels, "app": "web"}}, "spec": pod_spec()},
        },
    )
    result = transform(obj, CONTEXT)
    assert result.object is not None
    assert result.object["spec"] == {"template": {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec()}}
    assert not result.object["metadata"]["labels"].keys() & labels.keys()
    assert notes(result) == ["kept: not finished on the source; starts from its beginning on the destination"]


@pytest.mark.parametrize("spec", [{"manualSelector": True, "selector": {"matchLabels": {"controller-uid": "1"}}}, {}])
def test_a_selector_of_the_users_stays(spec: Manifest) -> None:
    whole = {**spec, "template": {"metadata": {"labels": {"controller-uid": "1"}}, "spec": pod_spec()}}
    assert sent(live("batch/v1", "Job", spec=whole))["spec"] == whole


def test_a_renamed_claim_is_found() -> None:
    volumes = [
        {"name": "a", "persistentVolumeClaim": {"claimName": "files", "readOnly": True}},
        {"name": "b", "persistentVolumeClaim": {"claimName": "other"}},
    ]
    cron = live(
        "batch/v1", "CronJob", spec={"jobTemplate": {"spec": {"template": {"spec": pod_spec(volumes=volumes)}}}}
    )
    result = transform(cron, claims(files="documents"))
    assert result.object is not None
    changed = result.object["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"]
    assert [volume["persistentVolumeClaim"] for volume in changed] == [
        {"claimName": "documents", "readOnly": True},
        {"claimName": "other"},
    ]
    assert notes(result) == [
        "spec.jobTemplate.spec.template.spec.volumes: rewritten: claim files is called documents there"
    ]


def test_a_claim_of_another_namespace_is_another_claim() -> None:
    obj = deployment(pod=pod_spec(volumes=[{"name": "a", "persistentVolumeClaim": {"claimName": "files"}}]))
    context = replace(CONTEXT, claim_mapping={("same", "files"): "documents"})
    assert sent(obj, context)["spec"] == obj["spec"]


def stateful_set() -> Manifest:
    mounts = [{"name": "data", "mountPath": "/data"}, {"name": "logs", "mountPath": "/logs"}]
    return live(
        "apps/v1",
        "StatefulSet",
        name="db",
        spec={
            "template": {
                "spec": {"containers": [{"name": "main", "volumeMounts": mounts, "volumeDevices": [{"name": "data"}]}]}
            },
            "volumeClaimTemplates": [
                {"metadata": {"name": "data"}, "spec": {"storageClassName": "ssd"}, "status": {"phase": "Pending"}},
                {"metadata": {"name": "logs"}, "spec": {}},
            ],
        },
    )


def test_a_claim_template_is_renamed_with_its_mounts() -> None:
    spec = sent(stateful_set(), claims(data_db_0="disk-db-0", data_db_1="disk-db-1", logs_db_0="logs-db-0"))["spec"]
    assert [template["metadata"]["name"] for template in spec["volumeClaimTemplates"]] == ["disk", "logs"]
    assert "status" not in spec["volumeClaimTemplates"][0]
    container = spec["template"]["spec"]["containers"][0]
    assert [mount["name"] for mount in container["volumeMounts"]] == ["disk", "logs"]
    assert container["volumeDevices"] == [{"name": "disk"}]


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ({"data_db_0": "documents"}, "claim data-db-0 cannot be renamed to documents"),
        ({"data_db_0": "-db-0"}, "claim data-db-0 cannot be renamed to -db-0"),
        ({"data_db_0": "data-db-1"}, "claim data-db-0 cannot be renamed to data-db-1"),
        ({"data_db_0": "data-db-0", "data_db_1": "disk-db-1"}, "one template makes them all"),
    ],
)
def test_a_renaming_that_would_lose_the_data_is_refused(mapping: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused, match="StatefulSet shop/db: ") as error:
        transform(stateful_set(), claims(**mapping))
    assert reason in error.value.message


def test_claims_of_another_set_do_not_matter() -> None:
    obj = stateful_set()
    mapped = sent(obj, claims(data_db2_0="else", data_other="else", data_db_x="else"))
    assert mapped["spec"]["volumeClaimTemplates"][0]["metadata"]["name"] == "data"


def test_classes_of_templates_follow_the_plan() -> None:
    context = replace(CONTEXT, storage_classes={"ssd": "fast"})
    templates = sent(stateful_set(), context)["spec"]["volumeClaimTemplates"]
    assert [template["spec"] for template in templates] == [{"storageClassName": "fast"}, {}]


def test_affinity_follows_the_namespaces() -> None:
    def terms(namespace: str) -> Manifest:
        by_name = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
        return {
            "podAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [{"namespaces": [namespace, "other"]}],
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "podAffinityTerm": {"namespaceSelector": by_name}}
                ],
            }
        }

    obj = deployment(pod=pod_spec(affinity=terms("shop")))
    result = transform(obj, CONTEXT)
    assert result.object is not None
    assert result.object["spec"]["template"]["spec"]["affinity"] == terms("store")
    assert notes(result) == ["spec.template.spec.affinity: rewritten: namespaces say the new name"]
