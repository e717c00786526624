# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pods that are made: their rights, their place, their way out; and what is read from their state."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import Refused
from ansible_collections.openmig.mtc.plugins.module_utils.volumes import consumers, personas, pod_parts, pod_states
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.model import SettledProfile, VolumeMove
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.pods_client import client_pod
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.pods_server import server_pod

from .builders import IDENTITY, OPTIONS, layout, move
from .pod_security import breaches_of_baseline, breaches_of_restricted

APPLICATION: dict[str, Any] = {
    "metadata": {"name": "shop-0", "labels": {"app": "shop"}},
    "spec": {
        "nodeName": "node-1",
        "securityContext": {"fsGroup": 2000, "supplementalGroups": [3000], "runAsUser": 1000},
        "containers": [{"securityContext": {"runAsGroup": 1001, "seLinuxOptions": {"level": "s0:c1,c2"}}}],
        "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}],
    },
    "status": {"phase": "Running"},
}
CONSUMER = consumers.consumers([APPLICATION])["data"]


def client(profile: SettledProfile = "root", node: str | None = None) -> dict[str, Any]:
    moved = move()
    return client_pod(
        layout(moved),
        moved,
        OPTIONS,
        personas.sender(profile, CONSUMER, OPTIONS),
        anchor_uid="anchor-uid",
        config_map="config",
        secret="keys",
        node=node,
    )


def server(profile: SettledProfile = "root") -> dict[str, Any]:
    persona = personas.receiver(profile, [CONSUMER], OPTIONS)
    made = layout(move("data"), move("more"), move("other", target="elsewhere"))
    return server_pod(made, "shop-new", OPTIONS, persona, anchor_uid="anchor-uid", config_map="config", secret="keys")


@pytest.mark.parametrize("pod", [client(), server()], ids=["client", "server"])
def test_root_pods_pass_baseline_and_have_no_more_than_they_need(pod: dict[str, Any]) -> None:
    assert breaches_of_baseline(pod) == []
    context = pod["spec"]["containers"][0]["securityContext"]
    assert context["capabilities"]["drop"] == ["ALL"]
    assert set(context["capabilities"]["add"]) <= {
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "SETUID",
        "SETGID",
        "SYS_CHROOT",
    }
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("pod", [client("restricted"), server("restricted")], ids=["client", "server"])
def test_restricted_pods_pass_restricted(pod: dict[str, Any]) -> None:
    assert breaches_of_restricted(pod) == []


def test_the_rules_know_a_breach() -> None:
    assert breaches_of_restricted(client()) == ["runAsNonRoot", "runAsUser", "DAC_OVERRIDE"]


@pytest.mark.parametrize("pod", [client(), server()], ids=["client", "server"])
def test_every_pod_has_an_owner_a_deadline_and_no_token(pod: dict[str, Any]) -> None:
    (owner,) = pod["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("ConfigMap", "anchor-uid")
    spec = pod["spec"]
    assert spec["activeDeadlineSeconds"] == 3600
    assert spec["automountServiceAccountToken"] is False
    assert spec["restartPolicy"] == "Never"
    assert spec["terminationGracePeriodSeconds"] == 1
    assert spec["containers"][0]["resources"] == {"requests": {"cpu": "50m", "memory": "64Mi"}}
    labels = pod["metadata"]["labels"]
    assert labels[names.RUN_LABEL] == IDENTITY.uid
    assert labels["app"] == "directvolumemigration-rsync-transfer"
    assert labels["owner"] == "directvolumemigration"
    assert labels["purpose"] == "rsync"
    assert labels["sidecar.istio.io/inject"] == "false"
    assert pod["metadata"]["name"].startswith("openmig-0a1b2c3d-")


def test_source_is_mounted_read_only_and_without_a_group_of_files() -> None:
    for profile in ("root", "restricted"):
        pod = client(profile)
        (mount,) = [mount for mount in pod["spec"]["containers"][0]["volumeMounts"] if mount["name"] == "volume"]
        assert mount["readOnly"] is True
        assert "fsGroup" not in pod["spec"]["securityContext"]


def test_restricted_client_reads_as_the_application_does() -> None:
    context = client("restricted")["spec"]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (1000, 1001)
    assert context["supplementalGroups"] == [2000, 3000]
    assert context["seLinuxOptions"] == {"level": "s0:c1,c2"}


def test_what_is_made_for_one_volume_leaves_no_trace_in_the_next() -> None:
    here, there = move("data"), move("more", source="other", target="elsewhere")
    made = layout(here, there)

    def pod_of(moved: VolumeMove, profile: SettledProfile) -> dict[str, Any]:
        persona = personas.sender(profile, CONSUMER, OPTIONS)
        words = {"anchor_uid": "anchor-uid", "config_map": "config", "secret": "keys"}
        return client_pod(made, moved, OPTIONS, persona, **words, node=None)

    first, second = pod_of(here, "root"), pod_of(there, "restricted")
    label = names.CREATED_FOR_PVC_LABEL
    assert first["metadata"]["labels"][label] != second["metadata"]["labels"][label]
    pristine = copy.deepcopy(second)
    first["metadata"]["labels"]["only"] = "first"
    container = first["spec"]["containers"][0]
    container["resources"]["requests"]["cpu"] = "9"
    container["securityContext"]["capabilities"]["add"].append("SYS_ADMIN")
    container["env"].append({"name": "ONLY", "value": "first"})
    first["spec"]["volumes"].clear()
    assert second == pristine
    assert pod_of(there, "restricted") == pristine
    assert "SYS_ADMIN" not in str(server()) + str(client())


def test_server_mounts_the_claims_of_its_namespace_only() -> None:
    volumes = server()["spec"]["volumes"]
    claims = [volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume]
    assert claims == ["data", "more"]


def test_client_sees_its_own_password_only() -> None:
    secret = next(volume["secret"] for volume in client()["spec"]["volumes"] if "secret" in volume)
    assert [item["path"] for item in secret["items"]] == ["ca.crt", "tls.crt", "tls.key", "password"]
    assert secret["items"][-1]["key"] == IDENTITY.module(move())


def test_client_label_is_the_hash_of_the_claim() -> None:
    expected = hashlib.md5(b"data", usedforsecurity=False).hexdigest()
    assert client()["metadata"]["labels"]["migration.openshift.io/created-for-pvc"] == expected


def test_attached_volume_binds_its_client_to_the_node() -> None:
    spec = client(node="node-1")["spec"]
    terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms == [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]}]
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert "nodeName" not in spec
    assert "affinity" not in client()["spec"]


