# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a plan's volumes to the copies that have to be made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..resources import plan_volumes
from ..resources.directvolume import claims_of
from ..resources.excludes import Exclusion, patterns_for
from ..volumes.model import VolumeMove


def moves_of(plan: Mapping[str, Any], *, excludes: Sequence[Exclusion] = ()) -> tuple[VolumeMove, ...]:
    """The volumes that are copied directly, in the plan's order. Sizes are those that discovery and the user's choice
    give."""
    by_claim = {}
    for entry in plan["spec"].get("persistentVolumes") or []:
        name, _target = plan_volumes.claim_names(entry)
        by_claim[(str((entry.get("pvc") or {}).get("namespace", "")), name)] = entry
    return tuple(
        VolumeMove(
            source_namespace=claim["namespace"],
            source_claim=claim["name"],
            target_namespace=claim["targetNamespace"],
            target_claim=claim["targetName"],
            storage_class=claim["targetStorageClass"] or None,
            access_modes=tuple(claim["targetAccessModes"]),
            volume_mode=claim.get("targetVolumeMode", "Filesystem"),
            size=plan_volumes.destination_size(by_claim[(claim["namespace"], claim["name"])], request=0),
            labels={},
            excludes=patterns_for(excludes, claim["namespace"], claim["name"]),
        )
        for claim in claims_of(plan)
    )
