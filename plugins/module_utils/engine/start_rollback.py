# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way into a rollback: which run it undoes, whether it looks at the same clusters and the same plan, and then the
prediction of check mode or the rollback itself.

The plan need not be ready for it, and nothing is discovered anew: what was made is found by its labels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..cluster.api import Cluster
from ..resources import migmigration, names
from ..resources.engines import BUILTIN
from ..resources.errors import NotFound, Refused, subject_of
from ..resources.migplan import namespace_mapping
from ..resources.plan_facts import converts_storage
from . import choice, claim_swap, cluster_identities, copy_back_checks, made_by_plan, quiesce
from .call import Call
from .carry_out import Sides, carry_out, plan_digest
from .clock import elapsed_clock
from .intent import Intent
from .moves import moves_of
from .outcome import record_of, result_of
from .plan_sides import PlanSides
from .second_call import Decision

Manifest = dict[str, Any]


def roll_back(this: Call, *, control: Cluster, decision: Decision, plan_name: str, started: float) -> dict[str, Any]:
    """The module's result; in check mode what would be removed and started."""
    plan = _plan(this, control, plan_name)
    source, destination = PlanSides(this, control, plan).both()
    sides = Sides(source=source, destination=destination)
    undone = decision.about or {}
    record = record_of(control, undone) if undone else {}
    _same(record, plan, sides, undone)
    if _left_to_others(record):
        _unused(sides.destination, plan, subject=subject_of(names.MIG_PLAN, plan_name, this.namespace))
    _check_copying_back(this, source, plan, decision, control=control, record=record)
    if this.check:
        return _prediction(this, sides, plan, decision, started=started)
    return carry_out(
        this,
        control=control,
        sides=sides,
        plan=plan,
        migration=decision.migration or _create(this, control, decision.name, plan_name),
        created=decision.migration is None,
        intent=_intent(this, record),
        started=started,
        facts={
            "undoes": str((undone.get("metadata") or {}).get("name", "")),
            "took_over": copy_back_checks.took_over(record),
        },
    )


def _plan(this: Call, control: Cluster, name: str) -> Manifest:
    plan = choice.stored_plan(this, control, name)
    if plan is None:
        raise NotFound(
            subject=subject_of(names.MIG_PLAN, name, this.namespace),
            attempt="there is no such plan",
            reason="what was made is found by the plan's UID",
            mend="Correct the name; of a plan that was deleted, remove what carries its labels by hand",
            status=404,
        )
    return plan


def _same(record: Mapping[str, Any], plan: Manifest, sides: Sides, undone: Mapping[str, Any]) -> None:
    """Raises Refused when the run that is undone was made with another plan or between other clusters."""
    if not record:
        return
    subject = _subject(undone)
    identities = cluster_identities.identities(source=sides.source, destination=sides.destination)
    cluster_identities.refuse_others(record["clusters"], identities, subject=subject)
    if record["plan"] != plan_digest(plan):
        raise Refused(
            subject=subject,
            attempt="it is not rolled back",
            reason="the plan was changed since, so it may not name what the run has moved",
            mend="Give the plan its former content",
        )
    if "swap_began" in record and not converts_storage(plan):
        raise Refused(
            subject=subject,
            attempt="it is not rolled back",
            reason="it has pointed workloads to other claims in place, and the plan is not known as one that does",
            mend="Reconcile the plan with mig_plan and refresh: true, and run the task again",
        )


def _left_to_others(record: Mapping[str, Any]) -> bool:
    """Whether the run has made no workload on the destination, nor pointed any there."""
    ours = "restore_began" in record or "swap_began" in record or record.get("runs_on") == "destination"
    return bool(record) and not ours


def _unused(destination: Cluster, plan: Manifest, *, subject: str) -> None:
    """Raises Refused while pods use what a run has moved that has made none of them: a rollback stops none of them
    either."""
    claims = [(move.target_namespace, move.target_claim) for move in moves_of(plan)]
    if used := quiesce.writers(destination, claims):
        raise Refused(
            subject=subject,
            attempt="it is not rolled back while its volumes are in use",
            reason=", ".join(str(writer) for writer in used),
            mend="Stop what you have started at the destination, and run the task again",
        )


