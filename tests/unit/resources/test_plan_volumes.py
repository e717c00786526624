# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Volumes are found, get sensible defaults, and keep what the user chose for them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import (
    plan_selections as chosen,
    plan_volumes as volumes,
    storage_classes as classes,
)
from ansible_collections.openmig.mtc.plugins.module_utils.resources.plan_volumes import ClaimUse, VolumeFacts


def storage_class(name: str, provisioner: str, *, default: bool = False) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return classes.describe({"metadata": {"name": name, "annotations": annotations}, "provisioner": provisioner})


def pv(name: str, claim: str, **spec: Any) -> dict[str, Any]:
    namespace, claim_name = claim.split("/")
    return {
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "claimRef": {"namespace": namespace, "name": claim_name},
            "storageClassName": "slow",
            "volumeMode": "Filesystem",
            **spec,
        },
        "status": {"phase": "Bound"},
    }


def pvc(claim: str, *modes: str, **metadata: Any) -> dict[str, Any]:
    namespace, name = claim.split("/")
    return {
        "metadata": {"namespace": namespace, "name": name, **metadata},
        "spec": {"accessModes": list(modes or ("ReadWriteOnce",)), "volumeMode": "Filesystem"},
    }


SOURCE = (storage_class("slow", "example.com/disk"), storage_class("gluster", "kubernetes.io/glusterfs"))
DESTINATION = (
    storage_class("standard", "example.com/other", default=True),
    storage_class("disk", "example.com/disk"),
    storage_class("slow", "example.com/disk"),
)
CEPH = (
    storage_class("files", "openshift-storage.cephfs.csi.ceph.com"),
    storage_class("blocks", "openshift-storage.rbd.csi.ceph.com"),
)


def facts(**more: Any) -> VolumeFacts:
    given: dict[str, Any] = {
        "claims": [pvc("shop/data")],
        "volumes": [pv("pv-1", "shop/data")],
        "source_classes": SOURCE,
        "destination_classes": DESTINATION,
        **more,
    }
    return VolumeFacts(**given)


def test_a_found_volume_looks_like_upstreams() -> None:
    use = {("shop", "data"): ClaimUse(referenced=True, owner_type="Deployment")}
    (entry,) = volumes.discover(facts(uses=use), []).entries
    assert entry == {
        "name": "pv-1",
        "capacity": "1Gi",
        "storageClass": "slow",
        "supported": {"actions": ["skip", "copy"], "copyMethods": ["filesystem", "block", "snapshot"]},
        "selection": {"action": "copy", "copyMethod": "filesystem", "storageClass": "slow"},
        "pvc": {
            "namespace": "shop",
            "name": "data",
            "accessModes": ["ReadWriteOnce"],
            "volumeMode": "Filesystem",
            "hasReference": True,
            "ownerType": "Deployment",
        },
        "proposedCapacity": "0",
    }


def test_finding_again_keeps_the_users_choices_and_nothing_else() -> None:
    (entry,) = volumes.discover(facts(), []).entries
    entry["selection"] = {"action": "copy", "copyMethod": "block", "storageClass": "gone", "verify": True}
    entry["pvc"]["name"] = "data:data-new"
    entry |= {"capacity": "5Ti", "proposedCapacity": "2Gi", "capacityConfirmed": True}
    (again,) = volumes.discover(facts(), [entry]).entries
    assert again["selection"] == entry["selection"]
    assert again["pvc"]["name"] == "data:data-new"
    assert (again["capacity"], again["proposedCapacity"], again["capacityConfirmed"]) == ("1Gi", "2Gi", True)
    assert volumes.discover(facts(), [again]).entries == [again]


def test_a_choice_that_was_made_before_the_volume_was_found_is_kept() -> None:
    chosen_before = {"name": "pv-1", "selection": {"action": "skip"}}
    (entry,) = volumes.discover(facts(), [chosen_before]).entries
    assert entry["selection"] == {"action": "skip"}
    assert entry["pvc"]["name"] == "data"
    assert volumes.discover(facts(), [entry]).entries == [entry]