@pytest.mark.parametrize(
    ("modes", "consumer", "node"),
    [
        (["ReadWriteOnce"], CONSUMER, "node-1"),
        (["ReadWriteOnce"], None, None),
        (["ReadWriteMany"], CONSUMER, None),
        (["ReadOnlyMany"], CONSUMER, None),
        (["ReadWriteOncePod"], None, None),
    ],
)
def test_node_of_a_volume(modes: list[str], consumer: consumers.Consumer | None, node: str | None) -> None:
    assert consumers.node_for(move(), {"spec": {"accessModes": modes}}, consumer) == node


def test_single_pod_volume_in_use_is_refused() -> None:
    with pytest.raises(Refused, match=r"ReadWriteOncePod and Pod shop-0 has it"):
        consumers.node_for(move(), {"spec": {"accessModes": ["ReadWriteOncePod"]}}, CONSUMER)


def test_consumers_are_live_and_not_the_transfer_itself() -> None:
    ended = {**APPLICATION, "status": {"phase": "Succeeded"}}
    own = {**APPLICATION, "metadata": {"name": "x", "labels": {names.RUN_LABEL: "u"}}}
    unscheduled = {**APPLICATION, "spec": {**APPLICATION["spec"], "nodeName": ""}}
    assert consumers.consumers([ended, own, unscheduled]) == {}


def test_pod_tells_what_it_mounts() -> None:
    assert pod_parts.mounted_names(client()) == ("config", "keys")


def pod_with(status: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"metadata": metadata, "status": status}


@pytest.mark.parametrize(
    ("pod", "state", "text"),
    [
        (None, "missing", "does not exist"),
        (pod_with({"phase": "Running"}, deletionTimestamp="now"), "ending", "ending"),
        (
            pod_with({"phase": "Running", "containerStatuses": [{"state": {"running": {"startedAt": "now"}}}]}),
            "running",
            "",
        ),
        (
            pod_with(
                {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": "no node"}]}
            ),
            "waiting",
            "no node",
        ),
        (
            pod_with(
                {
                    "phase": "Pending",
                    "containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull", "message": "m"}}}],
                }
            ),
            "waiting",
            "ErrImagePull: m",
        ),
        (
            pod_with(
                {
                    "phase": "Failed",
                    "containerStatuses": [{"state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}],
                }
            ),
            "ended",
            "OOMKilled (exit 137)",
        ),
        (
            pod_with({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}),
            "ended",
            "Evicted: low on memory",
        ),
    ],
)
def test_states(pod: dict[str, Any] | None, state: str, text: str) -> None:
    found = pod_states.state_of(pod)
    assert found.state == state
    assert text in found.text
