# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A MigPlan that MTC's controller reconciles: its spec is written, its status is read, and the choices for its volumes
are written a second time once the controller has found out which volumes there are.

Every write is a patch of what differs: a replacement without ``status`` would wipe the controller's, since MTC's
definitions have no status subresource.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from ..cluster.api import Cluster
from ..resources import awaited, controlled_options, migplan, names, plan_selections
from ..resources.condition_names import PlanCondition
from ..resources.conditions import blockers, by_type, is_ready, is_true
from ..resources.errors import Conflict, InvalidInput, MtcError, NotFound, NotReady, subject_of, suboptions_of
from ..resources.plan_mends import mend
from ..resources.plan_selections import Selections
from ..resources.spec_fields import alike, merge_patch
from ..resources.wait_condition import Wanted
from . import awaiting, choice, plan_ending, plan_reconciler, plan_result, second_call
from .call import Call
from .clock import elapsed_clock
from .plan_runs import migrations_of

Manifest = dict[str, Any]
WRITES = 5
"""Tries for a patch that the controller's own writes overtake."""


def ensure(this: Call, control: Cluster, *, of_migration: Mapping[str, Any]) -> dict[str, Any]:
    """The module's result. Raises NotReady when the controller does not find the plan ready."""
    started = elapsed_clock()
    name = str(this.params["name"])
    if problems := controlled_options.plan_problems(this.params):
        raise InvalidInput(subject=subject_of(names.MIG_PLAN, name, this.namespace), problems=problems)
    stored = choice.stored_plan(this, control, name)
    migrations = migrations_of(control, this.namespace, name) if stored is not None else []
    changes: list[str] = []
    plan: Manifest = {}
    if this.params["state"] == "absent":
        _remove(this, control, stored, migrations, changes=changes, of_migration=of_migration)
    else:
        if stored is not None and this.params.get("closed") and not stored["spec"].get("closed"):
            plan_ending.finish(this, stored, migrations, attempt="it is not closed", of_migration=of_migration)
        try:
            plan = written(this, control, this.params, name=name, stored=stored, changes=changes)
        except NotReady as error:
            raise error.after(changes) from error
        except MtcError as error:
            if error.came_to:  # it was written, and what became of it is known
                error.having({"changed": bool(changes), "changes": changes, "engine": this.engine})
            raise
    before = (stored or {}).get("spec") or {}
    difference = migplan.drift(before, plan["spec"]) if plan else {"before": before, "after": {}}
    return {
        "changed": bool(changes),
        "changes": changes,
        **plan_result.told(plan),
        "migrated_by": second_call.carried_out_by(migrations),
        "engine": this.engine,
        "duration": round(elapsed_clock() - started, 2),
        "diff": difference or {"before": {}, "after": {}},
    }


def defined(this: Call, control: Cluster, *, name: str, stored_only: bool = False) -> Manifest:
    """The plan that a run is for: as ``plan_definition`` wants it, or as it is stored, which alone counts for a run
    that has begun. Raises NotFound without either."""
    stored = choice.foretold_plan(this, name) or choice.stored_plan(this, control, name)
    definition = this.params.get("plan_definition")
    if definition and not stored_only:
        with suboptions_of("plan_definition"):
            return written(this, control, definition, name=name, stored=stored, changes=[])
    if stored is None:
        raise NotFound(
            subject=subject_of(names.MIG_PLAN, name, this.namespace),
            attempt="there is no such plan",
            mend="Create it with mig_plan, or give it here as plan_definition",
            status=404,
        )
    return stored


def written(
    this: Call, control: Cluster, options: Mapping[str, Any], *, name: str, stored: Manifest | None, changes: list[str]
) -> Manifest:
    """The plan as the options want it, judged by the controller; in check mode as it would be written."""
    subject = subject_of(names.MIG_PLAN, name, this.namespace)
    chosen = plan_selections.selections(options)
    wanted_condition = Wanted.of(options)
    wanted = plan_reconciler.with_options(
        stored or plan_reconciler.new_plan(name=name, namespace=this.namespace),
        {**options, "name": name, "namespace": this.namespace},
        engine=this.engine,
    )
    if stored is None:
        changes.append(f"{subject} created")
        if this.check:
            return _dry_run(control, wanted)
        plan = _judged(this, control, control.create(wanted), chosen, wanted_condition)
    else:
        if _discovered(stored):
            _apply(stored["spec"], chosen, subject=subject)
        asked = migplan.build_spec({**options, "namespace": this.namespace})
        spec = migplan.merge_spec(stored["spec"], asked, chosen)
        settled = _as_wanted(stored, wanted_condition)
        if alike(stored["spec"], spec) and settled and not this.params.get("refresh"):
            return stored
        if not alike(stored["spec"], spec):
            changes.append(f"{subject} changed")
        if this.check:
            return _dry_patch(control, stored, spec)
        patched = _patch(control, stored, lambda found: migplan.merge_spec(found, asked, chosen))
        plan = _judged(this, control, patched, chosen, wanted_condition)
    plan = _with_choices(this, control, plan, chosen, wanted_condition, subject=subject)
    if not _as_wanted(plan, wanted_condition):
        told = ". ".join(dict.fromkeys(mend(item, plan).rstrip(".") for item in blockers(plan)))
        raise NotReady(subject=subject, resource=plan, where=told)
    if stored is not None and not changes and by_type(plan) != by_type(stored):
        changes.append(f"{subject} has a new status")
    return plan


