# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One engine at a time per migration: a Lease next to the MigMigration, and the fence that it puts around every
request.

A holder renews every few seconds. Whoever wants the run watches for renewals and takes over when none was seen for
the lease's duration, judged by its own boot clock and never by the times that stand in the object. Each holder has a
generation (``leaseTransitions``).

The fence is a check in memory before each request of the run, reads included: a process that was stopped, or cut off,
for longer than its own deadline finds itself fenced the moment it wakes, and sends nothing more. The deadline is
shorter than the duration, so it is fenced before anybody takes over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ..cluster.api import Cluster
from ..resources import names
from ..resources.errors import AlreadyExists, Conflict, LeaseLost, MtcError, Refused, subject_of
from .clock import elapsed_clock, utc_now_micro
from .process import ProcessName

API = "coordination.k8s.io/v1"
DURATION = 15
"""Seconds without a renewal after which another process takes the run over."""
FENCE = 9.0
"""Seconds without a renewal after which the holder itself stops; DURATION minus this is the time a request may be in
flight."""
RENEWAL = 3.0
"""Seconds between two renewals."""


def holder_of(cluster: Cluster, namespace: str, name: str, *, pause: Callable[[float], None]) -> str | None:
    """Who carries the migration of that name out; None when nobody does.

    A holder that is not certainly gone is watched for the lease's duration, until it renews: that is who answers late.
    """
    seen, since = "", elapsed_clock()
    while True:
        found = cluster.get(API, "Lease", name, namespace)
        if found is None or _is_free(found):
            return None
        version = found["metadata"]["resourceVersion"]
        if seen and version != seen:
            return str(found["spec"]["holderIdentity"])
        if elapsed_clock() - since > DURATION:
            return None
        seen = version
        pause(0.5)


def _is_free(found: dict[str, Any]) -> bool:
    """Whether nobody holds it, or a process of this machine that is certainly gone."""
    holder = found["spec"].get("holderIdentity") or ""
    process = ProcessName.parse(holder)
    return not holder or (process is not None and process.is_gone())


