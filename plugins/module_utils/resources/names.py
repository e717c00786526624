# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every string that MTC and this collection must spell alike, once: kinds, namespaces, labels, annotations, finalizers.

Somebody who runs ``kubectl get pods -l migmigration=<uid>`` gets the same answer under both engines, and a rollback of
one engine finds what the other has created, because all code takes these strings from here and nowhere else.
Source of MTC's strings: mig-controller, commit 3acf3578, pkg/apis/migration/v1alpha1 and pkg/controller.
Condition types and reasons are in condition_names.py, phases and steps in the engine's itinerary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

GROUP: Final = "migration.openshift.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"

MIG_CLUSTER: Final = "MigCluster"
MIG_STORAGE: Final = "MigStorage"
MIG_HOOK: Final = "MigHook"
MIG_PLAN: Final = "MigPlan"
MIG_ANALYTIC: Final = "MigAnalytic"
MIG_MIGRATION: Final = "MigMigration"
DIRECT_VOLUME_MIGRATION: Final = "DirectVolumeMigration"
DIRECT_VOLUME_MIGRATION_PROGRESS: Final = "DirectVolumeMigrationProgress"
DIRECT_IMAGE_MIGRATION: Final = "DirectImageMigration"
DIRECT_IMAGE_STREAM_MIGRATION: Final = "DirectImageStreamMigration"


@dataclass(frozen=True)
class KindNames:
    """How one kind is called in the API. ``list_kind`` is upstream's too: it is what ``kubectl get -o yaml`` shows."""

    kind: str
    plural: str
    singular: str
    short_names: tuple[str, ...] = ()

    @property
    def list_kind(self) -> str:
        return f"{self.kind}List"

    @property
    def crd_name(self) -> str:
        return f"{self.plural}.{GROUP}"


def _kind(kind: str, plural: str, *short_names: str) -> KindNames:
    return KindNames(kind, plural, kind.lower(), short_names)


KINDS: Final[Mapping[str, KindNames]] = {
    names.kind: names
    for names in (
        _kind(MIG_CLUSTER, "migclusters"),
        _kind(MIG_STORAGE, "migstorages"),
        _kind(MIG_HOOK, "mighooks"),
        _kind(MIG_PLAN, "migplans"),
        _kind(MIG_ANALYTIC, "miganalytics"),
        _kind(MIG_MIGRATION, "migmigrations"),
        _kind(DIRECT_VOLUME_MIGRATION, "directvolumemigrations", "dvm"),
        _kind(DIRECT_VOLUME_MIGRATION_PROGRESS, "directvolumemigrationprogresses", "dvmp"),
        _kind(DIRECT_IMAGE_MIGRATION, "directimagemigrations", "dim"),
        _kind(DIRECT_IMAGE_STREAM_MIGRATION, "directimagestreammigrations", "dism"),
    )
}

BUILTIN_NAMESPACE: Final = "openmig"
"""Where the builtin engine's resources live; no MTC controller looks there."""
CONTROLLER_NAMESPACE: Final = "openshift-migration"
"""The only namespace that MTC's controllers reconcile."""
CONFIG_NAMESPACE: Final = "openshift-config"
"""Where MTC's documents put the secrets of clusters and storages."""

CLUSTER_CONFIG_MAP: Final = "migration-cluster-config"
SERVICE_ACCOUNT_TOKEN_KEY: Final = "saToken"
"""The key of a MigCluster's secret."""

# -- correlation: on everything that is made for a resource --------------------------------------------------------

PART_OF_LABEL: Final = "app.kubernetes.io/part-of"
PART_OF: Final = "openshift-migration"

MIGPLAN_LABEL: Final = "migplan"
MIGMIGRATION_LABEL: Final = "migmigration"
MIGHOOK_LABEL: Final = "mighook"
MIGCLUSTER_LABEL: Final = "migcluster"
MIGSTORAGE_LABEL: Final = "migstorage"
DIRECT_VOLUME_MIGRATION_LABEL: Final = "directvolumemigration"
DIRECT_IMAGE_MIGRATION_LABEL: Final = "directimagemigration"
IMAGE_STREAM_LABEL: Final = "imagestream"

