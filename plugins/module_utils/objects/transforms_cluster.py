# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Transforms of what lives in no namespace: of what the namespaces share with others only their own part travels.

A binding or constraint that is cut, or whose accounts get another namespace, gets a name of its own: under the old one
the destination may have the others' part, or on one cluster the source's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from .context import Note, Result, TransformContext
from .manifest import Manifest, from_server, keep_items, labels_of, map_items, name_of, put, read, without
from .transforms_accounts import mapped_subject, names_account, principal

BOOTSTRAPPING: Final = "kubernetes.io/bootstrapping"
_PLATFORM: Final = ("system:", "openshift-", "olm.", "olm-")
_DEFAULTS: Final = frozenset(
    {"admin", "basic-user", "cluster-admin", "cluster-reader", "edit", "self-provisioner", "view"}
)


def is_platform_role(role: Manifest | str) -> bool:
    """Whether every cluster of the platform has it: of a reserved name, or labelled so by the server."""
    name = role if isinstance(role, str) else name_of(role)
    if name.startswith(_PLATFORM) or name in _DEFAULTS:
        return True
    return not isinstance(role, str) and labels_of(role).get(BOOTSTRAPPING) == "rbac-defaults"


def cluster_role(obj: Manifest, _context: TransformContext) -> Result:
    """Rules that the server gathers from other roles are gathered there again."""
    if not obj.get("aggregationRule") or obj.get("rules") is None:
        return obj, ()
    return without(obj, "rules"), (
        Note("kept", "aggregationRule", "its rules are those of the roles that it names there"),
    )


def cluster_role_binding(obj: Manifest, context: TransformContext) -> Result:
    """Only the plan's accounts stay among the subjects, under their new namespace."""
    if not from_server(obj):
        return obj, ()
    ours = keep_items(obj, lambda subject: names_account(subject, _of_plan(context)), "subjects")
    changed = map_items(ours, lambda subject: mapped_subject(subject, context), "subjects")
    if changed is obj:
        return obj, ()
    subjects = sorted(str(sorted(subject.items())) for subject in changed.get("subjects") or ())
    return _named(changed, obj, ours is not obj, subjects, "subjects")


def constraints(obj: Manifest, context: TransformContext) -> Result:
    """SecurityContextConstraints: only the plan's accounts stay among users and groups."""
    if not from_server(obj):
        return obj, ()
    changed, cut = obj, False
    for field in ("users", "groups"):
        ours = keep_items(changed, lambda name: names_account({"kind": "User", "name": name}, _of_plan(context)), field)
        cut = cut or ours is not changed
        changed = map_items(ours, lambda name: principal(name, context), field)
    if changed is obj:
        return obj, ()
    subjects = sorted([*(read(changed, "users") or ()), *(read(changed, "groups") or ())])
    return _named(changed, obj, cut, subjects, "users")


def definition(obj: Manifest, _context: TransformContext) -> Result:
    """Without the webhook that would convert its versions: a definition with several served ones does not travel."""
    tended = Note("left", "spec.names.kind", tended_by_nobody(obj))
    if read(obj, "spec", "conversion", "strategy") != "Webhook":
        return obj, (tended,)
    changed = put(obj, {"strategy": "None"}, "spec", "conversion")
    return changed, (tended, Note("dropped", "spec.conversion", "one version is served, nothing is converted"))


def tended_by_nobody(definition: Manifest) -> str:
    """What is to be done besides."""
    kind = read(definition, "spec", "names", "kind")
    return f"whoever tends {kind} objects has to be installed on the destination, or nothing happens to them"


def _of_plan(context: TransformContext) -> Callable[[str, str | None], bool]:
    return lambda namespace, _account: namespace in context.namespace_mapping


def _named(changed: Manifest, obj: Manifest, cut: bool, subjects: list[str], path: str) -> Result:
    name = f"{name_of(obj)}-{hashlib.sha256(chr(10).join(subjects).encode()).hexdigest()[:8]}"
    said = "accounts that are not of the plan stay out" if cut else "service accounts say the new namespace"
    notes = (
        Note("rewritten", path, said),
        Note("rewritten", "metadata.name", f"{name_of(obj)} is called {name} there: the old name is not ours alone"),
    )
    return put(changed, name, "metadata", "name"), notes
