# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The copies of a run are described as MTC describes them; names and labels are taken from a run of its controller."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import directvolume

MIGRATION = {"metadata": {"name": "final1", "namespace": "openmig", "uid": "m-uid"}, "spec": {"quiescePods": True}}


def volume(claim: str, **selection: Any) -> dict[str, Any]:
    return {
        "name": f"pv-{claim}",
        "pvc": {"namespace": "shop", "name": claim, "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem"},
        "selection": {"action": "copy", "copyMethod": "filesystem", "storageClass": "standard", **selection},
    }


def plan(*volumes: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "spec": {
            "srcMigClusterRef": {"name": "src", "namespace": "openmig"},
            "destMigClusterRef": {"name": "host", "namespace": "openmig"},
            "namespaces": ["shop:shop-new"],
            "persistentVolumes": list(volumes),
            **spec,
        }
    }


def test_a_run_that_mtc_has_recorded() -> None:
    manifest = directvolume.manifest(MIGRATION, plan(volume("data"), namespaces=["shop"]))
    assert manifest["spec"] == {
        "createDestinationNamespaces": True,
        "destMigClusterRef": {"name": "host", "namespace": "openmig"},
        "migrationType": "CutOver",
        "persistentVolumeClaims": [
            {
                "name": "data",
                "namespace": "shop",
                "targetAccessModes": ["ReadWriteOnce"],
                "targetName": "data",
                "targetNamespace": "shop",
                "targetStorageClass": "standard",
                "targetVolumeMode": "Filesystem",
            }
        ],
        "srcMigClusterRef": {"name": "src", "namespace": "openmig"},
    }
    assert manifest["metadata"]["generateName"] == "final1-"
    assert manifest["metadata"]["labels"] == {
        "app.kubernetes.io/part-of": "openshift-migration",
        "migmigration": "m-uid",
        "migration-direct-volume": "m-uid",
    }
    (owner,) = manifest["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("MigMigration", "m-uid", True)


def test_progress_that_mtc_has_recorded() -> None:
    direct = {
        "metadata": {"name": "final1-rgbgc", "namespace": "openmig", "uid": "d-uid"},
        "spec": {"srcMigClusterRef": {"name": "src", "namespace": "openmig"}},
    }
    manifest = directvolume.progress_manifest(direct, namespace="shop", claim="data")
    assert manifest["metadata"]["name"] == "b63733c22ead8c507af2d68f2a8941f7"
    assert manifest["metadata"]["labels"]["directvolumemigration"] == "d-uid"
    assert manifest["spec"] == {
        "clusterRef": {"name": "src", "namespace": "openmig"},
        "podNamespace": "shop",
        "podSelector": {"migration.openshift.io/created-for-pvc": "8d777f385d3dfec8815d20f7496026dc"},
    }


@pytest.mark.parametrize(
    ("selection", "copied"),
    [
        ({}, True),
        ({"copyMethod": "block"}, True),
        ({"copyMethod": "snapshot"}, False),
        ({"action": "skip"}, False),
        ({"action": "move"}, False),
    ],
)
def test_only_direct_copies_are_listed(selection: dict[str, Any], copied: bool) -> None:
    assert bool(directvolume.claims_of(plan(volume("data", **selection)))) is copied


def test_a_claim_goes_where_the_plan_says() -> None:
    (claim,) = directvolume.claims_of(plan(volume("data:store", accessMode="ReadWriteMany", verify=True)))
    assert (claim["namespace"], claim["name"]) == ("shop", "data")
    assert (claim["targetNamespace"], claim["targetName"]) == ("shop-new", "store")
    assert (claim["targetAccessModes"], claim["verify"]) == (["ReadWriteMany"], True)
    (automatic,) = directvolume.claims_of(plan(volume("data", accessMode="auto")))
    assert automatic["targetAccessModes"] == ["ReadWriteOnce"]


@pytest.mark.parametrize(
    ("spec", "kind"),
    [({}, "Stage"), ({"quiescePods": True}, "CutOver"), ({"rollback": True, "quiescePods": True}, "Rollback")],
)
def test_the_type_of_a_copy(spec: dict[str, Any], kind: str) -> None:
    assert directvolume.manifest({**MIGRATION, "spec": spec}, plan())["spec"]["migrationType"] == kind


@pytest.mark.parametrize(
    ("status", "reported"),
    [
        ({}, False),
        ({"successfulPods": [{}]}, False),
        ({"successfulPods": [{}], "failedPods": [{}]}, True),
        ({"successfulPods": [{}], "skippedVolumes": ["shop/b"]}, True),
        ({"successfulPods": [{}, {}], "runningPods": [{}]}, False),
    ],
)
def test_all_reported(status: dict[str, Any], reported: bool) -> None:
    direct = {"spec": {"persistentVolumeClaims": [{}, {}]}, "status": status}
    assert directvolume.all_reported(direct) is reported


def test_options_become_fields() -> None:
    claim = {
        "name": "data",
        "namespace": "shop",
        "target_storage_class": "fast",
        "target_access_modes": ["ReadWriteOnce"],
    }
    params = {"source_cluster": "a", "persistent_volume_claims": [claim], "migration_type": "Stage"}
    wanted = directvolume.build_spec(params)
    assert wanted["persistentVolumeClaims"][0]["targetStorageClass"] == "fast"
    assert directvolume.validate(params) == []
    assert directvolume.drift(directvolume.merge_spec(None, wanted), wanted) == {}
    bad = directvolume.validate({"migration_type": "Now", "persistent_volume_claims": [{**claim, "name": "A"}]})
    assert [problem.path for problem in bad] == ["persistent_volume_claims[0].name", "migration_type"]
