# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The source's objects as one run sends them: read, transformed, and listed for the inventory.

Used before the run exists (preflight, check mode), for the inventory and for the restore, so that all three mean the
same objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..cluster.api import Cluster
from ..objects import definitions
from ..objects.collect import Left, collect
from ..objects.context import Note, TransformContext, Transformed
from ..objects.inventory import reference
from ..objects.links import Link, links, owners_of
from ..objects.manifest import pruned
from ..objects.queue import Shelf
from ..objects.related import related
from ..objects.transforms import transform
from ..resources import accepted
from ..resources.errors import NotFound
from ..resources.migplan import namespace_mapping
from ..resources.plan_scope import included_kinds, selector_text
from .context import Context
from .moves import moves_of

Manifest = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class SourceObjects:
    """What was read. ``raw`` are the source's own forms, ``left`` what stays behind and why."""

    raw: Shelf
    left: Sequence[Left]
    settings: TransformContext
    lacking: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(apiVersion, kind) that the destination does not serve, and why its definition does not travel either."""

    @property
    def transformed(self) -> Iterator[Transformed]:
        """Each object with its form and its notes, made anew whenever it is asked for: with many objects it is the
        forms that take the memory."""
        return (transform(obj, self.settings) for obj in self.raw)

    @property
    def links(self) -> list[Link]:
        """Which of the objects own which others."""
        return links(self.raw, self.settings)

    @cached_property
    def _made(self) -> tuple[Shelf, list[tuple[str, Note]]]:
        sent, notes = Shelf(), []
        for item in self.transformed:
            if item.object is not None:
                sent.add(item.object)
                notes += [(reference(item.object), note) for note in item.notes]
        return sent, notes

    @property
    def objects(self) -> Shelf:
        """What would be sent."""
        return self._made[0]

    @property
    def notes(self) -> list[tuple[str, Note]]:
        """What is worth knowing of what would be sent, each with the reference of the object that it is about."""
        return self._made[1]


def read_objects(
    source: Cluster, destination: Cluster, *, plan: Mapping[str, Any], plan_uid: str, migration_uid: str
) -> SourceObjects:
    """Everything that the plan moves, as the source has it now, in versions that the destination serves where the
    source has such. Before a run exists its UID is "" and the plan's may be."""
    spec = plan["spec"]
    mapping = namespace_mapping(plan)
    left: list[Left] = []
    lacking: dict[tuple[str, str], str] = {}
    selector = selector_text(spec.get("labelSelector"))
    included = included_kinds(plan) or None
    excluded = tuple((plan.get("status") or {}).get("excludedResources") or ())
    # The archive holds what the server said.
    whole = bool(spec.get("migStorageRef"))
    found = collect(
        source,
        namespaces=list(mapping),
        label_selector=selector,
        included=included,
        excluded=excluded,
        left=left.append,
        destination=destination,
    )
    raw = _shelved(found, whole=whole)
    shared = related(
        source,
        destination,
        raw,
        namespaces=list(mapping),
        every_account=selector is None,
        plan_uid=plan_uid,
        included=included,
        excluded=excluded,
        left=left.append,
        lacking=lacking.__setitem__,
    )
    for obj in _shelved(shared, whole=whole):
        raw.add(obj)
    settings = TransformContext(
        namespace_mapping=mapping,
        claim_mapping={(move.source_namespace, move.source_claim): move.target_claim for move in moves_of(plan)},
        storage_classes=_storage_classes(plan),
        services=frozenset(
            (str(obj["metadata"]["namespace"]), str(obj["metadata"]["name"])) for obj in raw if obj["kind"] == "Service"
        ),
        migplan_uid=plan_uid,
        migmigration_uid=migration_uid,
        owners=owners_of(raw),
    )
    return SourceObjects(raw=raw, left=left, settings=settings, lacking=lacking)


def _shelved(found: Iterable[Manifest], *, whole: bool) -> Shelf:
    """Unless they are wanted ``whole``, without what is often half of an object: who wrote which field last. The rules
    look at it for a Service alone, whose node ports are kept where a user has set them."""
    if whole:
        return Shelf(found)
    return Shelf(obj if obj["kind"] == "Service" else pruned(obj, "metadata", "managedFields") for obj in found)


def nothing(plan: Mapping[str, Any]) -> SourceObjects:
    """For a run that moves volumes only."""
    settings = TransformContext(namespace_mapping=namespace_mapping(plan), migplan_uid="", migmigration_uid="")
    return SourceObjects(raw=Shelf(), left=(), settings=settings)


def read_for(context: Context) -> SourceObjects:
    """What this run would send now."""
    read = read_objects(
        context.source,
        context.destination,
        plan=context.plan,
        plan_uid=context.plan_uid,
        migration_uid=context.migration.uid,
    )
    if accepted.accepts(context.intent.accept_warnings, accepted.UNSERVED):
        read, unserved = without_unserved(read, context.destination)
        for left in unserved:
            context.accept(accepted.UNSERVED, str(left))
    return read


def without_unserved(read: SourceObjects, destination: Cluster) -> tuple[SourceObjects, list[Left]]:
    """The same without the objects whose kind the destination does not serve and will not, and these."""
    coming = definitions.brought(read.objects)

    def served(kind: tuple[str, str]) -> bool:
        if kind in coming:
            return True
        try:
            destination.resource(*kind)
        except NotFound:
            return False
        return True

    kinds = sorted({(obj["apiVersion"], obj["kind"]) for obj in read.objects})
    known = dict(zip(kinds, destination.map(served, kinds), strict=True))
    missing: list[Left] = []
    kept = Shelf()
    for raw, item in zip(read.raw, read.transformed, strict=True):
        if item.object is None or known[item.object["apiVersion"], item.object["kind"]]:
            kept.add(raw)
        else:
            missing.append(Left(reference(item.object), "is left out: the destination does not serve its kind"))
    missing.sort(key=str)
    return SourceObjects(raw=kept, left=[*read.left, *missing], settings=read.settings, lacking={}), missing


def _storage_classes(plan: Mapping[str, Any]) -> dict[str, str]:
    """Source class to destination class, where all copied volumes of a class go to one class."""
    chosen: dict[str, set[str]] = {}
    for entry in plan["spec"].get("persistentVolumes") or ():
        selection = entry.get("selection") or {}
        if selection.get("action") == "copy":
            chosen.setdefault(str(entry.get("storageClass", "")), set()).add(str(selection.get("storageClass", "")))
    return {source: next(iter(targets)) for source, targets in chosen.items() if source and len(targets) == 1}
