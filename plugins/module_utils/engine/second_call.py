# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a call means when the plan has migrations already: start, go on, cancel, or nothing.

Re-running is the recovery, so the same task must mean the right thing in every state. The table:

====================================  ==============  ============  ====================  ==================
asked for                             stage           final         rollback              cancel
looks at the plan's newest            stage           final         final or stage        unfinished run
====================================  ==============  ============  ====================  ==================
there is none                         start           start         refuse                nothing
it is unfinished                      go on           go on         refuse, name cancel   cancel
it succeeded                          nothing; start  nothing       start
                                      with ``again``
it failed or was cancelled            start           start         start
it was rolled back                    start           start         nothing
a run of another kind is unfinished   refuse          refuse        refuse                cancel
====================================  ==============  ============  ====================  ==================

A state migration that stops the application is asked for as a final one is, and may follow one that does not; that
one is asked for as a stage run is. An unfinished rollback goes on; one that starts undoes first of all the run that has
carried the plan out. A run that would copy after that one is refused: it would copy the stopped source over what the
application has written since. Nothing here knows who carries a run out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..resources import migmigration, names
from ..resources.errors import MtcError, NotFound, Refused, subject_of

Manifest = Mapping[str, Any]
Found = dict[str, Any]


class Asked(Enum):
    """What a call asks for. The value ends the default name of the run."""

    STAGE = "stage"
    STATE = "state"
    FINAL = "final"
    ROLLBACK = "rollback"
    CANCEL = "cancel"


class Step(Enum):
    """What this call does."""

    START = "start"
    GO_ON = "go on"
    CANCEL = "cancel"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Decision:
    """The step and the migration that it is about: an unfinished or a finished one, None for a start and where there
    is nothing to cancel.

    ``name`` is that of the run to start or to go on with, "" where there is none. ``about`` is the run that a rollback
    undoes, ``tried`` are the rollbacks of it that did not come to a good end.
    """

    step: Step
    name: str
    migration: Found | None
    about: Found | None = None
    tried: tuple[Found, ...] = ()


def asked_for(params: Mapping[str, Any]) -> Asked:
    """From a module's options, of which at most one may be true."""
    for option, asked in (
        ("cancel", Asked.CANCEL),
        ("rollback", Asked.ROLLBACK),
        ("stage", Asked.STAGE),
        ("migrate_state", Asked.STATE),
    ):
        if params.get(option):
            return asked
    return Asked.FINAL


def kind_of(migration: Manifest) -> str:
    """``stage``, ``final``, ``rollback``, or ``state`` for a state migration."""
    if migmigration.is_rollback(migration):
        return Asked.ROLLBACK.value
    if migmigration.is_state(migration):
        return Asked.STATE.value
    return Asked.STAGE.value if migmigration.is_stage(migration) else Asked.FINAL.value


def free_name(base: str, taken: Collection[str]) -> str:
    """``base``, or the first of ``base-2``, ``base-3`` ... that is free."""
    if base not in taken:
        return base
    number = 2
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


def decide(
    asked: Asked,
    migrations: Sequence[Found],
    *,
    plan: str,
    name: str | None = None,
    again: bool = False,
    quiesce: bool = False,
    taken: Collection[str] = (),
) -> Decision:
    """The decision for a plan's migrations; ``taken`` are names that other plans' migrations have, ``quiesce`` says
    whether the state migration that is asked for stops the application.

    Raises Refused, naming the run that stands in the way; NotFound for a name to cancel that there is not.
    """
    if asked is Asked.CANCEL:
        return _cancel(migrations, plan=plan, name=name)
    if name is not None and name in taken:
        raise Refused(
            subject=f"MigMigration {name}",
            attempt="the name is taken",
            reason="it is a run of another plan",
            mend="Give another name, or leave the option name out",
        )
    decision = _decide(asked, migrations, plan=plan, again=again, quiesce=quiesce, taken=taken)
    return decision if name is None else _named(asked, migrations, decision, name, again=again)


def carried_out_by(migrations: Sequence[Found]) -> str | None:
    """The migration that has moved what the plan names, a final one or the last pass of a state migration, and was not
    rolled back; None when there is none."""
    for migration in migmigration.newest_first(migrations):
        if not migmigration.succeeded(migration) or not migmigration.finished(migration):
            continue
        if migmigration.is_rollback(migration):
            return None
        if migmigration.is_final(migration) or _moves_the_state(migration):
            return _name(migration)
    return None


