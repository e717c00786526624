# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Phases that carry volumes through the plan's replication repository, by restic in pods on both sides.

A stage pod does its work when it has started, so making the pods begins the stage backup; the phases after it await
and judge. On a final run the repository is opened, and a first backup made, while the application still runs: what can
go wrong with image, network and store, on either side, shows before the downtime, and the last backup carries only what
has changed.
"""

from __future__ import annotations

from dataclasses import asdict

from ..resources import accepted
from ..resources.condition_names import Category, MigrationCondition
from ..volumes.indirect import Indirect
from ..volumes.repository import Snapshot
from ..volumes.status import progress_line
from . import (
    archive,
    destination_claims,
    destination_namespaces,
    phases_source,
    phases_stage,
    phases_volumes,
    volume_repository,
)
from .clock import wall_seconds
from .context import Context
from .itinerary import FINAL

PRECOPY = "precopy"
LAST = "final"
REMOVAL_DEADLINE = 120
"""Seconds within which stage pods must be gone."""


def is_indirect(context: Context) -> bool:
    """Whether the plan's volumes go through its repository, and there are any."""
    return bool(context.plan["spec"].get("indirectVolumeMigration")) and bool(context.moves)


def _indirect(context: Context) -> Indirect:
    made = context.memory.get("indirect")
    if not isinstance(made, Indirect):
        made = Indirect(
            context.source,
            context.destination,
            context.moves,
            context.identity(),
            context.intent.transfer_options(),
            volume_repository.of_plan(context.control, context.plan),
            context.tell,
            full=context.intent.verification == "full",
        )
        context.memory["indirect"] = made
    return made


def _pass(context: Context) -> tuple[str, bool]:
    """The name of the run's stage backup, and whether it is the one that is proven."""
    final = context.itinerary is FINAL
    return (LAST if final else PRECOPY), final


def _told(context: Context, waiting: str | None) -> str | None:
    context.memory["progress_lines"] = sorted(progress_line(entry) for entry in _indirect(context).progress())
    return waiting


def take_initial_backup(context: Context) -> str | None:
    """EnsureInitialBackup: the inventory and, for volumes that go through the repository, a first backup of them."""
    if waiting := archive.patiently(context, lambda: phases_source.take_inventory(context)):
        return waiting
    if not is_indirect(context):
        return None
    if waiting := _open(context, tidy=False):
        return waiting
    if not context.intent.pre_copy or "precopy" in context.record.data:
        return None
    indirect = _indirect(context)
    if waiting := indirect.backup(PRECOPY, final=False):
        return _told(context, waiting)
    context.record.data["precopy"] = phases_volumes.sums(indirect.results(PRECOPY))
    context.record.save()
    return None


def _open(context: Context, *, tidy: bool) -> str | None:
    """The repository is open for the pods of both clusters; once in a run."""
    if context.record.data.get("repository"):
        return None
    indirect = _indirect(context)
    if waiting := indirect.open(tidy=tidy):
        return waiting
    begin_stage_restore(context)
    if waiting := indirect.reach():
        return waiting
    context.record.data["repository"] = indirect.address
    context.record.save()
    context.tell(f"the repository {indirect.address} is open")
    return None


def stage_mounted(context: Context) -> str | None:
    """EnsureStagePodsFromRunning: stage pods for volumes that are mounted, each where its volume is attached."""
    if not context.moves or "snapshots" in context.record.data:
        return None
    # A stage run has time: what earlier passes have left in the repository goes.
    if waiting := _open(context, tidy=context.itinerary is not FINAL):
        return waiting
    _begin(context, mounted=True)
    return None


def stage_templates(_context: Context) -> None:
    """EnsureStagePodsFromTemplates: nothing, for our stage pods are made for volumes and not for workloads."""


def stage_orphans(context: Context) -> None:
    """EnsureStagePodsFromOrphanedPVCs: stage pods for volumes that nobody has mounted."""
    if context.moves and "snapshots" not in context.record.data:
        _begin(context, mounted=False)


def _begin(context: Context, *, mounted: bool) -> None:
    name, final = _pass(context)
    if count := _indirect(context).begin(name, final=final, mounted=mounted):
        context.migration.conditions.set(
            MigrationCondition.STAGE_PODS_CREATED,
            Category.ADVISORY,
            message=f"Stage pods for {count} volume(s) were created.",
            durable=True,
        )


