# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A list that takes so long that the server forgets the snapshot that it was reading from."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.lists import pages
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.transport import Answer, Call, Transport
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import Gone
from integration.cluster.manifests import config_map

pytestmark = pytest.mark.sample

AGED_PAGE = 2
FORGOTTEN_WITHIN = 720
"""Kubernetes compacts every five minutes unless told otherwise; the lab is."""


class Slow:
    """Sends one page's continuation as if hours had passed: it then names the server's first version."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.refused = self._transport.refused
        self.calls = 0

    def send(self, call: Call) -> Answer:
        self.calls += 1
        if self.calls == AGED_PAGE:
            token = str(call.query["continue"])
            content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            aged = base64.urlsafe_b64encode(json.dumps(content | {"rv": 1}).encode()).decode().rstrip("=")
            return self._once_forgotten(replace(call, query={**call.query, "continue": aged}))
        return self._transport.send(call)

    def _once_forgotten(self, call: Call) -> Answer:
        """The server's refusal, which a young server gives only after its second compaction."""
        until = time.monotonic() + FORGOTTEN_WITHIN
        while True:
            answer = self._transport.send(call)
            if answer.status == 410:
                return answer
            assert time.monotonic() < until, "the server still knows its first version"
            time.sleep(1)


def test_a_list_goes_on_from_where_it_was(cluster: Cluster, namespace: str) -> None:
    names = {f"aged-{number:02}" for number in range(20)}
    cluster.map(lambda name: cluster.create(config_map(namespace, name)), sorted(names), concurrency=8)
    kind = cluster.resource("v1", "ConfigMap")
    slow: Any = Slow(cluster._transport)
    found = [
        item["metadata"]["name"] for document in pages(slow, kind, namespace, page=5) for item in document["items"]
    ]
    assert names <= set(found)
    assert len(found) == len(set(found))
    with pytest.raises(Gone):
        list(pages(Slow(cluster._transport), kind, namespace, page=5, restart=False))  # type: ignore[arg-type]
