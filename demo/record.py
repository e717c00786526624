# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the migration says of itself: its resource and its record, read from the cluster, never from the playbook's
output.

A figure that is not there is `unknown` and makes its row red.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demo.cluster import Cluster
from demo.facts import Facts
from demo.rows import UNKNOWN, Row, size
from demo.settings import ENGINE_NAMESPACE, PLAN

HEAD = "record.json"


@dataclass(frozen=True, kw_only=True)
class Migration:
    """The plan's newest migration, and its record's document (empty when there is none)."""

    name: str
    phase: str
    conditions: Mapping[str, str]
    record: Mapping[str, Any]

    @property
    def succeeded(self) -> bool:
        """Finished, and not failed; with warnings is not the same and does not count."""
        return (
            self.phase == "Completed"
            and self.conditions.get("Succeeded") == "True"
            and self.conditions.get("Failed") != "True"
        )


def newest(control: Cluster) -> Migration | None:
    """The plan's last migration; None when there is none."""
    mine = [each for each in control.list("MigMigration", ENGINE_NAMESPACE) if _plan(each) == PLAN]
    if not mine:
        return None
    last = max(mine, key=lambda each: (each["metadata"]["creationTimestamp"], each["metadata"]["name"]))
    name, status = last["metadata"]["name"], last.get("status") or {}
    head = control.get("ConfigMap", f"{name}-run", ENGINE_NAMESPACE) or {}
    try:
        record = json.loads(head["data"][HEAD])
    except (KeyError, ValueError):
        record = {}
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    return Migration(name=name, phase=status.get("phase", ""), conditions=conditions, record=record)


def _plan(migration: Mapping[str, Any]) -> str:
    return str((migration["spec"].get("migPlanRef") or {}).get("name", ""))


def rows(migration: Migration | None, facts: Facts | None) -> list[Row]:
    """Downtime, volumes, objects, duration."""
    record: Mapping[str, Any] = migration.record if migration else {}
    return [_state_row(migration), _downtime_row(record, facts), _volumes_row(record), _duration_row(record)]


def _state_row(migration: Migration | None) -> Row:
    told = sorted(name for name, status in migration.conditions.items() if status == "True") if migration else []
    return Row(
        what="the migration's own verdict",
        source=migration.name if migration else "there is none",
        destination=", ".join(told) or UNKNOWN,
        good=bool(migration and migration.succeeded),
    )


def _downtime_row(record: Mapping[str, Any], facts: Facts | None) -> Row:
    told, seen = record.get("downtime_seconds"), facts.downtime if facts else None
    return Row(
        what="downtime",
        source=f"seen by the customer: {seen:.1f} s" if seen is not None else f"seen by the customer: {UNKNOWN}",
        destination=f"told by the migration: {told:.1f} s" if _is_number(told) else f"told by the migration: {UNKNOWN}",
        good=seen is not None and _is_number(told),
    )


def _volumes_row(record: Mapping[str, Any]) -> Row:
    volumes = record.get("volumes") or []
    proven = [volume for volume in volumes if _verdict(volume)]
    count = [volume.get("bytes") for volume in volumes]
    rates = [volume.get("rate") for volume in volumes]
    seconds = _transfer_seconds(record)
    known = bool(volumes) and all(_is_number(each) for each in count)
    total = sum(each for each in count if _is_number(each))
    if all(_is_number(each) for each in rates) and rates:
        rate = f"{size(sum(rates))}/s"
    else:
        rate = f"{size(total / seconds)}/s" if seconds and known else UNKNOWN
    return Row(
        what="volumes: bytes, rate, proof",
        source=f"{len(volumes)} volumes, {size(total)} at {rate}" if known else UNKNOWN,
        destination=f"{len(proven)} of {len(volumes)} proven equal" if volumes else UNKNOWN,
        good=known and rate != UNKNOWN and len(proven) == len(volumes),
        details=[f"{volume.get('claim', volume)}: not proven" for volume in volumes if volume not in proven],
    )


def _verdict(volume: Mapping[str, Any]) -> bool:
    verdict = volume.get("verdict", volume.get("ok"))
    return bool(verdict.get("ok")) if isinstance(verdict, Mapping) else verdict in {True, "equal", "ok", "proven"}


def _transfer_seconds(record: Mapping[str, Any]) -> float | None:
    timings = record.get("timings") or {}
    parts = [seconds for phase, seconds in timings.items() if "DirectVolume" in phase and _is_number(seconds)]
    return sum(parts) or None


def _duration_row(record: Mapping[str, Any]) -> Row:
    told, timings = record.get("duration_seconds"), record.get("timings") or {}
    slowest = sorted(((seconds, phase) for phase, seconds in timings.items() if _is_number(seconds)), reverse=True)[:8]
    return Row(
        what="duration, start to end",
        source=f"{told:.1f} s" if _is_number(told) else UNKNOWN,
        destination=f"{len(timings)} phases timed" if timings else UNKNOWN,
        good=_is_number(told) and bool(timings),
        details=[f"{phase}: {seconds:.1f} s" for seconds, phase in slowest],
    )


def rewritten(migration: Migration | None) -> tuple[list[str], bool]:
    """What the migration says it rewrote, as lines, and whether it says anything at all."""
    objects = (migration.record if migration else {}).get("objects")
    if not isinstance(objects, Mapping) or "rewritten" not in objects:
        return [], False
    return [each if isinstance(each, str) else json.dumps(each, sort_keys=True) for each in objects["rewritten"]], True


def created(migration: Migration | None) -> int | None:
    """How many objects the migration says it created."""
    told = ((migration.record if migration else {}).get("objects") or {}).get("created")
    if isinstance(told, list):
        return len(told)
    return told if isinstance(told, int) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
