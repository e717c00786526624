# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of Services in text: rewritten where it is certain what they mean, told about where it is not.

Certain is a cluster DNS name that says its namespace and ``svc``: ``web.shop.svc``, ``db.shop.svc.cluster.local:5432``
in the environment, arguments, probes and hooks of a container, in a ConfigMap's values and in an ExternalName.
Not certain, so left and noted: ``web.shop``, a value that is just the namespace's name, anything in a Secret, an
annotation or a custom resource.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final

from .context import Note, Result, TransformContext
from .manifest import (
    LAST_APPLIED,
    Manifest,
    annotations_of,
    containers,
    group_of,
    join,
    map_strings,
    pod_spec_path,
    put,
    read,
)

_HOST = re.compile(r"[A-Za-z0-9_.-]+")
_SERVICE: Final = "svc"

BUILT_IN_GROUPS: Final = frozenset(
    {
        "",
        "apps",
        "apps.openshift.io",
        "autoscaling",
        "batch",
        "build.openshift.io",
        "discovery.k8s.io",
        "extensions",
        "networking.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "route.openshift.io",
    }
)
"""Groups whose kinds have rows of their own; the others are custom resources, whose fields nobody here knows."""


def _label_of_namespace(labels: list[str]) -> int | None:
    """Which label of a host name is its namespace, if the name says so: the one before ``svc``."""
    for index, label in enumerate(labels):
        if label == _SERVICE and index >= 2 and labels[index + 1 : index + 2] in ([], ["cluster"], [""]):
            return index - 1
    return None


def rewritten(text: str, context: TransformContext) -> tuple[str, list[str]]:
    """The text with every certain name in its new namespace, and the names that it had (``web.shop.svc``), in order."""
    found: list[str] = []
    if f".{_SERVICE}" not in text:
        return text, found

    def host(match: re.Match[str]) -> str:
        labels = match[0].split(".")
        index = _label_of_namespace(labels)
        if index is None or labels[index] not in context.renamed:
            return match[0]
        found.append(".".join(labels[: index + 2]))
        labels[index] = context.renamed[labels[index]]
        return ".".join(labels)

    return _HOST.sub(host, text), found


def uncertain(text: str, context: TransformContext) -> list[str]:
    """What may mean a renamed namespace without saying so: ``web.shop``, or the namespace's name alone."""
    if text.strip() in context.renamed:
        return [text.strip()]
    if not any(f".{namespace}" in text for namespace in context.renamed):
        return []
    found = []
    for match in _HOST.finditer(text):
        service, _dot, namespace = match[0].partition(".")
        if namespace in context.renamed and _may_be_service(namespace, service, context):
            found.append(match[0])
    return found


def _may_be_service(namespace: str, service: str, context: TransformContext) -> bool:
    if context.services is None:
        return service.isascii() and service.replace("-", "").isalnum() and service == service.lower()
    return (namespace, service) in context.services


def _rewriter(context: TransformContext, notes: list[Note]) -> Callable[[str, str], str]:
    def rewrite(path: str, text: str) -> str:
        changed, names = rewritten(text, context)
        notes.extend(
            Note("rewritten", path, f"{name} is {rewritten(name, context)[0]} there") for name in dict.fromkeys(names)
        )
        notes.extend(
            Note("left", path, f"{name} may mean the namespace that gets another name")
            for name in dict.fromkeys(uncertain(changed, context))
        )
        return changed

    return rewrite


def pods(obj: Manifest, context: TransformContext) -> Result:
    """Environment, arguments, commands, probes and hooks of the containers; images are not names of Services."""
    path = pod_spec_path(obj)
    if path is None or not context.renamed:
        return obj, ()
    notes: list[Note] = []
    rewrite = _rewriter(context, notes)
    for where, container in containers(obj, path):
        text = _dotted(where)
        for field in ("args", "command", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
            if field in container:
                obj = put(obj, map_strings(container[field], rewrite, f"{text}.{field}"), *where, field)
        for index, variable in enumerate(container.get("env") or ()):
            if isinstance(variable.get("value"), str):
                value = rewrite(f"{text}.env[{variable.get('name')}]", variable["value"])
                if value != variable["value"]:
                    obj = put(obj, value, *where, "env", index, "value")
    return obj, tuple(notes)


def config_map(obj: Manifest, context: TransformContext) -> Result:
    """The values of a ConfigMap; binary ones are left alone."""
    if not context.renamed or not isinstance(obj.get("data"), dict):
        return obj, ()
    notes: list[Note] = []
    return put(obj, map_strings(obj["data"], _rewriter(context, notes), "data"), "data"), tuple(notes)


def external_name(obj: Manifest, context: TransformContext) -> Result:
    """A Service that is another name for one of a namespace of the plan."""
    host = read(obj, "spec", "externalName")
    if not isinstance(host, str) or not context.renamed:
        return obj, ()
    notes: list[Note] = []
    return put(obj, _rewriter(context, notes)("spec.externalName", host), "spec", "externalName"), tuple(notes)


def secret(obj: Manifest, context: TransformContext) -> Result:
    """Secrets are never rewritten. The note names the key that holds such a name, and nothing of its value."""
    if not context.renamed:
        return obj, ()
    notes = []
    for key, value in sorted((obj.get("data") or {}).items()):
        try:
            text = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            continue
        if rewritten(text, context)[1]:
            notes.append(
                Note("left", join("data", key), "holds the name of a Service in a namespace that gets another")
            )
    return obj, tuple(notes)


def in_annotations(obj: Manifest, context: TransformContext) -> Result:
    """Annotations that name a Service of a renamed namespace are noted."""
    notes = [
        Note("left", join("metadata.annotations", key), f"{name} gets another namespace")
        for key, text in sorted(annotations_of(obj).items())
        if key != LAST_APPLIED
        for name in dict.fromkeys(rewritten(text, context)[1])
    ]
    return obj, tuple(notes)


def custom_resource(obj: Manifest, context: TransformContext) -> Result:
    """Fields of a custom resource that name a Service or a namespace of the plan are noted."""
    if not context.renamed or group_of(obj) in BUILT_IN_GROUPS:
        return obj, ()
    notes: list[Note] = []

    def look(path: str, text: str) -> str:
        if text in context.renamed and path.rpartition(".")[2].lower().partition("[")[0].endswith(
            ("namespace", "namespaces")
        ):
            notes.append(Note("left", path, f"namespace {text} gets another name"))
        notes.extend(Note("left", path, f"{name} gets another namespace") for name in rewritten(text, context)[1])
        return text

    for field in sorted(obj.keys() - {"apiVersion", "kind", "metadata", "status"}):
        map_strings(obj[field], look, field)
    return obj, tuple(notes)


def _dotted(path: tuple[str | int, ...]) -> str:
    text = ""
    for step in path:
        text = f"{text}[{step}]" if isinstance(step, int) else join(text, step)
    return text
