# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The phases of a cancelled run: what it has made goes, the source runs again, and the end is Canceled alone.

Upstream calls a cancelled run Succeeded as well (D6) and leaves on the destination what was restored there; here that
goes, because two running copies of one application are worse than none. When the destination has taken over already,
nothing is undone: then cancelling only ends the run.

Volumes stay once something was copied into them, for the next run; a rollback removes them.
"""

from __future__ import annotations

from ..resources.condition_names import Category, MigrationCondition
from . import direct_volume, phases_conversion, phases_hooks, phases_rollback
from .context import Context
from .itineraries import ROLLBACK
from .phases_failure import remove_objects, remove_volumes, start_source

REMOVAL_DEADLINE = 180
"""Seconds that anything of it may take to go."""
REASON = "Cancel"


def _within_deadline(context: Context, waiting: str | None) -> str | None:
    if waiting is not None:
        mend = "Look why these objects do not go, and run the task again"
        context.must_end_within(REMOVAL_DEADLINE, waiting_for=waiting, mend=mend)
    return waiting


def _taken_over(context: Context) -> bool:
    data = context.record.data
    return data.get("runs_on") == "destination" or phases_conversion.taken_over(data)


def begin(context: Context) -> None:
    """Canceling: said, and what pods of the transfer and of hooks do is stopped at once."""
    message = "The migration is being cancelled."
    context.migration.conditions.set(
        MigrationCondition.CANCELING, Category.ADVISORY, reason=REASON, message=message, durable=True
    )
    phases_hooks.remove(context, wait=False)
    if context.moves:
        context.transfer.remove(wait=False)


def take_back(context: Context) -> str | None:
    """DeleteRestores: nothing that the run has created on the destination is left, nor runs; workloads that point to
    other claims point to their own again."""
    if _taken_over(context):
        return None
    return _within_deadline(context, phases_conversion.undo(context) or remove_objects(context))


def remove_scaffolding(context: Context) -> str | None:
    """DeleteRegistries: asked for; while the application is down its end is not awaited here."""
    if not context.moves:
        return None
    down = context.application_is_down
    waiting = context.transfer.remove(wait=not down)
    return None if down else _within_deadline(context, waiting)


def remove_copies(context: Context) -> str | None:
    """DeleteDirectVolumeMigrationResources: the resource, and volumes into which nothing was copied."""
    if _taken_over(context):
        return None
    direct_volume.remove(context)
    return _within_deadline(context, remove_volumes(context))


def start_again(context: Context) -> str | None:
    """UnQuiesceSrcApplications: whichever side ran before runs again."""
    if context.itinerary is ROLLBACK:
        return _within_deadline(context, phases_rollback.start_migrated(context))
    if phases_conversion.taken_over(context.record.data):
        phases_conversion.start(context)
        context.application_runs("destination")
    return None if _taken_over(context) else start_source(context)


def end(context: Context) -> str | None:
    """Canceled: said once nothing of the transfer is left; nor, where there are no volumes to remove them with, the
    namespaces that the run has made."""
    if context.moves:
        waiting = context.transfer.remove(wait=True)
    else:
        waiting = None if _taken_over(context) else remove_volumes(context)
    if _within_deadline(context, waiting):
        return waiting
    conditions = context.migration.conditions
    conditions.delete(MigrationCondition.CANCELING, MigrationCondition.STAGE_PODS_CREATED)
    message = "The migration has been cancelled."
    conditions.set(MigrationCondition.CANCELED, Category.ADVISORY, reason=REASON, message=message, durable=True)
    return None
