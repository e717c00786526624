# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carries one run out under its lease, whether it is new or goes on after a crash, and reports how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..cluster.api import Cluster
from ..resources import migmigration, names, plan_selections
from ..resources.digest import observed_digest
from ..resources.engines import BUILTIN
from ..resources.errors import MtcError, NotFound, Refused, subject_of
from ..resources.migplan import namespace_mapping
from ..volumes.transfer import Transfer
from . import cluster_identities, plan_reconciler, runner
from .call import Call
from .context import Context
from .intent import Intent
from .lease import Lease
from .migration_resource import MigrationResource
from .outcome import owner_of, record_of, result_of
from .preflight import Acceptance
from .reach import VERSION
from .record import Record


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The connections to the plan's two clusters."""

    source: Cluster
    destination: Cluster


def carry_out(
    this: Call,
    *,
    control: Cluster,
    sides: Sides,
    plan: dict[str, Any],
    migration: dict[str, Any],
    intent: Intent,
    started: float,
    created: bool = False,
    accepted_before: Sequence[Acceptance] = (),
    canceling: bool = False,
    facts: Mapping[str, Any] | None = None,
    look: Callable[[Context], None] | None = None,
) -> dict[str, Any]:
    """The module's result.

    ``created``: this call has made the resource. ``canceling``: the run is to end; its own options count, and while
    somebody else carries it out its end is awaited.
    ``facts`` are put into the record of a run that has none yet; with them a run that goes on keeps its own options.
    ``look`` is asked once it is sure that this call carries the run out; what it raises leaves the run as it is.
    """
    name = str(migration["metadata"]["name"])
    lease = Lease(
        cluster=this.reach.control(fence=lambda: None, name="control"),
        namespace=this.namespace,
        name=name,
        holder=this.process,
        owner=owner_of(migration),
    )
    wait = bool(this.params["wait"])
    timeout = float(this.params["wait_timeout"])
    if not _acquired(this, control, lease, name, wait=wait, timeout=timeout, canceling=canceling):
        return _carried_out_elsewhere(this, control, migration, started=started)
    this.guard.lease_check = lease.check
    finished = False
    context: Context | None = None
    try:
        context = _context(
            this,
            control=control,
            sides=sides,
            plan=plan,
            name=name,
            intent=intent,
            lease=lease,
            own_options=canceling or facts is not None,
            facts=facts or {},
        )
        if look is not None:
            look(context)
        for known in accepted_before:
            context.accept(known.name, known.what)
        advance = runner.walk(context, wait=wait, timeout=timeout)
        if advance.waiting is None:
            _settle_plan(context)
            finished = True
    except MtcError as error:
        error.having(_so_far(context, migration, created=created, started=started))
        raise
    finally:
        lease.release(finished=finished)
    worked = bool(context.memory.get("worked")) or advance.waiting is None
    result = result_of(context.migration.manifest, context.record.data, changed=worked, started=started)
    result["waiting_for"] = advance.waiting
    result["warnings_to_show"] = list(context.memory.get("warnings", ()))
    if context.migration.canceled and not canceling:
        result = {**result, **_was_canceled(context).as_result(), "failed": True}
    if context.migration.failed and not (canceling and "canceled_in" not in context.record.data):
        errors = context.migration.status.get("errors") or []
        first = (
            advance.error.as_result() if advance.error else {"msg": errors[0] if errors else "The migration failed."}
        )
        result = {**result, **first, "failed": True, "failed_phase": context.record.data.get("failed_phase")}
    return result


def _so_far(context: Context | None, migration: Mapping[str, Any], *, created: bool, started: float) -> dict[str, Any]:
    """How far the run has come, as this process knows it: whoever may send nothing more cannot ask."""
    if context is None:
        return result_of(migration, {}, changed=created, started=started)
    changed = created or bool(context.memory.get("worked"))
    return result_of(context.migration.manifest, context.record.data, changed=changed, started=started)


def _was_canceled(context: Context) -> MtcError:
    where = context.record.data.get("canceled_in") or "Created"
    return Refused(
        subject=context.migration.subject,
        attempt="it was cancelled",
        reason=f"somebody asked for that while it stood in phase {where}",
        mend="Run the task again to start a new run",
    )


