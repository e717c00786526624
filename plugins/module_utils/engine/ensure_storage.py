# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of ``mig_storage``: credentials become secrets, the MigStorage is stored, the store is really tried."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..cluster.api import Cluster
from ..resources import migstorage, names, storage_credentials
from ..resources.engines import BUILTIN, secrets_namespace
from ..resources.errors import InvalidInput, subject_of
from ..stores.providers import require
from . import awaiting, ensure_resource, storage_reconciler
from .call import Call
from .ensure_resource import Handler, Situation
from .owned_secrets import OwnedSecret


def ensure(this: Call) -> dict[str, Any]:
    """The module's result. Raises NotReady when backups cannot be kept there, naming every condition."""
    return ensure_resource.ensure(this, HANDLER)


def _secrets(this: Call) -> list[OwnedSecret]:
    """The credentials that the task gives. Raises MissingLibrary before anything is written, where it can be known."""
    provider = this.params.get("backup_storage_provider")
    if this.engine == BUILTIN and provider and this.params["state"] == "present":
        require(provider)
    home = secrets_namespace(this.engine, this.namespace)
    subject = subject_of(names.MIG_STORAGE, str(this.params["name"]), this.namespace)
    if problems := migstorage.shared_secret(this.params, home=home):
        raise InvalidInput(subject=subject, problems=problems)
    return [
        OwnedSecret(
            name=name,
            namespace=namespace,
            reference=(migstorage.GROUPS[group].name, migstorage.SECRET.name),
            made_for=subject,
            data=storage_credentials.secret_data(this.params[migstorage.CREDENTIALS[group]]),
        )
        for group, (namespace, name) in migstorage.secrets_of(this.params, home=home).items()
    ]


def _evaluate(situation: Situation) -> dict[str, Any]:
    return storage_reconciler.check_storage(
        spec=situation.spec,
        status=(situation.stored or {}).get("status") or {},
        secret=partial(_secret_data, situation),
        write=not situation.call.check,
    )


def _secret_data(situation: Situation, namespace: str, name: str) -> Mapping[str, str] | None:
    """As it is now, or as this call would have written it."""
    ours = situation.secrets.get((namespace, name))
    if ours is not None:
        return ours.encoded
    found = situation.control.get("v1", "Secret", name, namespace)
    return None if found is None else found.get("data") or {}


def _users(this: Call, control: Cluster) -> list[str]:
    return ensure_resource.plans_that_refer(this, control, fields=("migStorageRef",))


def _results(situation: Situation, _resource: Mapping[str, Any]) -> dict[str, Any]:
    if situation.call.engine != BUILTIN:
        return {}
    return {"tested": ["list"] if situation.call.check else ["write", "read", "list", "delete"]}


HANDLER = Handler(
    kind=names.MIG_STORAGE,
    room=migstorage,
    evaluate=_evaluate,
    drive=awaiting.drive,
    secrets=_secrets,
    secret_names=migstorage.secret_names,
    referenced=migstorage.referenced_secrets,
    results=_results,
    users=_users,
)
