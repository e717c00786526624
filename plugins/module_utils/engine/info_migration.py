# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What belongs to migrations and is told with them: their volumes and verdicts, their direct migrations, and Velero's
objects.

Read by whoever carries a run out and by whoever only looks; both engines, for what one of them does not make is simply
not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..cluster.api import Cluster
from ..resources import engines, names, summaries, velero_rows, volume_rows
from ..resources.errors import NotFound, Refused
from .call import Call
from .outcome import record_of

Manifest = dict[str, Any]
DIRECT = (
    names.DIRECT_VOLUME_MIGRATION,
    names.DIRECT_VOLUME_MIGRATION_PROGRESS,
    names.DIRECT_IMAGE_MIGRATION,
    names.DIRECT_IMAGE_STREAM_MIGRATION,
)
RECORDED = ("downtime_seconds", "objects", "phase_seconds", "failed_phase")
"""What the builtin engine's record says and a summary repeats."""


@dataclass(kw_only=True)
class Belongings:
    """What was read for some migrations, still in one heap."""

    direct: Mapping[str, Sequence[Manifest]]
    """The direct migrations of the namespace, by kind."""
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The builtin engine's records, by the migration's UID."""
    velero: Sequence[Mapping[str, Any]] = ()
    velero_clusters: Sequence[str] = ()
    """On which clusters Velero's kinds were found."""
    unreadable: Sequence[str] = ()
    """What could not be read and was passed over."""


def completed(
    this: Call, control: Cluster, migrations: Sequence[Manifest], told: list[dict[str, Any]]
) -> dict[str, Any]:
    """Adds to each migration's summary what belongs to it; gives what the module returns besides."""
    found = belongings(this, control, migrations)
    for migration, summary in zip(migrations, told, strict=True):
        summary.update(details(migration, found))
    return {"velero_clusters": list(found.velero_clusters), "warnings_to_show": list(found.unreadable)}


def belongings(this: Call, control: Cluster, migrations: Sequence[Manifest]) -> Belongings:
    """Reads all of it: the lists side by side, and one record for each migration that has begun."""
    unreadable: list[str] = []
    lists: list[Callable[[], Any]] = [partial(_list, control, kind, this.namespace) for kind in DIRECT]
    begun = [each for each in migrations if (each.get("status") or {}).get("phase")]
    recorded = begun if this.engine == engines.BUILTIN else []
    reads = [partial(_record, control, migration, unreadable) for migration in recorded]
    sides = [("control", control), *_given(this)]
    looks = [partial(_velero, cluster, name, migrations) for name, cluster in sides]
    requests: list[Callable[[], Any]] = [*lists, *reads, *looks]
    answers = control.map(lambda request: request(), requests)
    direct = dict(zip(DIRECT, answers[: len(lists)], strict=True))
    records = answers[len(lists) : len(lists) + len(reads)]
    velero = [each for each in answers[len(lists) + len(reads) :] if each is not None]
    return Belongings(
        direct=direct,
        records={str(each["metadata"]["uid"]): record for each, record in zip(recorded, records, strict=True)},
        velero=_once(row for _name, rows in velero for row in rows),
        velero_clusters=[name for name, _rows in velero],
        unreadable=unreadable,
    )


def details(migration: Mapping[str, Any], found: Belongings) -> dict[str, Any]:
    """What belongs to one of the migrations."""
    uid = str(migration["metadata"]["uid"])
    record = found.records.get(uid) or {}
    volumes = _owned(found.direct[names.DIRECT_VOLUME_MIGRATION], names.MIG_MIGRATION, {uid})
    progress = _owned(
        found.direct[names.DIRECT_VOLUME_MIGRATION_PROGRESS], names.DIRECT_VOLUME_MIGRATION, _uids(volumes)
    )
    images = _owned(found.direct[names.DIRECT_IMAGE_MIGRATION], names.MIG_MIGRATION, {uid})
    streams = _owned(found.direct[names.DIRECT_IMAGE_STREAM_MIGRATION], names.DIRECT_IMAGE_MIGRATION, _uids(images))
    return {
        **{name: record.get(name) for name in RECORDED},
        "volumes": volume_rows.volumes_of(volumes, progress, record),
        "direct_volume_migrations": [summaries.summary(each) for each in volumes],
        "direct_image_migrations": [summaries.summary(each) for each in images],
        "direct_image_stream_migrations": [summaries.summary(each) for each in streams],
        "velero": [dict(row) for row in found.velero if row["migration_uid"] == uid],
    }


def _owned(resources: Iterable[Manifest], kind: str, uids: set[str]) -> list[Manifest]:
    found = ((resource, summaries.owner(resource, kind)) for resource in resources)
    return [resource for resource, owner in found if owner is not None and owner[1] in uids]


def _uids(resources: Iterable[Manifest]) -> set[str]:
    return {str(resource["metadata"]["uid"]) for resource in resources}


def _list(control: Cluster, kind: str, namespace: str) -> list[Manifest]:
    try:
        return list(control.list(names.API_VERSION, kind, namespace))
    except NotFound:
        return []


def _record(control: Cluster, migration: Manifest, unreadable: list[str]) -> Mapping[str, Any]:
    """A record of another version of the collection is no reason to tell nothing."""
    try:
        return record_of(control, migration)
    except Refused as error:
        unreadable.append(error.message)
        return {}


def _given(this: Call) -> list[tuple[str, Cluster]]:
    sides = [(side, this.reach.given(side, name=side)) for side in ("source", "destination")]
    return [(side, cluster) for side, cluster in sides if cluster is not None]


def _velero(cluster: Cluster, name: str, migrations: Sequence[Manifest]) -> tuple[str, list[dict[str, Any]]] | None:
    """Velero's objects of the migrations on one cluster; None where its kinds are not known."""
    try:
        cluster.resource(velero_rows.API_VERSION, velero_rows.BACKUP)
    except NotFound:
        return None
    chosen = velero_rows.of_migrations([str(each["metadata"]["uid"]) for each in migrations])
    rows: list[dict[str, Any]] = []
    for kind, (per_volume, label) in velero_rows.UID_LABELS.items():
        above = {str(item["metadata"]["uid"]): item for item in _velero_list(cluster, kind, chosen)}
        rows += [_velero_row(item, item, name) for item in above.values()]
        if above:
            below = _velero_list(cluster, per_volume, velero_rows.selector(label, list(above)))
            owners = ((item, above.get(item["metadata"]["labels"][label])) for item in below)
            rows += [_velero_row(item, owner, name) for item, owner in owners if owner is not None]
    return name, rows


def _velero_list(cluster: Cluster, kind: str, selector: str) -> list[Manifest]:
    return list(cluster.list(velero_rows.API_VERSION, kind, names.CONTROLLER_NAMESPACE, label_selector=selector))


def _velero_row(item: Manifest, above: Manifest, cluster: str) -> dict[str, Any]:
    migration = str(above["metadata"]["labels"][names.MIGMIGRATION_LABEL])
    uid = str(item["metadata"]["uid"])
    return {**velero_rows.row(item, cluster=cluster, migration=migration), "uid": uid}


def _once(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Source or destination may be the control cluster: its objects are told once."""
    return list({row["uid"]: row for row in rows}.values())
