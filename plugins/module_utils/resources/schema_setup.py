# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Schema tables of what is set up once: MigCluster, MigStorage, MigHook."""

from __future__ import annotations

from . import schema_pieces as has


def mig_cluster() -> tuple[has.Schema, has.Schema]:
    """Spec and status."""
    spec = has.record(
        {
            "isHostCluster": has.flag("This is the control cluster itself; it is reached without URL and token."),
            "url": has.text("URL of the API server."),
            "serviceAccountSecretRef": has.reference("Secret whose key saToken holds the token of a service account."),
            "caBundle": has.encoded_bytes("Certificates (PEM) that sign the API server's."),
            "insecure": has.flag("Do not verify the API server's certificate."),
            "azureResourceGroup": has.text("Azure resource group of the cluster's disks."),
            "exposedRegistryPath": has.text("Host and port of the exposed image registry, without a scheme."),
            "restartRestic": has.flag("Whether restic is restarted before a copy; unset: decided by version."),
            "refresh": has.flag("Ask for a new validation; reset when it is done."),
        },
        required=("isHostCluster",),
    )
    status = has.record(
        {
            "conditions": has.conditions(),
            "observedDigest": has.text(),
            "operatorVersion": has.text(),
            "registryPath": has.text(),
        }
    )
    return spec, status


def mig_storage() -> tuple[has.Schema, has.Schema]:
    """Spec and status."""
    backup = has.record(
        {
            "awsBucketName": has.text("Bucket."),
            "awsKmsKeyId": has.text("Key that encrypts the objects."),
            "awsPublicUrl": has.text("URL of the store as seen from outside."),
            "awsRegion": has.text("Region; us-east-1 when empty."),
            "awsS3ForcePathStyle": has.flag("Whether the bucket is part of the path; unset: if a URL is set."),
            "awsS3Url": has.text("URL of an S3 server other than AWS."),
            "awsSignatureVersion": has.text("Version of the request signature, 1 or 4."),
            "azureResourceGroup": has.text("Resource group of the storage account."),
            "azureStorageAccount": has.text("Storage account."),
            "azureStorageContainer": has.text("Blob container."),
            "credsSecretRef": has.reference("Secret with the provider's credentials."),
            "gcpBucket": has.text("Bucket."),
            "insecure": has.flag("Do not verify the store's certificate."),
            "s3CustomCABundle": has.encoded_bytes("Certificates (PEM) that sign the store's."),
        },
        "Where and how objects and data are kept.",
    )
    snapshot = has.record(
        {
            "awsRegion": has.text("Region of the clusters; us-east-1 when empty."),
            "azureApiTimeout": has.text("How long a request to Azure may take."),
            "azureResourceGroup": has.text("Resource group of the snapshots."),
            "credsSecretRef": has.reference("Secret with the provider's credentials."),
            "snapshotCreationTimeout": has.text("How long a snapshot may take, such as 10m."),
        },
        "Where and how snapshots are kept.",
    )
    spec = has.record(
        {
            "backupStorageProvider": has.text("aws (any S3 server), azure or gcp."),
            "backupStorageConfig": backup,
            "volumeSnapshotProvider": has.text("aws, azure or gcp; the backup's provider when empty."),
            "volumeSnapshotConfig": snapshot,
            "refresh": has.flag("Ask for a new validation; reset when it is done."),
        },
        required=("backupStorageConfig", "backupStorageProvider"),
    )
    return spec, has.record({"conditions": has.conditions(), "observedDigest": has.text()})


def mig_hook() -> tuple[has.Schema, has.Schema]:
    """Spec and status."""
    spec = has.record(
        {
            "custom": has.flag("Run the image as it is; otherwise it runs the playbook."),
            "image": has.text("Container image."),
            "playbook": has.text("Base64 of an Ansible playbook."),
            "targetCluster": has.text("source or destination."),
            "activeDeadlineSeconds": has.number("How long the hook may run; 1800 when unset.", bits=64),
        },
        required=("custom", "image", "targetCluster"),
    )
    return spec, has.record({"conditions": has.conditions(), "observedGeneration": has.number(bits=64)})
