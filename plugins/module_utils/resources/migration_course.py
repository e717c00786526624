# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a run stands that MTC's controller carries out, judged by one look at its MigMigration.

A run that never began and is blocked for good stays so for ever: MTC neither ends it nor lets it be canceled (D23), and
it may keep later ones from their turn (D22). One that has begun and is blocked pauses, and goes on by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import migmigration
from .condition_names import Category, ConditionType, MigrationCondition
from .conditions import blockers, condition, is_true, warnings

Manifest = Mapping[str, Any]

REFUSALS = frozenset(
    {
        MigrationCondition.INVALID_PLAN_REF,
        MigrationCondition.PLAN_CLOSED,
        MigrationCondition.INVALID_SPEC,
        MigrationCondition.CONFLICTING_PVC_MAPPINGS,
        MigrationCondition.HAS_FINAL_MIGRATION,
    }
)
"""Conditions under which a run that has not begun never will."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """``fact`` is one line for people; ``blocked`` tells what keeps the run from moving, empty when nothing does."""

    state: Literal["ended", "refused", "failing", "under way"]
    fact: str
    blocked: str = ""


def begun(migration: Manifest) -> bool:
    """Whether the controller has ever run a phase of it."""
    return bool((migration.get("status") or {}).get("startTimestamp"))


def seen(migration: Manifest) -> bool:
    """Whether the controller has looked at it at all."""
    return bool((migration.get("status") or {}).get("observedDigest"))


def phase_of(migration: Manifest) -> str:
    """The phase by MTC's name; that of a run before its first one is empty there and ``Created`` here."""
    return str((migration.get("status") or {}).get("phase") or "Created")


def standing(migration: Manifest) -> Standing:
    """What one look says."""
    if migmigration.finished(migration):
        return Standing(state="ended", fact=_end_in_a_word(migration))
    found = blockers(migration)
    told = "; ".join(f"{item['type']}: {str(item.get('message', '')).strip()}".rstrip(". ") for item in found)
    if not begun(migration) and any(item["type"] in REFUSALS for item in found):
        return Standing(state="refused", fact=f"refused by MTC: {told}", blocked=told)
    if is_true(migration, ConditionType.RECONCILE_FAILED):
        return Standing(state="failing", fact=f"the controller fails: {told}", blocked=told)
    if found:
        return Standing(state="under way", fact=f"{phase_of(migration)}, blocked by {told}", blocked=told)
    return Standing(state="under way", fact=_course(migration))


def _course(migration: Manifest) -> str:
    phase = phase_of(migration)
    running = condition(migration, MigrationCondition.RUNNING) or {}
    step = str(running.get("message", "")).removeprefix("Step: ")
    doing = next((entry for entry in _pipeline(migration) if entry.get("phase") == phase), {})
    text = f"{phase} ({step})" if step else phase
    if message := str(doing.get("message", "")).strip():
        text = f"{text}: {message}"
    for item in warnings(migration):
        text = f"{text}; {item['type']}: {str(item.get('message', '')).strip()}"
    return text


def _pipeline(migration: Manifest) -> list[Mapping[str, Any]]:
    return (migration.get("status") or {}).get("pipeline") or []


def _end_in_a_word(migration: Manifest) -> str:
    if migmigration.canceled(migration):
        return "canceled"
    if migmigration.failed(migration):
        return "failed"
    if is_true(migration, MigrationCondition.SUCCEEDED_WITH_WARNINGS):
        return "succeeded with warnings"
    if is_true(migration, MigrationCondition.SUCCEEDED):
        return "succeeded"
    return "ended without saying how"


def first_error(migration: Manifest) -> str:
    """Why a run failed, in the controller's words: its errors, else its Critical conditions, else what Failed says."""
    status = migration.get("status") or {}
    if errors := [str(text) for text in status.get("errors") or []]:
        return "; ".join(errors)
    critical = [str(item.get("message", "")) for item in blockers(migration) if item["category"] == Category.CRITICAL]
    failed = condition(migration, MigrationCondition.FAILED) or {}
    return "; ".join(filter(None, critical)) or str(failed.get("message", "")) or "it does not say why"
