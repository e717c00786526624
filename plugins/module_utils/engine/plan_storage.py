# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan's replication repository as its MigStorage describes it: the provider, its settings, its credentials."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..cluster.api import Cluster
from ..resources import names, spec_fields
from ..resources.errors import PermanentError, TransientError, subject_of
from ..resources.storage_credentials import Credentials
from ..resources.storage_providers import PROVIDERS
from ..stores.providers import opened as opened_store
from ..stores.store import Store, StoreError


class StoreUnreached(TransientError):
    """The store did not answer; nothing was written."""


@dataclass(frozen=True, kw_only=True)
class PlanStorage:
    """What a store is opened with."""

    namespace: str
    name: str
    """Of the MigStorage."""
    provider: str
    config: Mapping[str, Any]
    credentials: Credentials = field(repr=False)


def has_one(plan: Mapping[str, Any]) -> bool:
    """Whether the plan names a repository."""
    return spec_fields.refers_to(plan["spec"].get("migStorageRef")) is not None


def look(control: Cluster, plan: Mapping[str, Any]) -> PlanStorage | None:
    """The repository that the plan names; None when the MigStorage or its secret is missing or incomplete."""
    namespace, name = _where(plan)
    storage = control.get(names.API_VERSION, names.MIG_STORAGE, name, namespace) if name else None
    spec: dict[str, Any] = (storage or {}).get("spec") or {}
    provider = PROVIDERS.get(str(spec.get("backupStorageProvider")))
    config = spec.get("backupStorageConfig") or {}
    where = spec_fields.refers_to(config.get("credsSecretRef"))
    secret = control.get("v1", "Secret", where[1], where[0]) if where else None
    found = provider.read(secret.get("data") or {}) if provider and secret else None
    if provider is None or found is None or found.credentials is None:
        return None
    return PlanStorage(
        namespace=namespace, name=name, provider=provider.name, config=config, credentials=found.credentials
    )


def of_plan(control: Cluster, plan: Mapping[str, Any]) -> PlanStorage:
    """The repository that the plan names. Raises PermanentError when the MigStorage or its secret is missing or
    incomplete."""
    found = look(control, plan)
    if found is None:
        namespace, name = _where(plan)
        raise PermanentError(
            subject=subject_of(names.MIG_STORAGE, name, namespace),
            attempt="it cannot be used",
            reason="it or its secret is missing or incomplete",
            mend="Run mig_storage for it, then run the task again",
        )
    return found


def unreached(error: StoreError) -> StoreUnreached:
    """What a store that did not answer means for a run."""
    return StoreUnreached(
        subject=error.subject,
        attempt=error.attempt,
        reason=error.reason,
        mend=f"{error.mend.rstrip('.')}. Then run the task again: it goes on from here",
    )


def _where(plan: Mapping[str, Any]) -> tuple[str, str]:
    """Namespace and name of the MigStorage, empty for a plan that names none."""
    return spec_fields.refers_to(plan["spec"].get("migStorageRef")) or ("", "")


@contextlib.contextmanager
def opened(control: Cluster, plan: Mapping[str, Any]) -> Generator[tuple[str, Store]]:
    """The name of the plan's MigStorage and its store."""
    storage = of_plan(control, plan)
    with opened_store(storage.provider, storage.config, storage.credentials) as store:
        yield storage.name, store
