# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The phases of a state migration, which moves the data of volumes and no object. It walks the itinerary Stage, as
upstream's does.

While the application runs on it is a stage run under another name. When it stops the application it proves every volume
as a final run does, and the source stays stopped afterwards: its data has moved, and whoever deploys the application
starts it at the destination. Upstream's tables have one copy only, after the application was stopped; here the bulk is
copied before, inside the phase that stops it.
"""

from __future__ import annotations

from ..resources import migmigration
from ..resources.plan_facts import converts_storage
from . import phases_source, phases_stage, phases_volumes
from .context import Context
from .phases_destination import remove_scaffolding

UNPROVEN = "Nothing of this is proven while the application goes on writing; a state migration that stops it proves it"


def moves_state(context: Context) -> bool:
    return migmigration.is_state(context.migration.manifest)


def proves(context: Context) -> bool:
    """Whether this is a state migration's last pass, over a stopped application."""
    return moves_state(context) and context.intent.quiesce_pods


def quiesce_source(context: Context) -> str | None:
    """QuiesceSourceApplications: of a state migration after a pre-copy and its proof, which cost no downtime."""
    running = proves(context) and "stopped_at" not in context.record.data
    if running and (waiting := phases_volumes.copy_while_running(context)):
        return waiting
    phases_source.quiesce_source(context)
    return None


def copy(context: Context) -> str | None:
    """CreateDirectVolumeMigrationStage: the pass, or the beginning of the last one."""
    if proves(context):
        return phases_volumes.prepare(context) or phases_volumes.start_last_pass(context)
    return phases_volumes.stage(context)


def conclude(context: Context) -> str | None:
    """WaitForDirectVolumeMigrationToComplete: what was copied, or the verdict on every volume."""
    if proves(context):
        return phases_volumes.copy_and_prove(context)
    if waiting := phases_stage.conclude_pass(context):
        return waiting
    if moves_state(context):
        context.tell(UNPROVEN)
    return None


def end(context: Context) -> str | None:
    """DeleteRegistries: a source whose data has moved stays stopped, and that is said. After a storage conversion the
    application runs on the new claims by now."""
    if not proves(context):
        return phases_stage.end(context)
    if waiting := remove_scaffolding(context):
        return waiting
    # Only now nothing can fail any more, so that what is said stays true.
    if not converts_storage(context.plan) and "stays_stopped" not in context.record.data:
        context.record.data["stays_stopped"] = list(context.record.data.get("stopped", ()))
        context.record.save()
        context.tell("the source stays stopped, for its data has moved: start the application at the destination")
    return None
