# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Walks a migration through its itinerary: writes the phase down, carries it out, goes on.

The phase is stored before it is carried out, so whoever comes next repeats at most the phase that was interrupted.
What can get better by itself is waited for; what cannot ends the run through the itinerary ``Failed``, which cleans
up and starts the source again. While the application is down no call returns on purpose.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from ..resources import migmigration
from ..resources.errors import DeadlineExceeded, LeaseLost, MtcError, PermanentError, TransientError, Unauthorized
from .clock import elapsed_clock
from .context import Context
from .flags import flags_of
from .guard import Abandoned
from .itineraries import CANCEL, ITINERARIES, ROLLBACK, STAGE
from .itinerary import COMPLETED, CREATED, FAILED, FINAL, Flag, Itinerary
from .phases import function_of

FIRST_POLL, LONGEST_POLL = 0.05, 0.5
"""Seconds between two looks at what a phase waits for; grows by half each time."""
LOOK_FOR_CANCEL_EVERY = 2.0
"""Seconds between two looks at whether somebody has asked for the run to be cancelled, while a phase lasts; every write
of the resource shows it too."""
TELL_PROGRESS_EVERY = 2.0
"""Seconds between two writes of the same phase's progress into the CR."""
TRANSIENT_PAUSE = 2.0
"""Seconds before a phase is tried again after a cluster did not answer while the application is down."""
UNREACHABLE_LIMIT = 300.0
"""Seconds for which an unanswering cluster is asked again while the application is down; then the run fails and the
source is started."""
UNAUTHORIZED_LIMIT = 30.0
"""Seconds for which a new token is waited for while the application is down; then the call ends, and the run goes on
with the next one."""
GIVING_UP_ENDS_AT = "EnsureFinalRestore"
"""Once this phase has begun to create objects the destination takes over, and a downtime limit no longer turns back."""
PAUSES = {"quiesce": "QuiesceSourceApplications", "restore": "EnsureFinalRestore"}
"""Phases before which a call may stop when it is told to (option ``pause_before``)."""


@dataclass(frozen=True)
class Advance:
    """How far a call came. ``waiting`` is None at the end; ``error`` is what ended the run, if that was a failure."""

    phase: str
    waiting: str | None
    error: MtcError | None


def flags(context: Context) -> frozenset[Flag]:
    intent = context.intent
    run = context.migration.manifest
    return flags_of(
        context.plan,
        quiesce=intent.quiesce_pods,
        verify=intent.verify,
        sync_back=intent.rollback_sync,
        swaps=migmigration.is_state(run) or migmigration.is_rollback(run),
    )


def walk(context: Context, *, wait: bool, timeout: float) -> Advance:
    """Go on until the end, until ``timeout`` seconds are used up (DeadlineExceeded; the run stays unfinished) or,
    without ``wait``, until something is waited for. Raises LeaseLost and Abandoned at once, TransientError when a
    cluster did not answer and Unauthorized when it no longer takes the token, if the application is not down.
    """
    deadline = elapsed_clock() + timeout
    failure: MtcError | None = None
    poll = FIRST_POLL
    if context.migration.phase == CREATED and "itinerary" not in context.migration.status:
        first = CANCEL if context.migration.cancel_is_asked else context.itinerary
        _enter(context, first, "Started" if first.row("Started") else first.first())
    while context.migration.phase != COMPLETED:
        context.guard.fence()
        itinerary = _itinerary_now(context)
        phase = context.migration.phase
        try:
            _give_up_when_down_too_long(context, itinerary, phase)
            if (pause := _pause(context, itinerary, phase)) is not None:
                return Advance(phase, pause, failure)
            context.memory["worked"] = True
            waiting = function_of(itinerary, phase)(context)
        except (Abandoned, LeaseLost):
            raise
        except (TransientError, Unauthorized) as error:
            failure = _endure(context, itinerary, phase, error) or failure
            continue
        except PermanentError as error:
            failure = failure or error
            _turn_to_failure(context, itinerary, phase, error)
            continue
        context.memory.pop("unreachable_since", None)
        if waiting is None:
            _leave(context, itinerary, phase)
            poll = FIRST_POLL
            continue
        context.tell(waiting)
        _show_progress(context, itinerary, phase)
        if not context.application_is_down:
            if not wait:
                return Advance(phase, waiting, failure)
            if elapsed_clock() > deadline:
                raise DeadlineExceeded(
                    subject=context.migration.subject,
                    attempt=f"wait_timeout of {timeout:.0f} s is used up in phase {phase or 'Created'}",
                    reason=waiting,
                    mend="Run the same task again: it goes on from here",
                )
        context.guard.pause(poll)
        poll = min(poll * 1.5, LONGEST_POLL)
    return Advance(COMPLETED, None, failure)


