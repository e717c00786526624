# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What belongs to the namespaces of a plan although it lives in none: definitions of the custom resources in use, the
rights of the namespaces' service accounts, and OpenShift's constraints that name them.

Storage classes and volumes are not among it: a class is only referred to, and a volume comes with its claim. Webhooks
and aggregated APIs that call a Service of the plan rule over the whole cluster: they are told and stay.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ..cluster.api import Cluster
from ..cluster.resource_types import ResourceType
from ..resources import names
from ..resources.errors import Forbidden, NotFound
from . import definitions
from .collect import Left, agreed, is_among, spelled
from .inventory import reference
from .manifest import Manifest, group_kind, labels_of, name_of, namespace_of, read
from .transforms_accounts import names_account
from .transforms_cluster import is_platform_role

RBAC: Final = "rbac.authorization.k8s.io"
CONSTRAINTS: Final = ("security.openshift.io", "SecurityContextConstraints")
SHARED: Final = ((RBAC, "ClusterRole"), (RBAC, "ClusterRoleBinding"), CONSTRAINTS, definitions.DEFINITION)
"""The cluster-scoped kinds of which objects may travel."""
CALLERS: Final = (
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("apiregistration.k8s.io", "APIService"),
)
"""Cluster-scoped kinds that call a Service; they are told and never travel."""

OLM_OWNER: Final = "olm.owner"
Told = Callable[[Left], None]


def shared_types(
    source: Cluster, destination: Cluster | None = None, *, included: Collection[Any] | None, excluded: Collection[Any]
) -> dict[tuple[str, str], ResourceType]:
    """Those of the kinds that the source has and the plan wants, in versions as agreed() says."""
    wanted, unwanted = [spelled(name) for name in included or ()], [spelled(name) for name in excluded]
    found = {}
    for kind in source.types():
        if (kind.group, kind.kind) not in SHARED or is_among(kind, unwanted) or (wanted and not is_among(kind, wanted)):
            continue
        found[kind.group, kind.kind] = agreed(kind, source, destination) if destination else kind
    return found


def related(
    source: Cluster,
    destination: Cluster,
    objects: Iterable[Manifest],
    *,
    namespaces: Collection[str],
    every_account: bool,
    plan_uid: str,
    included: Collection[str | Mapping[str, str]] | None = None,
    excluded: Collection[str | Mapping[str, str]] = (),
    left: Told,
    lacking: Callable[[tuple[str, str], str], None],
) -> Iterator[Manifest]:
    """The cluster-scoped objects that go with these ``objects`` of the namespaces, as the source has them.

    ``every_account``: all service accounts of the namespaces count, not only those among the objects (a label selector
    narrows them). ``left`` hears of what belongs to them and stays, ``lacking`` of every (apiVersion, kind) in use that
    the destination does not serve and whose definition cannot travel, with the reason.
    """
    types = shared_types(source, destination, included=included, excluded=excluded)
    used: dict[tuple[str, str], None] = {}
    accounts: set[tuple[str, str]] = set()
    roles: set[str] = set()
    for obj in objects:
        used[obj["apiVersion"], obj["kind"]] = None
        if group_kind(obj) == ("", "ServiceAccount"):
            accounts.add((namespace_of(obj), name_of(obj)))
        if group_kind(obj) == (RBAC, "RoleBinding"):
            roles.update(_cluster_role(obj))

    def ours(namespace: str, account: str | None) -> bool:
        """Whether a subject is a service account of the plan; ``account`` None means all of its namespace."""
        return namespace in namespaces and (every_account or (account is not None and (namespace, account) in accounts))

    yield from _definitions(source, destination, types, used, plan_uid=plan_uid, lacking=lacking)
    yield from _rights(source, types, roles, ours, left)
    yield from _constraints(source, types, ours, left)
    if every_account and not included:
        _tell_callers(source, namespaces, left)


def _definitions(
    source: Cluster,
    destination: Cluster,
    types: Mapping[tuple[str, str], ResourceType],
    used: Iterable[tuple[str, str]],
    *,
    plan_uid: str,
    lacking: Callable[[tuple[str, str], str], None],
) -> Iterator[Manifest]:
    kinds = [source.resource(*kind) for kind in used]
    custom = [kind for kind in kinds if "." in kind.group]
    if definitions.DEFINITION not in types:
        for kind in custom:
            if not destination.serves(kind.api_version, kind.kind):
                lacking((kind.api_version, kind.kind), "its definition is not among the kinds of the plan")
        return
    seen: set[str] = set()
    for kind, found in definitions.to_carry(source, destination, custom, plan_uid=plan_uid):
        if isinstance(found, str):
            lacking((kind.api_version, kind.kind), found)
        elif name_of(found) not in seen:
            seen.add(name_of(found))
            yield found


