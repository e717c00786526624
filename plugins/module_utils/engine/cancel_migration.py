# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cancelling a run, whoever carries it out: the wish is written into its spec, and then its end is awaited.

A process that carries the run out sees the wish at its next step and goes over to the itinerary ``Cancel``. When nobody
does, or whoever did has gone, this call does it itself.
"""

from __future__ import annotations

from typing import Any

from ..cluster.api import Cluster
from ..resources import migmigration, names
from ..resources.errors import MtcError, NotFound, Refused, subject_of
from . import copy_back_checks
from .call import Call
from .carry_out import Sides, carry_out
from .context import Context
from .intent import Intent
from .outcome import record_of, result_of
from .plan_sides import PlanSides
from .second_call import Decision

Manifest = dict[str, Any]


def cancel(this: Call, *, control: Cluster, decision: Decision, plan_name: str, started: float) -> dict[str, Any]:
    """The module's result. Raises Refused when the run had ended well before it could be cancelled."""
    migration = decision.migration
    if migration is None:
        raise ValueError("nothing to cancel")
    asked_before = bool(migration["spec"].get("canceled"))
    if this.check:
        return result_of(migration, record_of(control, migration), changed=not asked_before, started=started)
    plan = control.get(names.API_VERSION, names.MIG_PLAN, plan_name, this.namespace)
    if plan is None:
        raise NotFound(
            subject=subject_of(names.MIG_PLAN, plan_name, this.namespace),
            attempt=f"its migration {decision.name} cannot be cancelled",
            reason="there is no such plan, so nobody knows on which clusters the run works",
            mend="Create the plan as it was, or remove the migration with state: absent",
            status=404,
        )
    source, destination = PlanSides(this, control, plan).both()
    if not asked_before:
        _ask(control, migration)
        this.reporter.tell(decision.name, "asked to cancel")
    try:
        result = carry_out(
            this,
            control=control,
            sides=Sides(source=source, destination=destination),
            plan=plan,
            migration=migration,
            intent=Intent.from_params(this.params),
            started=started,
            canceling=True,
            look=_may_clean_up,
        )
    except MtcError as error:
        error.came_to["changed"] = not asked_before or bool(error.came_to.get("changed"))
        raise
    return {**_judged(result, decision.name, this.namespace), "changed": not asked_before or result["changed"]}


def _may_clean_up(context: Context) -> None:
    """Raises Refused when a rollback has begun to copy back with more rights on the source than this call has: what it
    has made there would go on writing."""
    if context.intent.rollback_sync and context.moves and context.transfer.leftovers():
        copy_back_checks.refuse_powerless(context.source, context.source_namespaces)


def _ask(control: Cluster, migration: Manifest) -> None:
    metadata = migration["metadata"]
    control.patch(
        names.API_VERSION,
        names.MIG_MIGRATION,
        metadata["name"],
        metadata["namespace"],
        patch={"metadata": {"uid": metadata["uid"]}, "spec": {"canceled": True}},
    )


def _judged(result: dict[str, Any], name: str, namespace: str) -> dict[str, Any]:
    ended = result["resource"]
    if migmigration.finished(ended) and migmigration.succeeded(ended):
        raise Refused(
            subject=subject_of(names.MIG_MIGRATION, name, namespace),
            attempt="it could not be cancelled",
            reason="it had succeeded before",
            mend="Roll it back with rollback: true if it is to be undone",
        )
    return result
