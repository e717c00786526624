# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Types, categories and reasons of conditions, as MTC spells them, for the kinds that the builtin engine reconciles.

Plain strings in named groups, not enums: they go into manifests, and YAML and JSON know strings.
Source: MTC (mig-controller, commit 3acf3578), the validation of each controller in pkg/controller.
"""

from __future__ import annotations

from typing import Final


class Category:
    """Critical and Error block Ready; Critical also stops the rest of the pass. Warn and Advisory never block."""

    CRITICAL: Final = "Critical"
    ERROR: Final = "Error"
    WARN: Final = "Warn"
    REQUIRED: Final = "Required"
    ADVISORY: Final = "Advisory"


BLOCKING: Final = frozenset({Category.CRITICAL, Category.ERROR})


class Reason:
    """Why a condition was raised. A running or failed migration has the phase as its reason instead."""

    NOT_SET: Final = "NotSet"
    NOT_FOUND: Final = "NotFound"
    NOT_READY: Final = "NotReady"
    NOT_DISTINCT: Final = "NotDistinct"
    NOT_DONE: Final = "NotDone"
    NOT_SUPPORTED: Final = "NotSupported"
    NOT_HEALTHY: Final = "NotHealthy"
    NOT_DNS_COMPLIANT: Final = "NotDNSCompliant"
    MALFORMED: Final = "Malformed"
    INVALID_SCHEME: Final = "InvalidScheme"
    CONNECT_FAILED: Final = "ConnectFailed"
    UNAUTHORIZED: Final = "Unauthorized"
    ROUTE_TEST_FAILED: Final = "RouteTestFailed"
    TEST_FAILED: Final = "TestFailed"
    FAILED_RUNNING_DF: Final = "FailedRunningDf"
    FAILED_RUNNING_DU: Final = "FailedRunningDu"
    VERSION_CHECK_FAILED: Final = "VersionCheckFailed"
    VERSION_NOT_FOUND: Final = "VersionNotFound"
    LIMIT_EXCEEDED: Final = "LimitExceeded"
    LENGTH_EXCEEDED: Final = "LengthExceeded"
    DUPLICATE_NAMESPACES: Final = "DuplicateNamespaces"
    CONFLICTING_NAMESPACES: Final = "ConflictingNamespaces"
    CONFLICTING_PERMISSIONS: Final = "ConflictingPermissions"
    NODE_SELECTORS_DETECTED: Final = "NodeSelectorsDetected"
    CONFLICT: Final = "Conflict"
    KEY_NOT_FOUND: Final = "KeyNotFound"
    DONE: Final = "Done"
    STORAGE_CONVERSION_PLAN: Final = "StorageConversionPlan"
    STATE_MIGRATION_PLAN: Final = "StateMigrationPlan"
    NAMESPACE_MIGRATION_PLAN: Final = "NamespaceMigrationPlan"
    PV_NAME_CONFLICT: Final = "PvNameConflict"
    CANCEL: Final = "Cancel"
    COMPLETED: Final = "Completed"
    FAILED: Final = "Failed"
    ERRORS_DETECTED: Final = "ErrorsDetected"
    POD_STUCK_CREATING: Final = "PodStuckInContainerCreating"
    RSYNC_AS_NON_ROOT: Final = "RsyncOperationsAreRunningAsNonRoot"
    RSYNC_TIMED_OUT: Final = "RsyncTimedOut"
    RSYNC_NO_ROUTE: Final = "RsyncNoRouteToHost"


class ConditionType:
    """Of every kind."""

    READY: Final = "Ready"
    RECONCILE_FAILED: Final = "ReconcileFailed"


class ClusterCondition(ConditionType):
    """Of a MigCluster."""

    INVALID_URL: Final = "InvalidURL"
    INVALID_SECRET_REF: Final = "InvalidSaSecretRef"
    INVALID_TOKEN: Final = "InvalidSaToken"
    CONNECT_FAILED: Final = "TestConnectFailed"
    TOKEN_NOT_PRIVILEGED: Final = "SaTokenNotPrivileged"
    INVALID_REGISTRY_ROUTE: Final = "InvalidRegistryRoute"
    OPERATOR_VERSION_MISMATCH: Final = "OperatorVersionMismatch"
    OPERATOR_VERSION_NOT_FOUND: Final = "ClusterOperatorVersionNotFound"


class StorageCondition(ConditionType):
    """Of a MigStorage."""

    INVALID_BACKUP_PROVIDER: Final = "InvalidBackupStorageProvider"
    INVALID_BACKUP_SECRET_REF: Final = "InvalidBackupStorageCredsSecretRef"
    INVALID_BACKUP_SETTINGS: Final = "InvalidBackupStorageSettings"
    BACKUP_TEST_FAILED: Final = "BackupStorageProviderTestFailed"
    INVALID_SNAPSHOT_PROVIDER: Final = "InvalidVolumeSnapshotProvider"
    INVALID_SNAPSHOT_SECRET_REF: Final = "InvalidVolumeSnapshotCredsSecretRef"
    INVALID_SNAPSHOT_SETTINGS: Final = "InvalidVolumeSnapshotSettings"
    SNAPSHOT_TEST_FAILED: Final = "VolumeSnapshotProviderTestFailed"


class HookCondition(ConditionType):
    """Of a MigHook."""

    INVALID_IMAGE: Final = "InvalidImage"
    INVALID_TARGET: Final = "InvalidTarget"
    INVALID_PLAYBOOK: Final = "InvalidPlaybookData"
    INVALID_CUSTOM: Final = "InvalidCustomHook"
    INVALID_ANSIBLE: Final = "InvalidAnsibleHook"


class AnalyticCondition(ConditionType):
    """Of a MigAnalytic."""

    INVALID_PLAN_REF: Final = "InvalidPlanRef"
    POSTPONED: Final = "Postponed"
    EXTENDED_STARTED: Final = "ExtendedPVAnalysisStarted"
    EXTENDED_FAILED: Final = "ExtendedPVAnalysisFailed"


class PlanCondition(ConditionType):
    """Of a MigPlan."""

    INVALID_SOURCE_CLUSTER_REF: Final = "InvalidSourceClusterRef"
    INVALID_DESTINATION_CLUSTER_REF: Final = "InvalidDestinationClusterRef"
    SOURCE_CLUSTER_NOT_READY: Final = "SourceClusterNotReady"
    DESTINATION_CLUSTER_NOT_READY: Final = "DestinationClusterNotReady"
    SOURCE_CLUSTER_NO_REGISTRY_PATH: Final = "SourceClusterNoRegistryPath"
    DESTINATION_CLUSTER_NO_REGISTRY_PATH: Final = "DestinationClusterNoRegistryPath"
    MIGRATION_TYPE_IDENTIFIED: Final = "MigrationTypeIdentified"
    INTRA_CLUSTER_MIGRATION: Final = "IntraClusterMigration"
    INVALID_STORAGE_REF: Final = "InvalidStorageRef"
    STORAGE_NOT_READY: Final = "StorageNotReady"
    STORAGE_ENSURED: Final = "StorageEnsured"
    NAMESPACE_LIST_EMPTY: Final = "NamespaceListEmpty"
    NAMESPACE_LIMIT_EXCEEDED: Final = "NamespaceLimitExceeded"
    NAMESPACE_LENGTH_EXCEEDED: Final = "NamespaceLengthExceeded"
    POD_LIMIT_EXCEEDED: Final = "PodLimitExceeded"
    NODE_SELECTORS: Final = "NamespacesHaveNodeSelectors"
    DUPLICATE_SOURCE_NAMESPACE: Final = "DuplicateNamespaceOnSourceCluster"
    DUPLICATE_DESTINATION_NAMESPACE: Final = "DuplicateNamespaceOnDestinationCluster"
    SOURCE_NAMESPACE_NOT_FOUND: Final = "NamespaceNotFoundOnSourceCluster"
    DESTINATION_NAMESPACE_NOT_FOUND: Final = "NamespaceNotFoundOnDestinationCluster"
    NAMESPACE_NOT_DNS_COMPLIANT: Final = "NamespaceNotDNSCompliant"
    PLAN_CONFLICT: Final = "PlanConflict"
    SOURCE_PROXY_SECRET: Final = "SourceClusterProxySecretMisconfigured"
    DESTINATION_PROXY_SECRET: Final = "DestinationClusterProxySecretMisconfigured"
    SOURCE_PODS_NOT_HEALTHY: Final = "SourcePodsNotHealthy"
    INVALID_HOOK_REF: Final = "InvalidHookRef"
    INVALID_HOOK_SERVICE_ACCOUNT: Final = "InvalidHookSAName"
    INVALID_HOOK_NAMESPACE: Final = "InvalidHookNSName"
    HOOK_NOT_READY: Final = "HookNotReady"
    HOOK_PHASE_UNKNOWN: Final = "HookPhaseUnknown"
    HOOK_PHASE_DUPLICATE: Final = "HookPhaseDuplicate"
    INVALID_RESOURCE_LIST: Final = "InvalidResourceList"
    GVKS_INCOMPATIBLE: Final = "GVKsIncompatible"
    CLUSTER_VERSION_MISMATCH: Final = "ClusterVersionMismatch"
    KUBEVIRT_NOT_INSTALLED: Final = "KubeVirtNotInstalledSourceCluster"
    """(sic) Said of either cluster; the string is upstream's."""
    KUBEVIRT_VERSION: Final = "KubeVirtVersionNotSupported"
    KUBEVIRT_LIVE_MIGRATION: Final = "KubeVirtStorageLiveMigrationNotEnabled"
    SUSPENDED: Final = "Suspended"
    CLOSED: Final = "Closed"

    PVS_DISCOVERED: Final = "PvsDiscovered"
    PV_LIMIT_EXCEEDED: Final = "PvLimitExceeded"
    PV_INVALID_ACTION: Final = "PvInvalidAction"
    PV_NO_SUPPORTED_ACTION: Final = "PvNoSupportedAction"
    PV_NO_STORAGE_CLASS: Final = "PvNoStorageClassSelection"
    PV_INVALID_STORAGE_CLASS: Final = "PvInvalidStorageClass"
    PV_INVALID_ACCESS_MODE: Final = "PvInvalidAccessMode"
    PV_ACCESS_MODE_UNAVAILABLE: Final = "PvWarnAccessModeUnavailable"
    PV_NO_COPY_METHOD: Final = "PvNoCopyMethodSelection"
    PV_INVALID_COPY_METHOD: Final = "PvInvalidCopyMethod"
    PV_COPY_METHOD_SNAPSHOT: Final = "PvWarnCopyMethodSnapshot"
    PV_NO_CEPH: Final = "PvWarnNoCephAvailable"
    PV_NAME_CONFLICT: Final = "PvNameConflict"
    STORAGE_CONVERSION_UNAVAILABLE: Final = "StorageClassConversionUnavailable"
    NFS_NOT_ACCESSIBLE: Final = "NfsNotAccessible"
    NFS_CANNOT_BE_VALIDATED: Final = "NfsAccessCannotBeValidated"
    CAPACITY_ADJUSTMENT_REQUIRED: Final = "PvCapacityAdjustmentRequired"
    USAGE_ANALYSIS_FAILED: Final = "PvUsageAnalysisFailed"
    EXTENDED_ANALYSIS_FAILED: Final = "ExtendedPVAnalysisFailed"
    """Of the plan's MigAnalytic, copied."""


