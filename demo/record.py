# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the migration says of itself: its resource and its record, read from the cluster, never from the playbook's
output.

A figure that is not there is `unknown` and makes its row red.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
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
    uids: Sequence[str]
    """Of all migrations of the plan: what each of them made for itself is labelled with its own."""
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
    uids = [each["metadata"]["uid"] for each in mine]
    return Migration(name=name, uids=uids, phase=status.get("phase", ""), conditions=conditions, record=record)


def _plan(migration: Mapping[str, Any]) -> str:
    return str((migration["spec"].get("migPlanRef") or {}).get("name", ""))


def rows(migration: Migration | None, facts: Facts | None) -> list[Row]:
    """Downtime, volumes, objects, duration."""
    record: Mapping[str, Any] = migration.record if migration else {}
    return [_state_row(migration), _downtime_row(record, facts), _volumes_row(record), _duration_row(record, facts)]


def _state_row(migration: Migration | None) -> Row:
    told = sorted(name for name, status in migration.conditions.items() if status == "True") if migration else []
    return Row(
        what="the migration's own verdict",
        source=f"MigMigration {migration.name}" if migration else "there is none",
        destination=", ".join(told) or UNKNOWN,
        good=bool(migration and migration.succeeded),
    )


def _downtime_row(record: Mapping[str, Any], facts: Facts | None) -> Row:
    told, seen = record.get("downtime_seconds"), facts.downtime if facts else None
    return Row(
        what="downtime",
        source=f"{_seconds(seen)} as the customer saw it",
        destination=f"{_seconds(told)} as the migration says",
        good=_is_number(seen) and _is_number(told),
    )


def _volumes_row(record: Mapping[str, Any]) -> Row:
    volumes = record.get("volumes") or []
    proven = [volume for volume in volumes if volume.get("ok") is True]
    passes = [record[name] for name in ("precopy", "final_pass") if isinstance(record.get(name), Mapping)]
    moved, seconds = (_sum(each.get(key) for each in passes) for key in ("bytes", "seconds"))
    held = _sum(volume.get("bytes") for volume in volumes)
    known = bool(volumes) and bool(passes) and held is not None and moved is not None and bool(seconds)
    last = record.get("final_pass") or {}
    return Row(
        what="volumes: bytes, rate, proof",
        source=f"{size(moved or 0)} moved at {size((moved or 0) / (seconds or 1))}/s" if known else UNKNOWN,
        destination=f"{len(proven)} of {len(volumes)} proven equal, {size(held or 0)}" if known else UNKNOWN,
        good=known and len(proven) == len(volumes),
        details=[
            *(
                f"{_claim(volume)}: not proven: {volume.get('reason', UNKNOWN)}"
                for volume in volumes
                if volume not in proven
            ),
            *(f"{_claim(volume)}: not kept: {what}" for volume in volumes for what in volume.get("downgrades") or ()),
            *(
                [f"of these in the last pass, during the downtime: {size(last['bytes'])}"]
                if _is_number(last.get("bytes"))
                else []
            ),
        ],
    )


def _claim(volume: Mapping[str, Any]) -> str:
    move = volume.get("move") or {}
    return f"PersistentVolumeClaim {move.get('source_namespace', UNKNOWN)}/{move.get('source_claim', UNKNOWN)}"


def _duration_row(record: Mapping[str, Any], facts: Facts | None) -> Row:
    timings = {phase: seconds for phase, seconds in (record.get("phase_seconds") or {}).items() if _is_number(seconds)}
    slowest = sorted(((seconds, phase) for phase, seconds in timings.items()), reverse=True)[:6]
    return Row(
        what="duration",
        source=f"{_seconds(facts.ended - facts.began if facts else None)}, the whole playbook",
        destination=f"{_seconds(_sum(timings.values()))} in {len(timings)} phases" if timings else UNKNOWN,
        good=facts is not None and bool(timings),
        details=[f"{phase}: {seconds:.1f} s" for seconds, phase in slowest],
    )


def _seconds(value: object) -> str:
    return f"{value:.1f} s" if isinstance(value, int | float) else UNKNOWN


def _sum(values: Iterable[Any]) -> float | None:
    """The sum; None when one of the values is missing."""
    known = list(values)
    return sum(known) if all(_is_number(value) for value in known) else None


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
