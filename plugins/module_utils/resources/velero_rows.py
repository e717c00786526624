# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Velero's objects of a migration, each in one row. MTC makes them where the controller engine works; the builtin
engine has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from . import names

API_VERSION: Final = "velero.io/v1"
BACKUP, RESTORE = "Backup", "Restore"
POD_VOLUME_BACKUP, POD_VOLUME_RESTORE = "PodVolumeBackup", "PodVolumeRestore"
UID_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    BACKUP: (POD_VOLUME_BACKUP, "velero.io/backup-uid"),
    RESTORE: (POD_VOLUME_RESTORE, "velero.io/restore-uid"),
}
"""What a backup or a restore makes for each volume, and the label there that holds its UID."""
_PROGRESS: Final = {
    BACKUP: ("itemsBackedUp", "totalItems"),
    RESTORE: ("itemsRestored", "totalItems"),
    POD_VOLUME_BACKUP: ("bytesDone", "totalBytes"),
    POD_VOLUME_RESTORE: ("bytesDone", "totalBytes"),
}


MOST_VALUES: Final = 50
"""Above that a selector would make a request's line too long for some proxies."""


def selector(label: str, values: Sequence[str]) -> str:
    """A label selector for any of the values; of many values for any value at all, so look at what comes."""
    return label if len(values) > MOST_VALUES else f"{label} in ({','.join(sorted(values))})"


def of_migrations(uids: Sequence[str]) -> str:
    """The label selector for the backups and restores of these migrations."""
    return selector(names.MIGMIGRATION_LABEL, uids)


def row(item: Mapping[str, Any], *, cluster: str, migration: str) -> dict[str, Any]:
    """One object; ``cluster`` is where it was found, ``migration`` the UID of the migration it belongs to."""
    spec, status, metadata = item.get("spec") or {}, item.get("status") or {}, item["metadata"]
    kind = str(item["kind"])
    done, total = _PROGRESS[kind]
    progress = status.get("progress") or {}
    pod = spec.get("pod") or {}
    return {
        "cluster": cluster,
        "kind": kind,
        "name": metadata["name"],
        "namespace": metadata.get("namespace", ""),
        "migration_uid": migration,
        "phase": status.get("phase", ""),
        "errors": status.get("errors", 0),
        "warnings": status.get("warnings", 0),
        "message": status.get("failureReason") or status.get("message") or None,
        "validation_errors": list(status.get("validationErrors") or []),
        "started": status.get("startTimestamp"),
        "completed": status.get("completionTimestamp"),
        "done": progress.get(done),
        "total": progress.get(total),
        "pod": f"{pod['namespace']}/{pod['name']}" if pod.get("name") and pod.get("namespace") else None,
        "volume": spec.get("volume") or None,
    }
