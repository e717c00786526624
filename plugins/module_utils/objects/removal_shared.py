# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Taking back what a run, or all runs of a plan, have created outside of namespaces: what others have begun to use
stays. Done when nothing in the namespaces is left that may still need a right or a kind.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..cluster.api import Cluster
from ..resources import names
from ..resources.errors import Forbidden, InvalidInput, NotFound, Problem
from . import definitions
from .inventory import reference
from .manifest import Manifest, group_kind, name_of
from .related import CONSTRAINTS, RBAC, SHARED
from .transforms_accounts import names_account


@dataclass(frozen=True)
class SharedObjects:
    """What carries the label, by what becomes of it. ``kept`` are sentences: a reference and why it stays."""

    removable: tuple[Manifest, ...]
    kept: tuple[str, ...]


def shared_created(
    destination: Cluster, uid: str, namespaces: Collection[str], *, label: str = names.MIGRATED_BY_MIGMIGRATION_LABEL
) -> SharedObjects:
    """What carries the label with that UID and lives in no namespace, in the order in which it can go.

    Where the connection may not list a kind, it has not created any of it. Raises InvalidInput for an empty UID.
    """
    if not uid:
        fault = Problem(path="uid", fault="is empty")
        raise InvalidInput(subject="Removal of created objects", problems=[fault])
    types = {(kind.group, kind.kind): kind for kind in destination.types() if (kind.group, kind.kind) in SHARED}
    order = [kind for kind in ((RBAC, "ClusterRoleBinding"), (RBAC, "ClusterRole"), CONSTRAINTS) if kind in types]
    order += [kind for kind in (definitions.DEFINITION,) if kind in types]

    def listed(kind: tuple[str, str]) -> list[Manifest]:
        found = types[kind]
        try:
            return list(destination.list(found.api_version, found.kind, label_selector=f"{label}={uid}"))
        except (Forbidden, NotFound):
            return []

    found = [obj for objects in destination.map(listed, order) for obj in objects]
    others = f"{label}!={uid}"
    users = _users_of_roles(destination, others) if any(obj["kind"] == "ClusterRole" for obj in found) else {}
    why = [_why_kept(destination, obj, users, namespaces, others) for obj in found]
    return SharedObjects(
        removable=tuple(obj for obj, reason in zip(found, why, strict=True) if reason is None),
        kept=tuple(f"{reference(obj)}: {reason}" for obj, reason in zip(found, why, strict=True) if reason),
    )


def remove_shared(
    destination: Cluster, uid: str, namespaces: Collection[str], *, label: str = names.MIGRATED_BY_MIGMIGRATION_LABEL
) -> tuple[list[str], list[str]]:
    """Delete what shared_created() finds removable; (still there, kept). Call again until nothing is still there."""
    found = shared_created(destination, uid, namespaces, label=label)
    for obj in found.removable:
        if "deletionTimestamp" not in obj["metadata"]:
            destination.delete(obj["apiVersion"], obj["kind"], name_of(obj), uid=obj["metadata"]["uid"])
    return [reference(obj) for obj in found.removable], list(found.kept)


def _users_of_roles(destination: Cluster, others: str) -> dict[str, str]:
    """ClusterRole to a binding of others that refers to it."""
    users: dict[str, str] = {}
    for kind in ("ClusterRoleBinding", "RoleBinding"):
        for binding in destination.list(f"{RBAC}/v1", kind, label_selector=others):
            role = binding.get("roleRef") or {}
            if role.get("kind") == "ClusterRole":
                users.setdefault(str(role.get("name")), reference(binding))
    return users


def _why_kept(
    destination: Cluster, obj: Manifest, users: dict[str, str], namespaces: Collection[str], others: str
) -> str | None:
    if "deletionTimestamp" in obj["metadata"]:
        return None
    if obj["kind"] == "ClusterRole" and name_of(obj) in users:
        return f"{users[name_of(obj)]} refers to it"
    if group_kind(obj) == CONSTRAINTS:
        named = [*(obj.get("users") or ()), *(obj.get("groups") or ())]
        strangers = [
            name
            for name in named
            if not names_account({"kind": "User", "name": name}, lambda space, _account: space in namespaces)
        ]
        return f"{strangers[0]} has been allowed it" if strangers else None
    if group_kind(obj) == definitions.DEFINITION:
        return _instance_of(destination, obj, others)
    return None


def _instance_of(destination: Cluster, definition: Manifest, others: str) -> str | None:
    for api_version, kind in definitions.kinds_of(definition)[:1]:
        try:
            one = next(destination.list(api_version, kind, label_selector=others, page=1), None)
        except NotFound:
            return None
        if one is not None:
            return f"{reference(one)} is of that kind"
    return None
