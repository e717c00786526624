# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One function for each phase of a DirectVolumeMigration that stands alone.

Each returns None when it is done or a text that says what it waits for, raises for what will not get better, and may be
called again after any crash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..resources.condition_names import Reason, VolumeCondition
from ..resources.errors import LeaseLost, MtcError, NotFound, VolumeFailed, subject_of
from . import destination_claims, destination_namespaces, quiesce, volume_progress
from .clock import elapsed_clock
from .direct_context import DirectContext
from .direct_itinerary import COPYING
from .guard import Abandoned
from .itinerary import CREATED, MIGRATION_FAILED
from .volume_rows import describe, failure, is_good, row, staged_row

STALE_DEADLINE = 120
"""Seconds that what an attempt has left may take to go."""
PODS_PENDING_AFTER = 180.0
"""Seconds after which pods that do not come are warned of, or half of ``start_timeout`` where that is shorter."""
SHOW_EVERY = 2.0
"""Seconds between two writes of the copy's progress."""
CLEAN_UP_DEADLINE = 120


def _nothing(_run: DirectContext) -> None:
    """A phase to be seen."""


def _drop_stale(run: DirectContext) -> None:
    run.transfer.remove(wait=False)


def _await_stale(run: DirectContext) -> str | None:
    waiting = run.transfer.remove(wait=True)
    if waiting is not None:
        run.must_end_within(STALE_DEADLINE, waiting_for=waiting, mend="Look why these objects do not go")
    return waiting


def _make_namespaces(run: DirectContext) -> None:
    if run.direct.spec.get("createDestinationNamespaces") is not False:
        destination_namespaces.ensure(run)
        return
    for namespace in run.origins:
        if run.destination.get("v1", "Namespace", namespace) is None:
            raise missing_namespace(namespace)


def missing_namespace(namespace: str) -> NotFound:
    return NotFound(
        subject=subject_of("Namespace", namespace),
        attempt="it does not exist on the destination cluster",
        reason="create_destination_namespaces is false",
        mend="Create it, or let it be created",
        status=404,
    )


def _make_claims(run: DirectContext) -> None:
    destination_claims.ensure(run)


def _make_progress(run: DirectContext) -> None:
    volume_progress.store(run.control, run.direct.manifest, run.transfer.progress())


def _make_pods(run: DirectContext) -> None:
    """Endpoints, keys, configuration and pods in one go; whether they come is the next phase's question."""
    run.transfer.ensure()


def _await_pods(run: DirectContext) -> str | None:
    waiting = run.transfer.ensure()
    if waiting is None:
        return None
    if elapsed_clock() - run.phase_began > min(PODS_PENDING_AFTER, run.options.start_timeout / 2):
        direct = run.direct
        direct.warn(VolumeCondition.TRANSFER_PODS_PENDING, Reason.NOT_READY, f"Pods do not get ready: {waiting}")
        pending = [
            f"{entry['namespace']}/{entry['claim']}" for entry in run.transfer.progress() if entry["state"] == "pending"
        ]
        message = "Pods that are to copy these claims are not connected: []."
        direct.warn(VolumeCondition.CLIENT_PODS_PENDING, Reason.POD_STUCK_CREATING, message, pending)
    _show(run)
    return waiting


def _copy(run: DirectContext) -> str | None:
    """The pass over every volume, and the proof. What it came to is recorded, so that it is never done twice."""
    if "volumes" in run.record.data:
        _judge(run)
        return None
    transfer = run.transfer
    if waiting := transfer.ensure():
        return waiting
    if "writers" not in run.memory:
        _begin_copy(run)
    writers = run.memory["writers"]
    waiting = transfer.run_pass(run.pass_name, final=not _may_be_written_to(run))
    if waiting is None and _is_compared(run, bool(writers)):
        waiting = transfer.verify(run.pass_name, full=True)
    if waiting is not None:
        _show(run)
        return waiting
    now = _writers(run)
    if now and not _may_be_written_to(run):
        raise _written_to(run, now)
    _record(run, {**writers, **now})
    run.direct.show(transfer.progress())
    volume_progress.store(run.control, run.direct.manifest, transfer.progress())
    _judge(run)
    return None


def _begin_copy(run: DirectContext) -> None:
    """Once in each process, before the first byte."""
    writers = _writers(run)
    if writers and not _may_be_written_to(run):
        raise _written_to(run, writers)
    if not run.record.data.get("received"):
        run.record.data["received"] = True
        run.record.save()
    _note_profile(run)
    run.memory["writers"] = writers


def _may_be_written_to(run: DirectContext) -> bool:
    return run.is_stage or run.options.allow_writers


def _is_compared(run: DirectContext, written: bool) -> bool:
    """A volume that is written to while it is staged is proven later; then nothing is read twice unless asked for."""
    claims = run.direct.spec.get("persistentVolumeClaims") or []
    return not (run.is_stage and written) or any(claim.get("verify") for claim in claims)


def _writers(run: DirectContext) -> dict[tuple[str, str], list[str]]:
    """Pods that could write, by the (namespace, claim) of the source that they mount."""
    claims = [(move.source_namespace, move.source_claim) for move in run.moves]
    found: dict[tuple[str, str], list[str]] = {}
    for writer in quiesce.writers(run.source, claims):
        for claim in writer.claims:
            found.setdefault((writer.namespace, claim), []).append(f"{writer.namespace}/{writer.pod}")
    return found


def _written_to(run: DirectContext, writers: Mapping[tuple[str, str], list[str]]) -> VolumeFailed:
    pods = sorted({pod for found in writers.values() for pod in found})
    return VolumeFailed(
        subject=run.direct.subject,
        attempt="a pod can write to a volume that is copied",
        reason=", ".join(pods),
        mend="Stop what starts it and run the task again",
    )