class MigrationCondition(ConditionType):
    """Of a MigMigration."""

    INVALID_PLAN_REF: Final = "InvalidPlanRef"
    PLAN_NOT_READY: Final = "PlanNotReady"
    PLAN_CLOSED: Final = "PlanClosed"
    INVALID_SPEC: Final = "InvalidSpec"
    CONFLICTING_PVC_MAPPINGS: Final = "ConflictingPVCMappings"
    HAS_FINAL_MIGRATION: Final = "HasFinalMigration"
    POSTPONED: Final = "Postponed"
    REGISTRIES_HEALTHY: Final = "RegistriesHealthy"
    REGISTRIES_UNHEALTHY: Final = "RegistriesUnhealthy"
    RUNNING: Final = "Running"
    CANCELING: Final = "Canceling"
    CANCELED: Final = "Canceled"
    SUCCEEDED: Final = "Succeeded"
    SUCCEEDED_WITH_WARNINGS: Final = "SucceededWithWarnings"
    FAILED: Final = "Failed"
    STAGE_PODS_CREATED: Final = "StagePodsCreated"
    STAGE_NO_OP: Final = "StageNoOp"
    DIRECT_IMAGE_MIGRATION_FAILED: Final = "DirectImageMigrationFailed"
    DIRECT_VOLUME_MIGRATION_FAILED: Final = "DirectVolumeMigrationFailed"
    DIRECT_VOLUME_MIGRATION_BLOCKED: Final = "DirectVolumeMigrationBlocked"
    UNHEALTHY_NAMESPACES: Final = "UnhealthyNamespaces"
    INITIAL_BACKUP_PARTIAL: Final = "VeleroInitialBackupPartiallyFailed"
    STAGE_BACKUP_PARTIAL: Final = "VeleroStageBackupPartiallyFailed"
    STAGE_RESTORE_PARTIAL: Final = "VeleroStageRestorePartiallyFailed"
    FINAL_RESTORE_PARTIAL: Final = "VeleroFinalRestorePartiallyFailed"
    RESTIC_ERRORS: Final = "ResticErrors"
    RESTIC_VERIFY_ERRORS: Final = "ResticVerifyErrors"
    STALE_SOURCE_DELETED: Final = "StaleSrcVeleroCRsDeleted"
    STALE_DESTINATION_DELETED: Final = "StaleDestVeleroCRsDeleted"
    STALE_RESTIC_DELETED: Final = "StaleResticCRsDeleted"


