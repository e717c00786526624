# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Adopting a cluster: from the user's own connection to it, the account, the rights and the token with which the
engine reaches it later.

Steps 2 and 3 of the MTC manual in one task. The rights are those of the cluster's part: a *source* is read, its
workloads are scaled, and movers are placed in it, nothing more; a *destination* receives objects of every kind, which
no smaller set of rights than all can promise.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from ..cluster.api import Cluster
from ..resources import names
from ..resources.errors import AlreadyExists, NotFound, subject_of

SERVICE_ACCOUNT = "migration-controller"
"""Upstream's name of the account."""
EXPIRY_ANNOTATION = "openmig.io/token-expires"
FORETOLD = "foretold"
"""Stands for the token in check mode, which takes none."""
RENEW_BEFORE = 0.2
"""A token is renewed once less than this part of its life is left."""

_READ = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}
CONTROLLER_RIGHTS = "controller"
"""What MTC's controller demands of any cluster, source or destination: everything."""
_EVERYTHING = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]
RIGHTS: Mapping[str, list[dict[str, Any]]] = {
    "source": [
        _READ,
        {
            "apiGroups": ["apps", "extensions", "batch", "apps.openshift.io"],
            "resources": [
                "deployments",
                "statefulsets",
                "replicasets",
                "daemonsets",
                "cronjobs",
                "jobs",
                "deploymentconfigs",
            ],
            "verbs": ["patch", "update"],
        },
        {"apiGroups": [""], "resources": ["replicationcontrollers"], "verbs": ["patch", "update"]},
        {
            "apiGroups": [""],
            "resources": ["pods", "configmaps", "secrets"],
            "verbs": ["create", "delete", "deletecollection", "patch", "update"],
        },
        {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]},
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "delete"]},
    ],
    "destination": _EVERYTHING,
    CONTROLLER_RIGHTS: _EVERYTHING,
}
"""What the account may do, by the cluster's part in migrations. One row per part."""
PARTS = tuple(part for part in RIGHTS if part != CONTROLLER_RIGHTS)
"""The rights of which an account has one: choosing another takes the former back. What MTC's controller was given is
taken back by ``release`` alone."""
_RBAC = "rbac.authorization.k8s.io"
_REVIEWED = (names.GROUP, "velero.io")
"""The groups for which MTC's controller asks whether it may do everything, before it takes a cluster."""


class Place(NamedTuple):
    """Where an object is."""

    api_version: str
    kind: str
    name: str
    namespace: str | None = None


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """What adopting came to. ``token`` is None when the stored one stays."""

    changes: tuple[str, ...]
    token: str | None
    expires: str | None


def _role(rights: str) -> str:
    return f"openmig-{rights}"


def _binding(rights: str, namespace: str) -> str:
    return f"{_role(rights)}-{namespace}"


def manifests(*, namespace: str, rights: str) -> list[dict[str, Any]]:
    """What adopting makes on the remote cluster, in order."""
    role = _role(rights)
    labels = {names.MANAGED_BY_LABEL: names.MANAGED_BY}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": SERVICE_ACCOUNT, "namespace": namespace, "labels": labels},
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": role, "labels": labels},
            "rules": RIGHTS[rights],
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": _binding(rights, namespace), "labels": labels},
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": SERVICE_ACCOUNT, "namespace": namespace}],
        },
    ]


def _differs(wanted: dict[str, Any], found: dict[str, Any]) -> bool:
    return any(found.get(key) != wanted[key] for key in ("rules", "roleRef", "subjects") if key in wanted)


def _ensure(remote: Cluster, wanted: dict[str, Any], *, check: bool) -> str | None:
    metadata = wanted["metadata"]
    place = Place(wanted["apiVersion"], wanted["kind"], metadata["name"], metadata.get("namespace"))
    subject = subject_of(wanted["kind"], metadata["name"], metadata.get("namespace"))
    found = remote.get(*place)
    if found is None:
        try:
            remote.create(wanted, dry_run=check)
        except AlreadyExists:
            return None  # two adoptions at once: the other one was faster
        except NotFound:
            if not check:
                raise
            # Only predicted: this very call would have made the namespace, or the role that is bound.
        return f"{subject} created"
    if not _differs(wanted, found):
        return None
    if wanted["kind"] == "ClusterRoleBinding" and found["roleRef"] != wanted["roleRef"]:
        remote.delete(*place, dry_run=check)  # roleRef cannot be changed
        if not check:
            remote.create(wanted)
    else:
        remote.replace({**found, **{key: wanted[key] for key in ("rules", "subjects") if key in wanted}}, dry_run=check)
    return f"{subject} changed"


def token_is_due(secret: Mapping[str, Any] | None, *, lifetime: int, now: datetime) -> bool:
    """Whether the stored token is missing or has less than a fifth of ``lifetime`` seconds left."""
    if secret is None or not (secret.get("data") or {}).get(names.SERVICE_ACCOUNT_TOKEN_KEY):
        return True
    expires = (secret["metadata"].get("annotations") or {}).get(EXPIRY_ANNOTATION)
    if not expires:
        return False  # made by hand: its owner looks after it
    left = datetime.fromisoformat(expires) - now
    return left < timedelta(seconds=lifetime * RENEW_BEFORE)


