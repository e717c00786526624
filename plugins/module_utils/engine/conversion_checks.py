# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a conversion of storage in place cannot be carried out, read before anything is written.

Each workload that would have to be pointed to new claims and cannot be is named with what keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..cluster.api import Cluster
from ..objects import claim_references
from ..objects.manifest import controller_of
from ..resources import names
from ..resources.errors import MtcError, Refused, subject_of
from ..volumes.model import VolumeMove
from . import claim_swap
from .claim_uses import VIRTUAL_MACHINE

FOLLOWED = frozenset({"CronJob", "ReplicationController"})
"""Controllers whose own template is pointed to the new claims as well, or that another Job takes the place of."""


def kind_of_run(plan: Mapping[str, Any], *, state: bool) -> list[MtcError]:
    """Only a state migration converts."""
    if state:
        return []
    metadata = plan["metadata"]
    return [
        Refused(
            subject=subject_of(names.MIG_PLAN, metadata["name"], metadata["namespace"]),
            attempt="its objects cannot be moved to where they are",
            reason="source and destination are one cluster, and the namespaces keep their names",
            mend=(
                "Say migrate_state: true to convert the storage class in place, or give the namespaces other names "
                "(source:destination)"
            ),
        )
    ]


def virtual_machines(plan: Mapping[str, Any]) -> list[MtcError]:
    """Their disks are named in more places than a pod template."""
    return [
        Refused(
            subject=subject_of("PersistentVolumeClaim", str(pvc["name"]).partition(":")[0], str(pvc["namespace"])),
            attempt="it cannot be converted",
            reason="it is the disk of a VirtualMachine, which this engine does not point to another claim",
            mend="Choose action skip for it, and migrate the machine's storage with the means of its own operator",
        )
        for entry in plan["spec"].get("persistentVolumes") or ()
        for pvc in [entry["pvc"]]
        if pvc.get("ownerType") == VIRTUAL_MACHINE and (entry.get("selection") or {}).get("action") == "copy"
    ]


def workloads(cluster: Cluster, moves: Sequence[VolumeMove]) -> list[MtcError]:
    """Those that use a converted claim and cannot be pointed to the new one."""
    to = claim_swap.pointed(moves, back=False)
    if not to.names:
        return []
    claims = {
        namespace: [claim["metadata"]["name"] for claim in cluster.list("v1", "PersistentVolumeClaim", namespace)]
        for namespace in to.namespaces
    }
    errors: list[MtcError] = []
    for row, obj in claim_swap.users(cluster, to):
        namespace = obj["metadata"]["namespace"]
        # Copies that an earlier run has made are nobody's choice to leave out.
        others = set(claims[namespace]) - set(to.names[namespace].values())
        problems = claim_references.unfit(obj, to.names[namespace], others) if row.kind == "StatefulSet" else []
        mend = "Convert all claims of a template and keep the names that the plan gives them, or skip all of them"
        owner = controller_of(obj)
        if owner is not None and owner["kind"] not in FOLLOWED and row.kind in ("ReplicaSet", "Job"):
            problems = [
                f"it belongs to {owner['kind']} {owner['name']}, which would make it again on the former claims"
            ]
            mend = f"Point {owner['kind']} {owner['name']} to the new claims by other means, or skip these volumes"
        errors += [
            Refused(
                subject=claim_swap.reference(obj), attempt="it cannot be pointed to new claims", reason=why, mend=mend
            )
            for why in problems
        ]
    return errors