class VolumeCondition(ConditionType):
    """Of a DirectVolumeMigration."""

    INVALID_SOURCE_CLUSTER_REF: Final = "InvalidSourceClusterRef"
    INVALID_DESTINATION_CLUSTER_REF: Final = "InvalidDestinationClusterRef"
    SOURCE_CLUSTER_NOT_READY: Final = "SourceClusterNotReady"
    DESTINATION_CLUSTER_NOT_READY: Final = "DestinationClusterNotReady"
    INVALID_PVCS: Final = "InvalidPVCs"
    PVCS_NOT_FOUND_ON_SOURCE: Final = "PodsNotFoundOnSourceCluster"
    """(sic) It is claims that are missing; the string is upstream's."""
    ROUTE_NOT_ADMITTED: Final = "RsyncRouteNotAdmitted"
    TRANSFER_PODS_PENDING: Final = "RsyncTransferPodsPending"
    CLIENT_PODS_PENDING: Final = "RsyncClientPodsPending"
    SERVER_PODS_NON_ROOT: Final = "RsyncServerPodsRunningAsNonRoot"
    CREATING_PODS_FAILED: Final = "FailedCreatingRsyncPods"
    DELETING_PODS_FAILED: Final = "FailedDeletingRsyncPods"
    NETWORK_ERROR: Final = "SourceToDestinationNetworkError"
    RUNNING: Final = "Running"
    SUCCEEDED: Final = "Succeeded"
    FAILED: Final = "Failed"