def _rights(
    source: Cluster,
    types: Mapping[tuple[str, str], ResourceType],
    roles: set[str],
    ours: Callable[[str, str | None], bool],
    left: Told,
) -> Iterator[Manifest]:
    if (RBAC, "ClusterRoleBinding") in types:
        for binding in _listed(source, types[RBAC, "ClusterRoleBinding"], left):
            if _is_ours(binding) or not any(names_account(item, ours) for item in binding.get("subjects") or ()):
                continue
            if OLM_OWNER in labels_of(binding):
                left(Left(reference(binding), "belongs to an operator: the operator lifecycle manager makes it again"))
                continue
            roles.update(_cluster_role(binding))
            yield binding
    kind = types.get((RBAC, "ClusterRole"))
    if kind is None:
        return
    wanted = sorted(name for name in roles if not is_platform_role(name))
    for name, role in zip(wanted, source.map(lambda name: _role(source, kind, name), wanted), strict=True):
        if role is None:
            left(Left(f"ClusterRole.{RBAC} {name}", "is bound and cannot be read: its bindings grant nothing"))
        elif not is_platform_role(role):
            yield role


def _role(source: Cluster, kind: ResourceType, name: str) -> Manifest | None:
    try:
        return source.get(kind.api_version, kind.kind, name)
    except Forbidden:
        return None


def _constraints(
    source: Cluster,
    types: Mapping[tuple[str, str], ResourceType],
    ours: Callable[[str, str | None], bool],
    left: Told,
) -> Iterator[Manifest]:
    if CONSTRAINTS not in types:
        return
    for found in _listed(source, types[CONSTRAINTS], left):
        named = [*(found.get("users") or ()), *(found.get("groups") or ())]
        subjects = [{"kind": "User", "name": name} for name in named]
        if not any(names_account(item, ours) for item in subjects):
            continue
        if is_platform_constraint(found):
            reason = "names service accounts of the plan and is the platform's own: allow them there by a role binding"
            left(Left(reference(found), reason))
        else:
            yield found


def is_platform_constraint(found: Manifest) -> bool:
    """Whether every OpenShift has it: made by the release, or of a name that the platform has always used."""
    annotations = found["metadata"].get("annotations") or {}
    return name_of(found) in _PLATFORM_CONSTRAINTS or any(
        key.startswith(("include.release.openshift.io/", "release.openshift.io/")) for key in annotations
    )


_PLATFORM_CONSTRAINTS: Final = frozenset(
    {
        "anyuid",
        "hostaccess",
        "hostmount-anyuid",
        "hostnetwork",
        "hostnetwork-v2",
        "node-exporter",
        "nonroot",
        "nonroot-v2",
        "privileged",
        "restricted",
        "restricted-v2",
    }
)


def _tell_callers(source: Cluster, namespaces: Collection[str], left: Told) -> None:
    kinds = [kind for kind in source.types() if (kind.group, kind.kind) in CALLERS]
    for found in source.map(lambda kind: list(_listed(source, kind, left)), kinds):
        for obj in found:
            called = sorted(
                f"{service['namespace']}/{service.get('name', '')}"
                for service in _services(obj)
                if service.get("namespace") in namespaces
            )
            if called:
                reason = f"calls Service {called[0]} for the whole cluster and does not travel: what installs it must"
                left(Left(reference(obj), f"{reason} do so on the destination"))


def _services(obj: Manifest) -> Sequence[Manifest]:
    hooks = [read(hook, "clientConfig", "service") for hook in obj.get("webhooks") or ()]
    return [service for service in (*hooks, read(obj, "spec", "service")) if service]


def _cluster_role(binding: Manifest) -> list[str]:
    role = binding.get("roleRef") or {}
    return [str(role.get("name"))] if role.get("kind") == "ClusterRole" else []


def _is_ours(obj: Manifest) -> bool:
    """Made by adopting a cluster: the engine's own rights."""
    return labels_of(obj).get(names.MANAGED_BY_LABEL) == names.MANAGED_BY


def _listed(source: Cluster, kind: ResourceType, left: Told) -> Iterator[Manifest]:
    """All of a kind; where the connection may not read it, that is told, for it narrows what travels. A kind that has
    vanished since it was discovered has no objects."""
    try:
        yield from source.list(kind.api_version, kind.kind)
    except NotFound:
        return
    except Forbidden as error:
        left(Left(f"{kind.kind} of the cluster", f"may not be read, so none of them travels: {error.reason}"))
