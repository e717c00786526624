# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The initial backup of a run whose plan has a replication repository: the objects as the source has them, in Velero's
layout, written before anything is stopped.

It is what ``velero`` can list, describe and restore should both clusters be lost; the run itself does not read it. Like
MTC's initial backup it holds no volumes and no claims. The name is made from the run's, so a second try writes the same
files; the one that makes the backup exist is the last.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from ..cluster.api import Cluster
from ..objects import velero_archive
from ..objects.manifest import Manifest
from ..objects.velero_archive import Archive, BackupFacts, Stored
from ..resources import names
from ..resources.errors import NotFound
from ..stores.store import Store, StoreError
from . import plan_storage
from .context import Context
from .source_objects import SourceObjects

CLAIMS = frozenset({"persistentvolumeclaims", "persistentvolumes", "imagestreams"})
"""What MTC's initial backup leaves to other ways."""
CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")


def write(context: Context, read: SourceObjects) -> None:
    """Write the backup unless it is there; nothing for a plan without a repository. Raises StoreError, and then
    nothing of it is left in the store."""
    if not plan_storage.has_one(context.plan) or context.record.data.get("archive"):
        return
    with plan_storage.opened(context.control, context.plan) as (location, store):
        name = f"{context.migration.name}-initial-{context.migration.uid[:5]}"
        begun = datetime.now(UTC)
        archive = Archive(at=begun)
        for obj, kind in _items(context.source, context.source_namespaces, read.raw):
            archive.add(obj, kind)
        items = archive.items
        facts = BackupFacts(
            name=name,
            namespace=names.CONTROLLER_NAMESPACE,
            location=location,
            namespaces=context.source_namespaces,
            excluded=sorted({*CLAIMS, *((context.plan.get("status") or {}).get("excludedResources") or ())}),
            label_selector=context.plan["spec"].get("labelSelector"),
            labels={
                names.MIGMIGRATION_LABEL: context.migration.uid,
                names.MIGMIGRATION_NAME_LABEL: context.migration.name,
                names.INITIAL_BACKUP_LABEL: context.migration.uid,
            },
            source_version="v{}.{}".format(*context.source.version()),
            begun=begun,
            ended=datetime.now(UTC),
            warnings=[str(left) for left in read.left],
        )
        _upload(store, velero_archive.files(facts, archive))
        context.record.data["archive"] = {"backup": name, "objects": items, "store": store.address}
        context.record.save()
    context.tell(f"backup {name} of {items} objects is in {store.address}")


def _items(source: Cluster, namespaces: Iterable[str], raw: Iterable[Manifest]) -> Iterator[tuple[Manifest, Stored]]:
    """The objects with their kinds; before them the namespaces, behind them the definitions of custom resources."""
    for name in namespaces:
        namespace = source.get("v1", "Namespace", name)
        if namespace is not None:
            yield namespace, Stored("namespaces", "", "v1", namespaced=False)
    custom: dict[str, None] = {}
    for obj in raw:
        kind = source.resource(obj["apiVersion"], obj["kind"])
        if kind.plural in CLAIMS or obj["kind"] == CRD[1]:
            continue
        if "." in kind.group:
            custom[f"{kind.plural}.{kind.group}"] = None
        yield obj, Stored(kind.plural, kind.group, kind.version, namespaced=kind.namespaced)
    for definition in source.map(lambda name: _definition(source, name), list(custom)):
        if definition is not None:
            yield definition, Stored("customresourcedefinitions", "apiextensions.k8s.io", "v1", namespaced=False)


def _definition(source: Cluster, name: str) -> Manifest | None:
    """None for a kind that is served by other means than a definition."""
    try:
        return source.get(*CRD, name)
    except NotFound:
        return None


def _upload(store: Store, files: Iterable[tuple[str, bytes]]) -> None:
    written: list[str] = []
    try:
        for key, content in files:
            written.append(key)
            store.put(key, content)
    except StoreError:
        for key in reversed(written):
            with contextlib.suppress(StoreError):
                store.delete(key)
        raise
