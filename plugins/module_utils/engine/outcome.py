# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a call of ``mig_migration`` gives back: the resource, and what its record says of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..cluster.api import Cluster
from ..resources import names
from ..resources.conditions import by_type
from ..resources.engines import BUILTIN
from .clock import elapsed_clock
from .itinerary import HOOK_PHASES
from .record import Record

ROLLBACK_FACTS = (
    "undoes",
    "received",
    "copied_back",
    "removed",
    "kept_namespaces",
    "kept_objects",
    "not_looked_at",
    "started",
)
"""What the record of a rollback says besides."""


def owner_of(migration: Mapping[str, Any]) -> dict[str, Any]:
    """An owner reference to the migration."""
    metadata = migration["metadata"]
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.MIG_MIGRATION,
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def record_of(control: Cluster, migration: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a migration; empty when it has none."""
    metadata = migration["metadata"]
    record = Record(
        cluster=control,
        namespace=metadata["namespace"],
        migration=metadata["name"],
        owner=owner_of(migration),
        labels={},
    )
    return record.data if record.load() else {}


def nothing(*, changed: bool, started: float, engine: str = BUILTIN) -> dict[str, Any]:
    """The module's result where there is no resource."""
    return {
        "changed": changed,
        "resource": {},
        "conditions": {},
        "engine": engine,
        "phase": "",
        "errors": [],
        "volumes": [],
        "duration": round(elapsed_clock() - started, 2),
    }


def _down_since(record: Mapping[str, Any]) -> str | None:
    """When the application was stopped, as long as it runs nowhere."""
    if "stopped_at" not in record or "running_at" in record:
        return None
    return datetime.fromtimestamp(record["stopped_at"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _hooks(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How each hook of the run has ended, in the order of their phases."""
    rows: Mapping[str, dict[str, Any]] = record.get("hooks") or {}
    return [rows[phase] for phase in HOOK_PHASES.values() if phase in rows]


def result_of(
    migration: Mapping[str, Any], record: Mapping[str, Any], *, changed: bool, started: float
) -> dict[str, Any]:
    """The module's result. ``started`` is when the call began, on the elapsed clock."""
    status = migration.get("status") or {}
    return {
        "changed": changed,
        "resource": dict(migration),
        "conditions": by_type(migration),
        "engine": BUILTIN,
        "phase": status.get("phase", ""),
        "errors": status.get("errors") or [],
        "downtime_seconds": record.get("downtime_seconds"),
        "down_since": _down_since(record),
        "stays_stopped": record.get("stays_stopped") or [],
        "volumes": record.get("volumes") or [],
        "accepted": record.get("accepted") or [],
        "hooks": _hooks(record),
        "objects": record.get("objects") or {},
        "rollback": {key: record[key] for key in ROLLBACK_FACTS if key in record},
        "phase_seconds": record.get("phase_seconds") or {},
        "duration": round(elapsed_clock() - started, 2),
    }