def _moves_the_state(migration: Manifest) -> bool:
    return migmigration.is_state(migration) and migmigration.quiesces(migration)


def unfinished(migrations: Sequence[Found]) -> list[Found]:
    """The runs that compete for the plan, in the order in which they may work.

    That is the queue's, but a run that has begun is not interrupted by one that came later; and a stage run that a
    final one forbids is not among them: it can never work, and must not keep others from it (D22).
    """
    forbidden = carried_out_by(migrations) is not None
    waiting = [found for found in _queue(migrations) if not (forbidden and migmigration.is_stage(found))]
    return sorted(waiting, key=lambda found: "itinerary" not in (found.get("status") or {}))


def _decide(
    asked: Asked, migrations: Sequence[Found], *, plan: str, again: bool, quiesce: bool, taken: Collection[str]
) -> Decision:
    if working := unfinished(migrations):
        first = working[0]
        if kind_of(first) == asked.value:
            if asked is Asked.ROLLBACK:
                return Decision(Step.GO_ON, _name(first), first, _undone(migrations), _tried(migrations))
            return Decision(Step.GO_ON, _name(first), first)
        raise _in_the_way(first)
    start = Decision(
        Step.START,
        free_name(f"{plan}-{asked.value}", {*taken, *(_name(migration) for migration in migrations)}),
        None,
    )
    if asked is Asked.ROLLBACK:
        return _rollback(migrations, start, plan=plan)
    newest = _newest(migrations, asked.value)
    carried_out = carried_out_by(migrations)
    further = _further(asked, newest, again=again, quiesce=quiesce)
    if newest is not None and migmigration.succeeded(newest) and not further:
        return Decision(Step.NOTHING, _name(newest), newest)
    if carried_out is not None:
        raise Refused(
            subject=_subject(next(migration for migration in migrations if _name(migration) == carried_out)),
            attempt=f"no {asked.value} run is started after it",
            reason="it has carried the plan out, and a copy would overwrite what the application has written since",
            mend="Roll it back first",
        )
    return start


def _further(asked: Asked, newest: Found | None, *, again: bool, quiesce: bool) -> bool:
    """Whether a run is asked for although the newest of its kind has succeeded: another pass, or the last one."""
    if asked is Asked.STATE and quiesce:
        return newest is not None and not migmigration.quiesces(newest)
    return again and asked in (Asked.STAGE, Asked.STATE)


def _rollback(migrations: Sequence[Found], start: Decision, *, plan: str) -> Decision:
    undone = _undone(migrations)
    if undone is not None:
        return Decision(Step.START, start.name, None, undone, _tried(migrations))
    last = next((found for found in _by_age(migrations) if migmigration.is_rollback(found)), None)
    if last is None or not migmigration.succeeded(last):
        raise Refused(
            subject=f"MigPlan {plan}",
            attempt="there is nothing to roll back",
            reason="the plan has no stage or final migration",
            mend="Give the plan whose migration is to be undone",
        )
    return Decision(Step.NOTHING, _name(last), last)


def _undone(migrations: Sequence[Found]) -> Found | None:
    """What a rollback would undo: the run that has carried the plan out; else the newest final run since the last
    rollback, else the newest state or stage run."""
    carried_out = carried_out_by(migrations)
    if carried_out is not None:
        return next(migration for migration in migrations if _name(migration) == carried_out)
    for kind in (Asked.FINAL.value, Asked.STATE.value, Asked.STAGE.value):
        if (found := _newest(migrations, kind)) is not None:
            return found
    return None


def _tried(migrations: Sequence[Found]) -> tuple[Found, ...]:
    """The rollbacks since the last good one that have ended, newest first."""
    since = _since_rollback(migrations)
    return tuple(found for found in since if migmigration.is_rollback(found) and migmigration.finished(found))


def _since_rollback(migrations: Sequence[Found]) -> list[Found]:
    """The runs that were not rolled back, newest first."""
    found = []
    for migration in _by_age(migrations):
        if migmigration.is_rollback(migration) and migmigration.succeeded(migration):
            break
        found.append(migration)
    return found