TRUE: Final = "True"
"""MTC writes boolean label values with a capital letter."""


def correlation_labels(kind: str, uid: str) -> dict[str, str]:
    """The labels of what is made for the resource of that kind and UID.

    The one exception is upstream's MigAnalytic, whose label ``migplan`` holds the plan's *name*.
    """
    return {PART_OF_LABEL: PART_OF, kind.lower(): uid}


# -- labels --------------------------------------------------------------------------------------------------------

MIGRATION_REGISTRY_LABEL: Final = "migration.openshift.io/migration-registry"
MIGRATION_CONTROLLER_LABEL: Final = "migrationcontroller"
MIGRATION_UID_LABEL: Final = "migration.openshift.io/migration-uid"
MIGPLAN_NAME_LABEL: Final = "migration.openshift.io/migplan-name"
MIGMIGRATION_NAME_LABEL: Final = "migration.openshift.io/migmigration-name"

MIGRATED_BY_MIGMIGRATION_LABEL: Final = "migration.openshift.io/migrated-by-migmigration"
MIGRATED_BY_MIGPLAN_LABEL: Final = "migration.openshift.io/migrated-by-migplan"
MIGRATED_BY_BACKUP_LABEL: Final = "migration.openshift.io/migrated-by-backup"
MIGRATED_BY_DIRECT_VOLUME_MIGRATION_LABEL: Final = "migration.openshift.io/migrated-by-directvolumemigration"
SOURCE_FOR_DIRECT_VOLUME_MIGRATION_LABEL: Final = "migration.openshift.io/source-for-directvolumemigration"

INCLUDED_STAGE_BACKUP_LABEL: Final = "migration-included-stage-backup"
INITIAL_BACKUP_LABEL: Final = "migration-initial-backup"
STAGE_BACKUP_LABEL: Final = "migration-stage-backup"
STAGE_RESTORE_LABEL: Final = "migration-stage-restore"
FINAL_RESTORE_LABEL: Final = "migration-final-restore"
DIRECT_VOLUME_LABEL: Final = "migration-direct-volume"

IS_STAGE_POD_LABEL: Final = "migration.openshift.io/is-stage-pod"
IS_APPLICATION_POD_LABEL: Final = "migration.openshift.io/is-application-pod"

CREATED_FOR_PVC_LABEL: Final = "migration.openshift.io/created-for-pvc"
"""MD5 hex of the source claim's name."""
RSYNC_ATTEMPT_LABEL: Final = "migration.openshift.io/rsync-attempt"
PROGRESS_DONE_LABEL: Final = "migration.openshift.io/dvmp-done"

HOOK_PHASE_LABEL: Final = "phase"
OWNER_LABEL: Final = "owner"
TRANSFER_OWNER: Final = "directvolumemigration"
APP_LABEL: Final = "app"
TRANSFER_APP: Final = "directvolumemigration-rsync-transfer"
TRANSFER_APP_BLOCK: Final = "directvolumemigration-rsync-transfer-block"
PROXY_CONFIG_LABEL: Final = "migration-proxy-config"

MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
MANAGED_BY: Final = "openmig.mtc"

# -- annotations ---------------------------------------------------------------------------------------------------

TOUCH_ANNOTATION: Final = "openshift.io/touch"
"""A fresh UUIDv1 with every pass of a reconciler."""

MIGRATE_TYPE_ANNOTATION: Final = "openshift.io/migrate-type"
TARGET_STORAGE_CLASS_ANNOTATION: Final = "openshift.io/target-storage-class"
TARGET_ACCESS_MODE_ANNOTATION: Final = "openshift.io/target-access-mode"
COPY_METHOD_ANNOTATION: Final = "migration.openshift.io/copy-method"
MIGMIGRATION_TYPE_ANNOTATION: Final = "migration.openshift.io/migmigration-type"

