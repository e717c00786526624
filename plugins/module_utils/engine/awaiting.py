# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waits until MTC's controller has judged a resource that was just written, and does not wait for nobody.

A verdict counts once it has stood for a moment. When nothing happens at all, the controller's Deployment is looked at:
one that runs and leaves the resource alone will not take it up later either, one that restarts is waited for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..cluster.api import Cluster
from ..resources import awaited, names
from ..resources.awaited import Judgement, Written
from ..resources.conditions import by_type, listed
from ..resources.errors import DeadlineExceeded, MtcError, NotFound, NotReady, PermanentError, subject_of
from ..resources.wait_condition import Wanted
from . import condition_waits, mtc_installation
from .call import Call
from .clock import elapsed_clock
from .ensure_resource import Situation
from .feed import Feed, Source

Manifest = dict[str, Any]

TIMEOUT = 300.0
"""Seconds for the whole wait when the task names no ``wait_timeout``."""
SETTLE = 2.0
"""Seconds for which a verdict has to stand."""
SILENCE = 30.0
"""Seconds without any write by the controller after which its Deployment is looked at."""
SILENCES: Mapping[str, float] = {names.MIG_PLAN: 150.0}
"""Kinds that the controller works on for longer before it writes anything: a plan whose volumes are measured."""
RESTART = 180.0
"""Seconds that a controller may be away; a new image is pulled in that time."""
WHERE = f"Look at the log of {mtc_installation.WHERE}"


def drive(situation: Situation, written: Manifest) -> Manifest:
    """``Handler.drive`` of every kind: the resource once the controller has judged it. Raises as judged() does."""
    return judged(situation.call, situation.control, written, Wanted.of(situation.call.params))


def judged(this: Call, control: Cluster, written: Manifest, wanted: Wanted | None = None) -> Manifest:
    """The resource when it is ready, or has the condition that is ``wanted`` instead. ``written``: as our write
    returned it.

    Raises NotReady with the controller's conditions, DeadlineExceeded, and PermanentError when nobody reconciles it.
    """
    wait = _Wait(this, control, written, wanted)
    try:
        return wait.result()
    except MtcError as error:
        error.having({"resource": wait.resource, "conditions": by_type(wait.resource)})
        raise


class _Wait:
    def __init__(self, this: Call, control: Cluster, written: Manifest, wanted: Wanted | None) -> None:
        metadata = written["metadata"]
        self._this = this
        self._control = control
        self._kind = str(written["kind"])
        self._name = str(metadata["name"])
        self._subject = subject_of(self._kind, self._name, metadata["namespace"])
        self._marks = Written.of(written)
        self.resource = written
        """As it was seen last."""
        self._began = elapsed_clock()
        self._until = self._began + float(this.params.get("wait_timeout") or TIMEOUT)
        self._wanted = wanted
        self._judgement = awaited.judge(written, self._marks, self._wanted)
        self._since = self._began
        self._looked = self._began

    def result(self) -> Manifest:
        metadata = self.resource["metadata"]
        source = Source(
            kind=self._kind,
            namespace=metadata["namespace"],
            name=self._name,
            version=str(metadata["resourceVersion"]),
        )
        with Feed(self._control, [source]) as feed:
            while True:
                self._this.guard.fence()
                if self._judgement.state != "waiting" and elapsed_clock() - self._since >= SETTLE:
                    return self._verdict()
                self._patience()
                news = feed.next(self._step())
                if news is None:
                    continue
                if news.event == "DELETED":
                    raise NotFound(
                        subject=self._subject,
                        attempt="it was deleted while its controller was waited for",
                        mend="Run the task again to make it anew",
                        status=404,
                    )
                self._note(news.resource)

    def _note(self, resource: Manifest) -> None:
        resource.setdefault("kind", self._kind)
        self.resource = resource
        self._looked = elapsed_clock()
        found = awaited.judge(resource, self._marks, self._wanted)
        if found != self._judgement:
            self._judgement, self._since = found, elapsed_clock()
        for item in listed(resource):
            if item.get("status") == "True" and item.get("category") != "Advisory":
                self._this.reporter.tell(f"{self._subject} {item['type']}", str(item.get("message", "")))

    def _verdict(self) -> Manifest:
        if self._judgement.state == "failed":
            raise NotReady(subject=self._subject, resource=self.resource)
        return self.resource

    def _step(self) -> float:
        """Seconds until time alone may change what is to be done."""
        now = elapsed_clock()
        ends = [self._until, self._looked + self._silence()]
        if self._judgement.state != "waiting":
            ends.append(self._since + SETTLE)
        return min(1.0, max(0.01, min(ends) - now))

    def _silence(self) -> float:
        return SILENCES.get(self._kind, SILENCE)

    def _patience(self) -> None:
        """Raises when waiting on makes no sense."""
        now = elapsed_clock()
        if self._judgement.state != "waiting":
            return
        if self._wanted is not None and awaited.reconciled(self.resource, self._marks):
            if now >= self._until:
                raise condition_waits.absent(self._this, self._wanted, self.resource, subject=self._subject)
            return
        if now >= self._until:
            raise DeadlineExceeded(
                subject=self._subject,
                attempt=f"it was not judged within {round(self._until - self._began)} s",
                reason=_told(self.resource, self._judgement),
                mend=f"{WHERE}, or allow more time with wait_timeout",
            )
        if now - self._looked < self._silence() or not awaited.untouched(self._marks, self.resource):
            return
        found = mtc_installation.installed(self._control)
        if found.ready:
            raise PermanentError(
                subject=self._subject,
                attempt="nobody reconciles it",
                reason=f"it was left alone for {round(now - self._began)} s although {found.reason}",
                mend=WHERE,
            )
        self._this.reporter.tell(self._subject, f"waits for the controller: {found.reason}")
        if now - self._began >= self._silence() + RESTART:
            raise PermanentError(
                subject=self._subject,
                attempt="nobody reconciles it",
                reason=found.reason,
                mend="Mend the installation of MTC and run the task again",
            )
        self._looked = now


def _told(resource: Mapping[str, Any], judgement: Judgement) -> str:
    conditions = "; ".join(
        f"{item['type']}: {item.get('message', '')}".rstrip(". ")
        for item in listed(resource)
        if item.get("status") == "True"
    )
    return f"{judgement.why} ({conditions})" if conditions else judgement.why
