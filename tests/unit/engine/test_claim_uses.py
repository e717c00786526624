# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who uses a claim: its pods' topmost owners, and templates where no pod runs."""

from __future__ import annotations

from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.engine.claim_uses import claim_uses
from ansible_collections.openmig.mtc.plugins.module_utils.resources.plan_volumes import ClaimUse

Manifest = dict[str, Any]


def owned(name: str, *owner: str, namespace: str = "shop") -> Manifest:
    metadata: Manifest = {"name": name, "namespace": namespace, "uid": f"uid-{name}"}
    if owner:
        kind, by = owner
        metadata["ownerReferences"] = [{"controller": True, "kind": kind, "name": by, "uid": f"uid-{by}"}]
    return metadata


def spec(*claims: str) -> Manifest:
    return {"volumes": [{"name": claim, "persistentVolumeClaim": {"claimName": claim}} for claim in claims]}


def pod(name: str, *owner: str, claims: tuple[str, ...] = ("data",), namespace: str = "shop") -> Manifest:
    return {"kind": "Pod", "metadata": owned(name, *owner, namespace=namespace), "spec": spec(*claims)}


def workload(kind: str, name: str, *owner: str, claims: tuple[str, ...] = (), **more: Any) -> Manifest:
    return {"kind": kind, "metadata": owned(name, *owner), "spec": {"template": {"spec": spec(*claims)}, **more}}


def claim(name: str) -> Manifest:
    return {"metadata": {"name": name, "namespace": "shop"}}


def test_the_owner_at_the_top_counts() -> None:
    sets = [workload("ReplicaSet", "web-1", "Deployment", "web", claims=("data",))]
    found = claim_uses([], [pod("web-1-x", "ReplicaSet", "web-1")], sets)
    assert found == {("shop", "data"): ClaimUse(referenced=True, owner_type="Deployment")}


def test_a_claim_of_the_same_name_elsewhere_is_another_claim() -> None:
    found = claim_uses([], [pod("a", "Job", "a"), pod("b", "DaemonSet", "b", namespace="blog")], [])
    assert {key: use.owner_type for key, use in found.items()} == {
        ("shop", "data"): "Job",
        ("blog", "data"): "DaemonSet",
    }


def test_several_owners_or_none_are_unknown() -> None:
    assert claim_uses([], [pod("bare")], [])["shop", "data"].owner_type == "Unknown"
    both = [pod("a", "Job", "a"), pod("b", "DaemonSet", "b")]
    assert claim_uses([], both, [])["shop", "data"].owner_type == "Unknown"


def test_templates_name_claims_without_pods() -> None:
    cron = workload("CronJob", "nightly")
    cron["spec"] = {"jobTemplate": {"spec": {"template": {"spec": spec("dumps")}}}}
    scaled = workload("DeploymentConfig", "old", claims=("archive",))
    machine = workload("VirtualMachine", "vm")
    machine["spec"]["template"]["spec"] = {"volumes": [{"name": "root", "dataVolume": {"name": "root-disk"}}]}
    found = claim_uses([], [], [cron, scaled, machine])
    assert {key[1]: use.owner_type for key, use in found.items()} == {
        "dumps": "CronJob",
        "archive": "DeploymentConfig",
        "root-disk": "VirtualMachine",
    }


def test_a_machines_pods_are_the_machines() -> None:
    launcher = pod("virt-launcher-vm", "VirtualMachineInstance", "vm")
    plugged = pod("hp-volume-x", "Pod", "virt-launcher-vm", claims=("extra",))
    found = claim_uses([], [launcher, plugged], [])
    assert {key[1]: use.owner_type for key, use in found.items()} == {
        "data": "VirtualMachine",
        "extra": "VirtualMachine",
    }


def test_claims_of_a_sets_templates_are_its_own_also_without_pods() -> None:
    stateful = workload("StatefulSet", "db", volumeClaimTemplates=[{"metadata": {"name": "data"}}])
    found = claim_uses([claim("data-db-0"), claim("data-db-x"), claim("data-dbx-0")], [], [stateful])
    assert found == {("shop", "data-db-0"): ClaimUse(referenced=True, owner_type="StatefulSet", stateful_set="db")}
