# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One application that stands on the source through all refusals, with both clusters known to the control cluster; and
what every refusal owes it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration import applications, evidence
from integration.migration.conftest import World
from integration.migration.playbooks import Run
from integration.migration.waiting import until
from lab import audit

OURS = ("migration.openshift.io/", "openmig.io/")
EMPTY_MEND = "Mend this and run the task again"
"""What a message says that does not say what to do."""
PLAN_TASK = "Plan the migration"
ADOPT_TASK = "Adopt the source cluster"


@dataclass(frozen=True)
class Application:
    """The world, and the first run in it: it made the clusters known and was refused at its plan, whose namespace does
    not exist."""

    world: World
    first: Run


@dataclass(frozen=True)
class Attempt:
    """One try to migrate the application that has to be refused, under a plan of its own."""

    world: World
    plan: str
    marks: dict[str, audit.Offset]
    records: frozenset[str]

    def run(self, *, task: str = PLAN_TASK, arguments: tuple[str, ...] = (), **changes: Any) -> Run:
        """The playbook from a task on; what stands before it was done once for all attempts."""
        return self.world.migrate("--start-at-task", task, *arguments, **{"mtc_plan": self.plan, **changes})

    @property
    def migrations(self) -> list[str]:
        """The MigMigrations that this attempt has left, by name."""
        found = self.world.destination.list(names.API_VERSION, names.MIG_MIGRATION, self.world.resource_namespace)
        return sorted(item["metadata"]["name"] for item in found if item["spec"]["migPlanRef"].get("name") == self.plan)

    def must_have_been_refused(self, run: Run, *told: str) -> None:
        """It failed with these words, and before anything was written that is not the plan's own record."""
        must_say(run, *told)
        assert self.migrations == []
        assert self.writes() == []
        self.must_have_left_all_as_it_was()

    def must_have_left_all_as_it_was(self) -> None:
        """The application runs, bears no mark, and nothing but records is left."""
        world = self.world
        assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
        assert marks_of_ours(world.source, world.source_namespace) == []
        assert world.left_behind() == []
        now = set(evidence.restored(world.destination, world.resource_namespace))
        assert now - self.records <= {f"MigPlan {self.plan}"}

    def writes(self) -> list[str]:
        """What processes of ours have changed in the application's namespaces on both clusters."""
        mine = {self.world.source_namespace, self.world.destination_namespace}
        return evidence.described(
            event
            for side, mark in self.marks.items()
            for event in evidence.our_writes(side, mark)
            if {(event.get("objectRef") or {}).get(key) for key in ("namespace", "name")} & mine
        )


def must_say(run: Run, *told: str) -> None:
    """The playbook failed, and its one message has all of these words."""
    assert run.code != 0, run.output
    message = run.failure
    for words in told:
        assert words in message
    assert "Traceback" not in run.output
    assert EMPTY_MEND not in message


def marks_of_ours(cluster: Cluster, namespace: str) -> list[str]:
    """Labels and annotations of the project or of MTC on the objects of a namespace."""
    return [
        f"{what}: {key}"
        for what, manifest in evidence.restored(cluster, namespace).items()
        for field in ("labels", "annotations")
        for key in manifest["metadata"].get(field) or {}
        if key.startswith(OURS)
    ]


@pytest.fixture(scope="package")
def application(source: Cluster, destination: Cluster) -> Iterator[Application]:
    world = World(source, destination, f"mig-{secrets.token_hex(3)}")
    try:
        world.deploy(mebibytes=1, files=20)
        yield Application(world, world.migrate(mtc_namespaces=[f"{world.name}-absent:{world.destination_namespace}"]))
    finally:
        _remove(world, world.namespaces)


@pytest.fixture
def attempt(application: Application) -> Iterator[Attempt]:
    world = application.world
    records = frozenset(evidence.restored(world.destination, world.resource_namespace))
    marks = {side: audit.mark(side) for side in ("source", "destination")}
    made = Attempt(world, f"app-{secrets.token_hex(2)}", marks, records)
    yield made
    world.destination.delete(names.API_VERSION, names.MIG_PLAN, made.plan, world.resource_namespace)
    _remove(world, [world.destination_namespace])
    until(lambda: made.migrations == [], f"the migrations of {made.plan} are removed with it")


def _remove(world: World, namespaces: list[str]) -> None:
    clusters = (world.source, world.destination)

    def left() -> list[str]:
        return [name for cluster in clusters for name in namespaces if cluster.get("v1", "Namespace", name)]

    for cluster in clusters:
        for name in namespaces:
            cluster.delete("v1", "Namespace", name)
    until(lambda: left() == [], f"these namespaces are gone: {namespaces}")
