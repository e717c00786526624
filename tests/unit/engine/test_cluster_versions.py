# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A cluster that is too old is refused when it is made known, not at night."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.capabilities import capabilities_of
from ansible_collections.openmig.mtc.plugins.module_utils.engine.cluster_reconciler import check_cluster


class OfVersion:
    """Plays a cluster of that version, whose account may do everything."""

    def __init__(self, *version: int) -> None:
        self._version = (version[0], version[1])

    def capabilities(self, *, control: bool) -> object:
        return capabilities_of(self._version, subject="Cluster x", control=control)

    def allowed(self, *_asked: str) -> bool:
        return True


def conditions(spec: dict[str, Any], *version: int) -> dict[str, str]:
    status = check_cluster(
        spec=spec,
        status={},
        secret=lambda: {"saToken": "dG9rZW4="},
        connect=lambda _spec, _token: cast(Cluster, OfVersion(*version)),
    )
    return {item["type"]: item["message"] for item in status["conditions"]}


REMOTE = {"url": "https://a:6443", "serviceAccountSecretRef": {"name": "token", "namespace": "openmig"}}
HOST = {"isHostCluster": True}


@pytest.mark.parametrize(("spec", "old", "new"), [(REMOTE, (1, 10), (1, 11)), (HOST, (1, 21), (1, 22))])
def test_the_oldest_that_is_supported(spec: dict[str, Any], old: tuple[int, int], new: tuple[int, int]) -> None:
    refused = conditions(spec, *old)
    assert "Ready" not in refused
    assert f"it runs Kubernetes {old[0]}.{old[1]}" in refused["TestConnectFailed"]
    assert "Ready" in conditions(spec, *new)
