# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Schema tables of what a migration consists of: MigPlan, MigMigration, MigAnalytic."""

from __future__ import annotations

from . import schema_pieces as has


def _plan_volume() -> has.Schema:
    return has.record(
        {
            "name": has.text("The PV's name."),
            "capacity": has.quantity("The PV's capacity."),
            "capacityConfirmed": has.flag("The user agrees to the proposed capacity."),
            "proposedCapacity": has.quantity("Capacity that the destination's volume should have."),
            "pvc": has.record(
                {
                    "accessModes": has.texts("Of the source's claim."),
                    "hasReference": has.flag("Whether a pod or a template uses the claim."),
                    "name": has.text("The source's claim, or source:destination."),
                    "namespace": has.text("Source namespace."),
                    "ownerType": has.text("Kind that owns the pods which use the claim."),
                    "volumeMode": has.text("Filesystem or Block."),
                },
                "The claim that the PV is bound to.",
            ),
            "selection": has.record(
                {
                    "accessMode": has.text("Access mode at the destination; unset: as at the source."),
                    "action": has.text("copy, move or skip."),
                    "copyMethod": has.text("filesystem, block or snapshot."),
                    "storageClass": has.text("Storage class at the destination."),
                    "verify": has.flag("Compare checksums."),
                },
                "What the user chose.",
            ),
            "storageClass": has.text("Storage class at the source."),
            "supported": has.record(
                {"actions": has.texts("Possible actions."), "copyMethods": has.texts("Possible copy methods.")},
                "What can be chosen.",
                required=("actions", "copyMethods"),
            ),
        },
        required=("selection", "supported"),
    )


def _plan_hook() -> has.Schema:
    return has.record(
        {
            "executionNamespace": has.text("Namespace in which the hook runs."),
            "phase": has.text("PreBackup, PostBackup, PreRestore or PostRestore."),
            "reference": has.reference("The MigHook."),
            "serviceAccount": has.text("Service account under which the hook runs."),
        },
        required=("executionNamespace", "phase", "reference", "serviceAccount"),
    )


def _storage_classes() -> has.Schema:
    modes = has.record({"accessModes": has.texts(), "volumeMode": has.text()})
    return has.listing(
        has.record(
            {
                "default": has.flag(),
                "name": has.text(),
                "provisioner": has.text(),
                "volumeAccessModes": has.listing(modes),
            }
        )
    )


def mig_plan() -> tuple[has.Schema, has.Schema]:
    """Spec and status."""
    spec = has.record(
        {
            "srcMigClusterRef": has.reference("MigCluster to read from."),
            "destMigClusterRef": has.reference("MigCluster to write to."),
            "migStorageRef": has.reference("MigStorage for what does not go directly."),
            "namespaces": has.texts("Namespaces, each as source or source:destination."),
            "closed": has.flag("Remove what the plan has made on the clusters; no run starts any more."),
            "refresh": has.flag("Ask for a new validation and discovery; reset when it is done."),
            "hooks": has.listing(_plan_hook(), "Hooks, at most one for each phase."),
            "includedResources": has.listing(
                has.record({"group": has.text(), "kind": has.text()}, required=("group", "kind")),
                "Kinds to migrate; all when empty.",
            ),
            "indirectImageMigration": has.flag("Images go through the replication repository."),
            "indirectVolumeMigration": has.flag("Volumes go through the replication repository."),
            "labelSelector": has.label_selector("Objects to migrate; all when empty."),
            "liveMigrate": has.flag("Migrate the storage of running virtual machines without stopping them."),
            "persistentVolumes": has.listing(_plan_volume(), "Volumes that were found, and what is chosen for each."),
        }
    )
    incompatible = has.record(
        {"group": has.text(), "kind": has.text(), "version": has.text()}, required=("group", "kind", "version")
    )
    status = has.record(
        {
            "conditions": has.conditions(),
            "observedDigest": has.text(),
            "suffix": has.text(),
            "excludedResources": has.texts(),
            "srcStorageClasses": _storage_classes(),
            "destStorageClasses": _storage_classes(),
            "namespaces": has.unhealthy_namespaces(),
            "incompatibleNamespaces": has.listing(
                has.record({"gvks": has.listing(incompatible), "name": has.text()}, required=("gvks", "name"))
            ),
        }
    )
    return spec, status


