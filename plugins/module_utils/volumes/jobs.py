# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pods that do one thing and end: made once, looked at by whoever comes, replaced when they end without a word.

The name of a pod says what it does, so no process makes a second one for the same thing, and the end of a job is read
from its pod as long as that is there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..cluster.api import Cluster
from ..resources.errors import (
    AlreadyExists,
    DeadlineExceeded,
    Forbidden,
    Invalid,
    NotFound,
    PermanentError,
    TransientError,
    subject_of,
)
from . import facts
from .admission import refused_pod
from .facts import Outcome
from .layout import CONTAINER
from .model import VolumeMove
from .pod_states import PodState, state_of
from .setup import SIDE_BY_SIDE

Manifest = dict[str, Any]
AT_ONCE: Final = 8
"""Jobs that work side by side: each holds part of a repository's index in memory."""
REPLACEMENTS: Final = 5
PULL_PATIENCE: Final = 30.0
_TAIL: Final = 4


@dataclass(frozen=True, kw_only=True)
class Job:
    """A pod to be, and what is asked for when there is none yet."""

    cluster: Cluster
    namespace: str
    name: str
    manifest: Callable[[], Manifest]
    move: VolumeMove | None = None

    @property
    def subject(self) -> str:
        return subject_of("Pod", self.name, self.namespace)


class Jobs:
    """The jobs of one run as this process knows them. ``report`` is told facts worth a line."""

    def __init__(self, selector: str, *, start_timeout: float, report: Callable[[str], None]) -> None:
        self._selector = selector
        self._start_timeout = start_timeout
        self._report = report
        self._outcomes: dict[str, Outcome] = {}
        self._since: dict[str, float] = {}
        self._pulling: dict[str, float] = {}
        self._ends: dict[str, int] = {}
        self.waiting: dict[str, str] = {}
        """What a job's pod waits for; "" once it works."""

    def outcome(self, job: Job) -> Outcome | None:
        return self._outcomes.get(job.name)

    def look(self, jobs: Sequence[Job]) -> None:
        """Make what is missing, as many as may work at once, and learn what has ended.

        Raises Refused (admission), PermanentError (image, a pod that ends again and again without a word) and
        DeadlineExceeded (a pod that does not start).
        """
        pending = [job for job in jobs if job.name not in self._outcomes]
        if not pending:
            return
        found = self._observe(pending)
        tasks: list[Callable[[], None]] = []
        missing: list[Job] = []
        working = 0
        for job in pending:
            pod = found.get((job.namespace, job.name))
            if pod is None:
                missing.append(job)
                continue
            state = state_of(pod)
            outcome = _outcome(pod)
            if outcome is not None:
                self._outcomes[job.name] = outcome
                self.waiting[job.name] = ""
            elif state.state == "ended":
                tasks.append(self._replacement(job, pod, state))
                working += 1
            else:
                working += 1
                self._note(job, pod, state)
        tasks += [self._creation(job) for job in missing[: max(AT_ONCE - working, 0)]]
        for job in missing[max(AT_ONCE - working, 0) :]:
            self.waiting[job.name] = "its turn has not come"
        if tasks:
            pending[0].cluster.map(lambda task: task(), tasks, concurrency=SIDE_BY_SIDE)

    def started(self, jobs: Iterable[Job]) -> bool:
        """Whether each of them works or has ended."""
        return all(not self.waiting.get(job.name, "not made yet") for job in jobs)

    def progress(self, job: Job) -> Mapping[str, Any]:
        """restic's newest line about a job that works; empty when there is none."""
        if self.waiting.get(job.name, "-") or job.name in self._outcomes:
            return {}
        try:
            lines = list(job.cluster.logs(job.namespace, job.name, container=CONTAINER, tail_lines=_TAIL))
        except (Invalid, NotFound, TransientError):
            return {}
        for line in reversed(lines):
            try:
                told = json.loads(line)
            except ValueError:
                continue
            if isinstance(told, dict) and told.get("message_type") == "status":
                return told
        return {}

    # -- inside ------------------------------------------------------------------------------------------------------

    def _observe(self, jobs: Sequence[Job]) -> dict[tuple[str, str], Manifest]:
        places = {(id(job.cluster), job.namespace): (job.cluster, job.namespace) for job in jobs}

        def listed(place: tuple[Cluster, str]) -> list[Manifest]:
            return list(place[0].list("v1", "Pod", place[1], label_selector=self._selector))

        answers = jobs[0].cluster.map(listed, list(places.values()))
        return {(pod["metadata"]["namespace"], pod["metadata"]["name"]): pod for pods in answers for pod in pods}

    def _note(self, job: Job, pod: Manifest, state: PodState) -> None:
        """A pod that has not ended: is it at work, on its way, or hopeless?"""
        conditions = (pod.get("status") or {}).get("conditions") or []
        if state.state == "running" and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
            self.waiting[job.name] = ""
            self._since.pop(job.name, None)
            return
        if not self.waiting.get(job.name, "new"):
            return  # once at work, always at work: readiness says nothing new
        self.waiting[job.name] = state.text or "the pod starts"
        now = time.monotonic()
        pulling = self._pulling.setdefault(job.name, now) if state.pulling else None
        if state.hopeless or (pulling is not None and now - pulling > PULL_PATIENCE):
            raise PermanentError(
                subject=job.subject,
                attempt="it cannot start",
                reason=state.text,
                mend="Give an image that the cluster can pull (transfer_image), or a pull secret",
            )
        if now - self._since.setdefault(job.name, now) > self._start_timeout:
            raise DeadlineExceeded(
                subject=job.subject,
                attempt=f"not ready within {self._start_timeout:.0f} s",
                reason=self.waiting[job.name],
                mend="Mend what the pod waits for, or allow more time (start_timeout), then run the task again",
            )

    def _creation(self, job: Job) -> Callable[[], None]:
        self.waiting[job.name] = "the pod is made"
        self._since[job.name] = time.monotonic()

        def create() -> None:
            manifest = job.manifest()
            try:
                job.cluster.create(manifest)
            except AlreadyExists:
                return
            except Forbidden as error:
                raise refused_pod(manifest, error) from error

        return create

    def _replacement(self, job: Job, pod: Manifest, state: PodState) -> Callable[[], None]:
        """The pod ended without its last line: its node, its memory or somebody ended it."""
        self._ends[job.name] = self._ends.get(job.name, 0) + 1
        if state.reason == "DeadlineExceeded":
            raise DeadlineExceeded(
                subject=job.subject,
                attempt="it reached its deadline",
                reason=state.text,
                mend="Run the task again",
            )
        if self._ends[job.name] > REPLACEMENTS:
            raise PermanentError(
                subject=job.subject,
                attempt=f"it ended {self._ends[job.name]} times",
                reason=state.text,
                mend="Look at the pod's log and its node's events, mend the cause and run the task again",
            )
        self.waiting[job.name] = f"the pod ended: {state.text}"
        self._report(f"{job.subject} ended ({state.text}), a new one is made")

        def remove() -> None:
            job.cluster.delete("v1", "Pod", job.name, job.namespace, uid=pod["metadata"]["uid"], grace_seconds=1)

        return remove


def _outcome(pod: Manifest) -> Outcome | None:
    """What a job has said at its end; None while it works or when it ended without a word."""
    for status in (pod.get("status") or {}).get("containerStatuses") or []:
        terminated = (status.get("state") or {}).get("terminated") or {}
        for fact in facts.facts(str(terminated.get("message") or "").splitlines()):
            if fact["fact"] == "done":
                return facts.outcome(fact)
    return None