def test_what_is_not_there_any_more_is_dropped_and_the_list_is_sorted() -> None:
    found = volumes.discover(
        facts(
            claims=[
                *(pvc(claim) for claim in ("shop/b", "shop/a", "shop/unbound")),
                *(pvc(f"shop/of-{owner['kind']}", ownerReferences=[owner]) for owner in OWNERS),
            ],
            volumes=[
                *(pv(f"pv-{number}", claim) for number, claim in ((2, "shop/b"), (1, "shop/a"), (4, "web/a"))),
                *(pv(f"pv-{owner['kind']}", f"shop/of-{owner['kind']}") for owner in OWNERS),
            ],
        ),
        [{"name": "pv-0"}],
    )
    assert [entry["name"] for entry in found.entries] == ["pv-1", "pv-2"]


OWNERS = [{"kind": kind, "name": "x", "controller": True} for kind in ("PersistentVolumeClaim", "Pod")]
"""A controller has derived the claim from another one; it is the ephemeral volume of a pod."""


@pytest.mark.parametrize(
    ("spec", "actions"),
    [
        ({}, ["skip", "copy"]),
        ({"hostPath": {"path": "/x"}}, ["skip", "copy"]),
        ({"nfs": {"server": "x"}}, ["skip", "copy", "move"]),
        ({"awsElasticBlockStore": {"volumeID": "x"}}, ["skip", "copy", "move"]),
        ({"storageClassName": "movable"}, ["skip", "copy", "move"]),
    ],
)
def test_what_can_be_done(spec: dict[str, Any], actions: list[str]) -> None:
    assert volumes.supported_actions(pv("pv-1", "a/b", **spec), move_classes=["movable"]) == actions


@pytest.mark.parametrize(
    ("spec", "modes", "destination", "expected"),
    [
        ({"storageClassName": "slow"}, ["ReadWriteOnce"], DESTINATION, "slow"),
        ({"storageClassName": "slow"}, ["ReadWriteOnce"], DESTINATION[:2], "disk"),
        ({"storageClassName": "slow"}, ["ReadWriteOnce"], DESTINATION[:1], "standard"),
        ({"storageClassName": "slow"}, ["ReadWriteOnce"], (), ""),
        ({"storageClassName": ""}, ["ReadWriteOnce"], DESTINATION, "standard"),
        ({"nfs": {}}, ["ReadWriteMany"], CEPH, "files"),
        ({"nfs": {}}, ["ReadWriteOnce"], CEPH, "blocks"),
        ({"nfs": {}}, ["ReadWriteOnce", "ReadWriteMany"], CEPH, "files"),
        ({"nfs": {}}, ["ReadOnlyMany"], CEPH, "files"),
        ({"storageClassName": "gluster"}, ["ReadWriteMany"], CEPH, "files"),
    ],
)
def test_the_destinations_class(spec: dict[str, Any], modes: list[str], destination: Any, expected: str) -> None:
    choice = classes.choose(
        pv("p", "a/b", **spec), access_modes=modes, source=SOURCE, destination=destination, same_cluster=False
    )
    assert choice.name == expected


def test_gluster_without_ceph_is_told_unless_it_is_moved_or_stays() -> None:
    gluster = [pv("pv-1", "shop/data", storageClassName="gluster")]
    assert volumes.discover(facts(volumes=gluster), []).without_ceph == ("pv-1",)
    assert volumes.discover(facts(volumes=gluster, same_cluster=True), []).without_ceph == ()
    moved = [{"name": "pv-1", "selection": {"action": "move"}}]
    assert volumes.discover(facts(volumes=gluster), moved).without_ceph == ()


@pytest.mark.parametrize(
    ("name", "stateful_set", "expected"),
    [
        ("data", "", "data-mig-ab12"),
        ("data-new", "", "data-mig-ab12"),
        ("data-mig-zz99", "", "data-mig-ab12"),
        ("data-db-0", "db", "data-mig-ab12-db-0"),
        ("data-mig-zz99-db-0", "db", "data-mig-ab12-db-0"),
        ("data-db-x", "db", "data-db-x-mig-ab12"),
    ],
)
def test_names_after_a_storage_conversion(name: str, stateful_set: str, expected: str) -> None:
    assert volumes.converted_claim_name(name, suffix="ab12", stateful_set=stateful_set) == expected


