# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Removal of everything a run has put into namespaces, found by its label, whichever process made it.

Pods, Services and Secrets go first, so that no door stays open should the rest fail; the anchors go last, because
their owner references would still remove whatever this missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ..cluster.api import Cluster
from ..resources import names
from ..resources.errors import NotFound, subject_of
from .layout import Layout

KINDS: Final = ("Pod", "Service", "Secret", "ConfigMap")


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """One object of the scaffolding that still exists."""

    cluster: Cluster
    manifest: dict[str, Any]

    @property
    def anchor(self) -> bool:
        return (self.manifest["metadata"].get("labels") or {}).get(names.COMPONENT_LABEL) == "anchor"

    @property
    def ending(self) -> bool:
        return bool(self.manifest["metadata"].get("deletionTimestamp"))

    def __str__(self) -> str:
        metadata = self.manifest["metadata"]
        return f"{subject_of(self.manifest['kind'], metadata['name'], metadata['namespace'])} ({self.cluster.name})"


def leftovers(source: Cluster, destination: Cluster, layout: Layout) -> list[Leftover]:
    """What exists of the run, on both clusters; a namespace that is gone holds nothing."""
    places = [
        (cluster, namespace, kind)
        for cluster, namespaces in ((destination, layout.target_namespaces), (source, layout.source_namespaces))
        for namespace in namespaces
        for kind in KINDS
    ]

    def look(place: tuple[Cluster, str, str]) -> list[Leftover]:
        cluster, namespace, kind = place
        try:
            found = list(cluster.list("v1", kind, namespace, label_selector=layout.selector))
        except NotFound:
            return []
        return [Leftover(cluster=cluster, manifest=manifest) for manifest in found]

    return list(_distinct(item for found in source.map(look, places, concurrency=16) for item in found))


def _distinct(items: Iterator[Leftover]) -> Iterator[Leftover]:
    """Source and destination may be one cluster; then the destination's connection is taken, which may remove what
    either side has."""
    seen: set[str] = set()
    for item in items:
        uid = item.manifest["metadata"]["uid"]
        if uid not in seen:
            seen.add(uid)
            yield item


def remove(found: list[Leftover]) -> None:
    """Ask for the deletion of all that is not yet being deleted; anchors after everything else."""
    asked = [item for item in found if not item.ending]
    for anchors in (False, True):
        batch = [item for item in asked if item.anchor == anchors]
        if batch:
            batch[0].cluster.map(_delete, batch, concurrency=16)


def _delete(item: Leftover) -> None:
    metadata = item.manifest["metadata"]
    item.cluster.delete(
        "v1",
        item.manifest["kind"],
        metadata["name"],
        metadata["namespace"],
        uid=metadata["uid"],
        grace_seconds=1 if item.manifest["kind"] == "Pod" else None,
    )
