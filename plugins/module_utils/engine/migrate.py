# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of ``mig_migration``: decide what it means, refuse what cannot end well, carry the run out, report.

Order: the options are checked, then what the clusters say is read, then the run is created; so a refusal leaves
nothing behind. From the lease on, a run is carried out the same way whether it is new or goes on after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..cluster.api import Cluster
from ..resources import (
    accepted,
    excludes,
    migmigration,
    migplan,
    migration_options,
    mover_options,
    names,
    wait_condition,
)
from ..resources.engines import CONTROLLER
from ..resources.errors import InvalidInput, Problem, subject_of
from . import call, choice, condition_waits, plan_file, second_call, stale_leases
from .call import Call
from .clock import elapsed_clock
from .outcome import nothing, record_of, result_of
from .plan_runs import Runs, runs_of
from .second_call import Asked, Step


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """What can be known from the task alone."""
    problems = migmigration.validate(params)
    if params.get("plan") and params.get("plan_definition"):
        given = params["plan_definition"].get("name")
        if given and given != params["plan"]:
            fault = f"names {given!r} and option plan names {params['plan']!r}"
            problems.append(Problem(path="plan_definition.name", fault=fault, mend="Drop one of them"))
    problems += migration_options.named(params)
    problems += wait_condition.problems(params, names.MIG_MIGRATION)
    if params.get("state") == "absent":
        return problems
    problems += migration_options.together(params)
    problems += migration_options.limits(params)
    problems += mover_options.problems(params)
    problems += excludes.problems(params.get("excludes"))
    problems += accepted.problems(params.get("accept_warnings") or ())
    if params.get("plan_definition"):
        problems += [problem.within("plan_definition") for problem in migplan.validate(params["plan_definition"])]
    return problems


def migrate(this: Call) -> dict[str, Any]:
    """Carry the call out; returns the module's result, ``failed`` and ``msg`` included when the run ended badly, or
    otherwise than the call waited for."""
    result = _migrate(this)
    metadata = (result.get("resource") or {}).get("metadata") or {}
    subject = subject_of(names.MIG_MIGRATION, str(metadata.get("name")), metadata.get("namespace"))
    return condition_waits.judged_end(this, result, subject=subject)


def _migrate(this: Call) -> dict[str, Any]:
    started = elapsed_clock()
    params = this.params
    if problems := [*validate(params), *plan_file.problems(params, check=this.check)]:
        raise InvalidInput(subject=names.MIG_MIGRATION, problems=problems)
    control = this.reach.control(fence=this.guard.fence)
    if params.get("state") == "absent":
        from .remove_migration import remove

        this = choice.settle(this, control, plan=params.get("plan"))
        return remove(this, control, again=migrate, started=started)
    plan_name = str(params.get("plan") or params["plan_definition"]["name"])
    this = choice.settle(this, control, plan=plan_name)
    if this.engine == CONTROLLER:
        from .controlled_migration import migrate as have_migrated

        return have_migrated(this, control, plan_name=plan_name)
    if problems := wait_condition.at_the_end_only(params, names.MIG_MIGRATION):
        raise InvalidInput(subject=f"{names.MIG_PLAN} {plan_name}", problems=problems)
    installed = call.require_resources(control, check=this.check)
    runs = runs_of(control, this.namespace, plan_name) if installed else Runs([], frozenset())
    asked = second_call.asked_for(params)
    decision = second_call.decide(
        asked,
        runs.migrations,
        plan=plan_name,
        name=params.get("name"),
        again=bool(params.get("again")),
        quiesce=bool(params.get("quiesce_pods")),
        taken=runs.taken,
    )
    settled = decision.migration
    tidied = decision.step is Step.NOTHING and _end(this, control, plan_name, runs)
    if decision.step is Step.NOTHING and settled is None:
        return nothing(changed=tidied, started=started)
    if decision.step is Step.CANCEL:
        from .cancel_migration import cancel

        return cancel(this, control=control, decision=decision, plan_name=plan_name, started=started)
    if asked is Asked.ROLLBACK and decision.step is not Step.NOTHING:
        from .start_rollback import roll_back

        return roll_back(this, control=control, decision=decision, plan_name=plan_name, started=started)
    if settled is not None and (decision.step is Step.NOTHING or this.check):
        goes_on = decision.step is Step.GO_ON
        return result_of(settled, record_of(control, settled), changed=goes_on or tidied, started=started)
    # What carries a run out is read only when there is something to carry out: a finished one is told in a moment.
    from .start_migration import predict_or_start

    return predict_or_start(this, control=control, decision=decision, plan_name=plan_name, installed=installed)


def _end(this: Call, control: Cluster, plan_name: str, runs: Runs) -> bool:
    """What a process has not come to that was killed right after its run's end: the plan's status, then the lease.
    Whether there was something; in check mode it stays."""
    left = stale_leases.of(control, this.namespace, filter(migmigration.finished, runs.migrations))
    if left and not this.check:
        from . import plan_reconciler, plan_sides

        plan = control.get(names.API_VERSION, names.MIG_PLAN, plan_name, this.namespace)
        if plan is not None:
            plan_reconciler.settle(control, plan, sides=plan_sides.PlanSides(this, control, plan).both)
        stale_leases.remove(control, left)
    return bool(left)