def _as_wanted(plan: Manifest, wanted: Wanted | None) -> bool:
    """Whether it is what is waited for: ready or closed, or with the condition that is named."""
    if wanted is not None:
        return wanted.holds(plan)
    return is_ready(plan) or is_true(plan, PlanCondition.CLOSED)


def _dry_run(control: Cluster, plan: Manifest) -> Manifest:
    """Judged by the API server where it knows kind and namespace; nothing is stored."""
    with contextlib.suppress(NotFound):
        control.create(plan, dry_run=True)
    return plan


def _dry_patch(control: Cluster, plan: Manifest, spec: dict[str, Any]) -> Manifest:
    """The same of a change; what an earlier task has foretold was judged there."""
    if "resourceVersion" in plan["metadata"]:
        _patch(control, plan, lambda _found: spec, dry_run=True)
    return {**plan, "spec": spec}


def _patch(
    control: Cluster, plan: Manifest, change: Callable[[Manifest], Manifest], *, dry_run: bool = False
) -> Manifest:
    """Writes what ``change`` makes of the plan's spec, on condition that nobody has written the plan since it was read;
    when the controller did, what it wrote is changed instead."""
    metadata = plan["metadata"]
    place = (names.API_VERSION, names.MIG_PLAN, metadata["name"], metadata["namespace"])
    for left in reversed(range(WRITES)):
        difference = merge_patch(plan["spec"], change(plan["spec"]))
        try:
            return control.patch(
                *place,
                patch={
                    "metadata": {"resourceVersion": plan["metadata"]["resourceVersion"]},
                    "spec": awaited.asked(names.MIG_PLAN, difference),
                },
                dry_run=dry_run,
            )
        except Conflict:
            if not left:
                raise
            plan = control.get(*place) or plan
    return plan


def _judged(this: Call, control: Cluster, plan: Manifest, chosen: Selections, wanted: Wanted | None) -> Manifest:
    """The plan when the controller has judged it. A verdict that the user's choices may still mend is no error yet."""
    if chosen and wanted is not None:
        # What is waited for may come only with the choices, and those need the volumes to be known.
        wanted = Wanted(type=PlanCondition.PVS_DISCOVERED)
    try:
        return awaiting.judged(this, control, plan, wanted)
    except NotReady as error:
        if chosen and _discovered(error.resource):
            return dict(error.resource)
        raise


def _discovered(plan: Mapping[str, Any]) -> bool:
    return is_true(plan, PlanCondition.PVS_DISCOVERED)


def _with_choices(
    this: Call, control: Cluster, plan: Manifest, chosen: Selections, wanted: Wanted | None, *, subject: str
) -> Manifest:
    """Writes the choices for volumes that the controller has found only now, and waits for its judgement of them."""
    if not chosen or not _discovered(plan):
        return plan
    differs = not alike(plan["spec"], _apply(plan["spec"], chosen, subject=subject))
    if differs:
        this.reporter.tell(subject, "the choices for its volumes are written")
    elif wanted is None or wanted.holds(plan):
        return plan
    patched = _patch(control, plan, lambda spec: _apply(spec, chosen, subject=subject))
    return awaiting.judged(this, control, patched, wanted)


def _apply(spec: Mapping[str, Any], chosen: Selections, *, subject: str) -> dict[str, Any]:
    applied = plan_selections.apply(spec.get("persistentVolumes") or [], chosen)
    if applied.problems:
        raise InvalidInput(subject=subject, problems=applied.problems)
    return {**spec, "persistentVolumes": applied.entries} if applied.entries else dict(spec)


def _remove(
    this: Call,
    control: Cluster,
    stored: Manifest | None,
    migrations: list[Manifest],
    *,
    changes: list[str],
    of_migration: Mapping[str, Any],
) -> None:
    """Closes the plan before it is deleted, because MTC removes what it has made for a plan only then; its migrations
    go with it. Refused while one of them is under way."""
    if stored is None:
        return
    metadata = stored["metadata"]
    subject = subject_of(names.MIG_PLAN, metadata["name"], metadata["namespace"])
    plan_ending.finish(this, stored, migrations, attempt="it is not removed", of_migration=of_migration)
    changes.append(f"{subject} removed")
    if this.check:
        return
    if not is_true(stored, PlanCondition.CLOSED):
        this.reporter.tell(subject, "closed, so that the controller removes what it made for it")
        awaiting.judged(this, control, _patch(control, stored, lambda spec: {**spec, "closed": True}))
    control.delete(names.API_VERSION, names.MIG_PLAN, metadata["name"], metadata["namespace"])
