# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Phases of the destination: create the objects, compare them, remove the scaffolding, wait until the application is
healthy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..objects import apply, health, inventory
from ..objects.context import Note
from ..objects.exclusions import EXCLUDE_LABEL
from ..objects.links import relink
from ..objects.manifest import Manifest
from ..resources import accepted, plan_exclusions
from ..resources.errors import DeadlineExceeded, Refused
from . import archive, phases_hooks, plan_storage, source_objects
from .clock import elapsed_clock, wall_seconds
from .context import Context
from .itinerary import FINAL
from .record import bounded

REMOVAL_DEADLINE = 180
"""Seconds that the scaffolding may take to go."""


def restore_objects(context: Context) -> None:
    """EnsureFinalRestore: the stopped source is read again, compared with the frozen inventory, and sent.

    What quiescing changed is undone by the transforms; any other difference stops the run by name, because nobody has
    seen it in the inventory. What became of each object is described in the plan's repository, if it has one.
    """
    began = wall_seconds()
    read = source_objects.read_for(context)
    frozen = inventory.decode(context.record.load_parts())
    if changed := inventory.differences(frozen, inventory.entries(read.objects, key=context.record.key())):
        raise changed_since(context.migration.subject, changed)
    context.record.data["restore_began"] = True
    context.record.save()
    report = apply.apply_all(
        context.destination,
        read.objects,
        migplan_uid=context.plan_uid,
        migmigration_uid=context.migration.uid,
        policy=context.intent.existing_objects,
        report=context.tell,
    )
    linked = relink(context.destination, read.links, plan_uid=context.plan_uid)
    there = [*report.equal, *report.adopted, *report.merged]
    context.record.data["objects"] = {
        "created": len(report.created),
        "adopted": len(there),
        "updated": bounded(report.updated),
        "kept": bounded(report.foreign),
        "differences": bounded(report.differences),
        "owned": bounded(linked),
        **_notes(read.notes),
    }
    context.record.save()
    context.tell(f"{len(report.created)} objects created, {len(there)} were there already")
    if plan_storage.has_one(context.plan):
        archive.write_final_restore(context, _restored(read.objects, report), report.differences, began=began)


def changed_since(subject: str, changed: Sequence[str]) -> Refused:
    """The objects differ from what the inventory says."""
    return Refused(
        subject=subject,
        attempt="objects of the source changed after the inventory was taken",
        reason=", ".join(changed),
        mend=(
            "Find out who changed them and run the task again; a new inventory is taken then. What the running "
            "application writes and makes again by itself, as who leads, can be left out by label "
            f"{EXCLUDE_LABEL}=true, or its kind with {plan_exclusions.OPTION}; what it needs there travels when it is "
            "stopped before the run"
        ),
    )


def _notes(notes: Sequence[tuple[str, Note]]) -> dict[str, list[str]]:
    """What was rewritten and what was left for somebody to look at, each with the object that it is about."""
    told: dict[str, list[str]] = {"rewritten": [], "left": []}
    for subject, note in notes:
        if note.kind in told:
            told[note.kind].append(f"{subject} {note.path}: {note.text}")
    return {kind: bounded(sorted(lines)) for kind, lines in told.items()}


def _restored(objects: Iterable[Manifest], report: apply.ApplyReport) -> dict[str, list[str]]:
    """By kind what became of each object, in Velero's words."""
    created, updated = set(report.created), {*report.adopted, *report.merged, *report.updated}
    items: dict[str, list[str]] = {}
    for obj in objects:
        metadata, reference = obj["metadata"], inventory.reference(obj)
        action = "created" if reference in created else "updated" if reference in updated else "skipped"
        where = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
        items.setdefault(f"{obj['apiVersion']}/{obj['kind']}", []).append(f"{where}({action})")
    return items


def compare_objects(context: Context) -> None:
    """FinalRestoreCreated: what the server stored differently from what was sent is told; it is the server's right."""
    for line in context.record.data.get("objects", {}).get("differences", ()):
        context.tell(f"stored differently: {line}")
    if not context.intent.verify:
        context.application_runs("destination")


def _health(context: Context) -> health.Health:
    found = health.health(context.destination, context.destination_namespaces)
    if not found.waiting and not found.failed:
        context.application_runs("destination")
    return found


def remove_scaffolding(context: Context) -> str | None:
    """DeleteRegistries: everything that was only there for the transfer and for hooks is gone, on both clusters."""
    found = [phases_hooks.remove(context, wait=True), context.transfer.remove(wait=True) if context.moves else None]
    waiting = "; ".join(each for each in found if each) or None
    if waiting is None:
        return None
    if context.itinerary is FINAL and context.application_is_down and not context.migration.failed:
        _health(context)
    context.must_end_within(
        REMOVAL_DEADLINE, waiting_for=waiting, mend="Look why these objects do not go, and run the task again"
    )
    return waiting


def await_health(context: Context) -> str | None:
    """Verification: every workload has the pods that it wants, and none of them is failing."""
    found = _health(context)
    if not found.waiting and not found.failed:
        return None
    waiting = "; ".join([*found.failed, *found.waiting])
    if elapsed_clock() - context.phase_began > context.intent.health_timeout:
        context.record.data["unhealthy"] = [*found.failed, *found.waiting]
        # The destination has the data and the objects: it has taken over, whether it is well or not.
        context.application_runs("destination")
        if accepted.accepts(context.intent.accept_warnings, accepted.UNHEALTHY):
            context.accept(accepted.UNHEALTHY, waiting)
            context.record.save()
            return None
        raise DeadlineExceeded(
            subject=context.migration.subject,
            attempt=f"the migrated application is not healthy after health_timeout={context.intent.health_timeout} s",
            reason=waiting,
            mend=(
                "Volumes and objects are complete on the destination and the source stays stopped: "
                "mend the application there, or roll back"
            ),
        )
    return waiting