def _newest(migrations: Sequence[Found], kind: str) -> Found | None:
    """The newest run of the kind; one that was rolled back does not count."""
    return next((migration for migration in _since_rollback(migrations) if kind_of(migration) == kind), None)


def _in_the_way(migration: Manifest) -> MtcError:
    phase = (migration.get("status") or {}).get("phase") or "Created"
    return Refused(
        subject=_subject(migration),
        attempt="another run of the plan is not finished",
        reason=f"it is a {kind_of(migration)} run and stands in phase {phase}",
        mend="Let it end, or cancel it with cancel: true",
    )


def _cancel(migrations: Sequence[Found], *, plan: str, name: str | None) -> Decision:
    by_name = {_name(migration): migration for migration in migrations}
    if name is not None and name not in by_name:
        raise NotFound(
            subject=f"MigMigration {name}",
            attempt="it cannot be cancelled",
            reason=f"plan {plan} has no such migration",
            mend="Correct the name, or leave it out: then the plan's unfinished run is cancelled",
            status=404,
        )
    candidates = [by_name[name]] if name is not None else [*unfinished(migrations), *_queue(migrations)]
    for migration in candidates:
        if not migmigration.finished(migration):
            return Decision(Step.CANCEL, _name(migration), migration)
    newest = by_name[name] if name is not None else next(iter(_by_age(migrations)), None)
    return Decision(Step.NOTHING, _name(newest) if newest else "", newest)


def _by_age(migrations: Sequence[Found]) -> list[Found]:
    """Newest first."""
    by_name = {_name(migration): migration for migration in migrations}
    return [by_name[_name(found)] for found in migmigration.newest_first(migrations)]


def _queue(migrations: Sequence[Found]) -> list[Found]:
    by_name = {_name(migration): migration for migration in migrations}
    return [by_name[_name(found)] for found in migmigration.queue(migrations)]


def _named(asked: Asked, migrations: Sequence[Found], unnamed: Decision, name: str, *, again: bool) -> Decision:
    found = next((migration for migration in migrations if _name(migration) == name), None)
    if found is None:
        return _new_name(asked, unnamed, name)
    if kind_of(found) != asked.value:
        raise Refused(
            subject=_subject(found),
            attempt=f"a {asked.value} run is asked for under this name",
            reason=f"it is a {kind_of(found)} run",
            mend="Give another name, or leave the option name out",
        )
    if unnamed.migration is not None and _name(unnamed.migration) == name:
        return unnamed
    if not migmigration.finished(found):
        raise Refused(
            subject=_subject(found),
            attempt="it has to wait",
            reason=f"run {unnamed.name} of the plan comes first",
            mend="Let that one end, or cancel it with cancel: true",
        )
    rolled_back = found not in _since_rollback(migrations)
    last_pass = asked is Asked.STATE and unnamed.step is Step.START
    if migmigration.succeeded(found) and not rolled_back and not again and not last_pass:
        return Decision(Step.NOTHING, name, found)
    how = "it succeeded" if migmigration.succeeded(found) else "it failed or was cancelled"
    raise Refused(
        subject=_subject(found),
        attempt="a finished run is not carried out again",
        reason=how + (" and was rolled back" if rolled_back else ""),
        mend="Give another name, or leave the option name out: then the next free one is taken",
    )


def _new_name(asked: Asked, unnamed: Decision, name: str) -> Decision:
    """A name that no run has yet. A further stage run may have one of its own; of the others there is one at a
    time."""
    settled = unnamed.migration
    if settled is None or (asked is Asked.STAGE and unnamed.step is Step.NOTHING):
        return Decision(Step.START, name, None, unnamed.about, unnamed.tried)
    raise Refused(
        subject=_subject(settled),
        attempt=f"the plan has another {asked.value} migration",
        reason="it succeeded" if unnamed.step is Step.NOTHING else "it is not finished",
        mend="Leave the option name out, or give that name",
    )


def _name(migration: Manifest) -> str:
    return str(migration["metadata"]["name"])


def _subject(migration: Manifest) -> str:
    return subject_of(names.MIG_MIGRATION, _name(migration), str(migration["metadata"]["namespace"]))
