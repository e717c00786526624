# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of ``mig_migration``: decide what it means, refuse what cannot end well, carry the run out, report.

Order: the options are checked, then what the clusters say is read, then the run is created; so a refusal leaves
nothing behind. From the lease on, a run is carried out the same way whether it is new or goes on after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..cluster.api import Cluster
from ..resources import migmigration, migplan, names, plan_selections
from ..resources.conditions import by_type
from ..resources.digest import observed_digest
from ..resources.errors import Conflict, InvalidInput, MtcError, NotFound, Problem, Refused, subject_of
from ..resources.migplan import namespace_mapping
from ..volumes.model import Profile, TransferOptions
from ..volumes.transfer import Transfer
from . import call, plan_reconciler, predict, preflight, runner, second_call, source_objects
from .call import Call
from .clock import elapsed_clock
from .context import Context
from .intent import Intent
from .lease import Lease
from .migration_resource import MigrationResource
from .moves import moves_of
from .plan_sides import PlanSides, plan_findings
from .reach import VERSION
from .record import Record
from .second_call import Step


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The connections to the plan's two clusters."""

    source: Cluster
    destination: Cluster


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """What can be known from the task alone."""
    problems = migmigration.validate(params)
    if params.get("plan") and params.get("plan_definition"):
        given = params["plan_definition"].get("name")
        if given and given != params["plan"]:
            fault = f"names {given!r} and option plan names {params['plan']!r}"
            problems.append(Problem(path="plan_definition.name", fault=fault, mend="Drop one of them"))
    if not (params.get("plan") or (params.get("plan_definition") or {}).get("name")):
        problems.append(Problem(path="plan", fault="is missing", mend="Name the plan to run"))
    for option in ("start_timeout", "quiesce_timeout", "health_timeout", "wait_timeout"):
        if params[option] < 1:
            problems.append(Problem(path=option, fault="must be at least 1 second"))
    if params["max_downtime"] < 0:
        problems.append(Problem(path="max_downtime", fault="is negative", mend="0 means no limit"))
    if params.get("bandwidth") is not None and params["bandwidth"] < 1:
        problems.append(Problem(path="bandwidth", fault="must be at least 1 KiB/s", mend="Leave it out for no limit"))
    if params.get("plan_definition"):
        nested = migplan.validate({**params["plan_definition"], "namespace": params.get("namespace")})
        problems += [Problem(path=f"plan_definition.{item.path}", fault=item.fault, mend=item.mend) for item in nested]
    return problems


def migrate(this: Call) -> dict[str, Any]:
    """Carry the call out; returns the module's result, ``failed`` and ``msg`` included when the run ended badly."""
    started = elapsed_clock()
    params = this.params
    if problems := validate(params):
        raise InvalidInput(subject=names.MIG_MIGRATION, problems=problems)
    control = this.reach.control(fence=this.guard.fence)
    installed = call.require_resources(control, check=this.check)
    plan_name = str(params.get("plan") or params["plan_definition"]["name"])
    found = _migrations(control, this.namespace, plan_name) if installed else []
    decision = second_call.decide_final(found, plan=plan_name, name=params.get("name"))
    settled = decision.migration
    if settled is not None and (decision.step is Step.NOTHING or this.check):
        goes_on = decision.step is Step.GO_ON
        return _result(settled, _record_of(control, settled), changed=goes_on, started=started)
    intent = Intent.from_params(params)
    plan, sides = _plan(this, control, plan_name, installed=installed)
    if settled is None:
        situation = _situation(this, plan, sides, intent, name=decision.name)
        blocking = [*plan_findings(plan), *preflight.findings(situation)]
        if this.check:
            told = predict.prediction(situation, plan=plan, name=decision.name, intent=intent, blocking=blocking)
            return {**told, "engine": call.ENGINE, "duration": round(elapsed_clock() - started, 2)}
        if blocking:
            raise _all_of(blocking)
        settled = _create(control, this, plan_name=plan_name, name=decision.name, intent=intent)
    return _carry_out(this, control=control, sides=sides, plan=plan, migration=settled, intent=intent, started=started)


def _all_of(errors: list[MtcError]) -> MtcError:
    """One error as it is; several as one that tells each of them."""
    if len(errors) == 1:
        return errors[0]
    return Refused(
        subject=f"{len(errors)} findings",
        attempt="the migration was not started",
        reason=" ".join(error.message for error in errors),
        mend="Mend these and run the task again",
    )


