# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the destination has already under the names that are to be sent, and whose it is. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from ..cluster.api import Cluster
from ..resources import names
from ..resources.errors import NotFound
from .compare import content_differences
from .inventory import reference
from .manifest import Manifest, labels_of, namespace_of, put
from .transforms_metadata import is_platform_service_account

BATCH: Final = 2000
"""Objects that are held at a time; each kind and namespace of a batch costs one list."""


class State(StrEnum):
    """What stands on the destination in the place of an object that is to be sent."""

    ABSENT = "absent"
    EQUAL = "equal"
    """The same content; whoever made it."""
    OURS = "ours"
    """Made by a migration of this plan, and not what this run sends (or labelled for an earlier run): is updated."""
    FOREIGN = "foreign"
    """Somebody else's, with other content."""
    MERGED = "merged"
    """Made by the platform in every namespace; gets what it lacks and loses nothing."""
    LEAVING = "leaving"
    """Being deleted; the name will be free."""
    UNSERVED = "unserved"
    """The destination does not serve this kind in this version."""


@dataclass(frozen=True)
class Finding:
    """One object that is to be sent and what is there. ``differences`` are paths, never values of text."""

    reference: str
    state: State
    differences: tuple[str, ...] = ()


def judge(sent: Manifest, live: Manifest | None) -> Finding:
    """Whose ``live`` is, seen from what is to be sent: the labels of ``sent`` say of which plan and run that is."""
    name = reference(sent)
    if live is None:
        return Finding(name, State.ABSENT)
    if "deletionTimestamp" in live["metadata"]:
        return Finding(name, State.LEAVING)
    if is_platform_service_account(sent):
        return Finding(name, State.MERGED)
    wanted, held = labels_of(sent), labels_of(live)
    plan, run = names.MIGRATED_BY_MIGPLAN_LABEL, names.MIGRATED_BY_MIGMIGRATION_LABEL
    ours = plan in held and held[plan] == wanted.get(plan)
    found = tuple(content_differences(sent, live))
    if ours and (found or held.get(run) != wanted.get(run)):
        return Finding(name, State.OURS, found)
    return Finding(name, State.FOREIGN if found else State.EQUAL, found)


def preview(
    destination: Cluster, objects: Iterable[Manifest], *, migplan_uid: str | None = None, concurrency: int = 16
) -> list[Finding]:
    """One finding for each object, in their order. Lists each kind and namespace once per batch instead of asking for
    each object; writes nothing, and a namespace that does not exist is an empty one. The plan is that of the objects'
    own labels unless ``migplan_uid`` says another."""
    if migplan_uid is not None:
        label = names.MIGRATED_BY_MIGPLAN_LABEL
        objects = (put(obj, migplan_uid, "metadata", "labels", label) for obj in objects)
    found: list[Finding] = []
    for batch in _batches(objects):
        found += _preview_batch(destination, batch, concurrency)
    return found


def _batches(objects: Iterable[Manifest]) -> Iterator[list[Manifest]]:
    rest = iter(objects)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _preview_batch(destination: Cluster, batch: list[Manifest], concurrency: int) -> list[Finding]:
    wanted = {reference(obj): obj for obj in batch}
    places = sorted({(obj["apiVersion"], obj["kind"], namespace_of(obj)) for obj in batch})

    def look(place: tuple[str, str, str]) -> tuple[tuple[str, str, str] | None, dict[str, Finding]]:
        api_version, kind, namespace = place
        try:
            listed = destination.list(api_version, kind, namespace or None)
            there = ((reference(live), live) for live in listed)
            return None, {name: judge(wanted[name], live) for name, live in there if name in wanted}
        except NotFound:
            return place, {}

    unserved = set()
    findings: dict[str, Finding] = {}
    for missing, part in destination.map(look, places, concurrency=concurrency):
        findings.update(part)
        unserved.add(missing)
    return [
        Finding(name, State.UNSERVED)
        if (obj["apiVersion"], obj["kind"], namespace_of(obj)) in unserved
        else findings.get(name) or judge(obj, None)
        for name, obj in wanted.items()
    ]
