# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Phases that read and stop the source: the inventory of its objects, quiescing, and the proof that no writer is
left."""

from __future__ import annotations

from ..objects import apply, inventory
from . import archive, destination_namespaces, preflight, quiesce, restarts, source_objects
from .clock import elapsed_clock
from .context import Context
from .record import bounded

SUSPICIOUS_SECONDS = 3
"""After which a pod that is still there may have been started again, rather than be on its way out."""


def take_inventory(context: Context) -> None:
    """EnsureInitialBackup: what would be sent now, by reference and digest, is frozen in the record, and the objects
    are laid into the plan's repository, if it has one. Each is done once."""
    if context.record.data.get("inventory"):
        if not context.record.data.get("archive") and context.plan["spec"].get("migStorageRef"):
            archive.write(context, context.memory.get("read") or source_objects.read_for(context))
        return
    read = source_objects.read_for(context)
    entries = inventory.entries(read.objects, key=context.record.key())
    context.memory["read"] = read
    context.record.save_parts(inventory.encode(entries))
    context.record.data["inventory"] = {"objects": len(entries), "left": bounded([str(left) for left in read.left])}
    context.record.save()
    context.tell(f"{len(entries)} objects will be moved")
    archive.write(context, read)


def check_destination(context: Context) -> None:
    """InitialBackupCreated: nothing foreign stands where an object has to go (unless the user chose otherwise), and the
    namespaces are there, also those in which no volume has been made."""
    read = context.memory.get("read") or source_objects.read_for(context)
    preflight.refuse_unfit(
        context.migration.subject,
        apply.preview(context.destination, read.objects, migplan_uid=context.plan_uid),
        existing_objects=context.intent.existing_objects,
    )
    destination_namespaces.ensure(context)


def quiesce_source(context: Context) -> None:
    """QuiesceSourceApplications: stop every workload of the plan's namespaces; its state before stays in its
    annotations. Who may start one again is told while all still run, for afterwards it cannot be seen."""
    if "stopped" not in context.record.data:
        for text in restarts.may_start_again(context.source, context.source_namespaces):
            context.warn(text)
    context.application_stops()
    stopped = quiesce.quiesce(context.source, context.source_namespaces)
    if stopped:
        context.record.data["stopped"] = sorted({*context.record.data.get("stopped", []), *stopped})
        context.record.save()
        context.tell(f"stopped {', '.join(stopped)}")


def prove_quiesced(context: Context) -> str | None:
    """EnsureSrcQuiesced: no pod that mounts a volume of the plan can write any more, or the run fails and names it."""
    left = quiesce.writers(context.source, context.claims)
    if not left:
        context.record.data["quiesced"] = True
        context.record.save()
        return None
    waiting = f"still able to write: {', '.join(str(writer) for writer in left)}{_started_again(context)}"
    context.must_end_within(
        context.intent.quiesce_timeout,
        waiting_for=waiting,
        mend=(
            "Stop these pods (a bare pod has to be deleted, an operator paused) and run the task again, "
            "or raise quiesce_timeout"
        ),
    )
    return waiting


def _started_again(context: Context) -> str:
    """Who has started workloads again, asked once, when pods take longer to go than pods do; "" when nobody has."""
    if "started_again" not in context.memory:
        if elapsed_clock() - context.phase_began < SUSPICIOUS_SECONDS:
            return ""
        managed = restarts.may_start_again(context.source, context.source_namespaces)
        context.memory["started_again"] = "".join(f"; {item}" for item in managed)
    return str(context.memory["started_again"])
