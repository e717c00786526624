# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of ``mig_migration``: decide what it means, refuse what cannot end well, carry the run out, report.

Order: the options are checked, then what the clusters say is read, then the run is created; so a refusal leaves
nothing behind. From the lease on, a run is carried out the same way whether it is new or goes on after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resources import accepted, excludes, migmigration, migplan, names
from ..resources.engines import CONTROLLER
from ..resources.errors import InvalidInput, Problem
from . import call, choice, plan_file, second_call
from .call import Call
from .clock import elapsed_clock
from .outcome import record_of, result_of
from .plan_runs import Runs, runs_of
from .second_call import Step


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
    if params.get("again") and not params.get("stage"):
        problems.append(
            Problem(path="again", fault="has a meaning for stage runs only", mend="Say stage: true as well")
        )
    for option in ("start_timeout", "quiesce_timeout", "health_timeout", "wait_timeout"):
        if params[option] < 1:
            problems.append(Problem(path=option, fault="must be at least 1 second"))
    if params["max_downtime"] < 0:
        problems.append(Problem(path="max_downtime", fault="is negative", mend="0 means no limit"))
    if params.get("bandwidth") is not None and params["bandwidth"] < 1:
        problems.append(Problem(path="bandwidth", fault="must be at least 1 KiB/s", mend="Leave it out for no limit"))
    problems += excludes.problems(params.get("excludes"))
    problems += accepted.problems(params.get("accept_warnings") or ())
    if params.get("plan_definition"):
        nested = migplan.validate({**params["plan_definition"], "namespace": params.get("namespace")})
        problems += [Problem(path=f"plan_definition.{item.path}", fault=item.fault, mend=item.mend) for item in nested]
    return problems


def migrate(this: Call) -> dict[str, Any]:
    """Carry the call out; returns the module's result, ``failed`` and ``msg`` included when the run ended badly."""
    started = elapsed_clock()
    params = this.params
    if problems := [*validate(params), *plan_file.problems(params, check=this.check)]:
        raise InvalidInput(subject=names.MIG_MIGRATION, problems=problems)
    control = this.reach.control(fence=this.guard.fence)
    plan_name = str(params.get("plan") or params["plan_definition"]["name"])
    this = choice.settle(this, control, plan=plan_name)
    if this.engine == CONTROLLER:
        from .controlled_migration import migrate as have_migrated

        return have_migrated(this, control, plan_name=plan_name)
    installed = call.require_resources(control, check=this.check)
    runs = runs_of(control, this.namespace, plan_name) if installed else Runs([], frozenset())
    decision = second_call.decide(
        second_call.asked_for(params),
        runs.migrations,
        plan=plan_name,
        name=params.get("name"),
        again=bool(params.get("again")),
        taken=runs.taken,
    )
    settled = decision.migration
    if settled is not None and (decision.step is Step.NOTHING or this.check):
        goes_on = decision.step is Step.GO_ON
        return result_of(settled, record_of(control, settled), changed=goes_on, started=started)
    # What carries a run out is read only when there is something to carry out: a finished one is told in a moment.
    from .start_migration import predict_or_start

    return predict_or_start(this, control=control, decision=decision, plan_name=plan_name, installed=installed)
