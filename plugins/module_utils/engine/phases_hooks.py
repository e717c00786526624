# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Phases of the user's own steps: a Job is made, followed to its end, and told with the end of its log.

A hook may do anything, so it never runs twice: before its Job is made the record says that it is, a Job that is there
is followed and not made again, one that has vanished is not guessed about, and an outcome is recorded before the Job
goes. A hook that fails fails the run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from ..cluster.api import Cluster
from ..resources import hook_job, names
from ..resources.errors import (
    AlreadyExists,
    ApiError,
    DeadlineExceeded,
    MtcError,
    PermanentError,
    Refused,
    subject_of,
)
from ..resources.hook_job import HookRun
from ..volumes.pod_states import state_of
from .bound_hooks import BoundHook, bound, require_account
from .clock import elapsed_clock, wall_seconds
from .context import SCAFFOLDING_DEADLINE, Context
from .itinerary import HOOK_PHASES

JOB = ("batch/v1", "Job")
SUCCEEDED, FAILED, RUNNING, ANNOUNCED = "succeeded", "failed", "running", "announced"
KEPT_LINES, LONGEST_LINE = 100, 300
"""Of the end of a hook's log, in the record."""
REMOVAL_DEADLINE = 120
"""Seconds that Jobs and their pods may take to go."""

Row = dict[str, Any]


def run_hook(context: Context) -> str | None:
    """PreBackupHooks and its kin."""
    phase = HOOK_PHASES[context.migration.phase]
    rows: dict[str, Row] = context.record.data.setdefault("hooks", {})
    row = rows.get(phase)
    if row is not None and row["outcome"] in (SUCCEEDED, FAILED):
        _end(context, row)
        return None
    hook = bound(context.control, context.plan, phase)
    if hook is None:
        return None
    cluster = _cluster(context, hook.side)
    run = _run(context, hook)
    found = cluster.get(*JOB, run.name, run.namespace)
    if row is None or (row["outcome"] == ANNOUNCED and found is None):
        row = rows[phase] = _row(context, hook, run)
        found = _create(context, cluster, hook, run, row)
    if found is not None and row["outcome"] == ANNOUNCED:
        row["outcome"] = RUNNING
        context.record.save()
    if found is None:
        row.update(outcome=FAILED, reason="its Job was removed before its end was seen")
        context.record.save()
        _end(context, row)
        return None
    return _follow(context, cluster, run, row, found)


def remove(context: Context, *, wait: bool) -> str | None:
    """Jobs, ConfigMaps and pods of the run's hooks; with ``wait`` what is still there, else None."""
    rows: Mapping[str, Row] = context.record.data.get("hooks") or {}
    left: list[str] = []
    for side, namespace in sorted({(row["cluster"], row["namespace"]) for row in rows.values()}):
        cluster = _cluster(context, side)
        for api_version, kind in (JOB, ("v1", "ConfigMap")):
            for found in list(cluster.list(api_version, kind, namespace, label_selector=_selector(context))):
                metadata = found["metadata"]
                cluster.delete(api_version, kind, metadata["name"], namespace, uid=metadata["uid"])
                left.append(subject_of(kind, metadata["name"], namespace))
        if wait:
            pods = _pods(context, cluster, namespace)
            left += [subject_of("Pod", pod["metadata"]["name"], namespace) for pod in pods]
    if not wait:
        return None
    return f"hooks are still ending: {', '.join(left)}" if left else None


def cancel(context: Context) -> str | None:
    """DeleteHookJobs."""
    waiting = remove(context, wait=True)
    if waiting is not None:
        mend = "Look why these objects do not go, and run the task again"
        context.must_end_within(REMOVAL_DEADLINE, waiting_for=waiting, mend=mend)
    return waiting


def _cluster(context: Context, side: str) -> Cluster:
    return context.source if side == "source" else context.destination