QUIESCE_PODS_ANNOTATION: Final = "openshift.io/migrate-quiesce-pods"
PRE_QUIESCE_REPLICAS_ANNOTATION: Final = "migration.openshift.io/preQuiesceReplicas"
PRE_QUIESCE_SUSPEND_ANNOTATION: Final = "migration.openshift.io/preQuiesceSuspend"
PRE_QUIESCE_PAUSED_ANNOTATION: Final = "migration.openshift.io/preQuiescePaused"
PRE_QUIESCE_NODE_SELECTOR_ANNOTATION: Final = "migration.openshift.io/preQuiesceNodeSelector"
QUIESCE_NODE_SELECTOR: Final = "migration.openshift.io/quiesceDaemonSet"
"""Not an annotation: the node selector's key that keeps a quiesced DaemonSet from running anywhere."""
VM_RUN_STRATEGY_ANNOTATION: Final = "migration.openshift.io/vm-run-strategy"
START_VM_ANNOTATION: Final = "migration.openshift.io/start-vm"

BACKUP_VOLUMES_ANNOTATION: Final = "backup.velero.io/backup-volumes"
VERIFY_VOLUMES_ANNOTATION: Final = "backup.velero.io/verify-volumes"

REGISTRY_ANNOTATION: Final = "openshift.io/migration-registry"
REGISTRY_DIRECTORY_ANNOTATION: Final = "openshift.io/migration-registry-dir"
DISABLE_IMAGE_COPY_ANNOTATION: Final = "migration.openshift.io/disable-image-copy"
STAGE_POD_IMAGE_ANNOTATION: Final = "migration.openshift.io/stage-pod-image"
EXCLUDE_PVCS_ANNOTATION: Final = "migration.openshift.io/exclude-pvcs"
STATE_TRANSFER_ANNOTATION: Final = "migration.openshift.io/state-transfer"
ORIGINAL_RECLAIM_POLICY_ANNOTATION: Final = "migration.openshift.io/orig-reclaim-policy"

STATEFUL_SET_TEMPORARY_ANNOTATION: Final = "migration.openshift.io/statefulset-temporary"
STATEFUL_SET_UPDATE_ANNOTATION: Final = "migration.openshift.io/statefulset-update"

SCC_ANNOTATIONS: Final = (
    "openshift.io/sa.scc.mcs",
    "openshift.io/sa.scc.supplemental-groups",
    "openshift.io/sa.scc.uid-range",
)
"""Of a namespace: who may own its files. Must agree on both sides for copied ownership to mean the same."""

# -- finalizers ----------------------------------------------------------------------------------------------------

DIRECT_VOLUME_MIGRATION_FINALIZER: Final = "migration.openshift.io/directvolumemigrationfinalizer"

# -- this collection's own -----------------------------------------------------------------------------------------

RUN_LABEL: Final = "openmig.io/run"
"""On scaffolding: the UID of the MigMigration that it serves."""
COMPONENT_LABEL: Final = "openmig.io/component"
"""On scaffolding: what it is (server, client, stage pod ...)."""
GENERATION_LABEL: Final = "openmig.io/generation"
"""The lease's generation that has written this; older ones are refused."""
DEADLINE_ANNOTATION: Final = "openmig.io/deadline"
"""When scaffolding that nobody tends may be removed (RFC 3339; an annotation, for a label may hold no colon)."""
ENGINE_ANNOTATION: Final = "openmig.io/engine"
"""On a plan: who reconciles it, chosen once."""
CLAIM_TEMPLATES_ANNOTATION: Final = "openmig.io/claim-templates"
"""On a StatefulSet that was pointed to other claims: what each of its claim templates was before, as JSON."""
DIGEST_LABEL: Final = "openmig.io/digest"
"""Of what was applied: a label, so that the API server itself can answer "is it what we ship?"."""
