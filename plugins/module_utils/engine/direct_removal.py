# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Removal of a DirectVolumeMigration that stands alone, with everything that was only there for it. The copies stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..cluster.api import Cluster
from ..resources import directvolume_rules as rules, names
from ..resources.errors import DeadlineExceeded, MtcError, Refused
from ..volumes.model import RunIdentity, VolumeMove
from ..volumes.transfer import Transfer
from .call import Call
from .clock import elapsed_clock
from .direct_carry_out import lease_of
from .direct_options import DirectOptions
from .direct_outcome import read_record

REMOVED_WITHIN = 120
"""Seconds that scaffolding may take to go."""


def remove(
    this: Call, control: Cluster, stored: Mapping[str, Any] | None, *, subject: str, started: float
) -> dict[str, Any]:
    """The module's result. Refused while a run is unfinished, unless ``force``: then its process is stopped first."""
    if stored is not None:
        if rules.begun(stored) and not this.params["force"]:
            raise Refused(
                subject=subject,
                attempt="it is not removed",
                reason=f"its run stands in phase {stored['status']['phase']}",
                mend="Let it end, or say force: true to give it up",
            )
        if not this.check:
            _remove(this, control, stored, subject=subject)
    return {
        "changed": stored is not None,
        "resource": {},
        "conditions": {},
        "engine": this.engine,
        "duration": round(elapsed_clock() - started, 2),
        "diff": {"before": (stored or {}).get("spec") or {}, "after": {}},
    }


def _remove(this: Call, control: Cluster, stored: Mapping[str, Any], *, subject: str) -> None:
    metadata = stored["metadata"]
    record = read_record(control, stored)
    lease = lease_of(this, stored)
    if this.params["force"]:
        lease.seize(pause=this.guard.pause)
    else:
        lease.acquire(wait=False, report=lambda _fact: None, pause=this.guard.pause)
    try:
        if record.get("moves") and not rules.succeeded(stored):
            _remove_scaffolding(this, control, stored, record, generation=lease.generation, subject=subject)
        control.delete(
            names.API_VERSION,
            names.DIRECT_VOLUME_MIGRATION,
            metadata["name"],
            metadata["namespace"],
            uid=metadata["uid"],
        )
    finally:
        lease.release(finished=True)


def _remove_scaffolding(
    this: Call,
    control: Cluster,
    stored: Mapping[str, Any],
    record: Mapping[str, Any],
    *,
    generation: int,
    subject: str,
) -> None:
    metadata = stored["metadata"]
    try:
        source, destination = (this.reach.side(control, stored, side=side) for side in ("source", "destination"))
    except MtcError as error:
        raise Refused(
            subject=subject,
            attempt="it is not removed, because what its run has left could not be removed with it",
            reason=error.message,
            mend="Say with the options source and destination how the clusters are reached",
        ) from error
    transfer = Transfer(
        source=source,
        destination=destination,
        moves=[VolumeMove.from_dict(each) for each in record["moves"]],
        identity=RunIdentity(
            kind=names.DIRECT_VOLUME_MIGRATION,
            migration=metadata["name"],
            uid=metadata["uid"],
            plan_uid="",
            namespace=metadata["namespace"],
            generation=generation,
            deadline_seconds=0,
        ),
        options=DirectOptions.from_record(record["options"]).transfer(attempts=1),
        report=lambda fact: this.reporter.tell(metadata["name"], fact),
    )
    until = elapsed_clock() + REMOVED_WITHIN
    while waiting := transfer.remove(wait=True):
        if elapsed_clock() > until:
            raise DeadlineExceeded(
                subject=subject,
                attempt=f"what its run has left did not go within {REMOVED_WITHIN} s",
                reason=f"{waiting}: {', '.join(transfer.leftovers())}",
                mend="Look why these do not go, then run the task again",
            )
        this.guard.pause(0.2)
