# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A client from outside that writes to the application without a pause and knows which of its writes were
acknowledged."""

from __future__ import annotations

import threading

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import MtcError
from integration.migration import applications

WRITE = "echo {number} >> /data/log && sync /data/log && echo acknowledged"
PATIENCE = 10
"""Seconds for one write; a pod that is being stopped answers no more."""


class Client(threading.Thread):
    """Appends numbers to a file of the application's volume, each synced before it counts as acknowledged, until the
    application no longer answers."""

    def __init__(self, cluster: Cluster, namespace: str, *, first: int = 1) -> None:
        super().__init__(name="client", daemon=True)
        self._cluster = cluster
        self._namespace = namespace
        self._pod = applications.pod_of(cluster, namespace)
        self._first = first
        self.acknowledged: list[int] = []

    def run(self) -> None:
        number = self._first
        while self._write(number):
            self.acknowledged.append(number)
            number += 1

    def _write(self, number: int) -> bool:
        command = ["/bin/sh", "-c", WRITE.format(number=number)]
        try:
            done = self._cluster.exec(self._namespace, self._pod, command, timeout=PATIENCE)
        except MtcError:
            return False
        return done.exit_code == 0 and "acknowledged" in done.stdout
