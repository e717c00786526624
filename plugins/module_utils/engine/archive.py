# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run whose plan has a replication repository lays there in Velero's layout: an initial backup of the objects as
the source has them, written before anything is stopped; for volumes that go through the repository a stage backup of
their claims; and of each restore its log, its results and its list of objects.

It is what ``velero`` can list, describe and restore should both clusters be lost; the run itself does not read it. Like
MTC's initial backup ours holds no volumes and no claims. Names are made from the run's, so a second try writes the same
files; the one that makes a backup exist is the last.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from ..cluster.api import Cluster
from ..objects import velero_archive, velero_restore
from ..objects.manifest import Manifest
from ..objects.velero_archive import Archive, BackupFacts, Stored
from ..objects.velero_restore import RestoreFacts
from ..resources import names
from ..resources.errors import NotFound, TransientError
from ..stores.store import Store, StoreError
from . import plan_storage
from .clock import elapsed_clock
from .context import Context
from .plan_storage import StoreUnreached
from .source_objects import SourceObjects

CLAIMS = frozenset({"persistentvolumeclaims", "persistentvolumes", "imagestreams"})
"""What MTC's initial backup leaves to other ways."""
CARRIERS = frozenset({"namespaces", "persistentvolumeclaims", "persistentvolumes"})
"""What a stage backup of ours holds beside the data, which restic has."""
CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")


STORE_PATIENCE = 120.0
"""Seconds for which a store that does not answer is asked again before the call ends."""


def patiently(context: Context, write: Callable[[], None]) -> str | None:
    """Do it, and say what is waited for while the store does not answer. Raises StoreUnreached after a while."""
    try:
        write()
    except StoreUnreached as error:
        since = context.memory.setdefault("store_unreached_since", elapsed_clock())
        if elapsed_clock() - since > STORE_PATIENCE:
            raise
        return f"{error.message} Trying again"
    context.memory.pop("store_unreached_since", None)
    return None


def write(context: Context, read: SourceObjects) -> None:
    """Write the initial backup unless it is there; nothing for a plan without a repository. Raises StoreError, or
    StoreUnreached, and then nothing of it is left in the store."""
    if not plan_storage.has_one(context.plan) or context.record.data.get("archive"):
        return
    with plan_storage.opened(context.control, context.plan) as (location, store):
        name = _name(context, "initial")
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
                names.MIGMIGRATION_NAME_LABEL: velero_archive.label_from(context.migration.name),
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


def write_stage_backup(context: Context) -> None:
    """The claims and volumes that a stage backup has carried, unless they are there. Raises as ``write``."""
    if "stage_archive" in context.record.data:
        return
    with plan_storage.opened(context.control, context.plan) as (location, store):
        begun = datetime.now(UTC)
        archive = Archive(at=begun)
        for obj, kind in _carriers(context):
            archive.add(obj, kind)
        items = archive.items
        facts = BackupFacts(
            name=_name(context, "stage"),
            namespace=names.CONTROLLER_NAMESPACE,
            location=location,
            namespaces=context.source_namespaces,
            included=sorted(CARRIERS),
            excluded=sorted((context.plan.get("status") or {}).get("excludedResources") or ()),
            label_selector=None,
            labels={
                names.MIGMIGRATION_LABEL: context.migration.uid,
                names.MIGMIGRATION_NAME_LABEL: velero_archive.label_from(context.migration.name),
                names.STAGE_BACKUP_LABEL: context.migration.uid,
            },
            source_version="v{}.{}".format(*context.source.version()),
            begun=begun,
            ended=datetime.now(UTC),
            warnings=(),
        )
        _upload(store, velero_archive.files(facts, archive))
        context.record.data["stage_archive"] = {"backup": facts.name, "objects": items, "store": store.address}
        context.record.save()


def write_stage_restore(context: Context, *, began: float) -> None:
    """Of the restore of volumes: their claims. Raises as ``write``."""
    listed = [f"{move.target_namespace}/{move.target_claim}(created)" for move in context.moves]
    _write_restore(context, "stage", {"v1/PersistentVolumeClaim": listed}, began=began)


def write_final_restore(
    context: Context, items: Mapping[str, Sequence[str]], warnings: Sequence[str], *, began: float
) -> None:
    """Of the restore of objects. It is told, and no more, when that cannot be written: the objects are there."""
    try:
        _write_restore(context, "final", items, warnings=warnings, began=began)
    except (StoreError, TransientError) as error:
        context.tell(f"the restore is not described in the store: {error.message}")


def _write_restore(
    context: Context, which: str, items: Mapping[str, Sequence[str]], *, began: float, warnings: Sequence[str] = ()
) -> None:
    if f"{which}_restore" in context.record.data:
        return
    name = _name(context, which)
    facts = RestoreFacts(
        name=name,
        namespace=names.CONTROLLER_NAMESPACE,
        backup=_name(context, "initial" if which == "final" else which),
        begun=datetime.fromtimestamp(began, UTC),
        ended=datetime.now(UTC),
        items=items,
        warnings=warnings,
    )
    with plan_storage.opened(context.control, context.plan) as (_location, store):
        _upload(store, velero_restore.files(facts))
    context.record.data[f"{which}_restore"] = name
    context.record.save()


def _name(context: Context, which: str) -> str:
    return velero_archive.name_from(context.migration.name, f"{which}-{context.migration.uid[:5]}")


def _carriers(context: Context) -> Iterator[tuple[Manifest, Stored]]:
    """Namespaces, and the claims and volumes of the source that are carried."""
    for name in context.source_namespaces:
        if namespace := context.source.get("v1", "Namespace", name):
            yield namespace, Stored("namespaces", "", "v1", namespaced=False)
    for move in context.moves:
        claim = context.source.get("v1", "PersistentVolumeClaim", move.source_claim, move.source_namespace)
        if claim is None:
            continue
        yield claim, Stored("persistentvolumeclaims", "", "v1", namespaced=True)
        bound = claim["spec"].get("volumeName")
        if volume := context.source.get("v1", "PersistentVolume", bound) if bound else None:
            yield volume, Stored("persistentvolumes", "", "v1", namespaced=False)


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
    except StoreError as error:
        for key in reversed(written):
            with contextlib.suppress(StoreError):
                store.delete(key)
        if not error.unreached:
            raise
        raise plan_storage.unreached(error) from error
