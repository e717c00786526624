# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A run stays with the clusters that it began with, however they are reached later."""

from __future__ import annotations

from collections.abc import Mapping

from ..cluster.api import Cluster
from ..resources.errors import Refused


def identities(*, source: Cluster, destination: Cluster) -> dict[str, str]:
    """What tells the two clusters from all others."""
    return {"source": source.identity(), "destination": destination.identity()}


def refuse_others(frozen: Mapping[str, str], now: Mapping[str, str], *, subject: str) -> None:
    """Raises Refused when one of them is not the cluster that the run began with."""
    for side, identity in frozen.items():
        if now[side] != identity:
            raise Refused(
                subject=subject,
                attempt=f"the {side} is not the cluster that the run began with",
                reason=f"its kube-system namespace has UID {now[side]}, the run began with {identity}",
                mend=f"Give the same {side} cluster again",
            )
