# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waits for what becomes true by itself, and says what did not."""

from __future__ import annotations

import time
from collections.abc import Callable

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.volumes import sizing

PAUSE = 0.1


def until(done: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
    """Return as soon as it is true; fail with ``what`` when it is not within the time."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(PAUSE)


def until_measured(
    cluster: Cluster, namespace: str, claim: str = "data", *, at_least: int = 1, at_most: int = 2**60
) -> int:
    """Wait until the kubelet tells that a claim's files take so many bytes; it looks every few seconds."""

    def used() -> int:
        measured = sizing.usage(cluster, [(namespace, claim)])[namespace, claim]
        return 0 if measured is None else measured.used

    until(lambda: at_least <= used() <= at_most, f"{namespace}/{claim} uses {at_least} to {at_most} bytes")
    return used()
