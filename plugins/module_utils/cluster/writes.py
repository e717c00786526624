# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes that may be sent twice without being done twice.

A connection can break after the server has carried a request out. It is then sent again, and what the server says the
second time ("exists already", "was modified", "not found") may speak of our own doing. Each write here knows how to
tell: a creation by a manager name of its own in managedFields (by content where a server keeps none), a replacement
by content, a deletion because absence was the aim.
"""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ..resources.errors import PermanentError, TransientError, subject_of
from .failures import masked
from .resource_types import ResourceType
from .transport import Answer, Call, Transport

PatchStyle = Literal["merge", "json", "strategic", "apply"]

FIELD_MANAGER = "openmig"

_PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
_SUFFIX_ALPHABET = string.ascii_lowercase + string.digits
_SERVER_OWNED = frozenset({"resourceVersion", "generation", "managedFields", "creationTimestamp", "uid", "selfLink"})
_ABSENT = object()


def create(
    transport: Transport, kind: ResourceType, manifest: Mapping[str, Any], *, dry_run: bool = False
) -> dict[str, Any]:
    """POST. A ``generateName`` is resolved here, since two tries with it would make two objects."""
    metadata = manifest.get("metadata") or {}
    if not metadata.get("name") and metadata.get("generateName"):
        suffix = "".join(secrets.choice(_SUFFIX_ALPHABET) for _index in range(5))
        metadata = {**metadata, "name": f"{metadata['generateName'][:58]}{suffix}"}
        manifest = {**manifest, "metadata": metadata}
    name, namespace = str(metadata.get("name") or ""), namespace_of(kind, manifest)
    marker = f"{FIELD_MANAGER}-{secrets.token_hex(4)}"
    call = Call(
        method="POST",
        path=kind.path(namespace),
        subject=subject_of(kind.kind, name, namespace),
        attempt="create",
        query=_query(dry_run, fieldManager=marker),
        body=encoded(manifest),
        answers=frozenset({409}),
        secrets=masked(manifest),
    )
    answer = transport.send(call)
    if answer.status == 409:
        if answer.repeated and not dry_run:
            found = read(transport, kind, name, namespace)
            if found is not None and _made_by(found, marker, manifest):
                return found
        raise transport.refused(call, answer)
    return _document(answer)


def replace(
    transport: Transport, kind: ResourceType, manifest: Mapping[str, Any], *, dry_run: bool = False
) -> dict[str, Any]:
    """PUT; a resourceVersion in the manifest makes it conditional."""
    name, namespace = str(manifest["metadata"]["name"]), namespace_of(kind, manifest)
    call = Call(
        method="PUT",
        path=kind.path(namespace, name),
        subject=subject_of(kind.kind, name, namespace),
        attempt="replace",
        query=_query(dry_run),
        body=encoded(manifest),
        answers=frozenset({409}),
        secrets=masked(manifest),
    )
    answer = transport.send(call)
    if answer.status == 409:
        if answer.repeated and not dry_run:
            found = read(transport, kind, name, namespace)
            if found is not None and holds(found, manifest):
                return found
        raise transport.refused(call, answer)
    return _document(answer)


def patch(
    transport: Transport,
    kind: ResourceType,
    name: str,
    namespace: str | None,
    *,
    patch: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    style: PatchStyle = "merge",
    dry_run: bool = False,
    field_manager: str | None = None,
    force: bool = False,
    subresource: str | None = None,
) -> dict[str, Any]:
    """PATCH. A JSON patch that inserts into or removes from a list by position is never sent twice."""
    query = _query(dry_run)
    if style == "apply":
        query |= {"fieldManager": field_manager or FIELD_MANAGER, "force": "true" if force else "false"}
    elif field_manager:
        query["fieldManager"] = field_manager
    call = Call(
        method="PATCH",
        path=kind.path(namespace, name, subresource),
        subject=subject_of(kind.kind, name, namespace if kind.namespaced else None),
        attempt=f"patch {subresource}" if subresource else "patch",
        query=query,
        body=encoded(patch),
        content_type=_PATCH_TYPES[style],
        answers=frozenset({409, 422}),
        repeatable=isinstance(patch, Mapping) or all(_by_key(operation) for operation in patch),
        secrets=masked({**patch, "kind": kind.kind}) if isinstance(patch, Mapping) else (),
    )
    answer = transport.send(call)
    if answer.status in (409, 422):
        if answer.repeated and not dry_run:
            found = read(transport, kind, name, namespace)
            if isinstance(patch, Mapping) and found is not None and holds(found, patch):
                return found
            if not isinstance(patch, Mapping):
                raise TransientError(
                    subject=call.subject,
                    attempt=f"{call.attempt} on cluster {transport.name}",
                    reason="an earlier try got no answer and may have been carried out",
                    mend="Look at the object, then run the task again",
                )
        raise transport.refused(call, answer)
    return _document(answer)


def delete(
    transport: Transport,
    kind: ResourceType,
    name: str,
    namespace: str | None,
    *,
    uid: str | None = None,
    propagation: str = "Background",
    grace_seconds: int | None = None,
    dry_run: bool = False,
) -> bool:
    """DELETE; ``False`` when there was nothing to delete, or only an object of that name with another uid."""
    options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
    if grace_seconds is not None:
        options["gracePeriodSeconds"] = grace_seconds
    if uid:
        options["preconditions"] = {"uid": uid}
    if dry_run:
        options["dryRun"] = ["All"]
    call = Call(
        method="DELETE",
        path=kind.path(namespace, name),
        subject=subject_of(kind.kind, name, namespace if kind.namespaced else None),
        attempt="delete",
        query=_query(dry_run),
        body=encoded(options),
        answers=frozenset({404, 409}),
    )
    answer = transport.send(call)
    if answer.status == 404:
        absent(transport, call, answer)
        return answer.repeated
    if answer.status == 409:
        if uid:
            return False
        if kind.kind == "Namespace":  # it is on its way out already, and says so with a conflict
            return True
        raise transport.refused(call, answer)
    return True


def read(
    transport: Transport, kind: ResourceType, name: str, namespace: str | None, subresource: str | None = None
) -> dict[str, Any] | None:
    """GET; ``None`` when there is no such object (a 404 of a server that is no Kubernetes raises)."""
    call = Call(
        method="GET",
        path=kind.path(namespace, name, subresource),
        subject=subject_of(kind.kind, name, namespace if kind.namespaced else None),
        attempt="read",
        answers=frozenset({404}),
    )
    answer = transport.send(call)
    if answer.status == 404:
        absent(transport, call, answer)
        return None
    return _document(answer)


def absent(transport: Transport, call: Call, answer: Answer) -> None:
    """Accepts a 404 as "there is none" if an API server said it; raises for any other server's page."""
    if answer.document is None and b"page not found" not in answer.body:
        raise transport.refused(call, answer)