def _endure(context: Context, itinerary: Itinerary, phase: str, error: MtcError) -> MtcError | None:
    """A cluster did not answer, or no longer takes the token: while the application is down the phase is tried again
    for a while, else the call ends. What ended the run, when that while was over."""
    if not context.application_is_down:
        raise error
    since = context.memory.setdefault("unreachable_since", elapsed_clock())
    if isinstance(error, Unauthorized):
        # Without a token nothing can be cleaned up either: whoever calls next brings one.
        if elapsed_clock() - since > UNAUTHORIZED_LIMIT:
            raise error
    elif elapsed_clock() - since > UNREACHABLE_LIMIT:
        _turn_to_failure(context, itinerary, phase, error)
        return error
    context.tell(f"{error.message} Trying again: the application is down")
    context.guard.pause(TRANSIENT_PAUSE)
    return None


def _itinerary_now(context: Context) -> Itinerary:
    """The one that the run walks; a run that is to be cancelled goes over to that (a failed one does not)."""
    itinerary = ITINERARIES[context.migration.status["itinerary"]]
    if itinerary in (CANCEL, FAILED):
        return itinerary
    if elapsed_clock() - context.memory.get("looked_for_cancel", 0.0) > LOOK_FOR_CANCEL_EVERY:
        context.memory["looked_for_cancel"] = elapsed_clock()
        # When the cluster does not answer, the phase itself will meet that, and knows what to do.
        with contextlib.suppress(TransientError):
            context.migration.look()
    if not context.migration.cancel_is_asked or (itinerary is ROLLBACK and "removed" in context.record.data):
        return itinerary  # a rollback that has begun to remove goes on to its end
    context.record.data["canceled_in"] = context.migration.phase
    context.record.save()
    _enter(context, CANCEL, CANCEL.first())
    return CANCEL


def _enter(context: Context, itinerary: Itinerary, phase: str) -> None:
    context.migration.enter(itinerary, phase, flags=flags(context))
    if phase == COMPLETED and not (context.migration.failed or context.migration.canceled):
        context.migration.succeed()
    context.migration.write()
    context.phase_began = elapsed_clock()
    row = itinerary.row(phase)
    context.tell(
        f"{itinerary.name} {itinerary.index(phase)}/{itinerary.total} {phase}: {row.description if row else ''}"
    )


def _leave(context: Context, itinerary: Itinerary, phase: str) -> None:
    seconds = context.record.data.setdefault("phase_seconds", {})
    seconds[phase] = round(seconds.get(phase, 0.0) + elapsed_clock() - context.phase_began, 3)
    following = itinerary.following(phase, flags(context))
    if following == COMPLETED:
        context.record.data["ended"] = True
        context.record.save()
    _enter(context, itinerary, following)


def _turn_to_failure(context: Context, itinerary: Itinerary, phase: str, error: MtcError) -> None:
    context.tell(error.message)
    if itinerary is FAILED:
        # Cleaning up has failed as well: it is told, and the rest of the clean-up still happens.
        context.migration.add_errors([error.message])
        _leave(context, FAILED, phase)
        return
    context.migration.fail(itinerary, phase, [error.message])
    context.record.data["failed_phase"] = phase
    context.record.save()
    _enter(context, FAILED, FAILED.first())


def _give_up_when_down_too_long(context: Context, itinerary: Itinerary, phase: str) -> None:
    limit = context.intent.max_downtime
    if not limit or itinerary not in (STAGE, FINAL):
        return
    if itinerary is STAGE and context.record.data.get("volumes_proven"):
        return  # a state migration that has moved the data leaves the source stopped on purpose
    ahead = FINAL.index(GIVING_UP_ENDS_AT) - FINAL.index(phase)
    if itinerary is FINAL and (ahead < 0 or "restore_began" in context.record.data):
        return
    if context.downtime_so_far() > limit:
        raise DeadlineExceeded(
            subject=context.migration.subject,
            attempt="the cutover is given up and the source started again",
            reason=f"the application has been down for more than max_downtime={limit} s in phase {phase}",
            mend="Raise max_downtime, or let a further stage run bring the volumes closer together first",
        )


def _pause(context: Context, itinerary: Itinerary, phase: str) -> str | None:
    """Why the call ends here although nothing is waited for; None to go on. The same call again changes nothing, one
    without ``pause_before`` goes on."""
    before = context.intent.pause_before
    if before is None or itinerary is not FINAL or phase != PAUSES[before] or "restore_began" in context.record.data:
        return None
    if context.record.data.get("paused_before") != before:
        context.record.data["paused_before"] = before
        context.record.save()
    down = ""
    if context.application_is_down:
        down = f"; the application has been down for {context.downtime_so_far():.0f} s"
    told = f"paused before {before}{down}. Run the task without pause_before to go on"
    context.tell(told)
    return told


def _show_progress(context: Context, itinerary: Itinerary, phase: str) -> None:
    """The copy's progress as lines in the pipeline, not more often than every few seconds."""
    lines = context.memory.get("progress_lines")
    row = itinerary.row(phase)
    if not lines or row is None or elapsed_clock() - context.memory.get("progress_told", 0.0) < TELL_PROGRESS_EVERY:
        return
    context.memory["progress_told"] = elapsed_clock()
    context.migration.show_progress(row.step, lines)
    context.migration.write()
