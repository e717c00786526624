# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The restic repository of a plan: one for each, beside Velero's layout in the plan's store, with a password of its own
that lies in a Secret beside the plan."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any, Final

from ..cluster.api import Cluster
from ..objects.velero_archive import PREFIX
from ..resources import names
from ..resources.errors import AlreadyExists, Conflict, PermanentError, subject_of
from ..stores.store import Store, StoreError
from ..volumes.repository import PASSWORD, Repository
from . import plan_storage, restic_access
from .restic_access import Obstacle

FOLDER: Final = "restic"
"""Velero knows it and takes no offence."""
PASSWORD_BYTES: Final = 32


def prefix_of(plan: Mapping[str, Any]) -> str:
    """Where the plan's repository lies in the store. A plan of the same name that is made later has another."""
    metadata = plan["metadata"]
    return f"{PREFIX}/{FOLDER}/{metadata['namespace']}-{metadata['name']}-{str(metadata['uid'])[:8]}"


def secret_name(plan: Mapping[str, Any]) -> str:
    return f"{plan['metadata']['name']}-repository"


def of_plan(control: Cluster, plan: Mapping[str, Any]) -> Repository:
    """How restic reaches the plan's repository; the password is made when there is none yet.

    Raises PermanentError where restic cannot use the store, and StoreError or StoreUnreached where the store has to be
    asked for its key and does not give it.
    """
    storage = plan_storage.of_plan(control, plan)
    if found := restic_access.obstacle(storage.provider, storage.credentials):
        subject = subject_of(names.MIG_STORAGE, storage.name, storage.namespace)
        attempt = "volumes cannot go through it"
        raise PermanentError(subject=subject, attempt=attempt, reason=found.reason, mend=found.mend)
    password = _password(control, plan)
    try:
        row = restic_access.PROVIDERS[storage.provider]
        return row.repository(storage.config, storage.credentials, prefix_of(plan), password)
    except StoreError as error:
        if error.unreached:
            raise plan_storage.unreached(error) from error
        raise


def obstacle(control: Cluster, plan: Mapping[str, Any]) -> Obstacle | None:
    """Why restic cannot use the plan's store, as far as that can be read; writes nothing."""
    storage = plan_storage.look(control, plan)
    return restic_access.obstacle(storage.provider, storage.credentials) if storage else None


def remove(control: Cluster, plan: Mapping[str, Any]) -> int:
    """Delete the plan's repository from its store; gives the number of objects that were deleted. Raises StoreError."""
    with plan_storage.opened(control, plan) as (_name, store):
        return _empty(store, f"{prefix_of(plan)}/")


def _empty(store: Store, prefix: str) -> int:
    """Without its configuration a repository is none, so that goes first: what is left can be deleted later."""
    store.delete(f"{prefix}config")
    removed = 0
    while found := store.list(prefix):
        for item in found:
            store.delete(item.key)
            removed += 1
    return removed


def _password(control: Cluster, plan: Mapping[str, Any]) -> str:
    metadata, name = plan["metadata"], secret_name(plan)
    found = control.get("v1", "Secret", name, metadata["namespace"])
    if found is None:
        value = base64.b64encode(secrets.token_urlsafe(PASSWORD_BYTES).encode()).decode("ascii")
        owner = {
            "apiVersion": names.API_VERSION,
            "kind": names.MIG_PLAN,
            "name": metadata["name"],
            "uid": metadata["uid"],
        }
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": name,
                "namespace": metadata["namespace"],
                "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY},
                "ownerReferences": [owner],
            },
            "type": "Opaque",
            "data": {PASSWORD: value},
        }
        try:
            found = control.create(manifest)
        except AlreadyExists:
            found = control.get("v1", "Secret", name, metadata["namespace"])
    password = base64.b64decode(((found or {}).get("data") or {}).get(PASSWORD, "")).decode().strip()
    owners = [entry.get("uid") for entry in ((found or {}).get("metadata") or {}).get("ownerReferences") or ()]
    if not password or metadata["uid"] not in owners:
        raise Conflict(
            subject=subject_of("Secret", name, metadata["namespace"]),
            attempt="it cannot serve as the password of the plan's repository",
            reason="it is not the plan's own, or holds no password",
            mend="Remove it, or give the plan another name",
            status=409,
        )
    return password
