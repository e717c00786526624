# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a call of ``direct_volume_migration`` gives back, and where its record and its lease are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..cluster.api import Cluster
from ..resources import names
from ..resources.conditions import by_type
from .clock import elapsed_clock
from .record import Record


def run_name(name: str) -> str:
    """Of what belongs to the run: beside a MigMigration of the same name there must be room for its own."""
    return f"{name}.dvm"


def owner_of(direct: Mapping[str, Any]) -> dict[str, Any]:
    """An owner reference to it."""
    metadata = direct["metadata"]
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.DIRECT_VOLUME_MIGRATION,
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def record_of(control: Cluster, direct: Mapping[str, Any]) -> Record:
    """Its record, not yet read."""
    metadata = direct["metadata"]
    return Record(
        cluster=control,
        namespace=metadata["namespace"],
        migration=run_name(metadata["name"]),
        owner=owner_of(direct),
        labels=names.correlation_labels(names.DIRECT_VOLUME_MIGRATION, metadata["uid"]),
    )


def read_record(control: Cluster, direct: Mapping[str, Any]) -> dict[str, Any]:
    """What the record holds; empty when there is none."""
    record = record_of(control, direct)
    return record.data if record.load() else {}


def result_of(
    direct: Mapping[str, Any], record: Mapping[str, Any], *, changed: bool, engine: str, started: float
) -> dict[str, Any]:
    """The module's result. ``started`` is when the call began, on the elapsed clock."""
    status = direct.get("status") or {}
    return {
        "changed": changed,
        "resource": dict(direct),
        "conditions": by_type(direct),
        "engine": engine,
        "phase": status.get("phase", ""),
        "itinerary": status.get("itinerary", ""),
        "errors": status.get("errors") or [],
        "volumes": record.get("volumes") or [],
        "duration": round(elapsed_clock() - started, 2),
    }
