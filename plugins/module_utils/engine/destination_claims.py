# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Destination claims: made before the movers that bind them, reused when this plan has made them, removed only when
this run has."""

from __future__ import annotations

from ..resources.errors import AlreadyExists, NotFound, Refused, subject_of
from ..volumes.claims import claim_manifest
from ..volumes.model import VolumeMove
from .copying import Copying

CLAIM = "PersistentVolumeClaim"
FOREIGN_MEND = "Remove it, or give the volume another target_name"


def ensure(context: Copying) -> None:
    """Create the claims that are missing. Refused for one that is not ours: a copy would overwrite its data (V23)."""

    def ensure_one(move: VolumeMove) -> None:
        found = context.destination.get("v1", CLAIM, move.target_claim, move.target_namespace)
        if found is not None:
            if not context.is_ours(found):
                raise foreign_claim(move)
            return
        source = context.source.get("v1", CLAIM, move.source_claim, move.source_namespace)
        if source is None:
            raise NotFound(
                subject=subject_of(CLAIM, move.source_claim, move.source_namespace),
                attempt="it is gone from the source cluster",
                mend="Reconcile the plan and run the task again",
                status=404,
            )
        try:
            context.destination.create(claim_manifest(source, move, context.identity()))
            context.tell(f"{CLAIM} {move.target_namespace}/{move.target_claim} created, {move.size} bytes")
        except AlreadyExists:
            return  # created by the process whose work goes on here

    context.destination.map(ensure_one, context.moves)


def foreign_claim(move: VolumeMove, *, mend: str = FOREIGN_MEND) -> Refused:
    """A claim stands where a volume has to go, and it is not ours."""
    return Refused(
        subject=subject_of(CLAIM, move.target_claim, move.target_namespace),
        attempt="it exists on the destination and was not made by this plan",
        reason="copying would overwrite what it holds",
        mend=mend,
    )


def remove_created(context: Copying) -> None:
    """Delete the claims that this run has created; those of earlier runs and of others stay."""

    def remove(move: VolumeMove) -> None:
        found = context.destination.get("v1", CLAIM, move.target_claim, move.target_namespace)
        if found is not None and context.is_of_this_run(found):
            context.destination.delete(
                "v1", CLAIM, move.target_claim, move.target_namespace, uid=found["metadata"]["uid"]
            )

    context.destination.map(remove, context.moves)
