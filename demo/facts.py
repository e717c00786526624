# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What nobody can measure a second time: when the move began and ended, what was acknowledged, when the shop answered
again.

Kept in a ConfigMap of the demo's own namespace on the destination, so that a second `make demo` shows the same table
from any checkout; `make demo-clean` removes it.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from demo.cluster import Cluster
from demo.settings import FACTS_NAMESPACE

NAME = "move"
KEY = "facts.json"


@dataclass(kw_only=True)
class Facts:
    """Moments are seconds since 1970. `ended` is the last moment at which the move is known to have gone on."""

    began: float
    audit_mark: int = 0
    """Where in the source's audit log the move begins."""
    ended: float = 0.0
    last_acknowledged: float | None = None
    first_answer: float | None = None
    acknowledged: list[dict[str, Any]] = field(default_factory=list)

    @property
    def downtime(self) -> float | None:
        """Seconds without service as the customer saw it; None when one end is missing."""
        if self.last_acknowledged is None or self.first_answer is None:
            return None
        return self.first_answer - self.last_acknowledged


def save(destination: Cluster, facts: Facts) -> None:
    """Write the facts as of now."""
    facts.ended = time.time()
    destination.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": FACTS_NAMESPACE}})
    destination.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": NAME, "namespace": FACTS_NAMESPACE},
            "data": {KEY: json.dumps(asdict(facts))},
        }
    )


def load(destination: Cluster) -> Facts | None:
    """The facts of the move; None when there are none, or none that this version can read."""
    found = destination.get("ConfigMap", NAME, FACTS_NAMESPACE)
    try:
        return Facts(**json.loads((found or {})["data"][KEY]))
    except (KeyError, TypeError, ValueError):
        return None
