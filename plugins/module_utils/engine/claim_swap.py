# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Points the stopped workloads of a storage conversion to the new claims, or back to the old ones.

Nothing runs meanwhile: all of them are pointed over before the first is started, so what cannot be finished can be
undone without losing a byte. Each step looks first, so it may be repeated after any crash.

A StatefulSet has to be made anew for it. Upstream keeps its form in a twin of another name, which after a crash looks
like a set of the user's (D30); here a Secret beside the run's record holds it from before the set is deleted until the
new one is there, and whoever goes on with the run finishes what it says first. The set is deleted without what belongs
to it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..cluster.api import Cluster
from ..objects import claim_references
from ..objects.manifest import controller_of
from ..resources import names
from ..resources.errors import AlreadyExists, Conflict
from ..volumes.model import VolumeMove
from . import quiesce
from .context import Context
from .quiesce import Workload

Manifest = dict[str, Any]
JOURNAL_TYPE = "openmig.io/stateful-set"
"""Of the Secrets that hold the form of a set while it is made anew; no other Secret is taken for one."""
STATEFUL_SET = ("apps/v1", "StatefulSet")
CLAIM = "PersistentVolumeClaim"
_FORM = "form"
_REPLACED = "replaced"
MADE_BY_OTHERS = frozenset({"Deployment", "DeploymentConfig"})
"""Whose sets and controllers follow by themselves."""


@dataclass(frozen=True, kw_only=True)
class Pointed:
    """Where the workloads shall point: claims and their classes, by namespace."""

    names: Mapping[str, Mapping[str, str]]
    """From which claim to which."""
    classes: Mapping[str, Mapping[str, str | None]]
    """Of the claims that are pointed to."""

    @property
    def namespaces(self) -> list[str]:
        return sorted(self.names)


def pointed(moves: Sequence[VolumeMove], *, back: bool) -> Pointed:
    """To the copies, or ``back`` to what they were made of."""
    found: dict[str, dict[str, str]] = {}
    classes: dict[str, dict[str, str | None]] = {}
    for move in moves:
        pair = (move.target_claim, move.source_claim) if back else (move.source_claim, move.target_claim)
        found.setdefault(move.source_namespace, {})[pair[0]] = pair[1]
        if not back:
            classes.setdefault(move.source_namespace, {})[pair[1]] = move.storage_class
    return Pointed(names=found, classes=classes)


def users(cluster: Cluster, to: Pointed) -> list[tuple[Workload, Manifest]]:
    """The workloads that still use one of the claims that are pointed away from, without those that follow another
    one by themselves and without Jobs that have ended."""
    places = [(row, namespace) for row in quiesce.WORKLOADS for namespace in to.namespaces]

    def look(place: tuple[Workload, str]) -> list[tuple[Workload, Manifest]]:
        row, namespace = place
        return [
            (row, found)
            for item in quiesce.listed(cluster, row, namespace)
            for found in [{**item, "apiVersion": row.api_version, "kind": row.kind}]
            if claim_references.uses(found, to.names[namespace])
            and (controller_of(found) or {}).get("kind") not in MADE_BY_OTHERS
            and not (row.kind == "Job" and claim_references.finished(found))
        ]

    return [pair for found in cluster.map(look, places) for pair in found]


def reference(obj: Manifest) -> str:
    return f"{obj['kind']} {obj['metadata']['namespace']}/{obj['metadata']['name']}"


def swap(context: Context, *, back: bool) -> str | None:
    """One round; None when every workload points where it shall and its controller knows."""
    cluster, to = context.destination, pointed(context.moves, back=back)
    waiting = [text for journal in _journals(context) if (text := _finish(context, journal)) is not None]
    if waiting:
        return "; ".join(waiting)
    for row, obj in users(cluster, to):
        change = _CHANGES.get(row.kind, _point)
        if text := change(context, row, obj, to, back):
            waiting.append(text)
    return "; ".join(waiting) or _unseen(cluster, to) or None


def _point(context: Context, row: Workload, obj: Manifest, to: Pointed, back: bool) -> str | None:
    """The pod template alone."""
    metadata = obj["metadata"]
    patch = claim_references.patch_of(obj, to.names[metadata["namespace"]])
    if patch is None:
        return None
    patch["metadata"] = {"resourceVersion": metadata["resourceVersion"]}
    try:
        context.destination.patch(row.api_version, row.kind, metadata["name"], metadata["namespace"], patch=patch)
    except Conflict:
        return f"{reference(obj)} was changed just now"
    context.tell(f"{reference(obj)} points to {'its former' if back else 'the new'} claims")
    return f"{reference(obj)} is being looked at again"


def _point_set(context: Context, row: Workload, obj: Manifest, to: Pointed, back: bool) -> str | None:
    """A set whose claim templates lead to other claims is made anew."""
    namespace = obj["metadata"]["namespace"]
    mapping = to.names[namespace]
    if not claim_references.renamed_templates(obj, mapping):
        return _point(context, row, obj, to, back)
    made = claim_references.recreated(obj, mapping, to.classes.get(namespace, {}))
    _write_journal(context, obj, made)
    context.destination.delete(
        *STATEFUL_SET, obj["metadata"]["name"], namespace, uid=obj["metadata"]["uid"], propagation="Orphan"
    )
    context.tell(f"{reference(obj)} is made anew, on {'its former' if back else 'the new'} claims")
    return f"{reference(obj)} is being made anew"


