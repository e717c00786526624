# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Schema tables of what is copied directly: volumes with their progress, and images with their streams."""

from __future__ import annotations

from . import schema_pieces as has


def _pod_outcomes() -> has.Schema:
    more = {
        "lastObservedProgressPercent": has.text(),
        "lastObservedTransferRate": has.text(),
        "pvcRef": has.reference(),
        "totalElapsedTime": has.text(),
    }
    return has.listing(has.reference(more=more))


def _live_outcomes() -> has.Schema:
    return has.listing(
        has.record(
            {
                "lastObservedProgressPercent": has.text(),
                "lastObservedTransferRate": has.text(),
                "message": has.text(),
                "pvcRef": has.reference(),
                "totalElapsedTime": has.text(),
                "vmName": has.text(),
                "vmNamespace": has.text(),
            }
        )
    )


def direct_volume_migration() -> tuple[has.Schema, has.Schema]:
    """Spec and status."""
    claim = has.reference(
        more={
            "targetAccessModes": has.texts("Access modes at the destination."),
            "targetName": has.text("Claim at the destination; unset: the same name."),
            "targetNamespace": has.text("Namespace at the destination; unset: the same name."),
            "targetStorageClass": has.text("Storage class at the destination."),
            "targetVolumeMode": has.text("Volume mode at the destination; unset: the same mode."),
            "verify": has.flag("Compare checksums."),
        },
        required=("targetAccessModes", "targetStorageClass"),
    )
    spec = has.record(
        {
            "srcMigClusterRef": has.reference("MigCluster to read from."),
            "destMigClusterRef": has.reference("MigCluster to write to."),
            "persistentVolumeClaims": has.listing(claim, "Claims to copy."),
            "createDestinationNamespaces": has.flag("Create namespaces that the destination lacks."),
            "deleteProgressReportingCRs": has.flag("Delete the progress resources at the end."),
            "backOffLimit": has.number("How often a claim's copy is tried; 20 when unset."),
            "liveMigrate": has.flag("Migrate the storage of running virtual machines without stopping them."),
            "migrationType": has.text("Stage, CutOver or Rollback."),
        }
    )
    operation = has.record(
        {
            "currentAttempt": has.number(),
            "failed": has.flag(),
            "pvcReference": has.reference(),
            "succeeded": has.flag(),
        }
    )
    pods = (
        "successfulPods",
        "failedPods",
        "runningPods",
        "pendingPods",
        "unknownPods",
        "pendingSinceTimeLimitPods",
    )
    live = ("successfulLiveMigration", "failedLiveMigration", "runningLiveMigration", "pendingLiveMigration")
    status = has.record(
        {
            "conditions": has.conditions(),
            "errors": has.texts(),
            "itinerary": has.text(),
            "observedDigest": has.text(),
            "phase": has.text(),
            "phaseDescription": has.text(),
            "startTimestamp": has.moment(),
            **{name: _pod_outcomes() for name in pods},
            **{name: _live_outcomes() for name in live},
            "rsyncOperations": has.listing(operation),
            "skippedVolumes": has.texts(),
        },
        required=("observedDigest", "phaseDescription"),
    )
    return spec, status


def direct_volume_migration_progress() -> tuple[has.Schema, has.Schema]:
    """Spec and status."""
    spec = has.record(
        {
            "clusterRef": has.reference("MigCluster on which the copying pod runs."),
            "podRef": has.reference("The pod, when there is only one."),
            "podSelector": has.text_map("Labels of the pods that copy the claim, one attempt each."),
            "podNamespace": has.text("Namespace of these pods."),
        }
    )

    def attempt() -> dict[str, has.Schema]:
        return {
            "containerElapsedTime": has.text(),
            "creationTimestamp": has.moment(),
            "exitCode": has.number(bits=32),
            "lastObservedProgressPercent": has.text(),
            "lastObservedTransferRate": has.text(),
            "logMessage": has.text(),
            "phase": has.text(),
            "podName": has.text(),
        }

    status = has.record(
        {
            **attempt(),
            "conditions": has.conditions(),
            "observedDigest": has.text(),
            "rsyncElapsedTime": has.text(),
            "rsyncPodStatuses": has.listing(has.record(attempt())),
            "totalProgressPercentage": has.text(),
        }
    )
    return spec, status


def direct_image_migration() -> tuple[has.Schema, has.Schema]:
    """Spec and status."""
    spec = has.record(
        {
            "srcMigClusterRef": has.reference("MigCluster to read from."),
            "destMigClusterRef": has.reference("MigCluster to write to."),
            "namespaces": has.texts("Namespaces, each as source or source:destination."),
            "labelSelector": has.label_selector("Image streams to migrate; all when empty."),
        }
    )

    def streams() -> has.Schema:
        more = {
            "destNamespace": has.text(),
            "directMigration": has.reference(),
            "errors": has.texts(),
            "notFound": has.flag(),
        }
        return has.listing(has.reference(more=more))

    status = has.record(
        {
            "conditions": has.conditions(),
            "errors": has.texts(),
            "itinerary": has.text(),
            "observedDigest": has.text(),
            "phase": has.text(),
            "startTimestamp": has.moment(),
            **{name: streams() for name in ("newISs", "successfulISs", "deletedISs", "failedISs")},
        }
    )
    return spec, status


def direct_image_stream_migration() -> tuple[has.Schema, has.Schema]:
    """Spec and status."""
    spec = has.record(
        {
            "srcMigClusterRef": has.reference("MigCluster to read from."),
            "destMigClusterRef": has.reference("MigCluster to write to."),
            "imageStreamRef": has.reference("Image stream to migrate."),
            "destNamespace": has.text("Namespace at the destination; unset: the same name."),
        }
    )
    status = has.record(
        {
            "conditions": has.conditions(),
            "errors": has.texts(),
            "itinerary": has.text(),
            "observedDigest": has.text(),
            "phase": has.text(),
            "startTimestamp": has.moment(),
        }
    )
    return spec, status
