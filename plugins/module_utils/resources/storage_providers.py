# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the providers of storage ask for, as rows: which fields are theirs, which must have a value, what is wrong.

The names of offending items, and their order, are MTC's (pkg/cloudprovider); they show in the conditions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from . import storage_credentials
from .storage_credentials import Read

Config = Mapping[str, Any]
SIGNATURE_VERSIONS: Final = ("", "1", "4")
DEFAULT_REGION: Final = "us-east-1"

_DURATION = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


@dataclass(frozen=True)
class Provider:
    """One row. Fields are named as in the spec; ``credsSecretRef`` belongs to all."""

    name: str
    title: str
    backup_fields: tuple[str, ...]
    backup_required: tuple[str, ...]
    snapshot_fields: tuple[str, ...]
    snapshot_required: tuple[str, ...]
    read: Callable[[Mapping[str, str]], Read]
    """From a secret's data to credentials."""
    backup_items: Callable[[Config], tuple[str, ...]]
    """What is wrong with the settings of the backups' store, by MTC's names."""
    snapshot_items: Callable[[Config], tuple[str, ...]]


def is_http_url(value: str) -> bool:
    """Whether MTC takes it for the address of a store: http or https, with a host."""
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def is_duration(value: str) -> bool:
    """Whether it is a duration of Go above zero, such as 10m or 1h30m."""
    position, positive = 0, False
    while position < len(value):
        match = _DURATION.match(value, position)
        if match is None:
            return False
        positive = positive or bool(re.search(r"[1-9]", match[0]))
        position = match.end()
    return positive


def _items(*checks: tuple[bool, str]) -> tuple[str, ...]:
    return tuple(name for wrong, name in checks if wrong)


def _not_a_duration(config: Config, field: str) -> bool:
    value = str(config.get(field) or "")
    return bool(value) and not is_duration(value)


def _not_a_url(config: Config, field: str) -> bool:
    value = str(config.get(field) or "")
    return bool(value) and not is_http_url(value)


def _aws_backup(config: Config) -> tuple[str, ...]:
    return _items(
        (not config.get("awsBucketName"), "Bucket"),
        (str(config.get("awsSignatureVersion") or "") not in SIGNATURE_VERSIONS, "SignatureVersion"),
        (_not_a_url(config, "awsS3Url"), "S3URL"),
        (_not_a_url(config, "awsPublicUrl"), "PublicURL"),
    )


def _azure_backup(config: Config) -> tuple[str, ...]:
    return _items(
        (not config.get("azureResourceGroup"), "ResourceGroup"),
        (not config.get("azureStorageAccount"), "StorageAccount"),
        (not config.get("azureStorageContainer"), "StorageContainer"),
    )


def _gcp_backup(config: Config) -> tuple[str, ...]:
    return _items((not config.get("gcpBucket"), "Bucket"))


def _snapshot_timeout(config: Config) -> tuple[str, ...]:
    return _items((_not_a_duration(config, "snapshotCreationTimeout"), "SnapshotCreationTimeout"))


def _azure_snapshot(config: Config) -> tuple[str, ...]:
    timeout = str(config.get("azureApiTimeout") or "")
    return (
        *_items((not config.get("azureResourceGroup"), "ResourceGroup"), (not is_duration(timeout), "APITimeout")),
        *_snapshot_timeout(config),
    )


PROVIDERS: Final[Mapping[str, Provider]] = {
    row.name: row
    for row in (
        Provider(
            name="aws",
            title="S3",
            backup_fields=(
                "awsBucketName",
                "awsRegion",
                "awsS3Url",
                "awsPublicUrl",
                "awsKmsKeyId",
                "awsSignatureVersion",
                "awsS3ForcePathStyle",
                "s3CustomCABundle",
                "insecure",
            ),
            backup_required=("awsBucketName",),
            snapshot_fields=("awsRegion", "snapshotCreationTimeout"),
            snapshot_required=(),
            read=storage_credentials.read_aws,
            backup_items=_aws_backup,
            snapshot_items=_snapshot_timeout,
        ),
        Provider(
            name="azure",
            title="Azure Blob",
            backup_fields=("azureResourceGroup", "azureStorageAccount", "azureStorageContainer"),
            backup_required=("azureResourceGroup", "azureStorageAccount", "azureStorageContainer"),
            snapshot_fields=("azureResourceGroup", "azureApiTimeout", "snapshotCreationTimeout"),
            snapshot_required=("azureResourceGroup", "azureApiTimeout"),
            read=storage_credentials.read_azure,
            backup_items=_azure_backup,
            snapshot_items=_azure_snapshot,
        ),
        Provider(
            name="gcp",
            title="Google Cloud Storage",
            backup_fields=("gcpBucket",),
            backup_required=("gcpBucket",),
            snapshot_fields=("snapshotCreationTimeout",),
            snapshot_required=(),
            read=storage_credentials.read_gcp,
            backup_items=_gcp_backup,
            snapshot_items=_snapshot_timeout,
        ),
    )
}
"""By the name that the spec calls them. A new provider is a row here and one in stores/providers.py."""