class Lease:
    """The right to carry out one migration. Use ``acquire`` and, at the end, ``release``."""

    def __init__(
        self, *, cluster: Cluster, namespace: str, name: str, holder: ProcessName, owner: dict[str, Any]
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._holder = holder
        self._owner = owner
        self._object: dict[str, Any] = {}
        self._renewed = 0.0
        self._lost: str | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.generation = 0

    def check(self) -> None:
        """The fence. Raises LeaseLost when this process may not touch any cluster any more; costs no request."""
        if self._lost is None and self._renewed and elapsed_clock() - self._renewed > FENCE:
            self._lost = (
                f"it could not be renewed for {FENCE:.0f} s (the process was stopped, or the cluster did not answer)"
            )
        if self._lost is not None:
            raise LeaseLost(
                subject=subject_of("Lease", self._name, self._namespace),
                attempt="this process no longer carries the migration out",
                reason=self._lost,
                mend="Run the same task again: it goes on from the recorded phase",
            )

    def acquire(
        self,
        *,
        wait: bool,
        report: Callable[[str], None],
        pause: Callable[[float], None],
        ended: Callable[[], bool] | None = None,
        limit: float = 2 * DURATION + RENEWAL,
    ) -> bool:
        """Take the lease and keep it renewed; True then. ``ended`` is asked while somebody else holds it: once it says
        so there is nothing left to take the lease for, and False is returned.

        A holder that is certainly dead (a process of this machine that is gone) or that released is succeeded at
        once. Any other holder is watched: without a renewal for the lease's duration it is succeeded; one that goes
        on renewing is left alone and the call is refused after ``limit`` seconds, or at once without ``wait``.
        """
        seen, seen_at, first_seen, told = "", 0.0, elapsed_clock(), False
        while True:
            found = self._cluster.get(API, "Lease", self._name, self._namespace)
            if (
                found is None
                or self._free(found)
                or (seen == found["metadata"]["resourceVersion"] and elapsed_clock() - seen_at > DURATION)
            ):
                if self._take(found):
                    self._start_renewing()
                    return True
                continue
            if ended is not None and ended():
                return False
            if found["metadata"]["resourceVersion"] != seen:
                seen, seen_at = found["metadata"]["resourceVersion"], elapsed_clock()
            holder = found["spec"].get("holderIdentity", "")
            if not wait or elapsed_clock() - first_seen > limit:
                raise Refused(
                    subject=subject_of("Lease", self._name, self._namespace),
                    attempt="the migration is being carried out by another process",
                    reason=f"{holder} renewed it within the last {DURATION} s",
                    mend="Wait for it to end, or stop it and run this task again",
                )
            if not told:
                report(f"held by {holder}; taking over {DURATION} s after its last renewal")
                told = True
            pause(0.25)

    def seize(self, *, pause: Callable[[float], None]) -> int:
        """Take the lease from whoever holds it; returns the generation. The former holder learns of it with its next
        renewal and sends nothing more; that is waited for."""
        while not self._take(found := self._cluster.get(API, "Lease", self._name, self._namespace)):
            pause(0.1)
        self._start_renewing()
        if found is not None and not self._free(found):
            pause(2 * RENEWAL)
        return self.generation

    def _free(self, found: dict[str, Any]) -> bool:
        return _is_free(found) or found["spec"].get("holderIdentity") == str(self._holder)

    def _take(self, found: dict[str, Any] | None) -> bool:
        asked_at, now = elapsed_clock(), utc_now_micro()
        spec = {
            "holderIdentity": str(self._holder),
            "leaseDurationSeconds": DURATION,
            "acquireTime": now,
            "renewTime": now,
        }
        try:
            if found is None:
                metadata = {
                    "name": self._name,
                    "namespace": self._namespace,
                    "labels": {names.RUN_LABEL: self._owner["uid"]},
                    "ownerReferences": [self._owner],
                }
                manifest = {
                    "apiVersion": API,
                    "kind": "Lease",
                    "metadata": metadata,
                    "spec": {**spec, "leaseTransitions": 1},
                }
                self._object = self._cluster.create(manifest)
            else:
                transitions = int(found["spec"].get("leaseTransitions") or 0) + 1
                self._object = self._cluster.replace({**found, "spec": {**spec, "leaseTransitions": transitions}})
        except (AlreadyExists, Conflict):
            return False
        self.generation = int(self._object["spec"]["leaseTransitions"])
        self._renewed = asked_at
        return True

    def _start_renewing(self) -> None:
        self._thread = threading.Thread(target=self._renew_until_stopped, name="lease", daemon=True)
        self._thread.start()

    def _renew_until_stopped(self) -> None:
        while not self._stopping.wait(RENEWAL):
            try:
                self.check()
                self._renew()
            except LeaseLost:
                return
            except Conflict:
                self._lost = "another process has taken the migration over"
                return
            except MtcError:
                continue  # the fence closes by itself when this goes on for too long

    def _renew(self) -> None:
        asked_at = elapsed_clock()
        self._object = self._cluster.replace(
            {**self._object, "spec": {**self._object["spec"], "renewTime": utc_now_micro()}}
        )
        self._renewed = asked_at

    def release(self, *, finished: bool) -> None:
        """Give the lease back so that the next process need not wait; of a ``finished`` run nothing stays.

        Silent when it is lost already or the cluster does not answer: then it expires.
        """
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=FENCE)
        try:
            self.check()
            if finished:
                uid = self._object["metadata"]["uid"]
                self._cluster.delete(API, "Lease", self._name, self._namespace, uid=uid)
            else:
                spec = {**self._object["spec"], "holderIdentity": "", "renewTime": utc_now_micro()}
                self._cluster.replace({**self._object, "spec": spec})
        except MtcError:
            return
