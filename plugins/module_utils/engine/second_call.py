# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a call for a final migration does when the plan has migrations already: start, go on, or nothing.

Re-running is the recovery, so the same task must mean the right thing in every state: an unfinished run goes on, a
finished one is left alone, a failed or cancelled one is followed by a new one that reuses the volumes, and one that
was rolled back starts afresh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..resources import migmigration, names
from ..resources.errors import Refused, subject_of

Manifest = Mapping[str, Any]


class Step(Enum):
    """What this call does."""

    START = "start"
    GO_ON = "go on"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Decision:
    """The step and the migration it is about: the unfinished or finished one, None for a start. ``name`` is always
    set."""

    step: Step
    name: str
    migration: dict[str, Any] | None


def _name(migration: Manifest) -> str:
    return str(migration["metadata"]["name"])


def _subject(migration: Manifest) -> str:
    return subject_of(names.MIG_MIGRATION, _name(migration), str(migration["metadata"]["namespace"]))


def free_name(base: str, taken: Sequence[str]) -> str:
    """``base``, or the first of ``base-2``, ``base-3`` ... that is free."""
    if base not in taken:
        return base
    number = 2
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


def decide_final(migrations: Sequence[dict[str, Any]], *, plan: str, name: str | None) -> Decision:
    """The decision for a plan's migrations. Raises Refused when a run of another kind is unfinished or ``name`` is
    used up."""
    base = name or f"{plan}-final"
    taken = [_name(migration) for migration in migrations]
    for migration in migrations:
        if not migmigration.finished(migration) and not migmigration.is_final(migration):
            raise Refused(
                subject=_subject(migration),
                attempt="another run of the plan is not finished",
                reason=f"it stands in phase {(migration.get('status') or {}).get('phase') or 'Created'}",
                mend="Let it end, or cancel it",
            )
    if name is not None:
        return _decide_named(migrations, name)
    by_name = {_name(migration): migration for migration in migrations}
    for migration in (by_name[_name(found)] for found in migmigration.newest_first(migrations)):
        if migmigration.is_rollback(migration) and migmigration.succeeded(migration):
            break
        if not migmigration.is_final(migration):
            continue
        if not migmigration.finished(migration):
            return Decision(Step.GO_ON, _name(migration), migration)
        if migmigration.succeeded(migration):
            return Decision(Step.NOTHING, _name(migration), migration)
        break
    return Decision(Step.START, free_name(base, taken), None)


def carried_out_by(migrations: Sequence[dict[str, Any]]) -> str | None:
    """The final migration that has moved what the plan names and was not rolled back; None when there is none."""
    for migration in migmigration.newest_first(migrations):
        if not migmigration.succeeded(migration) or not migmigration.finished(migration):
            continue
        if migmigration.is_rollback(migration):
            return None
        if migmigration.is_final(migration):
            return str(migration["metadata"]["name"])
    return None


def _decide_named(migrations: Sequence[dict[str, Any]], name: str) -> Decision:
    found = next((migration for migration in migrations if _name(migration) == name), None)
    if found is None:
        earlier = decide_final(migrations, plan="", name=None) if migrations else None
        if earlier is not None and earlier.migration is not None:
            raise Refused(
                subject=_subject(earlier.migration),
                attempt="the plan has another final migration",
                reason="it succeeded" if earlier.step is Step.NOTHING else "it is not finished",
                mend="Leave the option name out, or give that name",
            )
        return Decision(Step.START, name, None)
    if not migmigration.finished(found):
        return Decision(Step.GO_ON, name, found)
    if migmigration.succeeded(found):
        return Decision(Step.NOTHING, name, found)
    raise Refused(
        subject=_subject(found),
        attempt="a finished run is not carried out again",
        reason="it failed or was cancelled",
        mend="Give another name, or leave the option name out: then the next free one is taken",
    )
