# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The phase SwapPVCReferences: a storage conversion ends with workloads that run on the new claims, and its rollback
with workloads that point to the former ones.

Up to the moment when all of them point to the new claims everything can be undone and the source is started as it was.
From then on the new claims are the application's, for it may write to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..objects import claim_references, health
from ..resources import accepted
from ..resources.errors import DeadlineExceeded, Refused
from . import claim_swap, quiesce
from .clock import elapsed_clock
from .context import Context

BEGAN, DONE = "swap_began", "swap_done"
BACK_BEGAN = "swap_back_began"
MEND = "Look who changes these workloads or keeps them (GitOps, an operator, finalizers), and run the task again"


def taken_over(record: Mapping[str, Any]) -> bool:
    """Whether the application may have been started on the new claims."""
    return bool(record.get(DONE))


def point_over(context: Context) -> str | None:
    """SwapPVCReferences of a conversion: all workloads, then their start, then the proof."""
    data = context.record.data
    if DONE not in data:
        if BEGAN not in data:
            data[BEGAN] = True
            context.record.save()
        if waiting := claim_swap.swap(context, back=False):
            context.must_end_within(context.intent.quiesce_timeout, waiting_for=waiting, mend=MEND)
            return waiting
        claim_swap.mark_former(context, marked=True)
        data[DONE] = True
        context.record.save()
    return _prove(context)


def start(context: Context) -> None:
    """What the run has stopped is started as it was; a Job that another one replaces is not."""
    former = {(move.source_namespace, move.source_claim) for move in context.moves}

    def replaced(obj: Mapping[str, Any]) -> bool:
        namespace = obj["metadata"]["namespace"]
        claims = [claim for where, claim in former if where == namespace]
        return bool(claim_references.uses({**obj, "apiVersion": "batch/v1", "kind": "Job"}, claims))

    started = quiesce.unquiesce(context.destination, context.destination_namespaces, but_jobs=replaced)
    if started:
        context.tell(f"started on the new claims: {', '.join(started)}")


def _prove(context: Context) -> str | None:
    """Every workload has its pods, and no pod has a former claim."""
    if "started_on_new_claims" not in context.memory:
        start(context)
        context.memory["started_on_new_claims"] = True
    former = quiesce.writers(context.destination, context.claims)
    found = health.health(context.destination, context.destination_namespaces)
    problems = [*(f"{pod} still has a former claim" for pod in former), *found.failed, *found.waiting]
    if not problems:
        context.application_runs("destination")
        return None
    waiting = "; ".join(problems)
    if elapsed_clock() - context.phase_began > context.intent.health_timeout:
        context.application_runs("destination")
        if not former and accepted.accepts(context.intent.accept_warnings, accepted.UNHEALTHY):
            context.accept(accepted.UNHEALTHY, waiting)
            context.record.save()
            return None
        raise DeadlineExceeded(
            subject=context.migration.subject,
            attempt=f"the application is not healthy after health_timeout={context.intent.health_timeout} s",
            reason=waiting,
            mend="Its workloads point to the new claims, which hold all data: mend it there, or roll back",
        )
    return waiting


# -- back ------------------------------------------------------------------------------------------------------------


def undo(context: Context) -> str | None:
    """A conversion that ends early: workloads that point to the new claims already are pointed back, before anything is
    started. Nothing has run on them."""
    data = context.record.data
    if BEGAN not in data or DONE in data or "swap_undone" in data:
        return None
    if waiting := claim_swap.swap(context, back=True):
        return waiting
    claim_swap.mark_former(context, marked=False)
    data["swap_undone"] = True
    context.record.save()
    return None


def may_start(context: Context) -> None:
    """Raises Refused while workloads point to the new claims and others to the former ones: both running would part the
    application's data."""
    data = context.record.data
    if BEGAN in data and DONE not in data and "swap_undone" not in data:
        raise Refused(
            subject=context.migration.subject,
            attempt="the application is not started",
            reason="some of its workloads point to the new claims and could not be pointed back",
            mend="Mend what the errors before say, then roll back, which points them back and starts them",
        )


def stop(context: Context) -> None:
    """QuiesceDestinationApplications of a rollback: only a conversion that pointed workloads over has to stop them."""
    if BACK_BEGAN not in context.record.data:
        to = claim_swap.pointed(context.moves, back=True)
        if not claim_swap.users(context.destination, to):
            return
    context.application_stops()
    stopped = quiesce.quiesce(context.destination, context.destination_namespaces)
    if stopped:
        context.tell(f"stopped {', '.join(stopped)}")


def point_back(context: Context) -> str | None:
    """SwapPVCReferences of a rollback."""
    if BACK_BEGAN not in context.record.data:
        context.record.data[BACK_BEGAN] = True
        context.record.save()
    if waiting := claim_swap.swap(context, back=True):
        context.must_end_within(context.intent.quiesce_timeout, waiting_for=waiting, mend=MEND)
        return waiting
    claim_swap.mark_former(context, marked=False)
    return None


def stay(context: Context) -> str | None:
    """A rollback that ends before it removed anything: the application runs on, on the claims that it had."""
    if BACK_BEGAN in context.record.data:
        if waiting := claim_swap.swap(context, back=False):
            return waiting
        claim_swap.mark_former(context, marked=True)
    start(context)
    context.application_runs("destination")
    return None
