# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Phases that copy the volumes: prepare both sides and copy while the application runs, then the last pass and the
verdicts.

Both phases share one DirectVolumeMigration, as in MTC 1.8, but unlike there the last pass really happens after the
application has stopped (D1), and a volume without a good verdict ends the run before any object is restored (D2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resources import accepted
from ..resources.errors import VolumeFailed, subject_of
from ..volumes.model import PassResult, Verdict, VolumeMove
from . import destination_claims, destination_namespaces, direct_volume, quiesce, restarts
from .context import Context

PRECOPY = "precopy"
FINAL = "final"
SHOWN_FILES = 10


def _note_progress(context: Context, waiting: str | None) -> str | None:
    context.memory["progress_lines"] = direct_volume.progress_lines(context)
    return waiting


def prepare(context: Context) -> str | None:
    """Namespaces, claims, the DirectVolumeMigration and the movers are there."""
    if not context.memory.get("destination_prepared"):
        destination_namespaces.ensure(context)
        destination_claims.ensure(context)
        direct_volume.ensure(context)
        context.memory["destination_prepared"] = True
    return context.transfer.ensure()


def copy_while_running(context: Context) -> str | None:
    """CreateDirectVolumeMigrationStage: namespaces, claims and movers; then a pass and its proof while the
    application runs."""
    if waiting := prepare(context):
        return waiting
    transfer = context.transfer
    if not context.intent.pre_copy:
        return None
    if waiting := copy_once(context):
        return waiting
    if waiting := transfer.prove(PRECOPY):
        return _note_progress(context, waiting)
    if "precopy" not in context.record.data:
        context.record.data["precopy"] = sums(transfer.results(PRECOPY))
        context.record.save()
    return None


def stage(context: Context) -> str | None:
    """CreateDirectVolumeMigrationStage of a stage run: the same without the proof, which the final run makes."""
    return prepare(context) or copy_once(context)


def copy_once(context: Context) -> str | None:
    """One pass while the application runs (or, on a stage run that stops it, while it is stopped)."""
    if not context.record.data.get("copy_began"):
        context.record.data["copy_began"] = True
        context.record.save()
    waiting = context.transfer.run_pass(PRECOPY, final=False)
    return _note_progress(context, waiting) if waiting else None


def sums(results: Mapping[VolumeMove, PassResult]) -> dict[str, Any]:
    """What a pass has done to all volumes together."""
    return {
        "bytes": sum(result.bytes_transferred for result in results.values()),
        "files": sum(result.files_transferred for result in results.values()),
        "seconds": max((result.seconds for result in results.values()), default=0.0),
    }


def start_last_pass(context: Context) -> str | None:
    """CreateDirectVolumeMigrationFinal: the movers are asked for what has changed; it is awaited in the phase that is
    named for it."""
    if _verdicts_are_in(context):
        return None
    if waiting := context.transfer.ensure():
        return waiting
    context.transfer.run_pass(FINAL, final=True)
    return None


def _verdicts_are_in(context: Context) -> bool:
    return bool(context.record.data.get("volumes_proven"))


def copy_and_prove(context: Context) -> str | None:
    """WaitForDirectVolumeMigrationToComplete: the last pass ends, every volume gets its verdict, the movers are
    dismissed."""
    if _verdicts_are_in(context):
        return None
    transfer = context.transfer
    if waiting := transfer.ensure():
        return waiting
    if waiting := transfer.run_pass(FINAL, final=True):
        return _note_progress(context, waiting)
    if waiting := transfer.verify(FINAL, full=context.intent.verification == "full"):
        return _note_progress(context, waiting)
    refuse_new_writers(context)
    verdicts = transfer.verdicts()
    results = transfer.results(FINAL)
    context.record.data["volumes"] = [verdict_row(verdict, results.get(verdict.move)) for verdict in verdicts]
    context.record.data["final_pass"] = sums(results)
    unequal = [verdict for verdict in verdicts if not verdict.ok]
    bad = [verdict for verdict in unequal if not is_accepted(context, verdict)]
    context.record.data["volumes_proven"] = not bad
    for verdict in () if bad else unequal:
        context.accept(accepted.VOLUMES, failure_of([verdict]).message)
    context.record.save()
    direct_volume.conclude(context, failed=bool(unequal))
    if bad:
        raise failure_of(bad)
    for verdict in verdicts:
        context.tell(
            f"PersistentVolumeClaim {verdict.move.target_namespace}/{verdict.move.target_claim}: {describe(verdict)}"
        )
    transfer.remove(wait=False)
    return None


def is_accepted(context: Context, verdict: Verdict) -> bool:
    """Whether the user goes on without this volume being what its source is."""
    move = verdict.move
    return accepted.accepts_volume(context.intent.accept_warnings, move.source_namespace, move.source_claim)


def verdict_row(verdict: Verdict, last: PassResult | None) -> dict[str, Any]:
    """The verdict, and what the last pass still had to copy."""
    moved = {} if last is None else {"files_moved": last.files_transferred, "bytes_moved": last.bytes_transferred}
    return {**verdict.to_dict(), "proven": verdict.ok, **moved}


def refuse_new_writers(context: Context) -> None:
    """Whatever came back during the last pass makes its verdict worthless."""
    if not context.intent.quiesce_pods:
        return
    back = quiesce.writers(context.source, context.claims)
    if back:
        managed = restarts.may_start_again(context.source, context.source_namespaces)
        raise VolumeFailed(
            subject=context.migration.subject,
            attempt="a workload came back during the last pass",
            reason="; ".join([", ".join(str(writer) for writer in back), *managed]),
            mend="Pause what starts it (an operator, Argo CD, Flux) and run the task again",
        )


def describe(verdict: Verdict) -> str:
    """One verdict as a line."""
    downgrades = f"; not preserved: {', '.join(verdict.downgrades)}" if verdict.downgrades else ""
    state = "equal" if verdict.ok else "DIFFERS"
    excluded = f"; {verdict.excluded} files excluded" if verdict.excluded else ""
    return f"{state}, {verdict.files} files, {verdict.bytes} bytes{excluded}{downgrades}"


def failure_of(
    bad: list[Verdict], *, mend: str = "No object was restored. Look why these files differ, then run the task again"
) -> VolumeFailed:
    """The error that names the files which are not equal, or could not be read."""
    files = [
        f"{verdict.move.source_namespace}/{verdict.move.source_claim}:{name}"
        for verdict in bad
        for name in (*verdict.unreadable, *verdict.differing)
    ]
    first = bad[0].move
    shown = ", ".join(files[:SHOWN_FILES])
    more = f" and {len(files) - SHOWN_FILES} more" if len(files) > SHOWN_FILES else ""
    why = "; ".join(dict.fromkeys(verdict.reason for verdict in bad if verdict.reason))
    return VolumeFailed(
        subject=subject_of("PersistentVolumeClaim", first.source_claim, first.source_namespace),
        attempt=f"the copy is not equal to the source ({len(bad)} volume(s))",
        reason=": ".join(part for part in (why, shown + more) if part),
        mend=mend,
        files=files,
    )