def _check_copying_back(
    this: Call, source: Cluster, plan: Manifest, decision: Decision, *, control: Cluster, record: Mapping[str, Any]
) -> None:
    """Raises Refused when data cannot be copied back that is to be, and when it has to be and is not to be."""
    subject = subject_of(names.MIG_PLAN, str(plan["metadata"]["name"]), this.namespace)
    asked = bool(this.params.get("rollback_sync"))
    undone = _subject(decision.about) if decision.about else subject
    own: dict[str, Any] = {}
    if decision.migration is not None:
        own = record_of(control, decision.migration)
        copy_back_checks.refuse_other_wish(own, asked=asked, subject=_subject(decision.migration))
    if asked or (own and own["intent"].get("rollback_sync")):
        if copy_back_checks.DONE not in own:
            copy_back_checks.refuse_idle(record, subject=undone)
            copy_back_checks.refuse_unfit(source, plan, subject=subject)
        copy_back_checks.refuse_powerless(source, namespace_mapping(plan))
    elif not own:
        tried = [(_subject(run), record_of(control, run)) for run in decision.tried]
        copy_back_checks.refuse_parted(tried, undone=undone)


def _subject(migration: Mapping[str, Any]) -> str:
    metadata = migration["metadata"]
    return subject_of(names.MIG_MIGRATION, metadata["name"], metadata["namespace"])


def _intent(this: Call, record: Mapping[str, Any]) -> Intent:
    """The options of the run that is undone, and what only a rollback has; the image may be given anew."""
    if not record:
        return Intent.from_params(this.params)
    intent = Intent.from_record(record["intent"])
    given = this.params.get("transfer_image") or intent.transfer_image
    return dataclasses.replace(intent, transfer_image=given, rollback_sync=bool(this.params.get("rollback_sync")))


def _create(this: Call, control: Cluster, name: str, plan_name: str) -> Manifest:
    wanted = migmigration.build_spec({"plan": plan_name, "namespace": this.namespace, "rollback": True})
    created = control.create(
        {
            "apiVersion": names.API_VERSION,
            "kind": names.MIG_MIGRATION,
            "metadata": {"name": name, "namespace": this.namespace, "labels": {names.MIGPLAN_NAME_LABEL: plan_name}},
            "spec": {**migmigration.REQUIRED_DEFAULTS, **wanted},
        }
    )
    this.reporter.tell(name, f"created for plan {plan_name}")
    return created


def _prediction(this: Call, sides: Sides, plan: Manifest, decision: Decision, *, started: float) -> dict[str, Any]:
    if decision.migration is not None:
        return {**result_of(decision.migration, {}, changed=True, started=started)}
    mapping = namespace_mapping(plan)
    found = made_by_plan.made(sides.destination, str(plan["metadata"]["uid"]), list(dict.fromkeys(mapping.values())))
    told: dict[str, Any] = {
        "removes": [*found.objects, *found.claims, *(f"Namespace {name}" for name in found.namespaces), *found.shared],
        "keeps": found.kept,
        "starts": quiesce.affected(sides.source, list(mapping), would="start"),
    }
    if converts_storage(plan):
        users = claim_swap.users(sides.destination, claim_swap.pointed(moves_of(plan), back=True))
        told["repoints"] = sorted(claim_swap.reference(obj) for _row, obj in users)
    if this.params.get("rollback_sync"):
        told["copies_back"] = [f"{move.source_namespace}/{move.source_claim}" for move in moves_of(plan)]
    lines = [f"point {what} to its former claims" for what in told.get("repoints", ())]
    lines += [f"copy what came since back into {what}" for what in told.get("copies_back", ())]
    lines += [f"remove {what}" for what in told["removes"]] + [f"keep {what}" for what in told["keeps"]]
    lines += [f"start {what} on the source" for what in told["starts"]]
    metadata = {"name": decision.name, "namespace": this.namespace}
    return {
        "changed": True,
        "resource": {"apiVersion": names.API_VERSION, "kind": names.MIG_MIGRATION, "metadata": metadata},
        "conditions": {},
        "engine": BUILTIN,
        "prediction": told,
        "diff": {"before": "", "after": "\n".join(lines) + "\n"},
        "duration": round(elapsed_clock() - started, 2),
    }
