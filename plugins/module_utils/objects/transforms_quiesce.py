# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Undoing what quiescing changed, from the facts that it recorded: the form that is sent is that of the running source.

Rules: MTC pkg/controller/migmigration/quiesce.go. A value is put back only where the quiesced one is still there, so
that what a person changed since is not overwritten; the annotations go in any case.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from ..resources import names
from .context import Note, Result, TransformContext
from .manifest import GroupKind, Manifest, annotations_of, group_kind, join, pruned, put, read, without

ANNOTATIONS: Final = (
    names.PRE_QUIESCE_REPLICAS_ANNOTATION,
    names.PRE_QUIESCE_PAUSED_ANNOTATION,
    names.PRE_QUIESCE_SUSPEND_ANNOTATION,
    names.PRE_QUIESCE_NODE_SELECTOR_ANNOTATION,
)


class _Unreadable(ValueError):
    """A recorded fact that is not what quiescing writes."""


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise _Unreadable
    return int(text)


def _count_at(*path: str) -> Callable[[Manifest, str], Manifest]:
    def restore(obj: Manifest, recorded: str) -> Manifest:
        count = _count(recorded)
        return put(obj, count, *path) if read(obj, *path) == 0 else obj

    return restore


def _paused(obj: Manifest, recorded: str) -> Manifest:
    if recorded == "true":
        return put(obj, True, "spec", "paused")
    # The server leaves out what is false, so the form before quiescing had no such field.
    return without(obj, "spec", "paused") if not read(obj, "spec", "paused") else obj


def _suspend(obj: Manifest, _recorded: str) -> Manifest:
    return put(obj, False, "spec", "suspend") if read(obj, "spec", "suspend") else obj


def _node_selector(obj: Manifest, recorded: str) -> Manifest:
    path = ("spec", "template", "spec", "nodeSelector")
    if names.QUIESCE_NODE_SELECTOR not in (read(obj, *path) or {}):
        return obj
    try:
        selector = json.loads(recorded) or {}
    except ValueError:
        raise _Unreadable from None
    if not isinstance(selector, dict):
        raise _Unreadable
    return put(obj, selector, *path) if selector else without(obj, *path)


Restore = Callable[[Manifest, str], Manifest]

_REPLICAS: Final[tuple[str, Restore]] = (names.PRE_QUIESCE_REPLICAS_ANNOTATION, _count_at("spec", "replicas"))
_PAUSED: Final[tuple[str, Restore]] = (names.PRE_QUIESCE_PAUSED_ANNOTATION, _paused)

RESTORED: Final[dict[GroupKind, tuple[tuple[str, Restore], ...]]] = {
    ("apps", "Deployment"): (_REPLICAS, _PAUSED),
    ("apps.openshift.io", "DeploymentConfig"): (_REPLICAS, _PAUSED),
    ("apps", "StatefulSet"): (_REPLICAS,),
    ("apps", "ReplicaSet"): (_REPLICAS,),
    ("", "ReplicationController"): (_REPLICAS,),
    ("apps", "DaemonSet"): ((names.PRE_QUIESCE_NODE_SELECTOR_ANNOTATION, _node_selector),),
    ("batch", "CronJob"): ((names.PRE_QUIESCE_SUSPEND_ANNOTATION, _suspend),),
    ("batch", "Job"): ((names.PRE_QUIESCE_REPLICAS_ANNOTATION, _count_at("spec", "parallelism")),),
    ("extensions", "Deployment"): (_REPLICAS, _PAUSED),
    ("extensions", "DaemonSet"): ((names.PRE_QUIESCE_NODE_SELECTOR_ANNOTATION, _node_selector),),
    ("extensions", "ReplicaSet"): (_REPLICAS,),
}


def undo_quiesce(obj: Manifest, _context: TransformContext) -> Result:
    """Replicas, pause, suspension, parallelism and node selector as recorded; the records themselves are dropped.

    A record that cannot be read is dropped too and noted: the object is then sent as it stands, stopped.
    """
    notes: list[Note] = []
    recorded = annotations_of(obj)
    for annotation, restore in RESTORED.get(group_kind(obj), ()):
        if annotation not in recorded:
            continue
        try:
            obj = restore(obj, recorded[annotation])
        except _Unreadable:
            path = join("metadata.annotations", annotation)
            notes.append(Note("left", path, f"{recorded[annotation]!r} cannot be read; sent as it is, stopped"))
    for annotation in ANNOTATIONS:
        obj = pruned(obj, "metadata", "annotations", annotation)
    return obj, tuple(notes)
