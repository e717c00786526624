# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A customer who keeps ordering while the application moves, and keeps every acknowledgement.

He orders at the source until it stops answering, and looks at the destination until it answers. So the downtime is
measured by somebody who suffers it: from the last acknowledged order to the first healthy answer at the new place.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from demo.cluster import Cluster, ClusterError
from demo.facts import Facts
from demo.rows import UNKNOWN, Row, shown

INTERVAL = 0.25
"""Seconds between two orders, and the grain of the measured downtime."""
PATIENCE = 1.5
"""Seconds without an acknowledgement after which the customer looks at the destination too."""
TIMEOUT = 3.0
KEPT_EVERY = 2.0
"""Seconds between two times that what he has seen is put where a killed demo does not lose it."""


class Customer:
    """Runs in the background between `start` and `stop`, and writes what he sees into the facts."""

    def __init__(  # noqa: PLR0917  (two clusters, their namespaces, and where it goes)
        self,
        source: Cluster,
        destination: Cluster,
        source_namespace: str,
        destination_namespace: str,
        facts: Facts,
        keep: Callable[[], None],
    ) -> None:
        self._source = source, source_namespace
        self._destination = destination, destination_namespace
        self._facts = facts
        self._keep = keep
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._shop, daemon=True)

    def start(self) -> None:
        """Begin to order."""
        self._keep()
        self._thread.start()

    def stop(self) -> None:
        """Stop, wait until the request under way has come back, and keep the rest."""
        self._stopping.set()
        self._thread.join(timeout=2 * TIMEOUT + 1)
        self._keep()

    def _shop(self) -> None:
        began = kept = time.time()
        while not self._stopping.is_set() and self._facts.first_answer is None:
            self._order()
            if time.time() - max(self._facts.last_acknowledged or 0.0, began) > PATIENCE:
                self._look()
            if time.time() - kept > KEPT_EVERY:
                kept = time.time()
                with contextlib.suppress(ClusterError):
                    self._keep()
            self._stopping.wait(INTERVAL)

    def _order(self) -> None:
        cluster, namespace = self._source
        body = {"note": f"order {len(self._facts.acknowledged) + 1}, placed while the shop was being moved"}
        try:
            told = cluster.service("POST", namespace, "front:80", "/api/orders", body, timeout=TIMEOUT)
        except (ClusterError, ValueError):
            return
        self._facts.acknowledged.append(told)
        self._facts.last_acknowledged = time.time()

    def _look(self) -> None:
        cluster, namespace = self._destination
        try:
            told = cluster.service("GET", namespace, "front:80", "/health", timeout=TIMEOUT)
        except (ClusterError, ValueError):
            return
        if told.get("healthy"):
            self._facts.first_answer = time.time()


def acknowledgement_row(destination: Cluster, namespace: str, facts: Facts | None) -> Row:
    """Every acknowledged order has to be honoured at the new place: row, upload, and the signature under both."""
    what = "orders acknowledged while moving"
    acknowledged = facts.acknowledged if facts else []
    if not acknowledged:
        return Row(what=what, source=UNKNOWN if facts is None else "none", destination="none", good=False)
    after = min(each["id"] for each in acknowledged) - 1
    try:
        orders = destination.service("GET", namespace, "front:80", f"/api/orders?after={after}")
    except ClusterError as error:
        told = [str(error)]
        return Row(what=what, source=str(len(acknowledged)), destination=UNKNOWN, good=False, details=told)
    honoured = {each["id"]: each for each in orders}
    lost = [each for each in acknowledged if honoured.get(each["id"]) != each]
    return Row(
        what=what,
        source=f"{len(acknowledged)} acknowledged",
        destination=f"{len(acknowledged) - len(lost)} honoured, {len(lost)} lost",
        good=not lost,
        details=shown(
            [f"order {each['id']} ({each['token']}): {honoured.get(each['id'], 'missing')}" for each in lost]
        ),
    )
