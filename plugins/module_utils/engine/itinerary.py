# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The itineraries as data: which phases a migration walks through, in which step each belongs and when it is left out.

Names of phases, steps and itineraries are upstream's, byte for byte (MTC pkg/controller/migmigration/task.go, release
1.8), so that whatever reads a MigMigration reads ours. ``Step: n/total`` counts the whole list, left-out phases
included, as upstream does.

Upstream walks some phases always although they serve Velero alone (marks for its backups, applications that its
backup caught stopped); here they carry the flag VELERO, because a phase with nothing to do is passed over.

A new phase is one row here (or in ``itineraries.py``, which holds the other tables) and one function in the table of
``phases.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

CREATED = ""
COMPLETED = "Completed"
MIGRATION_FAILED = "MigrationFailed"
HOOK_PHASES = {f"{phase}Hooks": phase for phase in ("PreBackup", "PostBackup", "PreRestore", "PostRestore")}
"""The phases in which hooks run, and how a plan calls each."""


def failure_reason(phase: str) -> str:
    """The reason of condition Failed for a run that failed in that phase."""
    return f"{phase}Failed" if phase in HOOK_PHASES else phase


class Flag(Enum):
    """What a run has or asks for; a phase whose flags are not met at that moment is passed over."""

    QUIESCE = "the run stops the application (spec.quiescePods)"
    STAGE_PODS = "stage pods exist"
    VOLUMES = "a volume of the plan is copied or moved"
    VERIFY = "the run checks the migrated pods' health (spec.verify)"
    IMAGE_STREAMS = "a source namespace has image streams"
    DIRECT_IMAGE = "images are copied directly"
    INDIRECT_IMAGE = "images travel through the replication repository"
    IMAGES = "images are migrated at all"
    DIRECT_VOLUME = "a volume is copied directly"
    INDIRECT_VOLUME = "volumes travel through the replication repository"
    VOLUMES_ENABLED = "persistent volumes are not excluded"
    STAGE_BACKUP = "a stage backup carries data"
    VELERO = "Velero does part of the work (never with the builtin engine)"
    PRE_BACKUP_HOOKS = "the plan has a PreBackup hook"
    POST_BACKUP_HOOKS = "the plan has a PostBackup hook"
    PRE_RESTORE_HOOKS = "the plan has a PreRestore hook"
    POST_RESTORE_HOOKS = "the plan has a PostRestore hook"
    STORAGE_CONVERSION = "claims are swapped within one cluster"
    ROLLBACK_SYNC = "a rollback copies the destination's data back (option rollback_sync)"
    LIVE_MIGRATION = "volumes of running virtual machines are moved live (spec.liveMigrate)"


@dataclass(frozen=True)
class Phase:
    """One row: the phase, the pipeline step that shows it, what must hold for it to be walked, and what it tells the
    user."""

    name: str
    step: str
    description: str
    all_of: frozenset[Flag] = frozenset()
    any_of: frozenset[Flag] = frozenset()

    def included(self, flags: frozenset[Flag]) -> bool:
        return self.all_of <= flags and (not self.any_of or bool(self.any_of & flags))


@dataclass(frozen=True)
class Itinerary:
    """A named list of phases."""

    name: str
    phases: tuple[Phase, ...]

    @property
    def total(self) -> int:
        return len(self.phases)

    def index(self, phase: str) -> int:
        """1-based position in the whole list; 0 for a phase that is not in it (as upstream counts it)."""
        return next((number for number, row in enumerate(self.phases, 1) if row.name == phase), 0)

    def row(self, phase: str) -> Phase | None:
        return next((row for row in self.phases if row.name == phase), None)

    def first(self) -> str:
        return self.phases[0].name

    def following(self, phase: str, flags: frozenset[Flag]) -> str:
        """The next phase whose flags hold; ``Completed`` at the end of the list and for a phase that is not in it."""
        position = self.index(phase)
        if position == 0:
            return COMPLETED
        return next((row.name for row in self.phases[position:] if row.included(flags)), COMPLETED)

    def steps(self, flags: frozenset[Flag]) -> list[str]:
        """The pipeline's steps, in the order in which their first included phase appears."""
        return list(dict.fromkeys(row.step for row in self.phases if row.included(flags)))


def row(name: str, step: str, description: str, *all_of: Flag, any_of: tuple[Flag, ...] = ()) -> Phase:
    """One row of a table."""
    return Phase(name, step, description, frozenset(all_of), frozenset(any_of))


_F = Flag
INDIRECT_IMAGES = (_F.INDIRECT_IMAGE, _F.IMAGES, _F.IMAGE_STREAMS)
DIRECT_IMAGES = (_F.DIRECT_IMAGE, _F.IMAGES, _F.IMAGE_STREAMS)
DIRECT_VOLUMES = (_F.DIRECT_VOLUME, _F.VOLUMES_ENABLED)
STAGE_PODS_FOR = (_F.VOLUMES, _F.INDIRECT_VOLUME)

PREPARE = (
    row(CREATED, "Prepare", "The migration was created."),
    row("Started", "Prepare", "The migration has started."),
    row("StartRefresh", "Prepare", "The plan and its clusters are looked at again."),
    row("WaitForRefresh", "Prepare", "Waiting for the plan to be ready."),
    row("CleanStaleAnnotations", "Prepare", "Removing marks that an earlier run has left.", _F.VELERO),
    row("CleanStaleResticCRs", "Prepare", "Removing unfinished volume backups of earlier runs.", _F.VELERO),
    row("CleanStaleVeleroCRs", "Prepare", "Removing unfinished backups and restores of earlier runs.", _F.VELERO),
    row("RestartVelero", "Prepare", "Restarting Velero.", _F.VELERO),
    row("CleanStaleStagePods", "Prepare", "Removing pods that an earlier run of the plan has left."),
    row("WaitForStaleStagePodsTerminated", "Prepare", "Waiting for pods of earlier runs to be gone."),
    row("CreateRegistries", "Prepare", "Creating the migration registries.", *INDIRECT_IMAGES),
)
"""How a stage run and a final one both begin."""

