# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carries one DirectVolumeMigration out under its lease, whether it is new or goes on after a crash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..cluster.api import Cluster
from ..resources import directvolume_rules as rules, names
from ..resources.errors import Conflict, MtcError, NotFound, subject_of
from ..volumes.model import VolumeMove
from . import cluster_identities, direct_runner
from .call import Call
from .direct_context import DirectContext
from .direct_options import DirectOptions
from .direct_outcome import owner_of, record_of, result_of, run_name
from .direct_resource import DirectResource
from .lease import Lease
from .reach import VERSION

Manifest = dict[str, Any]


def lease_of(this: Call, direct: Mapping[str, Any]) -> Lease:
    """The right to carry it out."""
    return Lease(
        cluster=this.reach.control(fence=lambda: None, name="control"),
        namespace=direct["metadata"]["namespace"],
        name=run_name(direct["metadata"]["name"]),
        holder=this.process,
        owner=owner_of(direct),
    )


def carry_out(
    this: Call,
    *,
    control: Cluster,
    source: Cluster,
    destination: Cluster,
    direct: Manifest,
    spec: Mapping[str, Any],
    moves: Sequence[VolumeMove] | None,
    options: DirectOptions,
    created: bool,
    started: float,
) -> dict[str, Any]:
    """``moves`` are those of a new attempt, None for one that goes on with its own. ``created``: this call has made the
    resource."""
    name = str(direct["metadata"]["name"])
    lease = lease_of(this, direct)
    wait = bool(this.params["wait"])
    lease.acquire(wait=wait, report=lambda fact: this.reporter.tell(name, fact), pause=this.guard.pause)
    this.guard.lease_check = lease.check
    finished = False
    run: DirectContext | None = None
    try:
        run = _context(
            this, control=control, source=source, destination=destination, direct=direct, options=options, lease=lease
        )
        if moves is None:
            _go_on(run, options)
        else:
            _start(run, spec, moves, options, before=direct)
        advance = direct_runner.walk(run, wait=wait, timeout=float(this.params["wait_timeout"]))
        finished = advance.waiting is None
    except MtcError as error:
        now, data = (direct, {}) if run is None else (run.direct.manifest, run.record.data)
        changed = created or now.get("status") != direct.get("status")
        error.having(result_of(now, data, changed=changed, engine=this.engine, started=started))
        raise
    finally:
        lease.release(finished=finished)
    result = result_of(run.direct.manifest, run.record.data, changed=True, engine=this.engine, started=started)
    result["waiting_for"] = advance.waiting
    if run.direct.failed:
        errors = run.direct.status.get("errors") or []
        first = (
            advance.error.as_result() if advance.error else {"msg": errors[0] if errors else "The migration failed."}
        )
        result = {**result, **first, "failed": True, "failed_phase": run.record.data.get("failed_phase")}
    return result


def _context(
    this: Call,
    *,
    control: Cluster,
    source: Cluster,
    destination: Cluster,
    direct: Manifest,
    options: DirectOptions,
    lease: Lease,
) -> DirectContext:
    """Everything is read again now that the lease is held: another process may just have finished a phase."""
    metadata = direct["metadata"]
    found = control.get(names.API_VERSION, names.DIRECT_VOLUME_MIGRATION, metadata["name"], metadata["namespace"])
    if found is None or found["metadata"]["uid"] != metadata["uid"]:
        raise NotFound(
            subject=subject_of(names.DIRECT_VOLUME_MIGRATION, metadata["name"], metadata["namespace"]),
            attempt="it was deleted",
            mend="Run the task again to start a new one",
            status=404,
        )
    record = record_of(control, found)
    record.load()
    return DirectContext(
        control=control,
        source=source,
        destination=destination,
        direct=DirectResource(cluster=control, manifest=found, generation=lease.generation),
        options=options,
        record=record,
        guard=this.guard,
        reporter=this.reporter,
        moves=tuple(VolumeMove.from_dict(each) for each in record.data.get("moves", ())),
        generation=lease.generation,
    )


def _start(
    run: DirectContext,
    spec: Mapping[str, Any],
    moves: Sequence[VolumeMove],
    options: DirectOptions,
    *,
    before: Mapping[str, Any],
) -> None:
    """A new attempt: recorded first, so that whoever finds it begun finds what it began with."""
    if rules.begun(run.direct.manifest) or run.direct.status != (before.get("status") or {}):
        raise Conflict(
            subject=run.direct.subject,
            attempt="it was not started",
            reason="another process has carried it out meanwhile",
            mend="Run the task again",
        )
    data = run.record.data
    for former in ("volumes", "failed_phase"):
        data.pop(former, None)
    data.update(
        attempt=int(data.get("attempt", 0)) + 1,
        options=options.to_record(),
        clusters=cluster_identities.identities(source=run.source, destination=run.destination),
        moves=[move.to_dict() for move in moves],
        generation=run.generation,
        version=VERSION,
    )
    run.record.save()
    run.moves = tuple(moves)
    run.direct.start(spec)
    run.direct.write()


def _go_on(run: DirectContext, options: DirectOptions) -> None:
    """With what it began with; what may change in mid-run is taken from this call."""
    data = run.record.data
    frozen = DirectOptions.from_record(data["options"])
    run.options = frozen.continued_by(options, subject=run.direct.subject)
    now = cluster_identities.identities(source=run.source, destination=run.destination)
    cluster_identities.refuse_others(data["clusters"], now, subject=run.direct.subject)
    data["generation"] = run.generation
    run.record.save()