@pytest.mark.parametrize("target", ["data-mig-ab12-db-0", "data-mig-ab12"])
def test_a_converted_name_stays_when_nobody_uses_the_former_claim_any_more(target: str) -> None:
    facts = volumes.VolumeFacts(claims=[], volumes=[], storage_conversion=True, suffix="ab12")
    existing = {"pvc": {"name": f"data-db-0:{target}"}}
    told = volumes._mapped_name("data-db-0", facts=facts, use=volumes.ClaimUse(), existing=existing)
    assert told == f"data-db-0:{target}"


def test_a_converted_name_is_never_too_long() -> None:
    assert len(volumes.converted_claim_name("d" * 253, suffix="ab12")) <= 253


@pytest.mark.parametrize(
    ("provisioner", "filesystem", "block"),
    [
        ("kubernetes.io/aws-ebs", ["ReadWriteOnce"], []),
        ("gluster.org/glusterblock-x", ["ReadWriteOnce", "ReadOnlyMany"], []),
        ("kubernetes.io/portworx-volume", ["ReadWriteOnce", "ReadWriteMany"], []),
        ("x.rbd.csi.ceph.com", ["ReadWriteOnce"], ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"]),
        ("csi.kubevirt.io", ["ReadWriteOnce"], ["ReadWriteOnce"]),
        ("rancher.io/local-path", ["ReadWriteOnce"], []),
    ],
)
def test_what_a_class_offers(provisioner: str, filesystem: list[str], block: list[str]) -> None:
    entry = storage_class("x", provisioner)
    assert classes.offered_modes(entry, "Filesystem") == filesystem
    assert classes.offered_modes(entry, "Block") == block


@pytest.mark.parametrize(
    ("annotations", "default"),
    [
        ({}, False),
        ({"storageclass.beta.kubernetes.io/is-default-class": "true"}, True),
        (
            {
                "storageclass.kubernetes.io/is-default-class": "false",
                "storageclass.beta.kubernetes.io/is-default-class": "true",
            },
            False,
        ),
    ],
)
def test_the_default_class(annotations: dict[str, str], default: bool) -> None:
    assert classes.is_default({"metadata": {"annotations": annotations}}) is default


def test_the_destination_is_never_smaller() -> None:
    entry = {"capacity": "2Gi", "proposedCapacity": "1Gi"}
    assert volumes.destination_size(entry, request="1Gi") == 2 * 1024**3
    assert volumes.destination_size({**entry, "proposedCapacity": "3Gi"}, request="1Gi") == 3 * 1024**3


# -- the user's choices --------------------------------------------------------------------------------------------


def found(*claims: str) -> list[dict[str, Any]]:
    bound = [pv(f"pv-{claim.replace('/', '-')}", claim) for claim in claims]
    return volumes.discover(facts(claims=[pvc(claim) for claim in claims], volumes=bound), []).entries


def choose(entries: list[dict[str, Any]], *rules: dict[str, Any], **mapping: str) -> chosen.Applied:
    return chosen.apply(
        entries, chosen.selections({"persistent_volumes": list(rules), "storage_class_mapping": mapping})
    )


def test_rules_by_name_and_pattern_later_over_earlier() -> None:
    applied = choose(
        found("shop/data", "shop/logs", "web/data"),
        {"pvc": "*", "copy_method": "filesystem", "verify": True},
        {"pvc": "data", "storage_class": "fast"},
        {"pvc": "web/*", "storage_class": "faster", "access_mode": "ReadWriteMany", "target_name": "site"},
        {"pvc": "shop/logs", "action": "skip"},
    )
    assert applied.problems == ()
    result = chosen.owned(applied.entries)
    assert {claim: (row["action"], row.get("storageClass"), row.get("verify")) for claim, row in result.items()} == {
        "shop/data": ("copy", "fast", True),
        "shop/logs": ("skip", "slow", True),
        "web/data": ("copy", "faster", True),
    }
    assert result["web/data"]["targetName"] == "site"
    assert result["web/data"]["accessMode"] == "ReadWriteMany"


def test_applying_twice_changes_nothing_and_never_touches_the_input() -> None:
    entries = found("shop/data")
    rules = (
        {"pvc": "data", "size": "5Gi", "target_name": "new", "verify": False},
        {"pvc": "d*", "access_mode": "auto"},
    )
    before = str(entries)
    once = choose(entries, *rules, slow="disk").entries
    assert str(entries) == before
    assert choose(once, *rules, slow="disk").entries == once


def test_a_mapping_is_for_copies_that_no_rule_names_a_class_for() -> None:
    applied = choose(
        found("shop/data", "shop/logs", "shop/tmp"),
        {"pvc": "logs", "storage_class": "fast"},
        {"pvc": "tmp", "action": "skip"},
        slow="mapped",
    )
    assert [entry["selection"]["storageClass"] for entry in applied.entries] == ["mapped", "fast", "slow"]


def test_a_size_is_confirmed_and_may_shrink_the_volume() -> None:
    (entry,) = choose(found("shop/data"), {"pvc": "data", "size": "5Gi"}).entries
    assert (entry["proposedCapacity"], entry["capacityConfirmed"]) == ("5Gi", True)
    (same,) = choose([entry], {"pvc": "data", "size": "5120Mi"}).entries
    assert same == entry
    (smaller,) = choose([entry], {"pvc": "data", "size": "500Mi"}).entries
    assert volumes.destination_size(smaller, request="1Gi") == 500 * 1024**2
    assert volumes.destination_size({**smaller, "capacityConfirmed": False}, request="1Gi") == 1024**3


def test_a_rule_that_nothing_matches_is_told() -> None:
    problems = choose(found("shop/data"), {"pvc": "shop/dta"}, {"pvc": "web/data"}).problems
    assert [problem.path for problem in problems] == ["persistent_volumes[0].pvc", "persistent_volumes[1].pvc"]


def test_one_name_for_two_claims_is_refused() -> None:
    applied = choose(found("shop/data", "web/data"), {"pvc": "data", "target_name": "new"})
    assert [problem.path for problem in applied.problems] == ["persistent_volumes[0].target_name"]
    assert all(":" not in entry["pvc"]["name"] for entry in applied.entries)


def test_two_claims_that_would_meet_under_one_name_are_refused() -> None:
    entries = found("shop/data", "shop/logs", "web/data")
    (problem,) = choose(entries, {"pvc": "shop/logs", "target_name": "data"}).problems
    assert "data and logs of namespace shop" in problem.fault
    skipped = ({"pvc": "shop/logs", "target_name": "data"}, {"pvc": "shop/data", "action": "skip"})
    assert choose(entries, *skipped).problems == ()
    swapped = ({"pvc": "shop/logs", "target_name": "data"}, {"pvc": "shop/data", "target_name": "logs"})
    assert choose(entries, *swapped).problems == ()


def test_a_volume_may_be_named_by_its_own_name() -> None:
    applied = choose(found("shop/data", "shop/logs"), {"pv": "pv-shop-d*", "action": "skip"})
    assert [entry["selection"]["action"] for entry in applied.entries] == ["skip", "copy"]
    (problem,) = choose(found("shop/data"), {"pv": "pv-nowhere"}).problems
    assert problem.path == "persistent_volumes[0].pv"


def test_a_proposal_is_confirmed_or_not_as_the_user_says() -> None:
    measured = [{**found("shop/data")[0], "proposedCapacity": "2Gi"}]
    (confirmed,) = choose(measured, {"pvc": "data", "capacity_confirmed": True}).entries
    assert (confirmed["proposedCapacity"], confirmed["capacityConfirmed"]) == ("2Gi", True)
    (open_again,) = choose([confirmed], {"pvc": "data", "capacity_confirmed": False}).entries
    assert open_again == measured[0]
    (proposed,) = choose(measured, {"pvc": "data", "size": "5Gi", "capacity_confirmed": False}).entries
    assert (proposed["proposedCapacity"], "capacityConfirmed" in proposed) == ("5Gi", False)


def test_going_back_to_the_old_name() -> None:
    renamed = choose(found("shop/data"), {"pvc": "data", "target_name": "new"}).entries
    assert renamed[0]["pvc"]["name"] == "data:new"
    assert choose(renamed, {"pvc": "data", "target_name": "data"}).entries[0]["pvc"]["name"] == "data"