class ProgressCondition(ConditionType):
    """Of a DirectVolumeMigrationProgress."""

    INVALID_CLUSTER_REF: Final = "InvalidClusterRef"
    CLUSTER_NOT_READY: Final = "ClusterNotReady"
    INVALID_POD: Final = "InvalidPod"
    INVALID_POD_SELECTOR: Final = "InvalidPodSelector"
    INVALID_SPEC: Final = "InvalidSpec"


class ImageCondition(ConditionType):
    """Of a DirectImageMigration."""

    INVALID_SOURCE_CLUSTER_REF: Final = "InvalidSourceClusterRef"
    INVALID_DESTINATION_CLUSTER_REF: Final = "InvalidDestinationClusterRef"
    INVALID_DESTINATION_CLUSTER: Final = "InvalidDestinationCluster"
    SOURCE_CLUSTER_NOT_READY: Final = "SourceClusterNotReady"
    DESTINATION_CLUSTER_NOT_READY: Final = "DestinationClusterNotReady"
    NO_SOURCE_REGISTRY_PATH: Final = "MissingSourceClusterRegistryPath"
    NO_DESTINATION_REGISTRY_PATH: Final = "MissingDestinationClusterRegistryPath"
    NAMESPACE_LIST_EMPTY: Final = "NamespaceListEmpty"
    SOURCE_NAMESPACE_NOT_FOUND: Final = "NamespaceNotFoundOnSourceCluster"
    RUNNING: Final = "Running"
    SUCCEEDED: Final = "Succeeded"
    FAILED: Final = "Failed"


class ImageStreamCondition(ConditionType):
    """Of a DirectImageStreamMigration."""

    INVALID_SOURCE_CLUSTER_REF: Final = "InvalidSourceClusterRef"
    INVALID_DESTINATION_CLUSTER_REF: Final = "InvalidDestinationClusterRef"
    INVALID_DESTINATION_CLUSTER: Final = "InvalidDestinationCluster"
    SOURCE_CLUSTER_NOT_READY: Final = "SourceClusterNotReady"
    DESTINATION_CLUSTER_NOT_READY: Final = "DestinationClusterNotReady"
    NO_SOURCE_REGISTRY_PATH: Final = "MissingSourceClusterRegistryPath"
    NO_DESTINATION_REGISTRY_PATH: Final = "MissingDestinationClusterRegistryPath"
    INVALID_IMAGE_STREAM_REF: Final = "InvalidImageStreamRef"
    INVALID_IMAGE_STREAM: Final = "InvalidImageStream"
    DESTINATION_NAMESPACE_NOT_FOUND: Final = "NamespaceNotFoundOnDestinationCluster"
    RUNNING: Final = "Running"
    SUCCEEDED: Final = "Succeeded"
    FAILED: Final = "Failed"
