# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The phase of a failed migration: undo what the destination got, start the source again, leave nothing behind
(upstream leaves all of it, D5).

When the application has arrived on the destination with all its data and only its health is in question, the
destination has taken over: nothing is undone and the source stays stopped, since two running copies are worse than
one that needs mending.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..objects import apply, health
from ..objects.removal_shared import remove_shared
from ..resources.condition_names import MigrationCondition
from ..resources.errors import LeaseLost, MtcError, TransientError, Unauthorized
from ..resources.plan_facts import converts_storage
from . import (
    destination_claims,
    destination_namespaces,
    direct_volume,
    made_by_plan,
    phases_conversion,
    phases_hooks,
    quiesce,
)
from .clock import elapsed_clock
from .context import Context
from .guard import Abandoned
from .itineraries import ROLLBACK

SOURCE_READY_WITHIN = 60
"""Seconds for which the source is watched while it starts again; then its downtime counts as ended."""
CLEAN_UP_DEADLINE = 240
"""Seconds that all of it may take; what is still there afterwards is reported by name."""


def clean_up(context: Context) -> str | None:
    """MigrationFailed. Each part is tried even when another fails; what could not be done is added to the errors. A
    cluster that does not answer is asked again until the deadline; one that does not take the token is left to the next
    call (Unauthorized)."""
    data = context.record.data
    taken_over = data.get("runs_on") == "destination" or phases_conversion.taken_over(data)
    parts: list[tuple[str, Callable[[Context], str | None]]] = [
        ("stop hooks", _stop_hooks),
        ("remove restored objects", remove_objects),
        ("point the workloads back", phases_conversion.undo),
        ("start the source", start_source),
        ("remove the transfer's scaffolding", _remove_scaffolding),
        ("remove volumes and namespaces", remove_volumes),
        ("conclude the volume migration", _conclude),
    ]
    if context.itinerary is ROLLBACK:
        parts = [("remove the transfer's scaffolding", _remove_scaffolding), ("start again", _start_migrated)]
    if taken_over:
        parts = [("stop hooks", _stop_hooks), ("start on the new claims", _start_converted)]
    done: set[str] = context.memory.setdefault("cleaned", set())
    later: dict[str, MtcError] = {}
    for title, part in parts:
        if title in done:
            continue
        waiting = None
        try:
            waiting = part(context)
        except (LeaseLost, Abandoned):
            raise
        except (TransientError, Unauthorized) as error:
            later[title] = error
            if part in (remove_objects, phases_conversion.undo):
                break  # the source may not start before
            continue
        except MtcError as error:
            context.migration.add_errors([f"{title}: {error.message}"])
        if waiting is not None:
            if elapsed_clock() - context.phase_began < CLEAN_UP_DEADLINE:
                return waiting
            context.migration.add_errors([f"{title}: not finished within {CLEAN_UP_DEADLINE} s: {waiting}"])
        done.add(title)
    context.migration.conditions.delete(MigrationCondition.STAGE_PODS_CREATED)
    return _try_again(context, later, done)


def _try_again(context: Context, later: Mapping[str, MtcError], done: set[str]) -> str | None:
    """What a cluster that did not answer has put off; it is given up at the deadline. Raises Unauthorized."""
    for error in later.values():
        if isinstance(error, Unauthorized):
            raise error
    if elapsed_clock() - context.phase_began >= CLEAN_UP_DEADLINE:
        context.migration.add_errors([f"{title}: {error.message}" for title, error in later.items()])
        done.update(later)
    return next((error.message for error in later.values()), None)


def _start_migrated(context: Context) -> str | None:
    """A rollback that failed before it removed anything leaves the migrated application running. Later, what could not
    be removed may still run: the source waits for the next rollback."""
    if "removed" in context.record.data:
        return None
    if converts_storage(context.plan):
        return phases_conversion.stay(context)
    selector = made_by_plan.selector(context.plan_uid)
    quiesce.unquiesce(context.destination, context.destination_namespaces, selector=selector)
    context.application_runs("destination")
    return None


def _start_converted(context: Context) -> str | None:
    """A conversion whose workloads all point to the new claims: as much of it as can be started runs there."""
    if phases_conversion.taken_over(context.record.data):
        phases_conversion.start(context)
        context.application_runs("destination")
    return None


def _stop_hooks(context: Context) -> str | None:
    return phases_hooks.remove(context, wait=False)


def remove_objects(context: Context) -> str | None:
    """What the run has created on the destination. The source may only start once nothing of that runs any more."""
    if not context.record.data.get("restore_began"):
        return None
    place = (context.destination, context.migration.uid, context.destination_namespaces)
    left = list(apply.remove_created(*place))
    if not left:
        left, kept = remove_shared(*place)
        if kept and not left:
            context.tell(f"kept, because others use it: {'; '.join(kept)}")
    return f"restored objects are being removed again: {', '.join(left[:5])}" if left else None


def start_source(context: Context) -> str | None:
    """The source is started and, within reason, seen to run: a downtime ends when the application answers, not when it
    was asked to."""
    if "stopped_at" not in context.record.data:
        return None
    phases_conversion.may_start(context)
    started = quiesce.unquiesce(context.source, context.source_namespaces)
    if started:
        context.tell(f"started again: {', '.join(started)}")
    found = health.health(context.source, context.source_namespaces)
    if found.waiting and elapsed_clock() - context.phase_began < SOURCE_READY_WITHIN:
        return f"the source is starting: {'; '.join(found.waiting)}"
    context.application_runs("source")
    return None


def _remove_scaffolding(context: Context) -> str | None:
    return context.transfer.remove(wait=True) if context.moves else None


def remove_volumes(context: Context) -> str | None:
    """A run that has copied nothing leaves nothing; otherwise the volumes stay, so that the next run copies only the
    difference."""
    if context.keeps_volumes:
        return None
    destination_claims.remove_created(context)
    removed = destination_namespaces.remove_created(context)
    context.memory["removed_namespaces"] = sorted({*context.memory.get("removed_namespaces", ()), *removed})
    left = [
        name
        for name in context.memory["removed_namespaces"]
        if context.destination.get("v1", "Namespace", name) is not None
    ]
    return f"namespaces are being removed again: {', '.join(left)}" if left else None


def _conclude(context: Context) -> str | None:
    direct_volume.conclude(context, failed=True)
    return None
