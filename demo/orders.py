# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A customer who keeps ordering while the application moves, and keeps every acknowledgement.

He orders at the source until it stops answering, and looks at the destination until it answers. So the downtime is
measured by somebody who suffers it: from the last acknowledged order to the first healthy answer at the new place.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from demo.cluster import Cluster, ClusterError
from demo.rows import UNKNOWN, Row, shown

INTERVAL = 0.25
"""Seconds between two orders, and the grain of the measured downtime."""
PATIENCE = 1.5
"""Seconds without an acknowledgement after which the customer looks at the destination too."""
TIMEOUT = 3.0


@dataclass
class Customer:
    """Runs in the background between `start` and `stop`; afterwards its fields are what was seen."""

    source: Cluster
    destination: Cluster
    source_namespace: str
    destination_namespace: str
    acknowledged: list[dict[str, Any]] = field(default_factory=list)
    last_acknowledged: float | None = None
    first_answer: float | None = None

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._shop, daemon=True)

    def start(self) -> None:
        """Begin to order."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and wait until the request under way has come back."""
        self._stopping.set()
        self._thread.join(timeout=2 * TIMEOUT + 1)

    def _shop(self) -> None:
        began = time.time()
        number = 0
        while not self._stopping.is_set() and self.first_answer is None:
            number += 1
            self._order(number)
            if time.time() - (self.last_acknowledged or began) > PATIENCE:
                self._look()
            self._stopping.wait(INTERVAL)

    def _order(self, number: int) -> None:
        body = {"note": f"order {number}, placed while the shop was being moved"}
        try:
            told = self.source.service("POST", self.source_namespace, "front:80", "/api/orders", body, timeout=TIMEOUT)
        except (ClusterError, ValueError):
            return
        self.acknowledged.append(told)
        self.last_acknowledged = time.time()

    def _look(self) -> None:
        try:
            told = self.destination.service("GET", self.destination_namespace, "front:80", "/health", timeout=TIMEOUT)
        except (ClusterError, ValueError):
            return
        if told.get("healthy"):
            self.first_answer = time.time()


def acknowledgement_row(destination: Cluster, namespace: str, acknowledged: list[dict[str, Any]] | None) -> Row:
    """Every acknowledged order has to be honoured at the new place: row, upload, and the signature under both."""
    what = "orders acknowledged while moving"
    if acknowledged is None:
        return Row(
            what=what, source=UNKNOWN, destination=UNKNOWN, good=False, details=["nobody ordered during this move"]
        )
    if not acknowledged:
        return Row(
            what=what,
            source="none",
            destination="none",
            good=False,
            details=["no order was acknowledged before the move"],
        )
    after = min(each["id"] for each in acknowledged) - 1
    honoured = {
        each["id"]: each for each in destination.service("GET", namespace, "front:80", f"/api/orders?after={after}")
    }
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
