# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of Services in text: rewritten where it is certain what they mean, told about where it is not.

Certain is a cluster DNS name that says its namespace and ``svc``: ``web.shop.svc``, ``db.shop.svc.cluster.local:5432``
in the environment, arguments, probes and hooks of a container, in a ConfigMap's values and in an ExternalName.
Not certain, so left and noted: ``web.shop`` and ``mysql-0.mysql.shop``, domains like ``shop.svc``, names of a cluster
with a domain of its own, a value that is just the namespace's name, anything in a Secret, an annotation, a custom
resource or the rules of a role.
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
_NAMESPACES: Final = frozenset({"namespaces", "projects", "*"})
"""What in the rules of a role is a namespace: OpenShift's projects are the same objects."""

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
    """What may mean a renamed namespace without saying so: ``web.shop``, ``shop.svc``, or just the namespace's name."""
    if text.strip() in context.renamed:
        return [text.strip()]
    if not any(f".{namespace}" in text or f"{namespace}.{_SERVICE}" in text for namespace in context.renamed):
        return []
    hosts = (match[0].strip(".") for match in _HOST.finditer(text))
    return [host for host in hosts if _may_mean_renamed(host.split("."), context)]


def _may_mean_renamed(labels: list[str], context: TransformContext) -> bool:
    if _label_of_namespace(labels) is not None:
        return False
    for index, label in enumerate(labels):
        if label not in context.renamed:
            continue
        if labels[index + 1 : index + 2] == [_SERVICE]:
            return True
        if index and _may_be_service(labels, index, context):
            return True
    return False


def _may_be_service(labels: list[str], index: int, context: TransformContext) -> bool:
    """Whether the label before the namespace is a Service of it; without knowing them only the shortest form counts."""
    service = labels[index - 1]
    if context.services is None:
        plain = service.isascii() and service.replace("-", "").isalnum() and service == service.lower()
        return plain and index == 1 and len(labels) == index + 1
    return (labels[index], service) in context.services


def _told(text: str, context: TransformContext) -> list[str]:
    """Of a text that is never rewritten: what is to be said of each name in it."""
    changed, certain = rewritten(text, context)
    return [
        *(f"{name} gets another namespace" for name in dict.fromkeys(certain)),
        *(
            f"{name} may mean the namespace that gets another name"
            for name in dict.fromkeys(uncertain(changed, context))
        ),
    ]


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
    """Environment, arguments, commands, probes and hooks of the containers, and how the pod resolves names; images are
    not names of Services."""
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
    for way in (("hostAliases",), ("dnsConfig", "searches")):
        held = read(obj, *path, *way)
        if held:
            obj = put(obj, map_strings(held, rewrite, _dotted((*path, *way))), *path, *way)
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
        changed, certain = rewritten(text, context)
        if certain:
            notes.append(
                Note("left", join("data", key), "holds the name of a Service in a namespace that gets another")
            )
        elif uncertain(changed, context):
            # One sentence for all that it may be: it must not tell which.
            notes.append(
                Note(
                    "left",
                    join("data", key),
                    "may hold the name of a namespace that gets another, or of a Service in it",
                )
            )
    return obj, tuple(notes)


def in_annotations(obj: Manifest, context: TransformContext) -> Result:
    """Annotations that name a Service of a renamed namespace are noted, and those that name just the namespace where
    their key says so: a team or a release is often called the same."""
    notes = [
        Note("left", join("metadata.annotations", key), said)
        for key, text in sorted(annotations_of(obj).items())
        if context.renamed and key != LAST_APPLIED
        if text.strip() not in context.renamed or key.lower().endswith(("namespace", "namespaces"))
        for said in _told(text, context)
    ]
    return obj, tuple(notes)


def role(obj: Manifest, context: TransformContext) -> Result:
    """Rights on a renamed namespace by its name are noted: whether they shall hold for the new one is not known."""
    notes = [
        Note("left", f"rules[{index}].resourceNames", f"namespace {name} gets another name")
        for index, rule in enumerate(obj.get("rules") or ())
        if _NAMESPACES & {str(resource).partition("/")[0] for resource in rule.get("resources") or ()}
        for name in rule.get("resourceNames") or ()
        if name in context.renamed
    ]
    return obj, tuple(notes)


def custom_resource(obj: Manifest, context: TransformContext) -> Result:
    """Fields of a custom resource that name a Service or a namespace of the plan are noted."""
    if not context.renamed or group_of(obj) in BUILT_IN_GROUPS:
        return obj, ()
    notes: list[Note] = []

    def look(path: str, text: str) -> str:
        field = path.rpartition(".")[2].lower().partition("[")[0]
        if text in context.renamed and field.endswith(("namespace", "namespaces")):
            notes.append(Note("left", path, f"namespace {text} gets another name"))
        else:
            notes.extend(Note("left", path, said) for said in _told(text, context))
        return text

    for field in sorted(obj.keys() - {"apiVersion", "kind", "metadata", "status"}):
        map_strings(obj[field], look, field)
    return obj, tuple(notes)


def _dotted(path: tuple[str | int, ...]) -> str:
    text = ""
    for step in path:
        text = f"{text}[{step}]" if isinstance(step, int) else join(text, step)
    return text
