# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of ``mig_plan``: the options become the spec, the clusters say which volumes there are and whether it can
be carried out."""

from __future__ import annotations

from typing import Any

from ..cluster.api import Cluster
from ..resources import migmigration, migplan, names, plan_selections
from ..resources.conditions import by_type, warnings
from ..resources.engines import CONTROLLER
from ..resources.errors import InvalidInput, MtcError, PermanentError, Refused, subject_of
from . import call, choice, plan_reconciler, second_call
from .call import Call
from .clock import elapsed_clock
from .plan_runs import migrations_of
from .plan_sides import PlanSides, plan_findings

Manifest = dict[str, Any]


def ensure(this: Call) -> dict[str, Any]:
    """The module's result. Raises when the plan cannot be carried out, naming every reason."""
    started = elapsed_clock()
    if problems := migplan.validate(this.params):
        raise InvalidInput(subject=f"{names.MIG_PLAN} {this.params['name']}", problems=problems)
    control = this.reach.control()
    this = choice.settle(this, control, plan=this.params["name"])
    if this.engine == CONTROLLER:
        from . import controlled_plan

        return controlled_plan.ensure(this, control)
    params = {**this.params, "namespace": this.namespace}
    subject = subject_of(names.MIG_PLAN, params["name"], this.namespace)
    installed = call.require_resources(control, check=this.check)
    stored = control.get(names.API_VERSION, names.MIG_PLAN, params["name"], this.namespace) if installed else None
    if params["state"] == "absent":
        return _remove(this, control, stored, started=started)
    plan = plan_reconciler.with_options(
        stored or plan_reconciler.new_plan(name=params["name"], namespace=this.namespace), params, engine=this.engine
    )
    opened = PlanSides(this, control, plan)
    evaluated = plan_reconciler.evaluate(
        control=control,
        sides=opened.both,
        plan=plan,
        installed=installed,
        chosen=plan_selections.selections(params),
        predicted=opened.predicted() if this.check else None,
    )
    changed = stored is None or not plan_reconciler.same(stored, evaluated)
    if not this.check:
        evaluated = plan_reconciler.store(control, evaluated, before=stored)
    if blocking := plan_findings(evaluated):
        raise _cannot_be_carried_out(subject, blocking)
    return {
        "changed": changed,
        "resource": evaluated,
        "conditions": by_type(evaluated),
        "warnings_to_show": [f"{item['type']}: {item.get('message', '')}" for item in warnings(evaluated)],
        "migrated_by": second_call.carried_out_by(migrations_of(control, this.namespace, params["name"]))
        if installed
        else None,
        "engine": this.engine,
        "duration": round(elapsed_clock() - started, 2),
        "diff": _diff(stored, evaluated),
    }


def _diff(stored: Manifest | None, evaluated: Manifest) -> dict[str, Any]:
    before = (stored or {}).get("spec") or {}
    return migplan.drift(before, evaluated["spec"]) or {"before": {}, "after": {}}


def _cannot_be_carried_out(subject: str, blocking: list[MtcError]) -> MtcError:
    reasons = "; ".join(f"{error.attempt}: {error.reason.rstrip('.')}" for error in blocking)
    return PermanentError(
        subject=subject,
        attempt="the plan cannot be carried out",
        reason=reasons,
        mend=". ".join(dict.fromkeys(error.mend for error in blocking)),
    )


def _remove(this: Call, control: Cluster, stored: Manifest | None, *, started: float) -> dict[str, Any]:
    """Remove the plan, and with it its finished migrations; refused while one is under way."""
    name = this.params["name"]
    if stored is not None:
        for migration in migrations_of(control, this.namespace, name):
            if not migmigration.finished(migration):
                raise Refused(
                    subject=subject_of(names.MIG_PLAN, name, this.namespace),
                    attempt="it is not removed",
                    reason=f"MigMigration {this.namespace}/{migration['metadata']['name']} is not finished",
                    mend="Let it end first",
                )
        if not this.check:
            control.delete(names.API_VERSION, names.MIG_PLAN, name, this.namespace)
    return {
        "changed": stored is not None,
        "resource": {},
        "conditions": {},
        "engine": this.engine,
        "duration": round(elapsed_clock() - started, 2),
        "diff": {"before": (stored or {}).get("spec") or {}, "after": {}},
    }
