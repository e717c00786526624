# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Follows a run that MTC's controller carries out, to its end or to the end of the user's time, and tells each fact
once.

Following changes nothing, but for one thing that the user may have asked for: a cutover whose downtime grows beyond
``max_downtime`` is canceled while that still helps. A process that stops following harms nothing either: the next one
takes up where the run then is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..cluster.api import Cluster
from ..resources import directvolume, migmigration, migration_course, names
from ..resources.condition_names import MigrationCondition
from ..resources.conditions import condition
from ..resources.errors import DeadlineExceeded, NotFound, PermanentError, subject_of
from ..resources.migration_course import Standing
from ..resources.wait_condition import Wanted
from . import mtc_installation
from .awaiting import RESTART, SILENCE, WHERE
from .call import Call
from .clock import elapsed_clock
from .feed import Feed, News, Source
from .itinerary import FINAL

Manifest = dict[str, Any]

REFUSAL_STANDS = 5.0
"""Seconds for which a refusal has to stand before it is believed: the plan may be in the middle of a pass."""
FAILURE_STANDS = 60.0
"""Seconds for which the controller may fail to reconcile a run before its follower gives up; it tries again by
itself."""
CHECK_CONTROLLER = 60.0
"""Seconds of silence in the middle of a run after which the controller's Deployment is looked at. Long phases are
silent."""
QUIESCE, QUIESCED = "QuiesceSourceApplications", "EnsureSrcQuiesced"
RESTORE, STARTED = "EnsureFinalRestore", "UnQuiesceDestApplications"


@dataclass(kw_only=True)
class Followed:
    """What was seen. ``quiesced``: when the application had stopped, as the API tells it; None when that was not
    seen."""

    migration: Manifest
    standing: Standing
    quiesced: str | None = None
    canceled_for: str | None = None
    """Why this process canceled the run, if it did."""
    direct: dict[str, Manifest] = field(default_factory=dict)
    """The run's DirectVolumeMigrations by UID."""

    @classmethod
    def of(cls, migration: Manifest) -> Followed:
        """As one look finds it."""
        return cls(migration=migration, standing=migration_course.standing(migration))

    @property
    def ended(self) -> bool:
        return self.standing.state == "ended"


def follow(this: Call, control: Cluster, migration: Manifest) -> Followed:
    """Until the run has ended, has the condition that ``wait_condition`` names, or is refused for good.

    Raises DeadlineExceeded after ``wait_timeout``, PermanentError when nobody takes the run up or the controller fails
    for long, NotFound when it is deleted. The run itself goes on in the cluster.
    """
    return _Follower(this, control, migration).result()


