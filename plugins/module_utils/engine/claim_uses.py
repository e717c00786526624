# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who uses each claim: from pods and from templates of workloads, also of those that have no pod right now.

Unlike MTC, which matches by the claim's name alone, a claim of the same name in another namespace is another claim.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..resources.plan_volumes import ClaimUse

Manifest = dict[str, Any]

UNKNOWN_OWNER = "Unknown"
VIRTUAL_MACHINE = "VirtualMachine"
_HOT_PLUG = "hp-"
"""KubeVirt attaches volumes to running machines through pods whose names begin so, owned by the machine's pod."""


def claim_uses(
    claims: Sequence[Manifest], pods: Sequence[Manifest], workloads: Sequence[Manifest]
) -> dict[tuple[str, str], ClaimUse]:
    """Who uses each claim, by (namespace, name): pods by their topmost owner, and templates even when no pod runs."""
    owners: dict[tuple[str, str], set[str]] = {}
    sets: dict[tuple[str, str], str] = {}
    by_uid = {workload["metadata"]["uid"]: workload for workload in workloads}
    for pod in pods:
        kind, name = _topmost_owner(pod, by_uid)
        for claim in _mounted(pod["spec"]):
            key = (str(pod["metadata"]["namespace"]), claim)
            owners.setdefault(key, set()).add(kind)
            if kind == "StatefulSet":
                sets[key] = name
    for workload in workloads:
        namespace = str(workload["metadata"]["namespace"])
        for claim in _mounted(_pod_spec(workload)):
            owners.setdefault((namespace, claim), set()).add(_topmost_owner(workload, by_uid)[0] or workload["kind"])
        _of_claim_templates(workload, claims, owners, sets)
    return {
        key: ClaimUse(
            referenced=True,
            owner_type=next(iter(kinds)) if len(kinds) == 1 and "" not in kinds else UNKNOWN_OWNER,
            stateful_set=sets.get(key, ""),
        )
        for key, kinds in owners.items()
    }


def _of_claim_templates(
    workload: Manifest,
    claims: Sequence[Manifest],
    owners: dict[tuple[str, str], set[str]],
    sets: dict[tuple[str, str], str],
) -> None:
    """Claims that a StatefulSet's templates have made are its own, also while it has no pods."""
    name, namespace = str(workload["metadata"]["name"]), workload["metadata"]["namespace"]
    for template in workload["spec"].get("volumeClaimTemplates") or ():
        pattern = re.compile(rf"{re.escape(template['metadata']['name'])}-{re.escape(name)}-[0-9]+")
        for claim in claims:
            metadata = claim["metadata"]
            if metadata["namespace"] == namespace and pattern.fullmatch(metadata["name"]):
                owners.setdefault((namespace, metadata["name"]), set()).add("StatefulSet")
                sets[namespace, metadata["name"]] = name


def _pod_spec(workload: Manifest) -> Mapping[str, Any]:
    spec = workload["spec"]
    if workload["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return ((spec.get("template") or {}).get("spec")) or {}


def _mounted(pod_spec: Mapping[str, Any]) -> set[str]:
    """The claims of a pod's volumes; a DataVolume of a virtual machine is a claim of the same name."""
    volumes = pod_spec.get("volumes") or ()
    named = {volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume}
    return named | {volume["dataVolume"]["name"] for volume in volumes if "dataVolume" in volume}


def _topmost_owner(obj: Manifest, by_uid: Mapping[str, Manifest]) -> tuple[str, str]:
    """(kind, name) of the controller at the top, ("", "") for what nobody controls."""
    kind = name = ""
    current: Mapping[str, Any] | None = obj
    while current is not None:
        owner = next((o for o in current["metadata"].get("ownerReferences") or () if o.get("controller")), None)
        if owner is None:
            break
        kind, name = str(owner["kind"]), str(owner["name"])
        current = by_uid.get(owner["uid"])
    hot_plugged = kind == "Pod" and str(obj["metadata"]["name"]).startswith(_HOT_PLUG)
    return (VIRTUAL_MACHINE, name) if hot_plugged or kind == "VirtualMachineInstance" else (kind, name)
