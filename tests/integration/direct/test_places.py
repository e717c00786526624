# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where copies may go: within one cluster, into claims that exist, from several namespaces at once."""

from __future__ import annotations

import pytest

from integration.direct.conftest import MODULE, World
from integration.migration import applications
from integration.migration.evidence import scaffolding
from integration.migration.waiting import until
from lab.targets import targets


@pytest.mark.parametrize("target", ["another-namespace", "the-same-namespace"])
def test_a_claim_is_copied_within_one_cluster(world: World, target: str) -> None:
    world.deploy(mebibytes=1, files=20)
    files = applications.files(world.source, world.name)
    world.stop()
    namespace = world.name if target == "the-same-namespace" else world.target
    claim = {"name": "data", "namespace": world.name, "target_namespace": namespace, "target_name": "copy"}
    done = world.call(destination={"kubeconfig": str(targets().source)}, persistent_volume_claims=[claim])
    assert done.code == 0, done.output
    assert done.result(MODULE)["volumes"][0]["storage_class"] == "source-ssd"
    assert world.read("copy", namespace=namespace, cluster=world.source) == files


def test_a_foreign_claim_is_overwritten_only_when_the_user_says_so(world: World) -> None:
    world.deploy(mebibytes=1, files=20)
    files = applications.files(world.source, world.name)
    world.stop()
    world.destination.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.target}})
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "destination-slow",
        "resources": {"requests": {"storage": "60Mi"}},
    }
    metadata = {"name": "data", "namespace": world.target}
    world.destination.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec})
    refused = world.call()
    assert refused.code != 0
    assert f"PersistentVolumeClaim {world.target}/data: it exists on the destination" in refused.failure
    assert "existing_claims: use" in refused.failure
    assert world.stored() is None

    used = world.call(existing_claims="use")
    assert used.code == 0, used.output
    assert world.read() == files
    claim = world.destination.get("v1", "PersistentVolumeClaim", "data", world.target)
    assert claim is not None
    assert claim["metadata"].get("labels") is None


def test_claims_of_two_namespaces_meet_in_one(world: World) -> None:
    second = f"{world.name}-second"
    try:
        world.deploy(mebibytes=1, files=20)
        applications.deploy(world.source, applications.manifests(second, mebibytes=2, files=10))
        files = {name: applications.files(world.source, name) for name in (world.name, second)}
        claims = [
            {
                "name": "data",
                "namespace": name,
                "target_namespace": world.target,
                "target_name": f"data-{name}",
                "target_storage_class": "destination-fast",
            }
            for name in files
        ]
        same = world.call(persistent_volume_claims=[{**claim, "target_name": "data"} for claim in claims])
        assert same.code != 0
        assert f"would be copied into {world.target}/data, as another claim would" in same.failure
        done = world.call(persistent_volume_claims=claims, allow_writers=True)
        assert done.code == 0, done.output
        assert [volume["proven"] for volume in done.result(MODULE)["volumes"]] == [True, True]
        for name, there in files.items():
            assert world.read(f"data-{name}") == there
        assert scaffolding((world.source,), [second]) == []
    finally:
        world.source.delete("v1", "Namespace", second)
        until(lambda: world.source.get("v1", "Namespace", second) is None, f"Namespace {second} goes")