def adopt(
    remote: Cluster,
    *,
    namespace: str,
    rights: str,
    lifetime: int,
    stored: Mapping[str, Any] | None,
    rejected: bool,
    check: bool,
) -> Adoption:
    """Make account, rights and, when the stored token is due or was rejected, a new token of ``lifetime`` seconds.

    Safe to run twice at once. The API server may shorten the lifetime; what it grants is what counts.
    """
    wanted = manifests(namespace=namespace, rights=rights)
    if rights == CONTROLLER_RIGHTS and _has_all_rights(remote, namespace):
        wanted = wanted[:2]
    former = [_binding_place(part, namespace) for part in PARTS if rights in PARTS and part != rights]
    first = _ensure(remote, wanted[0], check=check)
    ensuring = [partial(_ensure, remote, manifest, check=check) for manifest in wanted[1:]]
    looking = [partial(_removed, remote, place, check=True) for place in former]
    rest = remote.map(lambda step: step(), [*ensuring, *looking])
    changes = [change for change in (first, *rest) if change]
    if not check:
        # After the new ones are there, so that a run that is under way is not without rights for a moment. The role
        # stays: the accounts of other namespaces share it.
        for place, found in zip(former, rest[len(ensuring) :], strict=True):
            if found:
                _removed(remote, place, check=False)
    if not rejected and not token_is_due(stored, lifetime=lifetime, now=datetime.now(UTC)):
        return Adoption(changes=tuple(changes), token=None, expires=None)
    changes.append(f"token of {subject_of('ServiceAccount', SERVICE_ACCOUNT, namespace)} issued")
    if check:
        return Adoption(changes=tuple(changes), token=FORETOLD, expires=None)
    token, expires = remote.issue_token(namespace, SERVICE_ACCOUNT, lifetime)
    return Adoption(changes=tuple(changes), token=token, expires=expires)


def _has_all_rights(remote: Cluster, namespace: str) -> bool:
    """Whether MTC's own installation on the remote cluster has given the account what its controller asks for."""
    user = f"system:serviceaccount:{namespace}:{SERVICE_ACCOUNT}"
    return all(remote.map(lambda group: remote.allowed("*", group, "*", user=user), _REVIEWED))


def token_secret(*, name: str, namespace: str, token: str, expires: str) -> dict[str, Any]:
    """The secret that a MigCluster refers to; the token lies under upstream's key."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY},
            "annotations": {EXPIRY_ANNOTATION: expires},
        },
        "type": "Opaque",
        "data": {names.SERVICE_ACCOUNT_TOKEN_KEY: base64.b64encode(token.encode("utf-8")).decode("ascii")},
    }


def _binding_place(rights: str, namespace: str) -> Place:
    return Place(f"{_RBAC}/v1", "ClusterRoleBinding", _binding(rights, namespace))


def _removed(remote: Cluster, place: Place, *, check: bool) -> str | None:
    """Removes what bears our label, and tells it."""
    found = remote.get(*place)
    if found is None or (found["metadata"].get("labels") or {}).get(names.MANAGED_BY_LABEL) != names.MANAGED_BY:
        return None
    remote.delete(*place, uid=found["metadata"]["uid"], dry_run=check)
    return f"{subject_of(place.kind, place.name, place.namespace)} removed"


def release(remote: Cluster, *, namespace: str, check: bool) -> list[str]:
    """Undo ``adopt``: remove the account and all rights that it was ever given. The namespace stays, others may use
    it; so does a role with which somebody else is bound."""
    bindings = [_binding_place(rights, namespace) for rights in RIGHTS]
    account = Place("v1", "ServiceAccount", SERVICE_ACCOUNT, namespace)
    gone = remote.map(lambda place: _removed(remote, place, check=check), [*bindings, account])
    kept = _bound_roles(remote, without={binding.name for binding in bindings})
    roles = [Place(f"{_RBAC}/v1", "ClusterRole", _role(rights)) for rights in RIGHTS]
    unbound = [role for role in roles if role.name not in kept]
    gone += remote.map(lambda place: _removed(remote, place, check=check), unbound)
    return [change for change in gone if change]


def _bound_roles(remote: Cluster, *, without: set[str]) -> set[str]:
    """The names of the cluster roles that bindings refer to, but for the cluster-wide ones named in ``without``."""
    everywhere, here = remote.map(
        lambda kind: list(remote.list(f"{_RBAC}/v1", kind)), ("ClusterRoleBinding", "RoleBinding")
    )
    others = [item for item in everywhere if item["metadata"]["name"] not in without]
    return {item["roleRef"]["name"] for item in [*others, *here] if item["roleRef"]["kind"] == "ClusterRole"}
