# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Owner references among the objects that travel, made again on the destination with the UIDs that the owners have
there.

They are left out when an object is created, since its owner may come later, and are added once all objects are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..cluster.api import Cluster
from ..resources import names
from ..resources.errors import Conflict, DeadlineExceeded, NotFound
from .context import TransformContext
from .inventory import reference
from .manifest import Manifest, labels_of, name_of, namespace_of

TRIES: Final = 5
"""How often an object is looked at again because somebody changed it in between."""


@dataclass(frozen=True)
class Place:
    """Where an object is on the destination."""

    api_version: str
    kind: str
    name: str
    namespace: str

    def read(self, destination: Cluster) -> Manifest | None:
        return destination.get(self.api_version, self.kind, self.name, self.namespace or None)


@dataclass(frozen=True)
class Link:
    """An object and its owners, each with the flags of the reference (``controller``, ``blockOwnerDeletion``)."""

    dependent: Place
    owners: tuple[tuple[Place, tuple[tuple[str, bool], ...]], ...]


def owners_of(objects: Iterable[Manifest]) -> frozenset[str]:
    """The UIDs, on the source, of the objects that are owners of others among them."""
    there: set[Any] = set()
    wanted: set[Any] = set()
    for obj in objects:
        there.add(obj["metadata"].get("uid"))
        wanted.update(owner.get("uid") for owner in obj["metadata"].get("ownerReferences") or ())
    return frozenset(uid for uid in there & wanted if uid)


def links(objects: Iterable[Manifest], settings: TransformContext) -> list[Link]:
    """The references among the source's objects, as they are to be on the destination."""
    if not settings.owners:
        return []
    places: dict[str, Place] = {}
    dependents: list[tuple[Place, Sequence[Mapping[str, Any]]]] = []
    for obj in objects:
        uid = str(obj["metadata"].get("uid"))
        held = [owner for owner in obj["metadata"].get("ownerReferences") or () if owner.get("uid") in settings.owners]
        if uid in settings.owners or held:
            namespace = settings.namespace(namespace_of(obj)) if namespace_of(obj) else ""
            place = Place(obj["apiVersion"], obj["kind"], name_of(obj), namespace)
            places[uid] = place
            if held:
                dependents.append((place, held))
    return [Link(place, tuple((places[owner["uid"]], _flags(owner)) for owner in held)) for place, held in dependents]


def _flags(owner: Mapping[str, Any]) -> tuple[tuple[str, bool], ...]:
    return tuple((flag, bool(owner[flag])) for flag in ("blockOwnerDeletion", "controller") if flag in owner)


def relink(destination: Cluster, wanted: Sequence[Link], *, plan_uid: str, concurrency: int = 16) -> list[str]:
    """Add the references that are missing, to objects that this plan has made; their references, sorted. An owner that
    is not there (somebody has removed it) is left out."""
    owners = list(dict.fromkeys(place for link in wanted for place, _flags in link.owners))
    found = destination.map(lambda place: place.read(destination), owners, concurrency=concurrency)
    uids = {place: str(owner["metadata"]["uid"]) for place, owner in zip(owners, found, strict=True) if owner}

    def work(link: Link) -> str | None:
        references = [
            {"apiVersion": place.api_version, "kind": place.kind, "name": place.name, "uid": uids[place], **dict(flags)}
            for place, flags in link.owners
            if place in uids
        ]
        return _add(destination, link.dependent, references, plan_uid) if references else None

    return sorted(name for name in destination.map(work, wanted, concurrency=concurrency) if name)


def _add(destination: Cluster, place: Place, references: list[dict[str, Any]], plan_uid: str) -> str | None:
    for _try in range(TRIES):
        live = place.read(destination)
        if live is None or labels_of(live).get(names.MIGRATED_BY_MIGPLAN_LABEL) != plan_uid:
            return None
        held = live["metadata"].get("ownerReferences") or []
        known = {owner.get("uid") for owner in held}
        missing = [item for item in references if item["uid"] not in known]
        if any(owner.get("controller") for owner in held):
            # A controller of the destination has taken it: an object has but one.
            missing = [item for item in missing if not item.get("controller")]
        if not missing:
            return None
        metadata = {"ownerReferences": [*held, *missing], "resourceVersion": live["metadata"]["resourceVersion"]}
        try:
            destination.patch(
                place.api_version, place.kind, place.name, place.namespace or None, patch={"metadata": metadata}
            )
        except (Conflict, NotFound):
            continue
        return reference(live)
    raise DeadlineExceeded(
        subject=f"{place.kind} {place.namespace}/{place.name}",
        attempt="its owners cannot be told it",
        reason="it is changed all the time",
        mend="Find out who works on it, then run the task again",
    )
