# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The phases of a rollback: the migrated application is stopped, what its volumes have received is told, everything
that the plan's runs have made on the destination goes, and only then the source runs again, exactly as it did.
"""

from __future__ import annotations

from typing import Any

from ..objects import health
from ..resources.errors import DeadlineExceeded, LeaseLost, MtcError, TransientError
from ..resources.plan_facts import converts_storage
from ..volumes.model import Verdict
from . import made_by_plan, phases_conversion, phases_prepare, quiesce
from .clock import elapsed_clock
from .context import Context
from .guard import Abandoned
from .record import bounded

LOOK_WITHIN = 120
"""Seconds that looking at the volumes may take to be set up; the application is down all the while."""
REMOVAL_DEADLINE = 600
"""Seconds within which what the migration made must be gone."""
SOURCE_READY_WITHIN = 60
"""Seconds for which the source is watched while it starts again; then its downtime counts as ended."""
GLANCE = "rollback"


def begin(_context: Context) -> None:
    """Rollback: nothing to do but to be seen."""


def remove_leftovers(context: Context) -> str | None:
    """DeleteRegistries: the scaffolding of the plan's earlier runs is gone."""
    if not context.memory.get("leftovers_removed"):
        phases_prepare.remove_stale_scaffolding(context)
        context.memory["leftovers_removed"] = True
    return phases_prepare.await_stale_scaffolding(context)


def _selector(context: Context) -> str:
    return made_by_plan.selector(context.plan_uid)


def _going_down(context: Context) -> None:
    """Where the migrated application runs, its downtime begins now."""
    found = quiesce.affected(context.destination, context.destination_namespaces, selector=_selector(context))
    if found:
        context.application_stops()


def stop_migrated(context: Context) -> None:
    """QuiesceDestinationApplications: what the migration has made is stopped; workloads of others are left alone."""
    if converts_storage(context.plan):
        phases_conversion.stop(context)
        return
    _going_down(context)
    stopped = quiesce.quiesce(context.destination, context.destination_namespaces, selector=_selector(context))
    if stopped:
        context.tell(f"stopped {', '.join(stopped)}")


def look_at_volumes(context: Context) -> str | None:
    """EnsureDestQuiesced: nobody writes to the volumes any more; what they have received since the cutover is told."""
    claims = [(move.target_namespace, move.target_claim) for move in context.moves]
    if left := quiesce.writers(context.destination, claims):
        waiting = f"still using volumes of the migration: {', '.join(str(writer) for writer in left)}"
        context.must_end_within(
            context.intent.quiesce_timeout, waiting_for=waiting, mend="Stop these pods and run the task again"
        )
        return waiting
    if "received" in context.record.data or not context.record.data.get("took_over"):
        return None
    try:
        if (to_come := _glance(context)) is not None:
            return to_come
        context.record.data["received"] = [_received(verdict) for verdict in context.transfer.glances()]
    except (Abandoned, LeaseLost, TransientError):
        raise
    except MtcError as error:
        context.record.data["received"] = [{"unknown": error.message}]
    context.record.save()
    _tell_received(context)
    context.transfer.remove(wait=False)
    return None


def _glance(context: Context) -> str | None:
    waiting = context.transfer.ensure() or context.transfer.glance(GLANCE)
    if waiting is not None and elapsed_clock() - context.phase_began > LOOK_WITHIN:
        raise DeadlineExceeded(
            subject=context.migration.subject,
            attempt=f"the volumes could not be looked at within {LOOK_WITHIN} s",
            reason=waiting,
            mend="Nothing: the rollback goes on without it",
        )
    return waiting


def _received(verdict: Verdict) -> dict[str, Any]:
    move = verdict.move
    return {
        "volume": f"{move.target_namespace}/{move.target_claim}",
        "changed": not verdict.ok,
        "files": bounded(verdict.differing),
        "what": verdict.reason,
    }


def _tell_received(context: Context) -> None:
    for entry in context.record.data["received"]:
        if "unknown" in entry:
            context.tell(f"what the volumes have received since the cutover is unknown: {entry['unknown']}")
        elif entry["changed"]:
            files = ", ".join(entry["files"][:5])
            end = "is copied back" if context.intent.rollback_sync else "goes"
            context.tell(
                f"{entry['volume']} has received data since the cutover, which {end}: {entry['what']}: {files}"
            )


def remove_migrated(context: Context) -> None:
    """DeleteMigrated: asked for. From here on the rollback cannot be cancelled any more."""
    _going_down(context)
    found = made_by_plan.made(context.destination, context.plan_uid, context.destination_namespaces)
    objects = len(found.objects) + len(found.shared)
    context.record.data.setdefault("removed", {"objects": objects, "claims": found.claims})
    # An API that does not answer hides its objects; that must not keep the source from starting, nor be kept quiet.
    hidden = [f"{group}: {why}" for group, why in sorted(context.destination.broken_groups.items())]
    if hidden:
        context.record.data["not_looked_at"] = hidden
        context.tell(f"these APIs of the destination do not answer, what was made there may stay: {', '.join(hidden)}")
    context.record.save()
    made_by_plan.remove_contents(context.destination, context.plan_uid, context.destination_namespaces)


def await_removed(context: Context) -> str | None:
    """EnsureMigratedDeleted: objects, then claims, then namespaces that only the migration has used, then what it has
    made outside of namespaces, are gone."""
    place = (context.destination, context.plan_uid, context.destination_namespaces)
    scaffolding = context.transfer.remove(wait=False) if context.moves else None
    left = made_by_plan.remove_contents(*place)
    if not left:
        left, kept = made_by_plan.remove_namespaces(*place)
        if kept and not left:
            context.record.data["kept_namespaces"] = kept
            context.record.save()
            context.tell(f"kept, because others have put something into it: {', '.join(kept)}")
    if not left:
        left, shared = made_by_plan.remove_shared(*place)
        if shared and not left:
            context.record.data["kept_objects"] = bounded(shared)
            context.record.save()
            context.tell(f"kept, because others use it: {'; '.join(shared)}")
    if not left and scaffolding is None:
        return None
    waiting = f"still going: {', '.join(left[:5])}" if left else str(scaffolding)
    mend = "Look for finalizers and for what still uses these, and run the task again"
    context.must_end_within(REMOVAL_DEADLINE, waiting_for=waiting, mend=mend)
    return waiting


def start_source(context: Context) -> str | None:
    """UnQuiesceSrcApplications: what a run had stopped runs as it did before."""
    started = quiesce.unquiesce(context.source, context.source_namespaces)
    if started:
        context.record.data["started"] = sorted({*context.record.data.get("started", ()), *started})
        context.record.save()
        context.tell(f"started again: {', '.join(started)}")
    if not context.record.data.get("started"):
        context.application_runs("source")
        return None
    found = health.health(context.source, context.source_namespaces)
    if found.waiting and elapsed_clock() - context.phase_began < SOURCE_READY_WITHIN:
        return f"the source is starting: {'; '.join(found.waiting)}"
    context.application_runs("source")
    return None


def start_migrated(context: Context) -> str | None:
    """A rollback that ends before anything was removed: the migrated application runs again."""
    if converts_storage(context.plan):
        return phases_conversion.stay(context)
    started = quiesce.unquiesce(context.destination, context.destination_namespaces, selector=_selector(context))
    if started:
        context.tell(f"started again: {', '.join(started)}")
    context.application_runs("destination")
    return None
