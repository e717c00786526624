# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Manifests read and changed: where things lie in an object, and edits that copy along the path and share the rest.

Transforms must not mutate what they are given, and a deep copy of every object would cost more than all transforms
together. So an edit copies the dicts and lists on the way to the changed place; everything else is the same object.
An edit that changes nothing returns its very input, so ``is`` tells whether anything was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

T = TypeVar("T")

Manifest = dict[str, Any]
GroupKind = tuple[str, str]
"""("apps", "Deployment"); the core group is ""."""

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"

POD_SPECS: Final[Mapping[GroupKind, tuple[str, ...]]] = {
    ("", "Pod"): ("spec",),
    ("", "PodTemplate"): ("template", "spec"),
    ("", "ReplicationController"): ("spec", "template", "spec"),
    ("apps", "DaemonSet"): ("spec", "template", "spec"),
    ("apps", "Deployment"): ("spec", "template", "spec"),
    ("apps", "ReplicaSet"): ("spec", "template", "spec"),
    ("apps", "StatefulSet"): ("spec", "template", "spec"),
    ("apps.openshift.io", "DeploymentConfig"): ("spec", "template", "spec"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template", "spec"),
    ("batch", "Job"): ("spec", "template", "spec"),
    ("extensions", "DaemonSet"): ("spec", "template", "spec"),
    ("extensions", "Deployment"): ("spec", "template", "spec"),
    ("extensions", "ReplicaSet"): ("spec", "template", "spec"),
}
"""Where the pod of a workload is described."""

CONTAINER_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")


def group_of(obj: Manifest) -> str:
    group, slash, _version = str(obj.get("apiVersion", "")).partition("/")
    return group if slash else ""


def group_kind(obj: Manifest) -> GroupKind:
    return group_of(obj), str(obj.get("kind", ""))


def name_of(obj: Manifest) -> str:
    return str(obj["metadata"]["name"])


def namespace_of(obj: Manifest) -> str:
    """Empty for what lives in no namespace."""
    return str(obj["metadata"].get("namespace") or "")


def labels_of(obj: Manifest) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or {}


def annotations_of(obj: Manifest) -> Mapping[str, str]:
    return obj["metadata"].get("annotations") or {}


def controller_of(obj: Manifest) -> Manifest | None:
    """The owner reference of the controller that manages the object, if any."""
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return dict(owner)
    return None


def from_server(obj: Manifest) -> bool:
    """Whether a server has stored this object. What none has stored carries nothing that a server has allocated."""
    return "uid" in obj["metadata"]


def read(value: Any, *path: str | int, default: Any = None) -> Any:
    """What lies at the path; ``default`` when anything on the way is missing or of another shape."""
    for step in path:
        if isinstance(value, dict):
            if step not in value:
                return default
        elif not (isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value)):
            return default
        value = value[step]
    return value


def put(value: T, new: Any, *path: str | int) -> T:
    """A copy with ``new`` at the path. Dicts that are missing on the way are made; list items must exist."""
    changed: T = _put(value, new, path)
    return changed


def _put(value: Any, new: Any, path: tuple[str | int, ...]) -> Any:
    if not path:
        return new
    step, rest = path[0], path[1:]
    held = value if value is not None else {}
    present = isinstance(held, list) or step in held
    old = held[step] if present else None
    changed = _put(old, new, rest)
    if present and changed is old:
        return value
    copy = held.copy()
    copy[step] = changed
    return copy


def without(value: T, *path: str | int) -> T:
    """A copy that lacks the key at the path; the value itself when there is none."""
    *way, last = path
    holder = read(value, *way)
    if not isinstance(holder, dict) or last not in holder:
        return value
    return put(value, {key: item for key, item in holder.items() if key != last}, *way)


def pruned(value: T, *path: str | int) -> T:
    """Like without(), and the dict that held the key goes too if that leaves it empty (``annotations: {}``)."""
    changed = without(value, *path)
    if changed is not value and len(path) > 1 and read(changed, *path[:-1]) == {}:
        return without(changed, *path[:-1])
    return changed


def map_items(value: T, function: Callable[[Any], Any], *path: str | int) -> T:
    """A copy whose list at the path has every item replaced by ``function(item)``; the value itself if none changes."""
    items = read(value, *path)
    if not isinstance(items, list):
        return value
    changed = [function(item) for item in items]
    if all(new is old for new, old in zip(changed, items, strict=True)):
        return value
    return put(value, changed, *path)


def keep_items(value: T, wanted: Callable[[Any], bool], *path: str | int) -> T:
    """A copy whose list at the path has only the wanted items, and no such list if none of some is wanted."""
    items = read(value, *path)
    if not isinstance(items, list):
        return value
    kept = [item for item in items if wanted(item)]
    if len(kept) == len(items):
        return value
    return put(value, kept, *path) if kept else without(value, *path)


def map_strings(value: T, function: Callable[[str, str], str], path: str = "") -> T:
    """A copy with every string replaced by ``function(path, string)``; keys are left alone."""
    changed: T = _map_strings(value, function, path)
    return changed


def _map_strings(value: Any, function: Callable[[str, str], str], path: str) -> Any:
    if isinstance(value, str):
        new = function(path, value)
        return value if new == value else new
    if isinstance(value, dict):
        changed = {key: _map_strings(item, function, join(path, key)) for key, item in value.items()}
        return value if all(changed[key] is item for key, item in value.items()) else changed
    if isinstance(value, list):
        items = [_map_strings(item, function, f"{path}[{index}]") for index, item in enumerate(value)]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    return value


def join(path: str, key: object) -> str:
    """``spec.replicas``; a key with dots in it is quoted as jq does: ``metadata.labels["app.kubernetes.io/name"]``."""
    text = str(key)
    if not text.replace("-", "").replace("_", "").isalnum():
        return f'{path}["{text}"]'
    return f"{path}.{text}" if path else text


def pod_spec_path(obj: Manifest) -> tuple[str, ...] | None:
    """Where the object describes a pod, if it is of a kind that does and does so."""
    path = POD_SPECS.get(group_kind(obj))
    return path if path is not None and isinstance(read(obj, *path), dict) else None


def containers(obj: Manifest, path: tuple[str, ...]) -> Iterator[tuple[tuple[str | int, ...], Manifest]]:
    """The containers of all sorts below a pod spec, each with its path."""
    for section in CONTAINER_LISTS:
        for index, container in enumerate(read(obj, *path, section) or ()):
            yield (*path, section, index), container
