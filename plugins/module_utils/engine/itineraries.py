# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The itineraries beside the final one: stage, cancel and rollback; and all of them by name.

What upstream lacks happens inside its phases: taking back restored objects on cancel in DeleteRestores, the look at
what the volumes have received since the cutover in EnsureDestQuiesced, claims and namespaces in DeleteMigrated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resources import migmigration
from .itinerary import (
    COMPLETED,
    DIRECT_IMAGES,
    DIRECT_VOLUMES,
    FAILED,
    FINAL,
    INDIRECT_IMAGES,
    PREPARE,
    STAGE_PODS_FOR,
    Flag,
    Itinerary,
    row,
)

CANCELING = "Canceling"
CANCELED = "Canceled"
ROLLING_BACK = "Rollback"
_F = Flag
_HOOKS = (_F.PRE_BACKUP_HOOKS, _F.POST_BACKUP_HOOKS, _F.PRE_RESTORE_HOOKS, _F.POST_RESTORE_HOOKS)

STAGE = Itinerary(
    "Stage",
    (
        *PREPARE,
        row("CreateDirectImageMigration", "StageBackup", "Starting to copy images.", *DIRECT_IMAGES),
        row("QuiesceSourceApplications", "StageBackup", "Stopping the application on the source.", _F.QUIESCE),
        row("EnsureSrcQuiesced", "StageBackup", "Proving that nothing writes to the volumes any more.", _F.QUIESCE),
        row("CreateDirectVolumeMigrationStage", "StageBackup", "Copying the volumes.", *DIRECT_VOLUMES),
        row("EnsureStagePodsFromRunning", "StageBackup", "Creating stage pods for running pods.", *STAGE_PODS_FOR),
        row("EnsureStagePodsFromTemplates", "StageBackup", "Creating stage pods for templates.", *STAGE_PODS_FOR),
        row("EnsureStagePodsFromOrphanedPVCs", "StageBackup", "Creating stage pods for claims.", *STAGE_PODS_FOR),
        row("StagePodsCreated", "StageBackup", "Waiting for the stage pods.", _F.STAGE_PODS),
        row("RestartRestic", "StageBackup", "Restarting restic.", _F.STAGE_PODS, _F.VELERO),
        row("AnnotateResources", "StageBackup", "Marking what the stage backup takes.", _F.VELERO, _F.STAGE_BACKUP),
        row("WaitForVeleroReady", "StageBackup", "Waiting for Velero.", _F.VELERO),
        row("WaitForResticReady", "StageBackup", "Waiting for restic.", _F.VELERO, _F.VOLUMES, _F.STAGE_PODS),
        row("WaitForRegistriesReady", "StageBackup", "Waiting for the registries.", *INDIRECT_IMAGES),
        row(
            "EnsureCloudSecretPropagated",
            "StageBackup",
            "Waiting for Velero to see the credentials.",
            _F.VELERO,
            _F.STAGE_BACKUP,
        ),
        row("EnsureStageBackup", "StageBackup", "Creating the stage backup.", _F.STAGE_BACKUP),
        row("StageBackupCreated", "StageBackup", "Waiting for the stage backup.", _F.STAGE_BACKUP),
        row(
            "EnsureStageBackupReplicated",
            "StageBackup",
            "Waiting for the stage backup on the destination.",
            _F.VELERO,
            _F.STAGE_BACKUP,
        ),
        row("EnsureStageRestore", "StageRestore", "Creating the stage restore.", _F.STAGE_BACKUP),
        row("StageRestoreCreated", "StageRestore", "Waiting for the stage restore.", _F.STAGE_BACKUP),
        row("WaitForDirectImageMigrationToComplete", "DirectImage", "Waiting for the images.", *DIRECT_IMAGES),
        row(
            "WaitForDirectVolumeMigrationToComplete",
            "DirectVolume",
            "Comparing what was copied with the source.",
            *DIRECT_VOLUMES,
        ),
        row(
            "SwapPVCReferences",
            "Cleanup",
            "Pointing the workloads to the new claims.",
            _F.STORAGE_CONVERSION,
            _F.QUIESCE,
        ),
        row("DeleteRegistries", "Cleanup", "Removing what was only there for the transfer."),
        row("EnsureStagePodsDeleted", "Cleanup", "Removing the stage pods.", _F.STAGE_PODS),
        row("EnsureStagePodsTerminated", "Cleanup", "Waiting for the stage pods to be gone.", _F.STAGE_PODS),
        row(
            "EnsureAnnotationsDeleted", "Cleanup", "Removing the marks of the stage backup.", _F.VELERO, _F.STAGE_BACKUP
        ),
        row(COMPLETED, "Cleanup", "The stage run is complete."),
    ),
)

