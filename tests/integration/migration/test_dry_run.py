# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check mode of the playbook, before anything of the collection is anywhere: it tells all, always the same, and writes
nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from integration.migration import applications, evidence
from integration.migration.conftest import World
from integration.migration.identities import Identity, administrator
from integration.migration.playbooks import Run
from integration.migration.waiting import until, until_measured
from lab import audit
from lab.targets import targets

PASSWORD = "not-for-logs-8431"


@dataclass(frozen=True)
class Rehearsal:
    """A world in which the playbook acts under identities that nobody else uses."""

    world: World
    identities: dict[str, Identity]
    marks: dict[str, audit.Offset]

    def check(self, *arguments: str, reverse: bool = False, **changes: Any) -> Run:
        """The playbook in check mode; ``reverse``: from the destination to the source."""
        sides = ("destination", "source") if reverse else ("source", "destination")
        origin, target = (str(self.identities[side].kubeconfig) for side in sides)
        connections = {"mtc_source": {"kubeconfig": origin}, "mtc_destination": {"kubeconfig": target}}
        return self.world.migrate("--check", "--diff", *arguments, **{**connections, **changes})

    def writes(self) -> list[str]:
        """What these identities have changed on either cluster."""
        return [
            line
            for side, identity in self.identities.items()
            for line in evidence.described(audit.writes(side, self.marks[side], user=identity.user))
        ]

    def requests(self) -> set[str]:
        """The clusters that these identities have talked to at all."""
        return {
            side
            for side, identity in self.identities.items()
            if any(event["user"]["username"] == identity.user for event in audit.events(side, self.marks[side]))
        }


@pytest.fixture
def rehearsal(world: World, tmp_path: Path) -> Iterator[Rehearsal]:
    files = {"source": targets().source, "destination": targets().destination}
    clusters = {"source": world.source, "destination": world.destination}
    with ExitStack() as stack:
        identities = {
            side: stack.enter_context(
                administrator(cluster, like=files[side], namespace=f"{world.name}-admin", folder=tmp_path)
            )
            for side, cluster in clusters.items()
        }
        yield Rehearsal(world, identities, {side: audit.mark(side) for side in clusters})


def held(cluster: Cluster, namespace: str) -> set[str]:
    """Kind and name of everything that a user would call part of the application."""
    return set(evidence.restored(cluster, namespace))


def told(rows: list[dict[str, Any]]) -> set[str]:
    """The same from a prediction's rows: ``Deployment.apps here/web`` is ``Deployment web``."""
    found = set()
    for row in rows:
        kind, _space, place = row["source"].partition(" ")
        found.add(f"{kind.partition('.')[0]} {place.rpartition('/')[2]}")
    return found


def test_every_object_and_volume_is_named_and_nothing_is_written(rehearsal: Rehearsal) -> None:
    world = rehearsal.world
    world.deploy(mebibytes=1, files=20)
    used = until_measured(world.source, world.source_namespace, at_least=1024 * 1024)

    first = rehearsal.check("-vvv")
    assert first.code == 0, first.output
    prediction = first.migration["prediction"]
    # The account of each namespace is the cluster's own and only carried over where it says more than there.
    assert told(prediction["objects"]) - {"ServiceAccount default"} == {
        what for what in held(world.source, world.source_namespace) if not what.startswith("PersistentVolumeClaim")
    }
    assert prediction["volumes"] == [
        {
            "source": f"{world.source_namespace}/data",
            "target": f"{world.destination_namespace}/data",
            "storage_class": "destination-fast",
            "access_modes": ["ReadWriteOnce"],
            "size": "22Mi",
            "used_bytes": used,
            "method": "rsync",
            "excludes": [],
        }
    ]
    assert prediction["stops"] == [f"Deployment {world.source_namespace}/web"]
    assert prediction["blocking"] == []
    for row in prediction["objects"]:
        assert row["action"] == "create"
        assert row["reference"] in first.output

    encoded = base64.b64encode(PASSWORD.encode()).decode()
    assert "not-for-logs" not in first.output
    assert encoded.rstrip("=") not in first.output

    second = rehearsal.check()
    assert second.migration["digest"] == first.migration["digest"]
    assert second.migration["diff"] == first.migration["diff"]

    assert rehearsal.requests() == {"source", "destination"}
    assert rehearsal.writes() == []
    for cluster in (world.source, world.destination):
        for namespace in (world.destination_namespace, world.resource_namespace):
            assert cluster.get("v1", "Namespace", namespace) is None
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)


@pytest.mark.sample
def test_a_control_cluster_without_definitions_suffices(rehearsal: Rehearsal) -> None:
    # From the destination to the source, which no test but the role's ever installs the definitions on.
    world = rehearsal.world
    until(lambda: evidence.known_kinds(world.source) == [], "the source knows no resources")
    applications.deploy(
        world.destination,
        applications.manifests(world.source_namespace, mebibytes=1, files=20, storage_class="destination-fast"),
    )

    run = rehearsal.check(reverse=True, mtc_storage_class_mapping={"destination-fast": "source-hdd"})
    assert run.code == 0, run.output
    prediction = run.migration["prediction"]
    assert [row["storage_class"] for row in prediction["volumes"]] == ["source-hdd"]
    assert f"Deployment.apps {world.destination_namespace}/web" in [row["reference"] for row in prediction["objects"]]
    assert rehearsal.requests() == {"source", "destination"}
    assert rehearsal.writes() == []
    assert evidence.known_kinds(world.source) == []


def test_what_would_block_is_told_and_fails_the_check(rehearsal: Rehearsal) -> None:
    world = rehearsal.world
    world.deploy(mebibytes=1, files=20)
    there = {"name": "settings", "namespace": world.destination_namespace}
    world.destination.create(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.destination_namespace}}
    )
    world.destination.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": there, "data": {"theirs": "yes"}})

    run = rehearsal.check()
    assert run.code != 0
    assert f"ConfigMap {world.destination_namespace}/settings" in run.failure
    (blocked,) = run.migration["prediction"]["blocking"]
    assert f"blocked: {blocked}" in run.migration["diff"]["after"]
    assert rehearsal.writes() == []
