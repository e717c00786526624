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
from . import definitions
from .compare import content_differences
from .inventory import reference
from .manifest import Manifest, group_kind, labels_of, name_of, namespace_of, put
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


@dataclass(frozen=True, slots=True)
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
    if group_kind(sent) == definitions.DEFINITION:
        # It is wanted where there is none; whose one is, and what it says, is no business of ours.
        return Finding(name, State.EQUAL)
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
    each object; writes nothing, and a namespace that does not exist is an empty one. A kind that a definition among the
    objects brings counts as served. The plan is that of the objects' own labels unless ``migplan_uid`` says another."""
    if migplan_uid is not None:
        label = names.MIGRATED_BY_MIGPLAN_LABEL
        objects = (put(obj, migplan_uid, "metadata", "labels", label) for obj in objects)
    found: list[Finding] = []
    unserved: dict[int, definitions.ApiKind] = {}
    coming: set[definitions.ApiKind] = set()
    for batch in _batches(objects):
        coming |= definitions.brought(batch)
        for obj, finding in zip(batch, _preview_batch(destination, batch, concurrency), strict=True):
            if finding.state is State.UNSERVED:
                unserved[len(found)] = (obj["apiVersion"], obj["kind"])
            found.append(finding)
    for index, kind in unserved.items():
        if kind in coming:
            found[index] = Finding(found[index].reference, State.ABSENT)
    return found


def _batches(objects: Iterable[Manifest]) -> Iterator[list[Manifest]]:
    rest = iter(objects)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _by_name(destination: Cluster, api_version: str, kind: str, names_of_kind: Iterable[str]) -> Iterator[Manifest]:
    destination.resource(api_version, kind)
    for name in names_of_kind:
        found = destination.get(api_version, kind, name)
        if found is not None:
            yield found


def _preview_batch(destination: Cluster, batch: list[Manifest], concurrency: int) -> list[Finding]:
    wanted = {reference(obj): obj for obj in batch}
    shared: dict[tuple[str, str, str], list[str]] = {}
    for obj in batch:
        if not namespace_of(obj):
            shared.setdefault((obj["apiVersion"], obj["kind"], ""), []).append(name_of(obj))
    places = sorted({(obj["apiVersion"], obj["kind"], namespace_of(obj)) for obj in batch})

    def look(place: tuple[str, str, str]) -> tuple[tuple[str, str, str] | None, dict[str, Finding]]:
        api_version, kind, namespace = place
        try:
            # Of what lives in no namespace a cluster may have hundreds of large ones, and a few are of the plan.
            listed = (
                destination.list(api_version, kind, namespace)
                if namespace
                else _by_name(destination, api_version, kind, shared[place])
            )
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