def _run(context: Context, hook: BoundHook) -> HookRun:
    deadline = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=SCAFFOLDING_DEADLINE)
    return HookRun(
        plan=context.plan,
        migration_uid=context.migration.uid,
        phase=hook.phase,
        namespace=hook.namespace,
        service_account=hook.service_account,
        hook=hook.resource,
        deadline=deadline.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _row(context: Context, hook: BoundHook, run: HookRun) -> Row:
    """Announces the hook in the record."""
    row: Row = {
        "phase": hook.phase,
        "hook": hook.name,
        "cluster": hook.side,
        "namespace": run.namespace,
        "job": run.name,
        "image": hook.resource["spec"]["image"],
        "outcome": ANNOUNCED,
        "reason": "",
        "started": round(wall_seconds(), 2),
        "seconds": 0.0,
        "log": [],
    }
    context.record.data["hooks"][hook.phase] = row
    context.record.save()
    return row


def _create(context: Context, cluster: Cluster, hook: BoundHook, run: HookRun, row: Row) -> Row:
    try:
        require_account(cluster, hook)
        owner = _made(cluster, hook_job.config_map(run), context.migration.uid)
        found = _made(cluster, hook_job.job(run, str(owner["metadata"]["uid"])), context.migration.uid)
    except (ApiError, Refused) as error:
        row.update(outcome=FAILED, reason=error.message)
        context.record.save()
        raise
    context.tell(f"{_subject(run.namespace, run.name)} runs the hook {hook.name} on the {hook.side}")
    return found


def _made(cluster: Cluster, manifest: dict[str, Any], migration_uid: str) -> Row:
    """The object, created now or by an interrupted call of this run. Raises Refused when it is somebody else's."""
    metadata = manifest["metadata"]
    try:
        return cluster.create(manifest)
    except AlreadyExists:
        found = cluster.get(manifest["apiVersion"], manifest["kind"], metadata["name"], metadata["namespace"])
    labels = ((found or {}).get("metadata") or {}).get("labels") or {}
    if found is None or labels.get(names.RUN_LABEL) != migration_uid:
        raise Refused(
            subject=subject_of(manifest["kind"], metadata["name"], metadata["namespace"]),
            attempt="the hook cannot be started",
            reason="an object of that name exists and is not this run's",
            mend="Remove or rename it and run the task again",
        )
    return found


def _follow(context: Context, cluster: Cluster, run: HookRun, row: Row, found: Mapping[str, Any]) -> str | None:
    subject = _subject(run.namespace, run.name)
    pods = _pods(context, cluster, run.namespace, phase=run.phase)
    verdict = hook_job.judge(found)
    _remember_log(context, cluster, pods)
    if verdict.state == "running":
        context.memory["progress_lines"] = [f"{subject}: Running"]
        waiting = f"{subject} is running" + _pod_text(pods)
        _give_up_on_hopeless(context, run, row, pods)
        return waiting
    row.update(
        outcome=SUCCEEDED if verdict.state == "succeeded" else FAILED,
        reason=verdict.reason,
        seconds=round(wall_seconds() - row["started"], 2),
        log=context.memory.pop("hook_log", ("", []))[1] or row["log"],
    )
    context.record.save()
    _end(context, row)
    return None


def _end(context: Context, row: Row) -> None:
    """Shows the outcome and removes the Job; its end is awaited with that of the other scaffolding. Raises
    PermanentError for a hook that has failed."""
    context.memory.pop("progress_lines", None)
    subject = _subject(row["namespace"], row["job"])
    ended = "Succeeded" if row["outcome"] == SUCCEEDED else "Failed"
    context.migration.show_progress(context.migration.phase, [f"{subject}: {ended}"])
    remove(context, wait=False)
    if row["outcome"] == SUCCEEDED:
        context.tell(f"{subject}: the hook {row['hook']} has succeeded after {row['seconds']} s")
        return
    last = next((line for line in reversed(row["log"]) if line.strip()), "")
    raise PermanentError(
        subject=subject,
        attempt=f"the hook {row['hook']} of phase {row['phase']} has failed on the {row['cluster']}",
        reason=f"{row['reason']}{f'; its log ends with: {last}' if last else '; it has logged nothing'}",
        mend="Mend the hook and run the task again; the end of its log is in the result under hooks",
    )


def _selector(context: Context) -> str:
    """Of everything that belongs to the run's hooks."""
    return f"{names.RUN_LABEL}={context.migration.uid},{names.COMPONENT_LABEL}={hook_job.COMPONENT}"


def _pods(context: Context, cluster: Cluster, namespace: str, *, phase: str | None = None) -> list[dict[str, Any]]:
    selector = _selector(context) + (f",{names.HOOK_PHASE_LABEL}={phase}" if phase else "")
    return list(cluster.list("v1", "Pod", namespace, label_selector=selector))


def _remember_log(context: Context, cluster: Cluster, pods: Sequence[Mapping[str, Any]]) -> None:
    """Reads the log of each container that has ended since the last look: a Job that fails takes its pods along."""
    for pod in pods:
        for status in (pod.get("status") or {}).get("containerStatuses") or ():
            state, last = status.get("state") or {}, status.get("lastState") or {}
            ended = state.get("terminated") or ("waiting" in state and last.get("terminated"))
            key = f"{pod['metadata']['uid']} {(ended or {}).get('containerID', '')}"
            if not ended or context.memory.get("hook_log", ("", []))[0] == key:
                continue
            metadata = pod["metadata"]
            try:
                lines = list(
                    cluster.logs(
                        metadata["namespace"], metadata["name"], container=status["name"], tail_lines=KEPT_LINES
                    )
                )
            except MtcError:
                continue  # gone between two requests; the outcome does not depend on its log
            context.memory["hook_log"] = (key, [line[:LONGEST_LINE] for line in lines])


def _pod_text(pods: Sequence[Mapping[str, Any]]) -> str:
    texts = [text for pod in pods if (text := state_of(pod).text)]
    return f" ({texts[-1]})" if texts else ""


def _give_up_on_hopeless(context: Context, run: HookRun, row: Row, pods: Sequence[Mapping[str, Any]]) -> None:
    """A pod that will never start fails the hook now: Kubernetes would wait for it until its deadline, and then try
    again six times."""
    late = elapsed_clock() - context.phase_began > context.intent.start_timeout
    states = [state_of(pod) for pod in pods if not _has_run(pod)]
    stuck = [state for state in states if state.hopeless or (late and state.state == "waiting")]
    if not stuck and (pods or not late):
        return
    reason = stuck[0].text if stuck else f"no pod was made for it within start_timeout={context.intent.start_timeout} s"
    row.update(outcome=FAILED, reason=reason, seconds=round(wall_seconds() - row["started"], 2))
    context.record.save()
    if not stuck:
        raise DeadlineExceeded(
            subject=_subject(run.namespace, run.name),
            attempt=f"the hook {row['hook']} does not start on the {row['cluster']}",
            reason=reason,
            mend="Look at the events of the Job: a quota, Pod Security or an admission webhook may forbid the pod",
        )
    _end(context, row)


def _has_run(pod: Mapping[str, Any]) -> bool:
    """Whether a container of it has ended once: then it is tried again, and not stuck."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return any((status.get("lastState") or {}).get("terminated") for status in statuses)


def _subject(namespace: str, name: str) -> str:
    return subject_of("Job", name, namespace)