def namespace_of(kind: ResourceType, manifest: Mapping[str, Any]) -> str | None:
    """The namespace that a manifest is written to; ``None`` for a cluster-scoped kind."""
    if not kind.namespaced:
        return None
    metadata = manifest.get("metadata") or {}
    namespace = metadata.get("namespace")
    if not namespace:
        raise PermanentError(
            subject=subject_of(kind.kind, str(metadata.get("name") or "")),
            attempt="write",
            reason="the manifest names no namespace and this kind lives in one",
            mend="Set metadata.namespace",
        )
    return str(namespace)


def encoded(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def holds(found: Any, sent: Any) -> bool:
    """Whether everything that was sent is there, ``null`` meaning absent; what the server added or owns is left out."""
    if isinstance(sent, Mapping):
        if not isinstance(found, Mapping):
            return False
        return all(
            key in _SERVER_OWNED
            or (found.get(key, _ABSENT) is _ABSENT if value is None else holds(found.get(key), value))
            for key, value in sent.items()
        )
    if isinstance(sent, (list, tuple)):
        return (
            isinstance(found, (list, tuple))
            and len(found) == len(sent)
            and all(holds(*pair) for pair in zip(found, sent, strict=True))
        )
    return bool(found == sent)


def _made_by(found: Mapping[str, Any], marker: str, manifest: Mapping[str, Any]) -> bool:
    managers = (found.get("metadata") or {}).get("managedFields")
    if managers:
        return any(entry.get("manager") == marker for entry in managers)
    return holds(found, manifest)


def _by_key(operation: Mapping[str, Any]) -> bool:
    last = str(operation.get("path", "")).rpartition("/")[2]
    in_list = last == "-" or last.isdigit()
    return operation.get("op") in ("test", "replace") or (operation.get("op") in ("add", "remove") and not in_list)


def _query(dry_run: bool, **more: str) -> dict[str, str]:
    return {**more, "dryRun": "All"} if dry_run else more


def _document(answer: Answer) -> dict[str, Any]:
    document: dict[str, Any] = answer.document
    return document
