# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of ``mig_plan``: the options become the spec, the clusters say which volumes there are and whether it can
be carried out."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from ..cluster.api import Cluster
from ..resources import migplan, names, plan_selections, wait_condition
from ..resources.engines import AUTO, CONTROLLER
from ..resources.errors import InvalidInput, MtcError, NotFound, NotReady, Problem, subject_of
from ..resources.wait_condition import Wanted
from . import call, choice, condition_waits, plan_reconciler, plan_result, second_call, stale_leases
from .call import Call
from .clock import elapsed_clock
from .plan_runs import migrations_of
from .plan_sides import PlanSides, plan_findings

Manifest = dict[str, Any]


def ensure(this: Call, *, of_migration: Mapping[str, Any]) -> dict[str, Any]:
    """The module's result. Raises when the plan cannot be carried out, naming every reason.

    ``of_migration`` are the parameters of a call of mig_migration that nobody gave any option: for cancelling runs.
    """
    started = elapsed_clock()
    name = str(this.params["name"])
    given = {**this.params, "engine": this.params.get("engine") or AUTO}
    _refuse(
        f"{names.MIG_PLAN} {name}",
        [*migplan.validate(given), *wait_condition.problems(this.params, names.MIG_PLAN)],
    )
    control = this.reach.control()
    this = choice.settle(this, control, plan=name)
    params = {**this.params, "namespace": this.namespace, "engine": this.engine}
    subject = subject_of(names.MIG_PLAN, name, this.namespace)
    _refuse(subject, migplan.validate(params))
    if this.engine == CONTROLLER:
        from . import controlled_plan

        return controlled_plan.ensure(this, control, of_migration=of_migration)
    installed = call.require_resources(control, check=this.check)
    stored = choice.stored_plan(this, control, name) if installed else None
    migrations = migrations_of(control, this.namespace, name) if installed and stored is not None else []
    if params["state"] == "absent":
        resource, changed = _remove(this, control, stored, migrations, of_migration)
    else:
        plan = plan_reconciler.with_options(
            stored or plan_reconciler.new_plan(name=name, namespace=this.namespace), params, engine=this.engine
        )
        if plan["spec"].get("closed"):
            from . import plan_ending  # what ends a plan is not read by every call that only looks at one

            plan_ending.finish(this, plan, migrations, attempt="it is not closed", of_migration=of_migration)
            resource, changed = plan_ending.close(this, control, plan, stored=stored)
            wanted = Wanted.of(this.params)
            if wanted is not None and not wanted.holds(resource):
                raise condition_waits.absent(this, wanted, resource, subject=subject)
        else:
            resource, changed = _evaluated(this, control, plan, stored=stored, installed=installed)
            resource, changed = _held(this, control, resource, changed=changed)
        if second_call.carried_out_by(migrations) is not None:
            # The playbook asks for no migration any more, so nobody else would come.
            changed = stale_leases.clear(control, this.namespace, migrations, check=this.check) or changed
    return {
        "changed": changed,
        **plan_result.told(resource),
        "migrated_by": second_call.carried_out_by(migrations),
        "engine": this.engine,
        "duration": round(elapsed_clock() - started, 2),
        "diff": _diff(stored, resource),
    }


def _refuse(subject: str, problems: list[Problem]) -> None:
    if problems:
        raise InvalidInput(subject=subject, problems=problems)


def _evaluated(
    this: Call, control: Cluster, plan: Manifest, *, stored: Manifest | None, installed: bool
) -> tuple[Manifest, bool]:
    """The plan with what is true of it now, stored, and whether that changed anything. Raises NotReady when it cannot
    be carried out: then it is stored all the same, for its conditions say why."""
    opened = PlanSides(this, control, plan)
    try:
        evaluated = plan_reconciler.evaluate(
            control=control,
            sides=opened.both,
            plan=plan,
            installed=installed,
            refresh=bool(this.params.get("refresh")),
            chosen=plan_selections.selections(this.params),
            predicted=opened.predicted(),
        )
    except InvalidInput:
        raise
    except MtcError as error:
        if stored is not None and not this.check and opened.asked:
            with contextlib.suppress(MtcError):  # the error that is raised is the one that matters
                plan_reconciler.store(control, plan_reconciler.failed(plan, error), before=stored)
        raise
    changed = stored is None or not plan_reconciler.same(stored, evaluated)
    if not this.check:
        evaluated = plan_reconciler.store(control, evaluated, before=stored)
    elif changed and installed:
        _dry_run(control, evaluated, stored=stored)
    blocking = [] if Wanted.of(this.params) else plan_findings(evaluated)
    if blocking:
        mend = ". ".join(dict.fromkeys(error.mend for error in blocking))
        metadata = evaluated["metadata"]
        subject = subject_of(names.MIG_PLAN, metadata["name"], metadata["namespace"])
        written = [f"{subject} {'created' if stored is None else 'changed'}"] if changed else []
        raise NotReady(subject=subject, resource=evaluated, where=mend, changes=written)
    return evaluated, changed


def _held(this: Call, control: Cluster, plan: Manifest, *, changed: bool) -> tuple[Manifest, bool]:
    """The evaluated plan; with ``wait_condition`` evaluated again, as it then lies there, until that holds."""
    subject = subject_of(names.MIG_PLAN, this.params["name"], this.namespace)
    written = changed

    def look() -> Manifest:
        nonlocal written
        stored = condition_waits.read_again(control, plan, kind=names.MIG_PLAN, subject=subject)
        evaluated, again = _evaluated(this, control, stored, stored=stored, installed=True)
        written = written or again
        return evaluated

    return condition_waits.until_it_holds(this, plan, subject=subject, look=look), written


def _dry_run(control: Cluster, plan: Manifest, *, stored: Manifest | None) -> None:
    """Check mode lets the server judge what would be written."""
    if stored is not None:
        control.replace(plan, dry_run=True)
        return
    with contextlib.suppress(NotFound):  # the namespace: an earlier task would have made it
        control.create(plan, dry_run=True)


def _diff(stored: Manifest | None, resource: Manifest) -> dict[str, Any]:
    before = (stored or {}).get("spec") or {}
    if not resource:
        return {"before": before, "after": {}}
    return migplan.drift(before, resource["spec"]) or {"before": {}, "after": {}}


def _remove(
    this: Call,
    control: Cluster,
    stored: Manifest | None,
    migrations: list[Manifest],
    of_migration: Mapping[str, Any],
) -> tuple[Manifest, bool]:
    """Remove the plan, and with it its finished migrations; refused while one is under way."""
    if stored is None:
        return {}, False
    from . import plan_ending

    plan_ending.finish(this, stored, migrations, attempt="it is not removed", of_migration=of_migration)
    if not this.check:
        plan_ending.remove(this, control, stored, migrations)
    return {}, True