def _acquired(
    this: Call, control: Cluster, lease: Lease, name: str, *, wait: bool, timeout: float, canceling: bool
) -> bool:
    """False when somebody else holds the lease and has ended the run, or (without ``wait``) is about to."""

    def report(fact: str) -> None:
        this.reporter.tell(name, fact)

    if not canceling:
        return lease.acquire(wait=wait, report=report, pause=this.guard.pause)

    def ended() -> bool:
        found = control.get(names.API_VERSION, names.MIG_MIGRATION, name, this.namespace)
        return not wait or found is None or migmigration.finished(found)

    return lease.acquire(wait=wait, report=report, pause=this.guard.pause, ended=ended, limit=timeout)


def _carried_out_elsewhere(
    this: Call, control: Cluster, migration: dict[str, Any], *, started: float
) -> dict[str, Any]:
    """What came of it under another process's hands."""
    name = str(migration["metadata"]["name"])
    found = control.get(names.API_VERSION, names.MIG_MIGRATION, name, this.namespace) or migration
    result = result_of(found, record_of(control, found), changed=True, started=started)
    waiting = None if migmigration.finished(found) else "the process that carries the migration out cancels it"
    return {**result, "waiting_for": waiting}


def _settle_plan(context: Context) -> None:
    """The plan's status after its run."""
    metadata = context.plan["metadata"]
    stored = context.control.get(names.API_VERSION, names.MIG_PLAN, metadata["name"], metadata["namespace"])
    if stored is not None:
        plan_reconciler.settle(context.control, stored, sides=lambda: (context.source, context.destination))


def _context(
    this: Call,
    *,
    control: Cluster,
    sides: Sides,
    plan: dict[str, Any],
    name: str,
    intent: Intent,
    lease: Lease,
    own_options: bool,
    facts: Mapping[str, Any],
) -> Context:
    """Everything is read again now that the lease is held: another process may just have finished a phase."""
    found = control.get(names.API_VERSION, names.MIG_MIGRATION, name, this.namespace)
    if found is None:
        raise NotFound(
            subject=subject_of(names.MIG_MIGRATION, name, this.namespace),
            attempt="it was deleted",
            mend="Run the task again to start a new one",
            status=404,
        )
    resource = MigrationResource(cluster=control, manifest=found, generation=lease.generation)
    resource.own(plan)
    record = Record(
        cluster=control,
        namespace=this.namespace,
        migration=name,
        owner=resource.owner_reference(),
        labels=names.correlation_labels(names.MIG_MIGRATION, resource.uid),
    )
    identities = cluster_identities.identities(source=sides.source, destination=sides.destination)
    if record.load():
        frozen = Intent.from_record(record.data["intent"])
        intent = frozen if own_options else frozen.continued_by(intent, subject=resource.subject)
        record.data["intent"] = intent.to_record()
        cluster_identities.refuse_others(record.data["clusters"], identities, subject=resource.subject)
        _same_plan(record.data["plan"], plan, subject=resource.subject)
    else:
        record.data.update(
            intent=intent.to_record(),
            engine=BUILTIN,
            clusters=identities,
            plan=plan_digest(plan),
            version=VERSION,
            **facts,
        )
        if this.params["plan_digest"]:
            record.data["approved"] = this.params["plan_digest"]
    for entry in record.data.get("accepted", ()):
        resource.warn(entry["name"], entry["what"])
    record.data["generation"] = lease.generation
    record.save()
    return Context(
        control=control,
        source=sides.source,
        destination=sides.destination,
        plan=plan,
        migration=resource,
        intent=intent,
        record=record,
        guard=this.guard,
        reporter=this.reporter,
        namespaces=namespace_mapping(plan),
        generation=lease.generation,
        make_transfer=_transfer,
    )


def plan_digest(plan: Mapping[str, Any]) -> str:
    """Of what a plan asks for: its clusters, namespaces and choices. What discovery finds again is not part of it."""
    spec = {name: value for name, value in plan["spec"].items() if name not in ("persistentVolumes", "refresh")}
    return observed_digest({**spec, "volumes": plan_selections.owned(plan["spec"].get("persistentVolumes") or [])})


def _same_plan(frozen: str, plan: Mapping[str, Any], *, subject: str) -> None:
    if plan_digest(plan) != frozen:
        raise Refused(
            subject=subject,
            attempt="the plan was changed while the run was under way",
            reason="what it asks for is not what the run began with",
            mend="Give the plan its former content to finish this run",
        )


def _transfer(context: Context) -> Transfer:
    return Transfer(
        source=context.source,
        destination=context.destination,
        moves=context.moves,
        identity=context.identity(),
        options=context.intent.transfer_options(),
        report=context.tell,
    )