FINAL = Itinerary(
    "Final",
    (
        *PREPARE,
        row("WaitForVeleroReady", "Prepare", "Waiting for Velero.", _F.VELERO),
        row(
            "WaitForRegistriesReady",
            "Prepare",
            "Waiting for the registries.",
            *INDIRECT_IMAGES,
        ),
        row("EnsureCloudSecretPropagated", "Prepare", "Waiting for Velero to see the credentials.", _F.VELERO),
        row("PreBackupHooks", "PreBackupHooks", "Running the PreBackup hook.", _F.PRE_BACKUP_HOOKS),
        row(
            "CreateDirectImageMigration",
            "Backup",
            "Starting to copy images.",
            *DIRECT_IMAGES,
        ),
        row(
            "CreateDirectVolumeMigrationStage",
            "StageBackup",
            "Copying the volumes while the application runs.",
            *DIRECT_VOLUMES,
        ),
        row("EnsureInitialBackup", "Backup", "Taking the inventory of the objects."),
        row("InitialBackupCreated", "Backup", "Checking the inventory against the destination."),
        row("QuiesceSourceApplications", "StageBackup", "Stopping the application on the source.", _F.QUIESCE),
        row("EnsureSrcQuiesced", "StageBackup", "Proving that nothing writes to the volumes any more.", _F.QUIESCE),
        row(
            "EnsureStagePodsFromRunning",
            "StageBackup",
            "Creating stage pods for running pods.",
            *STAGE_PODS_FOR,
        ),
        row(
            "EnsureStagePodsFromTemplates",
            "StageBackup",
            "Creating stage pods for templates.",
            *STAGE_PODS_FOR,
        ),
        row(
            "EnsureStagePodsFromOrphanedPVCs",
            "StageBackup",
            "Creating stage pods for claims.",
            *STAGE_PODS_FOR,
        ),
        row("StagePodsCreated", "StageBackup", "Waiting for the stage pods.", _F.STAGE_PODS),
        row("RestartRestic", "StageBackup", "Restarting restic.", _F.STAGE_PODS, _F.VELERO),
        row("AnnotateResources", "StageBackup", "Marking what the stage backup takes.", _F.VELERO, _F.STAGE_BACKUP),
        row("WaitForResticReady", "StageBackup", "Waiting for restic.", _F.VELERO, any_of=(_F.VOLUMES, _F.STAGE_PODS)),
        row(
            "CreateDirectVolumeMigrationFinal",
            "StageBackup",
            "Starting the last pass over the volumes.",
            *DIRECT_VOLUMES,
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
        row("EnsureStagePodsDeleted", "StageRestore", "Removing the stage pods.", _F.STAGE_PODS),
        row("EnsureStagePodsTerminated", "StageRestore", "Waiting for the stage pods to be gone.", _F.STAGE_PODS),
        row(
            "EnsureAnnotationsDeleted",
            "StageRestore",
            "Removing the marks of the stage backup.",
            _F.VELERO,
            _F.STAGE_BACKUP,
        ),
        row(
            "WaitForDirectImageMigrationToComplete",
            "DirectImage",
            "Waiting for the images.",
            *DIRECT_IMAGES,
        ),
        row(
            "WaitForDirectVolumeMigrationToComplete",
            "DirectVolume",
            "Copying what has changed and proving the volumes equal.",
            *DIRECT_VOLUMES,
        ),
        row("PostBackupHooks", "PostBackupHooks", "Running the PostBackup hook.", _F.POST_BACKUP_HOOKS),
        row("PreRestoreHooks", "PreRestoreHooks", "Running the PreRestore hook.", _F.PRE_RESTORE_HOOKS),
        row("EnsureInitialBackupReplicated", "Restore", "Waiting for the backup on the destination.", _F.VELERO),
        row("EnsureFinalRestore", "Restore", "Creating the objects on the destination."),
        row("FinalRestoreCreated", "Restore", "Comparing the objects with what was sent."),
        row("UnQuiesceDestApplications", "Restore", "Starting what arrived stopped.", _F.VELERO),
        row("PostRestoreHooks", "PostRestoreHooks", "Running the PostRestore hook.", _F.POST_RESTORE_HOOKS),
        row(
            "SwapPVCReferences",
            "Cleanup",
            "Pointing the workloads to the new claims.",
            _F.STORAGE_CONVERSION,
            _F.QUIESCE,
        ),
        row("DeleteRegistries", "Cleanup", "Removing what was only there for the transfer."),
        row("Verification", "Cleanup", "Waiting for the migrated application to be healthy.", _F.VERIFY),
        row(COMPLETED, "Cleanup", "The migration is complete."),
    ),
)

FAILED = Itinerary(
    "Failed",
    (
        row(MIGRATION_FAILED, "CleanupHelpers", "The migration has failed; cleaning up and starting the source again."),
        row("DeleteRegistries", "CleanupHelpers", "Removing what was only there for the transfer."),
        row("EnsureAnnotationsDeleted", "CleanupHelpers", "Removing marks.", _F.VELERO, _F.STAGE_BACKUP),
        row(COMPLETED, "Cleanup", "The failed migration has been cleaned up."),
    ),
)
