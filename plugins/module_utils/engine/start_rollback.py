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
from . import choice, claim_swap, cluster_identities, made_by_plan, quiesce
from .call import Call
from .carry_out import Sides, carry_out, plan_digest
from .clock import elapsed_clock
from .intent import Intent
from .moves import moves_of
from .outcome import record_of, result_of
from .plan_sides import PlanSides
from .second_call import Decision

Manifest = dict[str, Any]
RECEIVING = tuple(
    (verb, resource) for resource in ("pods", "services", "secrets", "configmaps") for verb in ("create", "delete")
)
"""What a cluster is asked to do that receives volumes."""


def roll_back(this: Call, *, control: Cluster, decision: Decision, plan_name: str, started: float) -> dict[str, Any]:
    """The module's result; in check mode what would be removed and started."""
    plan = _plan(this, control, plan_name)
    source, destination = PlanSides(this, control, plan).both()
    sides = Sides(source=source, destination=destination)
    undone = decision.about or {}
    record = record_of(control, undone) if undone else {}
    _same(record, plan, sides, undone)
    if "stays_stopped" in record:
        _unused(sides.destination, record, subject=subject_of(names.MIG_PLAN, plan_name, this.namespace))
    if this.params.get("rollback_sync"):
        _may_write_back(sides.source, plan, subject=subject_of(names.MIG_PLAN, plan_name, this.namespace))
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
            # What a state migration has moved is used by whatever was started there since.
            "took_over": record.get("runs_on") == "destination" or "stays_stopped" in record,
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
    metadata = undone["metadata"]
    subject = subject_of(names.MIG_MIGRATION, metadata["name"], metadata["namespace"])
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


def _unused(destination: Cluster, record: Mapping[str, Any], *, subject: str) -> None:
    """Raises Refused while pods use what a state migration has moved: it has made none of them, so a rollback stops
    none."""
    moves = [row["move"] for row in record.get("volumes") or ()]
    claims = [(move["target_namespace"], move["target_claim"]) for move in moves]
    if used := quiesce.writers(destination, claims):
        raise Refused(
            subject=subject,
            attempt="it is not rolled back while its volumes are in use",
            reason=", ".join(str(writer) for writer in used),
            mend="Stop what you have started at the destination, and run the task again",
        )


def _may_write_back(source: Cluster, plan: Manifest, *, subject: str) -> None:
    """Raises Refused for volumes that go through a repository, and when the connection to the source may not make what
    receives volumes there."""
    if plan["spec"].get("indirectVolumeMigration"):
        raise Refused(
            subject=subject,
            attempt="nothing is copied back (rollback_sync)",
            reason="its volumes go through a replication repository, one way only",
            mend="Roll back without rollback_sync, or copy the data back by other means first",
        )
    lacking = [
        f"{verb} {resource} in {namespace}"
        for namespace in namespace_mapping(plan)
        for verb, resource in RECEIVING
        if not source.allowed(verb, "", resource, namespace=namespace)
    ]
    if lacking:
        raise Refused(
            subject=f"Cluster {source.name}",
            attempt="nothing can be copied back to it",
            reason=f"the connection may not {', '.join(lacking)}",
            mend="Give a connection with these rights in option source, or adopt the cluster with rights: destination",
        )


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
    lines = [f"point {what} to its former claims" for what in told.get("repoints", ())]
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
