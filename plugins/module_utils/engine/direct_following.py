# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Follows a direct migration that MTC's controller carries out, to its end, and tells each fact once."""

from __future__ import annotations

from typing import Any

from ..cluster.api import Cluster
from ..resources import direct_course
from ..resources.conditions import by_type
from ..resources.errors import DeadlineExceeded, MtcError, NotFound, NotReady, PermanentError, subject_of
from ..resources.wait_condition import Wanted
from . import mtc_installation
from .awaiting import RESTART, SILENCE, WHERE
from .call import Call
from .clock import elapsed_clock
from .feed import Feed, Source

Manifest = dict[str, Any]
REFUSAL_STANDS = 5.0
"""Seconds for which a Critical condition has to stand before it is believed: a cluster may just be looked at again."""


def follow(this: Call, control: Cluster, written: Manifest) -> Manifest:
    """The resource once it has ended or has the condition that ``wait_condition`` names; without ``wait`` as soon as
    the controller has begun.

    Raises NotReady when it is blocked, DeadlineExceeded after ``wait_timeout``, PermanentError when nobody takes it up,
    NotFound when it is deleted.
    """
    follower = _Follower(this, control, written)
    try:
        return follower.result()
    except MtcError as error:
        error.having({"resource": follower.resource, "conditions": by_type(follower.resource)})
        raise


class _Follower:
    def __init__(self, this: Call, control: Cluster, written: Manifest) -> None:
        metadata = written["metadata"]
        self._this = this
        self._control = control
        self.resource = written
        """As it was seen last."""
        self._subject = subject_of(written["kind"], metadata["name"], metadata["namespace"])
        self._standing = direct_course.standing(written)
        self._began = self._since = self._looked = elapsed_clock()
        self._until = self._began + float(this.params["wait_timeout"])
        self._wanted = Wanted.of(this.params)

    def result(self) -> Manifest:
        metadata = self.resource["metadata"]
        source = Source(
            kind=self.resource["kind"],
            namespace=metadata["namespace"],
            name=metadata["name"],
            version=str(metadata["resourceVersion"]),
        )
        with Feed(self._control, [source]) as feed:
            while not self._done():
                self._this.guard.fence()
                self._patience()
                news = feed.next(0.5)
                if news is None:
                    continue
                if news.event == "DELETED":
                    raise NotFound(
                        subject=self._subject,
                        attempt="it was deleted while it ran",
                        mend="Run the task again to make it anew",
                        status=404,
                    )
                self._note(news.resource)
        return self.resource

    def _done(self) -> bool:
        state = self._standing.state
        if self._wanted is not None and self._wanted.holds(self.resource):
            return True
        if state == "blocked" and elapsed_clock() - self._since >= REFUSAL_STANDS:
            raise NotReady(subject=self._subject, resource=self.resource)
        return state == "ended" or (state == "running" and not self._this.params["wait"])

    def _note(self, resource: Manifest) -> None:
        resource.setdefault("kind", self.resource["kind"])
        self.resource = resource
        self._looked = elapsed_clock()
        found = direct_course.standing(resource)
        if found.state != self._standing.state:
            self._since = elapsed_clock()
        self._standing = found
        self._this.reporter.tell(self._subject, found.fact)

    def _patience(self) -> None:
        """Raises when waiting on makes no sense."""
        now = elapsed_clock()
        if now >= self._until:
            raise DeadlineExceeded(
                subject=self._subject,
                attempt=f"it did not end within {round(now - self._began)} s",
                reason=self._standing.fact,
                mend="Run the same task again: it goes on watching; or allow more time with wait_timeout",
            )
        if self._standing.state != "new" or now - self._looked < SILENCE:
            return
        found = mtc_installation.installed(self._control)
        if found.ready or now - self._began >= SILENCE + RESTART:
            raise PermanentError(
                subject=self._subject,
                attempt="nobody reconciles it",
                reason=f"it was left alone for {round(now - self._began)} s ({found.reason})",
                mend=WHERE,
            )
        self._this.reporter.tell(self._subject, f"waits for the controller: {found.reason}")
        self._looked = now
