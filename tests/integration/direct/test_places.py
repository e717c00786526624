# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where copies may go: within one cluster, into claims that exist, from several namespaces at once."""

from __future__ import annotations

import pytest

from integration.direct.conftest import MODULE, World
from integration.migration import applications
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
