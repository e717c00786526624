# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Destination namespaces: made like their source, marked as ours, and removed again only when this run made them.

All labels and annotations of the source namespace travel, because UID ranges, MCS labels and Pod Security levels
decide whether copied files and pods work (MTC pkg/controller/directvolumemigration/namespaces.go). A namespace that
exists is left as it is.
"""

from __future__ import annotations

from typing import Any

from ..resources.errors import AlreadyExists, NotFound, Refused, subject_of
from .copying import Copying

NOT_COPIED = ("kubernetes.io/metadata.name", "kubectl.kubernetes.io/last-applied-configuration")
"""Set by the server or by a client for the other namespace."""


def namespace_manifest(source: dict[str, Any], *, name: str, labels: dict[str, str]) -> dict[str, Any]:
    """The destination's namespace for a source namespace, with the ownership labels on top."""
    metadata = source["metadata"]

    def kept(entries: dict[str, str] | None) -> dict[str, str]:
        return {key: value for key, value in (entries or {}).items() if key not in NOT_COPIED}

    manifest: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {**kept(metadata.get("labels")), **labels}},
    }
    if annotations := kept(metadata.get("annotations")):
        manifest["metadata"]["annotations"] = annotations
    return manifest


def ensure(context: Copying) -> None:
    """Create what is missing. Refused for one that is being deleted."""

    def ensure_one(pair: tuple[str, str]) -> None:
        destination, source = pair
        found = context.destination.get("v1", "Namespace", destination)
        if found is None:
            origin = context.source.get("v1", "Namespace", source)
            if origin is None:
                raise NotFound(
                    subject=subject_of("Namespace", source),
                    attempt="it does not exist on the source cluster",
                    mend="Correct the plan's namespaces",
                    status=404,
                )
            try:
                context.destination.create(
                    namespace_manifest(origin, name=destination, labels=context.ownership_labels())
                )
                context.tell(f"Namespace {destination} created")
            except AlreadyExists:
                return
        elif "deletionTimestamp" in found["metadata"]:
            raise Refused(
                subject=subject_of("Namespace", destination),
                attempt="nothing can be created in it",
                reason="it is being deleted on the destination cluster",
                mend="Wait until it is gone and run the task again",
            )

    context.destination.map(ensure_one, list(context.origins.items()))


def remove_created(context: Copying) -> list[str]:
    """Delete those of the namespaces that this run has created; returns their names. Nothing is awaited."""
    removed = []
    for name in context.origins:
        found = context.destination.get("v1", "Namespace", name)
        if found is not None and context.is_of_this_run(found):
            context.destination.delete("v1", "Namespace", name, uid=found["metadata"]["uid"])
            removed.append(name)
    return removed