def await_stage_pods(context: Context) -> str | None:
    """StagePodsCreated: the stage pods are at work."""
    if not context.moves or "snapshots" in context.record.data:
        return None
    name, final = _pass(context)
    return _indirect(context).started(name, final=final)


def begin_stage_backup(_context: Context) -> None:
    """EnsureStageBackup: nothing to be made, for a stage pod backs its volume up when it has started."""


def await_stage_backup(context: Context) -> str | None:
    """StageBackupCreated: every volume is in the repository; what there is of each stands in the record."""
    if not context.moves or "snapshots" in context.record.data:
        return None
    name, final = _pass(context)
    indirect = _indirect(context)
    if waiting := indirect.backup(name, final=final):
        return _told(context, waiting)
    if unanswered := archive.patiently(context, lambda: archive.write_stage_backup(context)):
        return unanswered
    results = indirect.results(name)
    context.record.data["snapshots"] = {key: asdict(made) for key, made in indirect.snapshots(name).items()}
    context.record.data["moved"] = {
        move.key: {"files_moved": result.files_transferred, "bytes_moved": result.bytes_transferred}
        for move, result in results.items()
    }
    context.record.data["final_pass" if final else "stage_pass"] = phases_volumes.sums(results)
    if not final:
        context.record.data["volumes"] = [dict(phases_stage.row(move, result)) for move, result in results.items()]
    context.record.save()
    for move, result in results.items():
        context.tell(
            f"{move.subject}: {result.files_transferred} of {result.files_total} files were new or changed, "
            f"{result.bytes_transferred} bytes were added to the repository, of {result.bytes_total} bytes"
        )
    return None


def begin_stage_restore(context: Context) -> None:
    """EnsureStageRestore: namespaces and claims of the destination are there."""
    if not context.moves or context.memory.get("destination_prepared"):
        return
    destination_namespaces.ensure(context)
    destination_claims.ensure(context)
    context.memory["destination_prepared"] = True


def await_stage_restore(context: Context) -> str | None:
    """StageRestoreCreated: the destination's volumes hold what the snapshots hold. After a final run's each has its
    verdict, and without a good one the run ends here."""
    data = context.record.data
    if not context.moves or data.get("volumes_proven") or data.get("stage_restored"):
        return None
    if not data.get("copy_began"):
        data["copy_began"] = True
        context.record.save()
    began = context.memory.setdefault("restore_seen", wall_seconds())
    name, final = _pass(context)
    indirect = _indirect(context)
    snapshots = {key: Snapshot(**made) for key, made in data["snapshots"].items()}
    if waiting := indirect.restore(name, snapshots):
        return _told(context, waiting)
    if unanswered := archive.patiently(context, lambda: archive.write_stage_restore(context, began=began)):
        return unanswered
    if not final:
        data["stage_restored"] = True
        context.record.save()
        return None
    phases_volumes.refuse_new_writers(context)
    verdicts = indirect.verdicts()
    moved = data.get("moved", {})
    data["volumes"] = [
        {**phases_volumes.verdict_row(verdict, None), **moved.get(verdict.move.key, {})} for verdict in verdicts
    ]
    unequal = [verdict for verdict in verdicts if not verdict.ok]
    bad = [verdict for verdict in unequal if not phases_volumes.is_accepted(context, verdict)]
    data["volumes_proven"] = not bad
    for verdict in () if bad else unequal:
        context.accept(accepted.VOLUMES, phases_volumes.failure_of([verdict]).message)
    context.record.save()
    if bad:
        raise phases_volumes.failure_of(bad)
    for verdict in verdicts:
        move = verdict.move
        context.tell(
            f"PersistentVolumeClaim {move.target_namespace}/{move.target_claim}: {phases_volumes.describe(verdict)}"
        )
    return None


def remove_stage_pods(context: Context) -> None:
    """EnsureStagePodsDeleted: asked for."""
    if context.moves:
        context.transfer.remove(wait=False)


def await_removed(context: Context) -> str | None:
    """EnsureStagePodsTerminated: nothing of the transfer is left on either cluster."""
    waiting = context.transfer.remove(wait=True) if context.moves else None
    if waiting is None:
        context.migration.conditions.delete(MigrationCondition.STAGE_PODS_CREATED)
        return None
    context.must_end_within(
        REMOVAL_DEADLINE, waiting_for=waiting, mend="Look why these objects do not go, and run the task again"
    )
    return waiting
