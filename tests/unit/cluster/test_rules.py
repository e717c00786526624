# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules of this room that need no server: pauses, what a repeated write recognises, versions, paths, imports."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.backoff import Backoff, retry_after
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.capabilities import (
    TABLE,
    capabilities_of,
    parse_version,
)
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.parallel import map_side_by_side
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.resource_types import BUILT_IN
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.writes import holds
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import LeaseLost, NotFound, Refused


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def test_pauses_grow_and_end_before_the_deadline() -> None:
    clock = Clock()
    backoff = Backoff(60, clock=clock, sleep=clock.sleep)
    while backoff.pause():
        pass
    assert clock.now < 60
    assert clock.pauses[0] <= 0.2
    assert all(pause <= 8 for pause in clock.pauses)
    assert 8 <= len(clock.pauses) <= 25


def test_a_server_s_own_pause_is_kept_and_never_shortened() -> None:
    clock = Clock()
    backoff = Backoff(10, clock=clock, sleep=clock.sleep)
    assert backoff.pause(retry_after=4)
    assert 4 <= clock.now <= 5
    assert not backoff.pause(retry_after=6)
    assert not backoff.pause(within=clock.now)
    assert len(clock.pauses) == 1


@pytest.mark.parametrize(("text", "seconds"), [("1", 1.0), (None, None), ("soon", None), ("-1", None), ("99999", None)])
def test_retry_after(text: str | None, seconds: float | None) -> None:
    assert retry_after(text) == seconds


@pytest.mark.parametrize(
    ("found", "sent", "held"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1}, {"b": None}, True),
        ({"a": 1}, {"a": None}, False),
        ({"l": [{"x": 1, "default": 2}]}, {"l": [{"x": 1}]}, True),
        ({"l": [{"x": 1}, {"x": 2}]}, {"l": [{"x": 1}]}, False),
        (
            {"metadata": {"resourceVersion": "8", "name": "n"}},
            {"metadata": {"resourceVersion": "7", "name": "n"}},
            True,
        ),
        ("text", {"a": 1}, False),
    ],
)
def test_what_a_server_holds_of_what_was_sent(found: Any, sent: Any, held: bool) -> None:
    assert holds(found, sent) is held


@pytest.mark.parametrize(
    ("document", "version"),
    [
        ({"major": "1", "minor": "34"}, (1, 34)),
        ({"major": "1", "minor": "11+", "gitVersion": "v1.11.0+d4cacc0"}, (1, 11)),
        ({"major": "", "minor": "", "gitVersion": "v1.27.3-gke.100"}, (1, 27)),
    ],
)
def test_versions_as_vendors_write_them(document: dict[str, str], version: tuple[int, int]) -> None:
    assert parse_version(document, subject="Cluster s") == version


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(Refused):
        parse_version({"hello": "world"}, subject="Cluster s")


def test_each_ability_starts_with_its_version() -> None:
    for ability in TABLE:
        major, minor = ability.since
        before = capabilities_of((major, minor - 1), subject="s")
        assert not getattr(before, ability.name)
        assert ability.lost in before.lost
        assert getattr(capabilities_of(ability.since, subject="s"), ability.name)
    assert capabilities_of((2, 0), subject="s").lost == ()


def test_paths_of_objects() -> None:
    assert BUILT_IN["v1", "Pod"].path("ns", "p", "log") == "/api/v1/namespaces/ns/pods/p/log"
    assert BUILT_IN["apps/v1", "Deployment"].path() == "/apis/apps/v1/deployments"
    assert BUILT_IN["v1", "Namespace"].path("ignored", "ns") == "/api/v1/namespaces/ns"
    role = BUILT_IN["rbac.authorization.k8s.io/v1", "ClusterRole"]
    assert role.path(name="system:a/b") == "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Aa%2Fb"


def test_a_lost_lease_stops_the_items_that_have_not_started() -> None:
    seen: list[int] = []

    def work(number: int) -> int:
        seen.append(number)
        if number == 3:
            raise LeaseLost(subject="s", attempt="a")
        if number == 1:
            raise NotFound(subject="s", attempt="a")
        return number

    with pytest.raises(LeaseLost):
        map_side_by_side(work, iter(range(1000)), concurrency=1)
    assert seen == [0, 1, 2, 3]


def test_an_error_of_the_items_themselves_is_raised() -> None:
    def items() -> Any:
        yield 1
        raise ValueError("the caller's own")

    with pytest.raises(ValueError, match="the caller's own"):
        map_side_by_side(lambda number: number, items(), concurrency=3)


def test_a_connection_costs_neither_kubernetes_nor_requests() -> None:
    program = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect, connect_with_token\n"
        "user = {'name': 'u', 'user': {'token': 't'}}\n"
        "entry = {'name': 'c', 'cluster': {'server': 'https://h'}}\n"
        "context = {'name': 'x', 'context': {'cluster': 'c', 'user': 'u'}}\n"
        "document = {'clusters': [entry], 'users': [user], 'contexts': [context], 'current-context': 'x'}\n"
        "connect({'kubeconfig': document}, name='s', environ={})\n"
        "connect_with_token(url='https://h', token='t', name='s')\n"
        "print([name for name in ('kubernetes', 'requests', 'websocket', 'yaml', 'asyncio') if name in sys.modules])\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
