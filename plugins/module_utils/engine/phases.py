# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which function carries out which phase. A phase of the itinerary without a row here is one whose flags never hold
with this engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import (
    phases_cancel,
    phases_conversion,
    phases_copy_back,
    phases_destination,
    phases_failure,
    phases_hooks,
    phases_indirect,
    phases_prepare,
    phases_rollback,
    phases_source,
    phases_stage,
    phases_state,
    phases_volumes,
)
from .context import Context
from .itineraries import CANCELED, CANCELING, ROLLING_BACK
from .itinerary import CREATED, HOOK_PHASES, MIGRATION_FAILED, Itinerary

PHASES: Mapping[str, Callable[[Context], str | None]] = {
    CREATED: phases_prepare.begin,
    "Started": phases_prepare.begin,
    "StartRefresh": phases_prepare.refresh_plan,
    "WaitForRefresh": phases_prepare.require_ready_plan,
    "CleanStaleStagePods": phases_prepare.remove_stale_scaffolding,
    "WaitForStaleStagePodsTerminated": phases_prepare.await_stale_scaffolding,
    "CreateDirectVolumeMigrationStage": phases_volumes.copy_while_running,
    "EnsureInitialBackup": phases_indirect.take_initial_backup,
    "InitialBackupCreated": phases_source.check_destination,
    "QuiesceSourceApplications": phases_source.quiesce_source,
    "EnsureSrcQuiesced": phases_source.prove_quiesced,
    "EnsureStagePodsFromRunning": phases_indirect.stage_mounted,
    "EnsureStagePodsFromTemplates": phases_indirect.stage_templates,
    "EnsureStagePodsFromOrphanedPVCs": phases_indirect.stage_orphans,
    "StagePodsCreated": phases_indirect.await_stage_pods,
    "EnsureStageBackup": phases_indirect.begin_stage_backup,
    "StageBackupCreated": phases_indirect.await_stage_backup,
    "EnsureStageRestore": phases_indirect.begin_stage_restore,
    "StageRestoreCreated": phases_indirect.await_stage_restore,
    "EnsureStagePodsDeleted": phases_indirect.remove_stage_pods,
    "EnsureStagePodsTerminated": phases_indirect.await_removed,
    "CreateDirectVolumeMigrationFinal": phases_volumes.start_last_pass,
    "WaitForDirectVolumeMigrationToComplete": phases_volumes.copy_and_prove,
    "EnsureFinalRestore": phases_destination.restore_objects,
    "FinalRestoreCreated": phases_destination.compare_objects,
    "SwapPVCReferences": phases_conversion.point_over,
    "DeleteRegistries": phases_destination.remove_scaffolding,
    "Verification": phases_destination.await_health,
    CANCELING: phases_cancel.begin,
    "DeleteRestores": phases_cancel.take_back,
    "DeleteDirectVolumeMigrationResources": phases_cancel.remove_copies,
    CANCELED: phases_cancel.end,
    ROLLING_BACK: phases_rollback.begin,
    "QuiesceDestinationApplications": phases_rollback.stop_migrated,
    "EnsureDestQuiesced": phases_rollback.look_at_volumes,
    "CreateDirectVolumeMigrationRollback": phases_copy_back.copy_back,
    "WaitForDirectVolumeMigrationToRollbackComplete": phases_copy_back.prove,
    "DeleteMigrated": phases_rollback.remove_migrated,
    "EnsureMigratedDeleted": phases_rollback.await_removed,
    MIGRATION_FAILED: phases_failure.clean_up,
    "DeleteHookJobs": phases_hooks.cancel,
    **dict.fromkeys(HOOK_PHASES, phases_hooks.run_hook),
}

OF_ITINERARY: Mapping[tuple[str, str], Callable[[Context], str | None]] = {
    ("Cancel", "DeleteRegistries"): phases_cancel.remove_scaffolding,
    ("Cancel", "EnsureStagePodsDeleted"): phases_cancel.remove_copies,
    ("Cancel", "UnQuiesceSrcApplications"): phases_cancel.start_again,
    ("Rollback", "DeleteRegistries"): phases_rollback.remove_leftovers,
    ("Rollback", "SwapPVCReferences"): phases_conversion.point_back,
    ("Rollback", "EnsureStagePodsDeleted"): phases_rollback.remove_leftovers,
    ("Rollback", "UnQuiesceSrcApplications"): phases_rollback.start_source,
    ("Stage", "Started"): phases_stage.begin,
    ("Stage", "QuiesceSourceApplications"): phases_state.quiesce_source,
    ("Stage", "CreateDirectVolumeMigrationStage"): phases_state.copy,
    ("Stage", "WaitForDirectVolumeMigrationToComplete"): phases_state.conclude,
    ("Stage", "DeleteRegistries"): phases_state.end,
}
"""Where one name means different work, depending on the itinerary."""


def function_of(itinerary: Itinerary, phase: str) -> Callable[[Context], str | None]:
    """What carries the phase out in that itinerary."""
    return OF_ITINERARY.get((itinerary.name, phase)) or PHASES[phase]
