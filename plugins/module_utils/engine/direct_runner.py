# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Walks a DirectVolumeMigration that stands alone through its itinerary: the phase is written, carried out, and left.

The phase is stored before it is carried out, so whoever comes next repeats at most the phase that was interrupted. What
can get better by itself is waited for; what cannot ends the run through ``VolumeMigrationFailed``, which cleans up.
"""

from __future__ import annotations

from ..resources.condition_names import Category, Reason, VolumeCondition
from ..resources.errors import ApiError, DeadlineExceeded, LeaseLost, MtcError, PermanentError, Refused, TransientError
from .clock import elapsed_clock
from .direct_context import DirectContext
from .direct_itinerary import COPYING, ITINERARIES, VOLUME_MIGRATION_FAILED
from .direct_phases import PHASES
from .guard import Abandoned
from .itinerary import COMPLETED, Itinerary
from .runner import FIRST_POLL, LONGEST_POLL, Advance

STARTING = ("CreateRsyncTransferPods", "WaitForRsyncTransferPodsRunning")
"""Phases in which pods are made and connect to each other."""


def walk(run: DirectContext, *, wait: bool, timeout: float) -> Advance:
    """Go on until the end, until ``timeout`` seconds are used up (DeadlineExceeded; the run stays unfinished) or,
    without ``wait``, until something is waited for. Raises LeaseLost and Abandoned at once, TransientError when a
    cluster did not answer."""
    deadline = elapsed_clock() + timeout
    failure: MtcError | None = None
    poll = FIRST_POLL
    itinerary = ITINERARIES[run.direct.status["itinerary"]]
    while run.direct.phase != COMPLETED:
        run.guard.fence()
        phase = run.direct.phase
        try:
            waiting = PHASES[phase](run)
        except (Abandoned, LeaseLost, TransientError):
            raise
        except PermanentError as error:
            failure = failure or error
            itinerary = _turn_to_failure(run, itinerary, phase, error)
            continue
        if waiting is None:
            _enter(run, itinerary, itinerary.following(phase, frozenset()))
            poll = FIRST_POLL
            continue
        run.tell(waiting)
        if not wait:
            return Advance(phase, waiting, failure)
        if elapsed_clock() > deadline:
            raise DeadlineExceeded(
                subject=run.direct.subject,
                attempt=f"wait_timeout of {timeout:.0f} s is used up in phase {phase}",
                reason=waiting,
                mend="Run the same task again: it goes on from here",
            )
        run.guard.pause(poll)
        poll = min(poll * 1.5, LONGEST_POLL)
    return Advance(COMPLETED, None, failure)


def _enter(run: DirectContext, itinerary: Itinerary, phase: str) -> None:
    run.direct.enter(itinerary, phase)
    if phase == COMPLETED and not run.direct.failed:
        run.direct.succeed()
    run.direct.write()
    run.phase_began = elapsed_clock()
    run.tell(f"{itinerary.name} {itinerary.index(phase)}/{itinerary.total} {phase}")


def _turn_to_failure(run: DirectContext, itinerary: Itinerary, phase: str, error: MtcError) -> Itinerary:
    run.tell(error.message)
    if itinerary is VOLUME_MIGRATION_FAILED:
        # Cleaning up has failed as well: it is told, and the run still ends.
        run.direct.add_errors([error.message])
        _enter(run, itinerary, COMPLETED)
        return itinerary
    run.direct.fail(phase, [error.message], copying=phase == COPYING)
    _explain(run, phase, error)
    run.record.data["failed_phase"] = phase
    run.record.save()
    _enter(run, VOLUME_MIGRATION_FAILED, VOLUME_MIGRATION_FAILED.first())
    return VOLUME_MIGRATION_FAILED


def _explain(run: DirectContext, phase: str, error: MtcError) -> None:
    """MTC's conditions for what keeps pods from being made or from meeting each other."""
    if phase not in STARTING:
        return
    if isinstance(error, (ApiError, Refused)):
        run.direct.warn(VolumeCondition.CREATING_PODS_FAILED, Reason.FAILED, error.message)
    if not isinstance(error, DeadlineExceeded) or not error.reason.startswith("connecting to "):
        return
    if any(entry["state"] != "pending" for entry in run.transfer.progress()):
        return  # some get through, so the network is not what is wrong
    lost = "no route" in error.reason.lower() or "unreachable" in error.reason.lower()
    run.direct.conditions.set(
        VolumeCondition.NETWORK_ERROR,
        Category.CRITICAL,
        Reason.RSYNC_NO_ROUTE if lost else Reason.RSYNC_TIMED_OUT,
        f"No pod of the source reaches the destination: {error.reason}",
        durable=True,
    )