def mig_migration() -> tuple[has.Schema, has.Schema]:
    """Spec and status."""
    spec = has.record(
        {
            "migPlanRef": has.reference("MigPlan to run."),
            "stage": has.flag("Copy data ahead; the application stays where it is."),
            "migrateState": has.flag("Migrate the data of volumes only."),
            "rollback": has.flag("Undo the plan's migrations."),
            "canceled": has.flag("Stop this run."),
            "quiescePods": has.flag("Stop the application before the last copy."),
            "keepAnnotations": has.flag("Leave the marks of the migration on the objects."),
            "verify": has.flag("Wait for healthy pods at the destination."),
            "runAsRoot": has.flag("Copy as root."),
            "runAsUser": has.number("User id for copies that do not run as root.", bits=64),
            "runAsGroup": has.number("Group id for copies that do not run as root.", bits=64),
        },
        required=("stage",),
    )
    step = has.record(
        {
            "completed": has.moment(),
            "failed": has.flag(),
            "message": has.text(),
            "name": has.text(),
            "phase": has.text(),
            "progress": has.texts(),
            "skipped": has.flag(),
            "started": has.moment(),
        },
        required=("name",),
    )
    status = has.record(
        {
            "conditions": has.conditions(),
            "errors": has.texts(),
            "itinerary": has.text(),
            "namespaces": has.unhealthy_namespaces(),
            "observedDigest": has.text(),
            "phase": has.text(),
            "pipeline": has.listing(step),
            "startTimestamp": has.moment(),
        }
    )
    return spec, status


def _counted_resources() -> has.Schema:
    fields = {"count": has.number(), "group": has.text(), "kind": has.text(), "version": has.text()}
    return has.listing(has.record(fields, required=tuple(fields)))


def _analyzed_namespace() -> has.Schema:
    image = {"name": has.text(), "reference": has.text(), "size": has.quantity()}
    volume = {
        "actualCapacity": has.quantity(),
        "comment": has.text(),
        "name": has.text(),
        "proposedCapacity": has.quantity(),
        "requestedCapacity": has.quantity(),
        "sparseFilesFound": has.flag(),
        "usagePercentage": has.number(),
    }
    required = {
        "excludedK8SResourceTotal": has.number(),
        "imageCount": has.number(),
        "imageSizeTotal": has.quantity(),
        "incompatibleK8SResourceTotal": has.number(),
        "k8sResourceTotal": has.number(),
        "namespace": has.text(),
        "pvCapacity": has.quantity(),
        "pvCount": has.number(),
    }
    optional = {
        "excludedK8SResources": _counted_resources(),
        "images": has.listing(has.record(image, required=tuple(image))),
        "incompatibleK8SResources": _counted_resources(),
        "k8sResources": _counted_resources(),
        "persistentVolumes": has.listing(has.record(volume, required=("name",))),
    }
    return has.record({**required, **optional}, required=tuple(required))


def mig_analytic() -> tuple[has.Schema, has.Schema]:
    """Spec and status."""
    spec = has.record(
        {
            "migPlanRef": has.reference("MigPlan to analyze."),
            "analyzeExtendedPVCapacity": has.flag("Measure how full the volumes are."),
            "analyzeImageCount": has.flag("Count images."),
            "analyzeK8SResources": has.flag("Count objects."),
            "analyzePVCapacity": has.flag("Add up the claims."),
            "listImages": has.flag("List the images by name."),
            "listImagesLimit": has.number("How many images of a namespace are listed."),
            "refresh": has.flag("Ask for a new analysis; reset when it is done."),
        },
        required=("analyzeImageCount", "analyzeK8SResources", "analyzePVCapacity", "migPlanRef"),
    )
    # The totals spell "k8s" differently from the namespaces' fields; so does upstream.
    totals = {
        "excludedk8sResourceTotal": has.number(),
        "imageCount": has.number(),
        "imageSizeTotal": has.quantity(),
        "incompatiblek8sResourceTotal": has.number(),
        "k8sResourceTotal": has.number(),
        "percentComplete": has.number(),
        "plan": has.text(),
        "pvCapacity": has.quantity(),
        "pvCount": has.number(),
    }
    analytics = has.record({**totals, "namespaces": has.listing(_analyzed_namespace())}, required=tuple(totals))
    status = has.record(
        {"analytics": analytics, "conditions": has.conditions(), "observedGeneration": has.number(bits=64)}
    )
    return spec, status
