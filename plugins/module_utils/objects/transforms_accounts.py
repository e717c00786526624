# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Transforms of ServiceAccounts, their secrets, and RBAC: what the platform generates is generated there again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from .context import Note, Result, TransformContext
from .manifest import (
    Manifest,
    annotations_of,
    keep_items,
    map_items,
    name_of,
    pruned,
    put,
    read,
    without,
)
from .transforms_workloads import SUFFIX

TOKEN_TYPE: Final = "kubernetes.io/service-account-token"
SERVICE_ACCOUNT_ANNOTATION: Final = "kubernetes.io/service-account.name"
_UID_ANNOTATION: Final = "kubernetes.io/service-account.uid"
_TOKEN_KEYS: Final = ("token", "ca.crt", "namespace", "service-ca.crt")
_GROUP_OF_NAMESPACE: Final = "system:serviceaccounts:"
_USER_OF_NAMESPACE: Final = "system:serviceaccount:"


def is_generated_name(secret: str, service_account: str) -> bool:
    """Whether a platform gave the secret its name: ``<service account>-token-x2b4z`` or ``-dockercfg-x2b4z``."""
    return re.fullmatch(rf"{re.escape(service_account)}-(?:token|dockercfg)-{SUFFIX}", secret) is not None


def service_account(obj: Manifest, _context: TransformContext) -> Result:
    """Without references to the generated secrets, which do not travel; those that a person added stay."""
    name = name_of(obj)
    for field in ("secrets", "imagePullSecrets"):
        obj = keep_items(obj, lambda secret: not is_generated_name(secret.get("name", ""), name), field)
    return obj, ()


def token_secret(obj: Manifest, _context: TransformContext) -> Result:
    """A token secret that a person made: the token in it is the source's, so the destination fills in its own."""
    if obj.get("type") != TOKEN_TYPE:
        return obj, ()
    account = annotations_of(obj).get(SERVICE_ACCOUNT_ANNOTATION, "?")
    had_token = any(read(obj, "data", key) is not None for key in _TOKEN_KEYS)
    obj = pruned(obj, "metadata", "annotations", _UID_ANNOTATION)
    for key in _TOKEN_KEYS:
        obj = without(obj, "data", key)
    if read(obj, "data") == {}:
        obj = without(obj, "data")
    text = f"the token of ServiceAccount {account} is another one there"
    return obj, (Note("dropped", "data", text),) if had_token else ()


def names_account(subject: Manifest, ours: Callable[[str, str | None], bool]) -> bool:
    """Whether a subject is a service account for which ``ours`` is true, or a group of them: by its field or by the
    name of its user or group. ``ours`` gets the namespace and the account, None for all accounts of a namespace."""
    name = str(subject.get("name", ""))
    if subject.get("kind") == "ServiceAccount":
        return ours(str(subject.get("namespace", "")), name)
    if name.startswith(_GROUP_OF_NAMESPACE):
        return ours(name.removeprefix(_GROUP_OF_NAMESPACE), None)
    if name.startswith(_USER_OF_NAMESPACE):
        namespace, _colon, account = name.removeprefix(_USER_OF_NAMESPACE).partition(":")
        return ours(namespace, account)
    return False


def mapped_subject(subject: Manifest, context: TransformContext) -> Manifest:
    """The subject in its new namespace."""
    if subject.get("kind") == "ServiceAccount":
        target = context.namespace(subject.get("namespace", ""))
        return put(subject, target, "namespace") if "namespace" in subject else subject
    name = subject.get("name", "")
    mapped = principal(name, context)
    return put(subject, mapped, "name") if mapped != name else subject


def role_binding(obj: Manifest, context: TransformContext) -> Result:
    """Subjects say the new namespace, in their field and in the names of service accounts' users and groups."""
    notes: list[Note] = []
    for held in read(obj, "subjects") or ():
        if held.get("kind") == "ServiceAccount":
            _outside(held.get("namespace", ""), notes, context)
    changed = map_items(obj, lambda held: mapped_subject(held, context), "subjects")
    if changed is not obj:
        notes.append(Note("rewritten", "subjects", "service accounts say the new namespace"))
    return changed, tuple(notes)


def _outside(namespace: Any, notes: list[Note], context: TransformContext) -> None:
    if namespace and not context.in_plan(namespace):
        notes.append(Note("left", "subjects", f"namespace {namespace} is not part of the plan"))


def principal(name: str, context: TransformContext) -> str:
    """``system:serviceaccount:<namespace>:<name>`` and ``system:serviceaccounts:<namespace>`` in the new namespace."""
    if name.startswith(_GROUP_OF_NAMESPACE):
        return _GROUP_OF_NAMESPACE + context.namespace(name.removeprefix(_GROUP_OF_NAMESPACE))
    if name.startswith(_USER_OF_NAMESPACE):
        namespace, _colon, account = name.removeprefix(_USER_OF_NAMESPACE).partition(":")
        return f"{_USER_OF_NAMESPACE}{context.namespace(namespace)}:{account}"
    return name
