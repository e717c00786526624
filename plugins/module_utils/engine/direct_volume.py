# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The run's DirectVolumeMigration: made like upstream's, so that whoever looks for the copies' progress finds it
where MTC puts it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..resources import directvolume, names
from ..resources.condition_names import Category, VolumeCondition
from ..resources.conditions import Conditions
from ..resources.digest import observed_digest
from ..volumes.status import dvm_status, progress_line
from . import volume_progress
from .clock import utc_now
from .context import Context

ITINERARY = "VolumeMigration"
ITINERARY_FAILED = "VolumeMigrationFailed"
COPYING = "RunRsyncOperations"
FAILED = "MigrationFailed"
COMPLETED = "Completed"


def _find(context: Context) -> dict[str, Any] | None:
    selector = ",".join(f"{key}={value}" for key, value in sorted(directvolume.labels(context.migration.uid).items()))
    kind = names.DIRECT_VOLUME_MIGRATION
    return next(
        iter(context.control.list(names.API_VERSION, kind, context.migration.namespace, label_selector=selector)), None
    )


def ensure(context: Context) -> None:
    """Create the resource unless this run has one."""
    found = _find(context) or context.control.create(directvolume.manifest(context.migration.manifest, context.plan))
    status = {
        "phase": COPYING,
        "phaseDescription": "Copying the volumes",
        "itinerary": ITINERARY,
        "startTimestamp": (found.get("status") or {}).get("startTimestamp") or utc_now(),
    }
    context.record.data["direct_volume_migration_uid"] = found["metadata"]["uid"]
    context.record.save()
    _write(context, found, status, running=COPYING)


def conclude(context: Context, *, failed: bool) -> None:
    """Write the end: what every volume came to, and whether all of them are good. Nothing to do when there is none."""
    found = _find(context)
    if found is None or (found.get("status") or {}).get("phase") in (COMPLETED, FAILED):
        return
    status = {
        **(found.get("status") or {}),
        **dvm_status(context.transfer.progress(), failed=failed),
        "phase": FAILED if failed else COMPLETED,
        "phaseDescription": "Failed" if failed else "Complete",
        "itinerary": ITINERARY_FAILED if failed else ITINERARY,
    }
    _write(context, found, status, failed=failed, ended=True)
    volume_progress.store(context.control, found, context.transfer.progress())


def remove(context: Context) -> None:
    """Delete the resource of a run that was cancelled, as upstream does; its progress resources go with it."""
    found = _find(context)
    if found is not None:
        metadata = found["metadata"]
        context.control.delete(
            names.API_VERSION,
            names.DIRECT_VOLUME_MIGRATION,
            metadata["name"],
            metadata["namespace"],
            uid=metadata["uid"],
        )


def _write(
    context: Context,
    found: dict[str, Any],
    status: dict[str, Any],
    *,
    running: str = "",
    failed: bool = False,
    ended: bool = False,
) -> None:
    conditions = Conditions(found.get("status"))
    conditions.begin()
    kind = VolumeCondition
    if ended and failed:
        message = "The copy of at least one volume failed; see the MigMigration's errors."
        conditions.set(kind.FAILED, Category.CRITICAL, COPYING, message, durable=True)
    elif ended:
        conditions.set(kind.SUCCEEDED, Category.ADVISORY, COMPLETED, "The migration has succeeded", durable=True)
    else:
        conditions.set(kind.RUNNING, Category.ADVISORY, running)
        conditions.set_ready(True, "The migration is ready.")
    status["conditions"] = conditions.end(datetime.now(UTC))
    status["observedDigest"] = observed_digest(found["spec"])
    context.control.replace({**found, "status": status})


def progress_lines(context: Context) -> list[str]:
    """One line a volume for the MigMigration's pipeline, sorted."""
    return sorted(progress_line(entry) for entry in context.transfer.progress())