def _point_job(context: Context, _row: Workload, obj: Manifest, to: Pointed, back: bool) -> str | None:
    """Forward another Job is made, and the old one stays stopped; back the one that was made goes."""
    metadata, cluster = obj["metadata"], context.destination
    if back:
        if context.is_ours(obj):
            cluster.delete("batch/v1", "Job", metadata["name"], metadata["namespace"], uid=metadata["uid"])
            return f"{reference(obj)} is being removed"
        return None
    made = claim_references.other_job(
        obj,
        to.names[metadata["namespace"]],
        suffix=str((context.plan.get("status") or {}).get("suffix", "")),
        labels=context.ownership_labels(),
    )
    if any(owner["kind"] == "CronJob" for owner in metadata.get("ownerReferences") or ()):
        # Else the CronJob would wait for a Job that never ends.
        patch = {"metadata": {"ownerReferences": None, "resourceVersion": metadata["resourceVersion"]}}
        try:
            cluster.patch("batch/v1", "Job", metadata["name"], metadata["namespace"], patch=patch)
        except Conflict:
            return f"{reference(obj)} was changed just now"
    try:
        cluster.create(made)
        context.tell(f"{reference(obj)} stays stopped; {made['metadata']['name']} does its work on the new claims")
    except AlreadyExists:
        return None
    return None


_CHANGES: Mapping[str, Callable[[Context, Workload, Manifest, Pointed, bool], str | None]] = {
    "StatefulSet": _point_set,
    "Job": _point_job,
}
"""What is not done by a patch of the pod template."""


def _unseen(cluster: Cluster, to: Pointed) -> str | None:
    """A Deployment that is started before its controller has seen the new template would start the old one."""
    late = [
        f"Deployment {namespace}/{item['metadata']['name']}"
        for namespace in to.namespaces
        for item in cluster.list("apps/v1", "Deployment", namespace)
        if int((item.get("status") or {}).get("observedGeneration", 0)) < int(item["metadata"].get("generation", 0))
    ]
    return f"not seen by the controller yet: {', '.join(late)}" if late else None


# -- StatefulSets that are made anew ---------------------------------------------------------------------------------


def _journals(context: Context) -> Iterator[Manifest]:
    """Those of all runs of the plan: a rollback finishes what the run before has left."""
    selector = f"{names.MIGRATED_BY_MIGPLAN_LABEL}={context.plan_uid}"
    for secret in context.control.list("v1", "Secret", context.migration.namespace, label_selector=selector):
        if secret.get("type") == JOURNAL_TYPE:
            yield secret


def _write_journal(context: Context, obj: Manifest, made: Manifest) -> None:
    # Nobody owns it: whoever removes the resources of a run must not remove the only copy of a set with them.
    uid = str(obj["metadata"]["uid"])
    name = f"{context.migration.name}-set-{hashlib.sha256(uid.encode()).hexdigest()[:10]}"
    content = {_FORM: json.dumps(made), _REPLACED: uid}
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": JOURNAL_TYPE,
        "metadata": {
            "name": name,
            "namespace": context.migration.namespace,
            "labels": {
                **names.correlation_labels(names.MIG_MIGRATION, context.migration.uid),
                names.MIGRATED_BY_MIGPLAN_LABEL: context.plan_uid,
            },
        },
        "data": {key: base64.b64encode(text.encode()).decode("ascii") for key, text in content.items()},
    }
    try:
        context.control.create(manifest)
    except AlreadyExists:
        # An attempt that ended between the two: what the set is by now counts.
        context.control.replace(manifest)


def _finish(context: Context, journal: Manifest) -> str | None:
    """The set that a journal is about: deleted, then made anew; None when it is there."""
    content = {key: base64.b64decode(text).decode() for key, text in journal["data"].items()}
    made, cluster = json.loads(content[_FORM]), context.destination
    name, namespace = made["metadata"]["name"], made["metadata"]["namespace"]
    found = cluster.get(*STATEFUL_SET, name, namespace)
    if found is not None and found["metadata"]["uid"] == content[_REPLACED]:
        if "deletionTimestamp" not in found["metadata"]:
            cluster.delete(*STATEFUL_SET, name, namespace, uid=content[_REPLACED], propagation="Orphan")
        return f"{reference(made)} is being made anew"
    if found is None:
        try:
            cluster.create(made)
        except AlreadyExists:
            return f"{reference(made)} is being made anew"
    metadata = journal["metadata"]
    context.control.delete("v1", "Secret", metadata["name"], metadata["namespace"], uid=metadata["uid"])
    return None


def mark_former(context: Context, *, marked: bool) -> None:
    """Upstream's label on the claims that a conversion has left; taken off again when it is undone."""
    value = context.plan_uid if marked else None
    patch = {"metadata": {"labels": {names.SOURCE_FOR_DIRECT_VOLUME_MIGRATION_LABEL: value}}}

    def mark(move: VolumeMove) -> None:
        found = context.destination.get("v1", CLAIM, move.source_claim, move.source_namespace)
        label = names.SOURCE_FOR_DIRECT_VOLUME_MIGRATION_LABEL
        if found is not None and (found["metadata"].get("labels") or {}).get(label) != value:
            context.destination.patch("v1", CLAIM, move.source_claim, move.source_namespace, patch=patch)

    context.destination.map(mark, context.moves)