class _Follower:
    def __init__(self, this: Call, control: Cluster, migration: Manifest) -> None:
        metadata = migration["metadata"]
        self._this = this
        self._control = control
        self._name = str(metadata["name"])
        self._namespace = str(metadata["namespace"])
        self._uid = str(metadata["uid"])
        self._subject = subject_of(names.MIG_MIGRATION, self._name, self._namespace)
        self._began = elapsed_clock()
        self._until = self._began + float(this.params.get("wait_timeout") or 7200)
        self._heard = self._since = self._looked = self._began
        self._away_since: float | None = None
        self._phase = migration_course.phase_of(migration)
        # Who comes in the middle knows only that it is down at least since then.
        stopped = FINAL.index(self._phase) >= FINAL.index(QUIESCE)
        self._down_since = self._began if stopped and migration["spec"].get("quiescePods") else None
        self._followed = Followed.of(migration)
        self._wanted = Wanted.of(this.params)

    def result(self) -> Followed:
        self._note(self._followed.migration)
        if self._followed.ended:
            return self._followed
        version = str(self._followed.migration["metadata"]["resourceVersion"])
        sources = [
            Source(kind=names.MIG_MIGRATION, namespace=self._namespace, name=self._name, version=version),
            Source(
                kind=names.DIRECT_VOLUME_MIGRATION,
                namespace=self._namespace,
                label_selector=f"{names.DIRECT_VOLUME_LABEL}={self._uid}",
            ),
            Source(kind=names.DIRECT_VOLUME_MIGRATION_PROGRESS, namespace=self._namespace),
        ]
        with Feed(self._control, sources) as feed:
            while not self._done():
                self._this.guard.fence()
                self._patience()
                self._watch_downtime()
                news = feed.next(1.0)
                if news is not None:
                    self._take(news)
        return self._followed

    def _done(self) -> bool:
        if self._wanted is not None and self._wanted.holds(self._followed.migration):
            return True
        standing = self._followed.standing
        stood = elapsed_clock() - self._since
        return self._followed.ended or (standing.state == "refused" and stood >= REFUSAL_STANDS)

    def _take(self, news: News) -> None:
        kind = str(news.resource.get("kind"))
        if kind == names.MIG_MIGRATION:
            if news.event == "DELETED":
                raise NotFound(
                    subject=self._subject,
                    attempt="it was deleted while it ran",
                    mend="Look at both clusters before you start another one",
                    status=404,
                )
            self._note(news.resource)
        elif news.event != "DELETED" and kind == names.DIRECT_VOLUME_MIGRATION:
            self._heard = elapsed_clock()
            self._followed.direct[str(news.resource["metadata"]["uid"])] = news.resource
            self._tell_direct(news.resource)
        elif news.event != "DELETED":
            self._tell_progress(news.resource)

    def _note(self, migration: Manifest) -> None:
        self._heard = elapsed_clock()
        self._away_since = None
        self._note_phase(migration)
        found = migration_course.standing(migration)
        if found.state != self._followed.standing.state:
            self._since = elapsed_clock()
        self._followed.migration, self._followed.standing = migration, found
        self._this.reporter.tell(self._name, found.fact)

    def _note_phase(self, migration: Manifest) -> None:
        """When the application went down, and when it had stopped: the moment at which Running names another phase."""
        phase = migration_course.phase_of(migration)
        if phase == self._phase:
            return
        before, self._phase = self._phase, phase
        if QUIESCE in (before, phase) and self._down_since is None:
            self._down_since = elapsed_clock()
        if before == QUIESCED:
            running = condition(migration, MigrationCondition.RUNNING) or {}
            self._followed.quiesced = running.get("lastTransitionTime")

    def _tell_direct(self, direct: Mapping[str, Any]) -> None:
        status = direct.get("status") or {}
        if not status.get("phase"):
            return
        fact = str(status["phase"])
        if failed := condition(direct, MigrationCondition.FAILED):
            fact = f"{fact}: {'; '.join(status.get('errors') or []) or failed.get('message', '')}"
        self._this.reporter.tell(f"{names.DIRECT_VOLUME_MIGRATION} {direct['metadata']['name']}", fact)

    def _tell_progress(self, progress: Mapping[str, Any]) -> None:
        uid = (progress["metadata"].get("labels") or {}).get(names.DIRECT_VOLUME_MIGRATION_LABEL)
        direct = self._followed.direct.get(str(uid))
        if direct is None:
            return
        spec, status = progress.get("spec") or {}, progress.get("status") or {}
        label = (spec.get("podSelector") or {}).get(names.CREATED_FOR_PVC_LABEL)
        for item in direct["spec"].get("persistentVolumeClaims") or []:
            if item["namespace"] == spec.get("podNamespace") and directvolume.claim_label(item["name"]) == label:
                percent = status.get("totalProgressPercentage") or status.get("lastObservedProgressPercent")
                rate = status.get("lastObservedTransferRate")
                told = [str(status.get("phase") or ""), str(percent or ""), str(rate or "")]
                if any(told):
                    self._this.reporter.tell(
                        f"volume {item['namespace']}/{item['name']}", " ".join(part for part in told if part)
                    )

    def _patience(self) -> None:
        """Raises when waiting on makes no sense, or the time is up."""
        now, standing = elapsed_clock(), self._followed.standing
        if now >= self._until:
            raise DeadlineExceeded(
                subject=self._subject,
                attempt=f"it did not end within {round(self._until - self._began)} s",
                reason=f"{standing.fact}{self._downtime(now)}",
                mend="It goes on in the cluster: run the task again to follow it, or cancel it with cancel: true",
            )
        if standing.state == "failing" and now - self._since >= FAILURE_STANDS:
            raise PermanentError(
                subject=self._subject,
                attempt="MTC's controller cannot reconcile it",
                reason=standing.blocked,
                mend=f"{WHERE}, and run the task again",
            )
        silence = CHECK_CONTROLLER if migration_course.seen(self._followed.migration) else SILENCE
        if now - max(self._heard, self._looked) >= silence:
            self._looked = now
            self._look_at_controller(now)

    def _downtime(self, now: float) -> str:
        """How long the application has been stopped for the sake of this run, while it runs nowhere."""
        if self._down_since is None or FINAL.index(self._phase) > FINAL.index(STARTED):
            return ""
        return f"; the application has been stopped for at least {round(now - self._down_since)} s"

    def _look_at_controller(self, now: float) -> None:
        found = mtc_installation.installed(self._control)
        if found.ready:
            self._away_since = None
            if migration_course.seen(self._followed.migration):
                return
            raise PermanentError(
                subject=self._subject,
                attempt="nobody takes it up",
                reason=f"it was left alone for {round(now - self._began)} s although {found.reason}",
                mend=f"{WHERE}; cancel: true removes the migration, which has not begun",
            )
        self._away_since = self._away_since or now
        self._this.reporter.tell(self._name, f"waits for the controller: {found.reason}")
        if now - self._away_since >= RESTART:
            raise PermanentError(
                subject=self._subject,
                attempt=f"it stands in phase {self._phase}, and nobody carries it on",
                reason=f"{found.reason}{self._downtime(now)}",
                mend="Mend the installation of MTC and run the task again: the run goes on from that phase",
            )

    def _watch_downtime(self) -> None:
        """Cancels a cutover that keeps the application down for too long, as long as nothing was restored."""
        limit = float(self._this.params.get("max_downtime") or 0)
        if not limit or self._down_since is None or self._followed.canceled_for:
            return
        down = elapsed_clock() - self._down_since
        migration = self._followed.migration
        restoring = not 0 < FINAL.index(self._phase) < FINAL.index(RESTORE)
        if down < limit or restoring or not migmigration.is_final(migration) or migmigration.canceled(migration):
            return
        self._followed.canceled_for = f"the application was down for more than max_downtime ({round(limit)} s)"
        self._this.reporter.tell(self._name, f"canceled: {self._followed.canceled_for}")
        cancel(self._control, migration)


def cancel(control: Cluster, migration: Mapping[str, Any]) -> Manifest:
    """Asks the controller to cancel the run; it obeys between two phases, and not while something blocks the run."""
    metadata = migration["metadata"]
    return control.patch(
        names.API_VERSION,
        names.MIG_MIGRATION,
        metadata["name"],
        metadata["namespace"],
        patch={"metadata": {"uid": metadata["uid"]}, "spec": {"canceled": True}},
    )
