# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way into a run: the plan as it is now, what would block, and then the prediction of check mode or the run
itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..cluster.api import Cluster
from ..objects.collect import Left
from ..resources import accepted, excludes, migmigration, names, plan_selections
from ..resources.engines import BUILTIN
from ..resources.errors import InvalidInput, NotFound, Problem, subject_of, suboptions_of
from ..resources.migplan import namespace_mapping
from . import (
    choice,
    image_streams,
    plan_file,
    plan_reconciler,
    predict,
    preflight,
    source_objects,
    volume_repository,
)
from .bound_hooks import bound_hooks
from .call import Call
from .carry_out import Sides, carry_out
from .clock import elapsed_clock
from .findings import all_of
from .intent import Intent
from .moves import moves_of
from .plan_sides import PlanSides, plan_findings
from .second_call import Decision


def predict_or_start(
    this: Call, *, control: Cluster, decision: Decision, plan_name: str, installed: bool
) -> dict[str, Any]:
    """In check mode what would happen; otherwise the run, new or going on, to its end. Gives the module's result."""
    started = elapsed_clock()
    settled = decision.migration
    accepted_now: Sequence[preflight.Acceptance] = ()
    intent = Intent.from_params(this.params)
    plan, sides = _plan(this, control, plan_name, installed=installed, starting=settled is None)
    if settled is None:
        situation = _situation(this, plan, sides, intent, name=decision.name)
        if installed and plan["spec"].get("indirectVolumeMigration"):
            situation = replace(situation, repository_obstacle=volume_repository.obstacle(control, plan))
        if not situation.volumes_only:
            hooks = bound_hooks(control, plan, predictions=this.predictions)
            situation = replace(situation, hooks=hooks)
        found = preflight.findings(situation)
        blocking = [*plan_findings(plan), *found.blocking]
        accepted_now = found.accepted
        if this.check:
            told = predict.foretell(situation, plan=plan, intent=intent, blocking=blocking, accepted=accepted_now)
            plan_file.require(this.params, told, subject=situation.subject)
            file = this.params["plan_file"] if plan_file.writes(this.params, check=True) else None
            if file:
                plan_file.write(file, told, title=f"{situation.subject}, plan {plan_name}")
            shown = predict.result(told, plan=plan, name=decision.name, file=file)
            return {**shown, "engine": BUILTIN, "duration": round(elapsed_clock() - started, 2)}
        if this.params["plan_digest"]:
            told = predict.foretell(situation, plan=plan, intent=intent, blocking=blocking, accepted=accepted_now)
            plan_file.require(this.params, told, subject=situation.subject)
        if blocking:
            raise all_of(blocking, attempt="the migration was not started")
        settled = _create(control, this, plan_name=plan_name, name=decision.name, intent=intent)
    return carry_out(
        this,
        control=control,
        sides=sides,
        plan=plan,
        migration=settled,
        created=decision.migration is None,
        intent=intent,
        accepted_before=accepted_now,
        started=started,
    )


def _plan(this: Call, control: Cluster, name: str, *, installed: bool, starting: bool) -> tuple[dict[str, Any], Sides]:
    """The plan with what is true of it now, and the connections to its clusters.

    Stored when ``plan_definition`` makes or changes it (not in check mode); otherwise the first phases store it.
    """
    stored = choice.stored_plan(this, control, name) if installed else None
    stored = choice.foretold_plan(this, name) or stored
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
    with suboptions_of("plan_definition"):
        if definition:
            options = {**definition, "name": name, "namespace": this.namespace}
            plan = plan_reconciler.with_options(plan, options, engine=BUILTIN)
        opened = PlanSides(this, control, plan)
        plan = plan_reconciler.evaluate(
            control=control,
            sides=opened.both,
            plan=plan,
            installed=installed,
            refresh=True,
            chosen=chosen,
            predicted=opened.predicted(),
        )
    if definition and not this.check:
        plan = plan_reconciler.store(control, plan, before=stored)
    if starting and plan["spec"].get("closed"):
        # Its clusters may be gone by now, and nobody needs them.
        raise all_of(plan_findings(plan), attempt="the migration was not started")
    source, destination = opened.both()
    return plan, Sides(source=source, destination=destination)


def _situation(this: Call, plan: dict[str, Any], sides: Sides, intent: Intent, *, name: str) -> preflight.Situation:
    moves = moves_of(plan, excludes=intent.excludes)
    problems = excludes.unmatched(intent.excludes, [(move.source_namespace, move.source_claim) for move in moves])
    if moves and not intent.transfer_image:
        problems.append(
            Problem(
                path="transfer_image",
                fault="is missing, and the plan copies volumes",
                mend="Build the mover image (images/mover in the collection says how) and name it here",
            )
        )
    if problems:
        raise InvalidInput(subject=subject_of(names.MIG_MIGRATION, name, this.namespace), problems=problems)
    plan_uid = str(plan["metadata"].get("uid", ""))
    state = bool(this.params.get("migrate_state"))
    volumes_only = state or bool(this.params.get("stage"))
    if volumes_only:
        read = source_objects.nothing(plan)
    else:
        read = source_objects.read_objects(
            sides.source, sides.destination, plan=plan, plan_uid=plan_uid, migration_uid=""
        )
    unserved: Sequence[Left] = ()
    if accepted.accepts(intent.accept_warnings, accepted.UNSERVED):
        read, unserved = source_objects.without_unserved(read, sides.destination)
    streams = image_streams.of_plan(sides.source, plan)
    if intent.images == image_streams.SKIP:
        read = replace(read, left=[*read.left, *image_streams.left(streams)])
        streams = []
    return preflight.Situation(
        volumes_only=volumes_only,
        state=state,
        image_streams=streams,
        source=sides.source,
        destination=sides.destination,
        subject=subject_of(names.MIG_MIGRATION, name, this.namespace),
        plan=plan,
        plan_uid=plan_uid,
        namespaces=namespace_mapping(plan),
        moves=moves,
        read=read,
        existing_objects=intent.existing_objects,
        quiesce_pods=intent.quiesce_pods,
        accept_warnings=intent.accept_warnings,
        accepted=[preflight.Acceptance(accepted.UNSERVED, str(left)) for left in unserved],
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
