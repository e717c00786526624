# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One watch over all MigMigrations of the control cluster: whoever waits for a phase hears of it at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names

Manifest = dict[str, Any]
Heard = Callable[[str, str], None]
"""Called with itinerary and phase of a migration whenever one is stored."""
HOURS = 3600.0 * 6


TAKEN_UP = ("", "taken up")
"""What is heard when a process takes the lease of a run, new or not."""


class PhaseWatch:
    """Lives as long as the harness. ``subscribe`` for the migrations of one namespace."""

    def __init__(self, control: Cluster) -> None:
        self._control = control
        self._subscribers: dict[str, Heard] = {}
        for follow in (self._follow, self._follow_leases):
            threading.Thread(target=follow, name="phases", daemon=True).start()

    def subscribe(self, namespace: str, heard: Heard) -> None:
        """From now on; one for each namespace."""
        self._subscribers[namespace] = heard

    def unsubscribe(self, namespace: str) -> None:
        self._subscribers.pop(namespace, None)

    def _follow_leases(self) -> None:
        known: dict[str, int] = {}
        leases = self._control.watch("coordination.k8s.io/v1", "Lease", label_selector=names.RUN_LABEL, timeout=HOURS)
        for kind, lease in leases:
            metadata = lease["metadata"]
            holders = int((lease.get("spec") or {}).get("leaseTransitions") or 0)
            heard = self._subscribers.get(metadata["namespace"])
            if kind != "DELETED" and holders > known.get(metadata["uid"], 0):
                known[metadata["uid"]] = holders
                if heard is not None:
                    heard(*TAKEN_UP)

    def _follow(self) -> None:
        for kind, migration in self._control.watch(names.API_VERSION, names.MIG_MIGRATION, timeout=HOURS):
            heard = self._subscribers.get(migration["metadata"]["namespace"])
            if heard is not None and kind != "DELETED":
                heard(*stands_in(migration))


def stands_in(migration: Manifest) -> tuple[str, str]:
    """(itinerary, phase); ("", "") before the first phase is stored."""
    status = migration.get("status") or {}
    return str(status.get("itinerary", "")), str(status.get("phase", ""))


class Moment:
    """The moment when a run has come to a phase, and ``point`` of the time that it takes has passed.

    ``act`` is called then, once; ``aside`` in a thread of its own, as it is when there is something to wait for. A run
    that stands in the phase already is ``resumed``: its time counts from when a process takes it up.
    """

    def __init__(
        self,
        *,
        walk: str,
        phase: str,
        seconds: float,
        act: Callable[[], None],
        aside: bool = False,
        resumed: bool = False,
    ) -> None:
        self._wanted = TAKEN_UP if resumed else ("", "") if phase == "" else (walk, phase)
        self._seconds = seconds
        self._act = act
        self._aside = aside or seconds > 0
        self._last: tuple[str, str] | None = None
        self._came_at = 0.0
        self.lasted = 0.0
        """Seconds from the phase's beginning to the next phase, once that has been heard of."""
        self.came = threading.Event()
        self.done = threading.Event()

    def heard(self, walk: str, phase: str) -> None:
        if (walk, phase) == self._last:
            return
        self._last = (walk, phase)
        if self.came.is_set():
            self.lasted = self.lasted or time.monotonic() - self._came_at
        if self._last != self._wanted or self.came.is_set():
            return
        self._came_at = time.monotonic()
        self.came.set()
        if self._aside:
            threading.Thread(target=self._later, daemon=True).start()
        else:
            self._perform()

    def _later(self) -> None:
        time.sleep(self._seconds)  # the point inside the phase; there is nothing else to wait for
        self._perform()

    def _perform(self) -> None:
        try:
            self._act()
        finally:
            self.done.set()