def _note_profile(run: DirectContext) -> None:
    """Without root although nobody chose so: MTC's warning, for owners are not kept then."""
    if run.options.run_as_root is None and (namespaces := run.transfer.without_root()):
        message = "Volumes are copied without root, so owners are not kept, into these namespaces: []."
        run.direct.warn(VolumeCondition.SERVER_PODS_NON_ROOT, Reason.RSYNC_AS_NON_ROOT, message, namespaces)


def _record(run: DirectContext, writers: Mapping[tuple[str, str], list[str]]) -> None:
    verdicts = {verdict.move: verdict for verdict in run.transfer.verdicts()}
    results = run.transfer.results(run.pass_name)
    rows = []
    for move in run.moves:
        pods = sorted(writers.get((move.source_namespace, move.source_claim), ()))
        verdict, result = verdicts.get(move), results.get(move)
        if verdict is None or (run.is_stage and pods):
            rows.append(staged_row(move, result, pods, verdict))
        else:
            rows.append(row(verdict, result, pods))
    run.record.data["volumes"] = rows
    run.record.save()


def _judge(run: DirectContext) -> None:
    """Every volume that nobody wrote to has to be equal; one that is staged under a writer never is for long."""
    rows = run.record.data["volumes"]
    for each in rows:
        run.tell(f"PersistentVolumeClaim {each['target']}: {describe(each)}")
    if bad := [each for each in rows if not is_good(each, stage=run.is_stage)]:
        raise failure(bad)


def _show(run: DirectContext) -> None:
    """The progress in the resource and in its progress resources, not more often than every few seconds."""
    if elapsed_clock() - run.memory.get("shown", 0.0) < SHOW_EVERY:
        return
    run.memory["shown"] = elapsed_clock()
    progress = run.transfer.progress()
    run.direct.show(progress)
    run.direct.write()
    volume_progress.store(run.control, run.direct.manifest, progress)


def _drop_transfer(run: DirectContext) -> None:
    run.transfer.remove(wait=False)
    if run.direct.spec.get("deleteProgressReportingCRs"):
        volume_progress.remove(run.control, run.direct.manifest)


def _await_dropped(run: DirectContext) -> str | None:
    waiting = run.transfer.remove(wait=True)
    if waiting is not None and elapsed_clock() - run.phase_began > CLEAN_UP_DEADLINE:
        message = f"What served the copy does not go: {', '.join(run.transfer.leftovers())}"
        run.direct.warn(VolumeCondition.DELETING_PODS_FAILED, Reason.FAILED, message)
        run.must_end_within(CLEAN_UP_DEADLINE, waiting_for=message, mend="Remove it by hand and run the task again")
    return waiting


def _clean_up(run: DirectContext) -> str | None:
    """MigrationFailed. Each part is tried even when another fails; what could not be done is added to the errors."""
    done: set[str] = run.memory.setdefault("cleaned", set())
    parts: list[tuple[str, Callable[[DirectContext], str | None]]] = [
        ("show what became of the volumes", _show_failed),
        ("remove the transfer's scaffolding", _remove_scaffolding),
        ("remove claims and namespaces", _remove_empty),
    ]
    for title, part in parts:
        if title in done:
            continue
        try:
            waiting = part(run)
        except (LeaseLost, Abandoned):
            raise
        except MtcError as error:
            waiting = None
            run.direct.add_errors([f"{title}: {error.message}"])
        if waiting is not None and elapsed_clock() - run.phase_began < CLEAN_UP_DEADLINE:
            return waiting
        if waiting is not None:
            run.direct.add_errors([f"{title}: not finished within {CLEAN_UP_DEADLINE} s: {waiting}"])
            message = f"What served the copy does not go: {waiting}"
            run.direct.warn(VolumeCondition.DELETING_PODS_FAILED, Reason.FAILED, message)
        done.add(title)
    return None


def _show_failed(run: DirectContext) -> None:
    if "volumes" not in run.record.data:
        run.direct.show(run.transfer.progress(), failed=True)
    volume_progress.store(run.control, run.direct.manifest, run.transfer.progress())


def _remove_scaffolding(run: DirectContext) -> str | None:
    return run.transfer.remove(wait=True)


def _remove_empty(run: DirectContext) -> str | None:
    """What was made and never received a byte goes; what did stays, so that the next attempt copies the difference."""
    if run.record.data.get("received"):
        return None
    destination_claims.remove_created(run)
    removed = run.memory.setdefault("removed_namespaces", [])
    removed += destination_namespaces.remove_created(run)
    left = [name for name in dict.fromkeys(removed) if run.destination.get("v1", "Namespace", name) is not None]
    return f"namespaces are being removed again: {', '.join(left)}" if left else None


PHASES: Mapping[str, Callable[[DirectContext], str | None]] = {
    CREATED: _nothing,
    "Started": _nothing,
    "Prepare": _nothing,
    "CleanStaleRsyncResources": _drop_stale,
    "WaitForStaleRsyncResourcesTerminated": _await_stale,
    "CreateDestinationNamespaces": _make_namespaces,
    "CreateDestinationPVCs": _make_claims,
    "CreatePVProgressCRs": _make_progress,
    "CreateRsyncTransferPods": _make_pods,
    "WaitForRsyncTransferPodsRunning": _await_pods,
    COPYING: _copy,
    "DeleteRsyncResources": _drop_transfer,
    "WaitForRsyncResourcesTerminated": _await_dropped,
    MIGRATION_FAILED: _clean_up,
}