def _plan(this: Call, control: Cluster, name: str, *, installed: bool) -> tuple[dict[str, Any], Sides]:
    """The plan with what is true of it now, and the connections to its clusters.

    Stored when ``plan_definition`` makes or changes it (not in check mode); otherwise the first phases store it.
    """
    stored = control.get(names.API_VERSION, names.MIG_PLAN, name, this.namespace) if installed else None
    definition = this.params.get("plan_definition")
    if stored is None and not definition:
        raise NotFound(
            subject=subject_of(names.MIG_PLAN, name, this.namespace),
            attempt="there is no such plan",
            mend="Create it with mig_plan, or give it here as plan_definition (as a first check mode must)",
            status=404,
        )
    plan = stored or plan_reconciler.new_plan(name=name, namespace=this.namespace)
    chosen = plan_selections.selections(definition or {})
    if definition:
        options = {**definition, "name": name, "namespace": this.namespace}
        plan = plan_reconciler.with_options(plan, options, engine=call.ENGINE)
    opened = PlanSides(this, control, plan)
    plan = plan_reconciler.evaluate(
        control=control,
        sides=opened.both,
        plan=plan,
        installed=installed,
        refresh=True,
        chosen=chosen,
        predicted=opened.predicted() if this.check else None,
    )
    if definition and not this.check:
        plan = plan_reconciler.store(control, plan, before=stored)
    source, destination = opened.both()
    return plan, Sides(source=source, destination=destination)


def _migrations(control: Cluster, namespace: str, plan: str) -> list[dict[str, Any]]:
    """The runs of the plan. Told by their reference, since the label is written only once a run has begun."""
    return [
        migration
        for migration in control.list(names.API_VERSION, names.MIG_MIGRATION, namespace)
        if migmigration.plan_of(migration) == (namespace, plan)
    ]


def _situation(this: Call, plan: dict[str, Any], sides: Sides, intent: Intent, *, name: str) -> preflight.Situation:
    moves = moves_of(plan)
    if moves and not intent.transfer_image:
        raise InvalidInput(
            subject=subject_of(names.MIG_MIGRATION, name, this.namespace),
            problems=[
                Problem(
                    path="transfer_image",
                    fault="is missing, and the plan copies volumes",
                    mend="Build the mover image (images/mover in the collection says how) and name it here",
                )
            ],
        )
    plan_uid = str(plan["metadata"].get("uid", ""))
    return preflight.Situation(
        source=sides.source,
        destination=sides.destination,
        subject=subject_of(names.MIG_MIGRATION, name, this.namespace),
        plan=plan,
        plan_uid=plan_uid,
        namespaces=namespace_mapping(plan),
        moves=moves,
        read=source_objects.read_objects(sides.source, plan=plan, plan_uid=plan_uid, migration_uid=""),
        existing_objects=intent.existing_objects,
        quiesce_pods=intent.quiesce_pods,
    )


def _create(control: Cluster, this: Call, *, plan_name: str, name: str, intent: Intent) -> dict[str, Any]:
    wanted = {
        **migmigration.REQUIRED_DEFAULTS,
        **migmigration.build_spec({**this.params, "plan": plan_name, "namespace": this.namespace}),
        "quiescePods": intent.quiesce_pods,
        "verify": intent.verify,
    }
    created = control.create(
        {
            "apiVersion": names.API_VERSION,
            "kind": names.MIG_MIGRATION,
            "metadata": {"name": name, "namespace": this.namespace, "labels": {names.MIGPLAN_NAME_LABEL: plan_name}},
            "spec": wanted,
        }
    )
    this.reporter.tell(name, f"created for plan {plan_name}")
    return created


