# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes a MigStorage's status true: can backups be written to the store, read, listed and deleted?

Checks, order, types and reasons are MTC's (pkg/controller/migstorage/validation.go). The test itself goes further: MTC
overlooks when Azure refuses the upload or anybody the deletion, and never lists.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from ..resources.condition_names import Category, Reason, StorageCondition
from ..resources.conditions import Conditions
from ..resources.digest import observed_digest
from ..resources.spec_fields import refers_to
from ..resources.storage_credentials import Credentials
from ..resources.storage_providers import PROVIDERS, Config, Provider
from ..stores.probe import look, probe
from ..stores.providers import opened
from ..stores.store import StoreError


class SecretData(Protocol):
    """From namespace and name to a secret's data as the API gives it; None when there is none."""

    def __call__(self, namespace: str, name: str, /) -> Mapping[str, str] | None: ...


def check_storage(
    *, spec: Mapping[str, Any], status: Mapping[str, Any], secret: SecretData, write: bool
) -> dict[str, Any]:
    """The status that is true now. ``write`` is whether the store may be written to; otherwise it is only listed.

    Raises MissingLibrary when the provider's library is not installed.
    """
    conditions = Conditions(status)
    conditions.begin()
    _check_backups(spec, conditions, secret, write=write)
    _check_snapshots(spec, conditions, secret)
    conditions.set_ready(not conditions.has_blocker(), "The storage is ready.")
    return {
        **copy.deepcopy(dict(status)),
        "conditions": conditions.end(datetime.now(UTC)),
        "observedDigest": observed_digest({**spec, "refresh": False} if "refresh" in spec else spec),
    }


def _check_backups(spec: Mapping[str, Any], conditions: Conditions, secret: SecretData, *, write: bool) -> None:
    """Stops at the first thing that is wrong."""
    name, config = str(spec.get("backupStorageProvider") or ""), spec.get("backupStorageConfig") or {}
    provider = PROVIDERS.get(name)
    if provider is None:
        reason = Reason.NOT_SUPPORTED if name else Reason.NOT_SET
        message = f"The `backupStorageProvider` must be one of {', '.join(PROVIDERS)}."
        conditions.set(StorageCondition.INVALID_BACKUP_PROVIDER, Category.CRITICAL, reason, message)
        return
    data = _secret_data(config, conditions, secret, StorageCondition.INVALID_BACKUP_SECRET_REF, "backupStorageConfig")
    if data is None:
        return
    found = provider.read(data)
    items = (*found.items, *provider.backup_items(config))
    if items or found.credentials is None:
        message = "The `backupStorageConfig` or its secret has settings that are missing or cannot be used: []."
        kind = StorageCondition.INVALID_BACKUP_SETTINGS
        conditions.set(kind, Category.CRITICAL, Reason.NOT_SUPPORTED, message, items=items)
        return
    _test(provider, config, found.credentials, conditions, write=write)


def _test(provider: Provider, config: Config, credentials: Credentials, conditions: Conditions, *, write: bool) -> None:
    try:
        with opened(provider.name, config, credentials) as store:
            (probe if write else look)(store)
    except StoreError as error:
        message = f"The test of the backup storage failed: {error.message}"
        conditions.set(StorageCondition.BACKUP_TEST_FAILED, Category.CRITICAL, Reason.TEST_FAILED, message)


def _check_snapshots(spec: Mapping[str, Any], conditions: Conditions, secret: SecretData) -> None:
    """Only where a provider is named: otherwise the backups' provider serves. There is no test, as with MTC: what a
    snapshot needs shows when one is made."""
    name, config = str(spec.get("volumeSnapshotProvider") or ""), spec.get("volumeSnapshotConfig") or {}
    if not name:
        return
    provider = PROVIDERS.get(name)
    if provider is None:
        kind, message = StorageCondition.INVALID_SNAPSHOT_PROVIDER, f"must be one of {', '.join(PROVIDERS)}."
        message = f"The `volumeSnapshotProvider` {message}"
        conditions.set(kind, Category.CRITICAL, Reason.NOT_SUPPORTED, message)
        return
    kind = StorageCondition.INVALID_SNAPSHOT_SECRET_REF
    data = _secret_data(config, conditions, secret, kind, "volumeSnapshotConfig")
    if data is None:
        return
    items = (*provider.read(data).items, *provider.snapshot_items(config))
    if items:
        message = "The `volumeSnapshotConfig` or its secret has settings that are missing or cannot be used: []."
        kind = StorageCondition.INVALID_SNAPSHOT_SETTINGS
        conditions.set(kind, Category.CRITICAL, Reason.NOT_SUPPORTED, message, items=items)


def _secret_data(
    config: Config, conditions: Conditions, secret: SecretData, kind: str, where: str
) -> Mapping[str, str] | None:
    key = refers_to(config.get("credsSecretRef"))
    if key is None:
        message = f"The `credsSecretRef` in `{where}` must name a secret and its namespace."
        conditions.set(kind, Category.CRITICAL, Reason.NOT_SET, message)
        return None
    data = secret(*key)
    if data is None:
        message = f"The secret {key[0]}/{key[1]} that the `credsSecretRef` in `{where}` names does not exist."
        conditions.set(kind, Category.CRITICAL, Reason.NOT_FOUND, message)
    return data
