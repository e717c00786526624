# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every test on the clusters is looked at afterwards: has it left anything, anywhere?

A test may leave things in namespaces that its file shares; when the file is done they go too, and at the very end
everything is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from integration.leaks import Inventory, Thing, at_work, bucket_keys, new, settled, stays
from lab.targets import targets

Things = dict[str, Thing]
SHARED = pytest.StashKey[int]()
"""How many fixtures that outlive a test were made so far."""


class Leaks:
    """The looks at the clusters of one session of tests."""

    def __init__(self, inventory: Inventory, alone: Callable[[], bool], config: pytest.Config) -> None:
        self._inventory = inventory
        self._alone = alone
        self._config = config
        self._seen: tuple[int, Things] | None = None

    def look(self) -> Things | None:
        """Everything there is; None when others are at work, for then it would say nothing.

        What the last look has seen still holds when nothing was made since that more than one test uses.
        """
        if not self._alone():
            return None
        shared = self._config.stash.get(SHARED, 0)
        if self._seen is None or self._seen[0] != shared:
            self._seen = (shared, self._inventory.take())
        return self._seen[1]

    def judge(self, before: Things | None, leaks: Callable[[list[Thing]], list[Thing]], *, after: str) -> None:
        """Fail for what was left. Others who work on the same clusters make it impossible to tell whose it is."""
        self._seen = None
        if before is None or not self._alone():
            return
        left, now = settled(self._inventory, before, leaks)
        if not new(before, now):
            self._seen = (self._config.stash.get(SHARED, 0), now)
        assert not left or not self._alone(), f"left behind by {after}: {', '.join(map(str, left))}"


@pytest.hookimpl
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest) -> None:
    if fixturedef.scope != "function":
        request.config.stash[SHARED] = request.config.stash.get(SHARED, 0) + 1


@pytest.fixture(scope="session", autouse=True)
def leaks(pytestconfig: pytest.Config) -> Iterator[Leaks]:
    """Connections of its own: a test may do to its connections what it likes. At the very end everything is gone."""
    known = targets()
    clusters = tuple(
        connect({"kubeconfig": str(path)}, name=name, environ={})
        for name, path in (("source", known.source), ("destination", known.destination))
    )
    with at_work(own=known.own) as alone:
        made = Leaks(Inventory(clusters, list if known.own else bucket_keys), alone, pytestconfig)
        before = made.look()
        yield made
        made.judge(before, list, after="all tests")
    for cluster in clusters:
        cluster.close()


@pytest.fixture(scope="module", autouse=True)
def nothing_left_by_the_file(leaks: Leaks, request: pytest.FixtureRequest) -> Iterator[None]:
    """After all tests of a file and what they share nothing is left that is not about to go."""
    before = leaks.look()
    yield
    leaks.judge(before, stays, after=request.node.nodeid)


@pytest.fixture(autouse=True)
def nothing_left_by_the_test(
    leaks: Leaks, nothing_left_by_the_file: None, request: pytest.FixtureRequest
) -> Iterator[None]:
    """After a test nothing stays outside the namespaces that its file shares, and no scaffolding anywhere."""
    before = leaks.look()
    shared = {(thing.place, thing.name) for thing in (before or {}).values() if thing.kind == "Namespace"}

    def leaked(things: list[Thing]) -> list[Thing]:
        return [each for each in stays(things) if each.scaffolding or (each.place, each.namespace) not in shared]

    yield
    leaks.judge(before, leaked, after=request.node.nodeid)