def _carry_out(
    this: Call,
    *,
    control: Cluster,
    sides: Sides,
    plan: dict[str, Any],
    migration: dict[str, Any],
    intent: Intent,
    started: float,
) -> dict[str, Any]:
    name = str(migration["metadata"]["name"])
    lease = Lease(
        cluster=this.reach.control(fence=lambda: None, name="control"),
        namespace=this.namespace,
        name=name,
        holder=this.process,
        owner=_owner(migration),
    )
    wait = bool(this.params["wait"])
    lease.acquire(wait=wait, report=lambda fact: this.reporter.tell(name, fact), pause=this.guard.pause)
    this.guard.lease_check = lease.check
    finished = False
    try:
        context = _context(this, control=control, sides=sides, plan=plan, name=name, intent=intent, lease=lease)
        advance = runner.walk(context, wait=wait, timeout=float(this.params["wait_timeout"]))
        if advance.waiting is None:
            _settle_plan(context)
            finished = True
    finally:
        lease.release(finished=finished)
    result = _result(context.migration.manifest, context.record.data, changed=True, started=started)
    result["waiting_for"] = advance.waiting
    if context.migration.failed:
        errors = context.migration.status.get("errors") or []
        first = (
            advance.error.as_result() if advance.error else {"msg": errors[0] if errors else "The migration failed."}
        )
        result = {**result, **first, "failed": True, "failed_phase": context.record.data.get("failed_phase")}
    return result


def _settle_plan(context: Context) -> None:
    """The plan's status after its run: suspended when the run has moved everything, open again otherwise."""
    metadata = context.plan["metadata"]
    stored = context.control.get(names.API_VERSION, names.MIG_PLAN, metadata["name"], metadata["namespace"])
    if stored is None:
        return
    evaluated = plan_reconciler.evaluate(
        control=context.control, sides=lambda: (context.source, context.destination), plan=stored
    )
    try:
        plan_reconciler.store(context.control, evaluated, before=stored)
    except Conflict:
        return  # somebody changed the plan just now; the next call for it looks again


def _owner(migration: Mapping[str, Any]) -> dict[str, Any]:
    metadata = migration["metadata"]
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.MIG_MIGRATION,
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def _context(
    this: Call, *, control: Cluster, sides: Sides, plan: dict[str, Any], name: str, intent: Intent, lease: Lease
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
    identities = {"source": sides.source.identity(), "destination": sides.destination.identity()}
    if record.load():
        frozen = Intent.from_record(record.data["intent"])
        intent = frozen.continued_by(intent, migration=name, namespace=this.namespace)
        _same_clusters(record.data["clusters"], identities, subject=resource.subject)
        _same_plan(record.data["plan"], plan, subject=resource.subject)
    else:
        record.data.update(
            intent=intent.to_record(),
            engine=call.ENGINE,
            clusters=identities,
            plan=plan_digest(plan),
            version=VERSION,
        )
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


def _same_clusters(frozen: Mapping[str, str], now: Mapping[str, str], *, subject: str) -> None:
    for side, identity in frozen.items():
        if now[side] != identity:
            raise Refused(
                subject=subject,
                attempt=f"the {side} is not the cluster that the run began with",
                reason=f"its kube-system namespace has UID {now[side]}, the run began with {identity}",
                mend=f"Give the same {side} cluster again",
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
    intent = context.intent
    profiles: dict[bool | None, Profile] = {True: "root", False: "restricted", None: "auto"}
    options = TransferOptions(
        source_image=intent.transfer_image,
        destination_image=intent.transfer_image,
        pull_policy=intent.image_pull_policy,
        profile=profiles[intent.run_as_root],
        bandwidth_kib=intent.bandwidth,
        endpoint=intent.endpoint,
        endpoint_address=intent.endpoint_address,
        excludes=(),
        start_timeout=float(intent.start_timeout),
        run_as_user=intent.run_as_user,
        run_as_group=intent.run_as_group,
    )
    return Transfer(
        source=context.source,
        destination=context.destination,
        moves=context.moves,
        identity=context.identity(),
        options=options,
        report=context.tell,
    )


def _record_of(control: Cluster, migration: Mapping[str, Any]) -> dict[str, Any]:
    metadata = migration["metadata"]
    record = Record(
        cluster=control, namespace=metadata["namespace"], migration=metadata["name"], owner=_owner(migration), labels={}
    )
    return record.data if record.load() else {}


def _result(
    migration: Mapping[str, Any], record: Mapping[str, Any], *, changed: bool, started: float
) -> dict[str, Any]:
    status = migration.get("status") or {}
    return {
        "changed": changed,
        "resource": dict(migration),
        "conditions": by_type(migration),
        "engine": call.ENGINE,
        "phase": status.get("phase", ""),
        "errors": status.get("errors") or [],
        "downtime_seconds": record.get("downtime_seconds"),
        "volumes": record.get("volumes") or [],
        "objects": record.get("objects") or {},
        "phase_seconds": record.get("phase_seconds") or {},
        "duration": round(elapsed_clock() - started, 2),
    }