CANCEL = Itinerary(
    "Cancel",
    (
        row(CANCELING, "CleanupVelero", "The migration is being cancelled."),
        row("DeleteBackups", "CleanupVelero", "Removing the backups.", _F.VELERO),
        row("DeleteRestores", "CleanupVelero", "Taking back what was created on the destination."),
        row("DeleteRegistries", "CleanupHelpers", "Removing what was only there for the transfer."),
        row("DeleteHookJobs", "CleanupHelpers", "Removing the hooks' jobs.", any_of=(_F.VELERO, *_HOOKS)),
        row(
            "DeleteDirectVolumeMigrationResources",
            "CleanupHelpers",
            "Removing the copies that were not finished.",
            _F.DIRECT_VOLUME,
        ),
        row(
            "DeleteDirectImageMigrationResources",
            "CleanupHelpers",
            "Removing the copies of images that were not finished.",
            _F.DIRECT_IMAGE,
            _F.IMAGES,
        ),
        row("EnsureStagePodsDeleted", "CleanupHelpers", "Removing the stage pods.", _F.STAGE_PODS),
        row(
            "EnsureAnnotationsDeleted",
            "CleanupHelpers",
            "Removing the marks of the stage backup.",
            _F.VELERO,
            _F.STAGE_BACKUP,
        ),
        row("UnQuiesceSrcApplications", "CleanupUnquiesce", "Starting the application on the source again."),
        row(CANCELED, "Cleanup", "The migration has been cancelled."),
        row(COMPLETED, "Cleanup", "The cancelled migration has been cleaned up."),
    ),
)

ROLLBACK = Itinerary(
    "Rollback",
    (
        row(ROLLING_BACK, "CleanupVelero", "The rollback begins."),
        row("DeleteBackups", "CleanupVelero", "Removing the backups.", _F.VELERO),
        row("DeleteRestores", "CleanupVelero", "Removing the restores.", _F.VELERO),
        row("DeleteRegistries", "CleanupHelpers", "Removing what earlier runs were only there for."),
        row("EnsureStagePodsDeleted", "CleanupHelpers", "Removing the stage pods.", any_of=(_F.VELERO, _F.STAGE_PODS)),
        row(
            "EnsureAnnotationsDeleted",
            "CleanupHelpers",
            "Removing the marks of the stage backup.",
            _F.VELERO,
            any_of=(_F.VOLUMES, _F.IMAGE_STREAMS),
        ),
        row(
            "QuiesceDestinationApplications",
            "CleanupMigrated",
            "Stopping the migrated application on the destination.",
            *DIRECT_VOLUMES,
        ),
        row(
            "EnsureDestQuiesced",
            "CleanupMigrated",
            "Looking at what the volumes have received since the cutover.",
            *DIRECT_VOLUMES,
        ),
        row(
            "SwapPVCReferences",
            "CleanupMigrated",
            "Pointing the workloads to their former claims.",
            _F.STORAGE_CONVERSION,
        ),
        row(
            "CreateDirectVolumeMigrationRollback",
            "RollbackLiveMigration",
            "Copying the volumes back to the source.",
            *DIRECT_VOLUMES,
            any_of=(_F.LIVE_MIGRATION, _F.ROLLBACK_SYNC),
        ),
        row(
            "WaitForDirectVolumeMigrationToRollbackComplete",
            "RollbackLiveMigration",
            "Proving the volumes of the source equal.",
            *DIRECT_VOLUMES,
            any_of=(_F.LIVE_MIGRATION, _F.ROLLBACK_SYNC),
        ),
        row("DeleteMigrated", "CleanupMigrated", "Removing what the migration has made on the destination."),
        row("EnsureMigratedDeleted", "CleanupMigrated", "Waiting until it is gone."),
        row("UnQuiesceSrcApplications", "CleanupUnquiesce", "Starting the application on the source again."),
        row(COMPLETED, "Cleanup", "The rollback is complete."),
    ),
)

ITINERARIES: Mapping[str, Itinerary] = {
    itinerary.name: itinerary for itinerary in (STAGE, FINAL, CANCEL, FAILED, ROLLBACK)
}


def begins_with(migration: Mapping[str, Any]) -> Itinerary:
    """The itinerary that the spec asks for; failure and cancelling lead to others later."""
    if migmigration.is_rollback(migration):
        return ROLLBACK
    return STAGE if migmigration.is_stage(migration) or migmigration.is_state(migration) else FINAL
