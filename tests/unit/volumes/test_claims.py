# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Destination claims, sizes from kubelets, and MTC's status shapes."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import Refused
from ansible_collections.openmig.mtc.plugins.module_utils.volumes import claims, progress, sizing, status

from .builders import IDENTITY, move

SOURCE: dict[str, Any] = {
    "metadata": {
        "name": "data",
        "namespace": "shop",
        "labels": {"app": "shop"},
        "annotations": {"pv.kubernetes.io/bind-completed": "yes", "note": "x"},
        "uid": "u",
    },
    "spec": {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "1Gi"}},
        "selector": {"matchLabels": {"tier": "gold"}},
        "storageClassName": "old",
        "volumeMode": "Filesystem",
        "volumeName": "pv-1",
        "dataSource": {"kind": "VolumeSnapshot", "name": "s"},
        "dataSourceRef": {"kind": "VolumeSnapshot", "name": "s"},
    },
}


def test_claim_of_the_destination() -> None:
    made = claims.claim_manifest(SOURCE, move(target_claim="data-new", size=3 << 29, labels={"extra": "1"}), IDENTITY)
    assert made["metadata"] == {
        "name": "data-new",
        "namespace": "shop-new",
        "labels": {
            "app": "shop",
            "extra": "1",
            "app.kubernetes.io/part-of": "openshift-migration",
            "migration.openshift.io/migrated-by-migmigration": IDENTITY.uid,
            "migration.openshift.io/migrated-by-migplan": IDENTITY.plan_uid,
        },
    }
    assert made["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1536Mi"}},
        "selector": {"matchLabels": {"tier": "gold"}},
        "storageClassName": "fast",
        "volumeMode": "Filesystem",
    }


def test_no_class_means_the_destinations_default() -> None:
    assert "storageClassName" not in claims.claim_manifest(SOURCE, move(storage_class=None), IDENTITY)["spec"]


def test_disk_of_a_virtual_machine_stays_one() -> None:
    annotations = {claims.CONTENT_TYPE: "kubevirt", "pv.kubernetes.io/bind-completed": "yes", "cdi.kubevirt.io/x": "y"}
    source = {**SOURCE, "metadata": {**SOURCE["metadata"], "annotations": annotations}}
    made = claims.claim_manifest(source, move(), IDENTITY)
    assert made["metadata"]["annotations"] == {claims.CONTENT_TYPE: "kubevirt", "cdi.kubevirt.io/x": "y"}


def test_block_volume_is_refused_with_a_way_round() -> None:
    with pytest.raises(Refused, match="action: skip"):
        claims.claim_manifest(SOURCE, move(volume_mode="Block"), IDENTITY)


def test_capacity_is_what_the_claim_has() -> None:
    assert claims.BoundClaim(claim=SOURCE, volume=None).capacity == 1 << 30
    bound = {**SOURCE, "status": {"capacity": {"storage": "2Gi"}}}
    assert claims.BoundClaim(claim=bound, volume=None).capacity == 2 << 30


def test_volumes_in_a_kubelets_summary() -> None:
    document = {
        "pods": [
            {
                "volume": [
                    {"name": "token", "usedBytes": 1, "capacityBytes": 2},
                    {
                        "name": "d",
                        "usedBytes": 5,
                        "capacityBytes": 10,
                        "inodesUsed": 3,
                        "pvcRef": {"name": "data", "namespace": "shop"},
                    },
                    {"name": "young", "pvcRef": {"name": "young", "namespace": "shop"}},
                ]
            },
            {},
        ]
    }
    assert sizing.volumes_in(document) == {("shop", "data"): sizing.Usage(used=5, capacity=10, inodes=3)}
    assert sizing.volumes_in({}) == {}


def entry(state: str, claim: str, **fields: Any) -> dict[str, Any]:
    made = progress.entry(
        move(claim), "pod-1", name="final", fact=None, waiting="", failure="", connected=state == "running"
    )
    return {**made, "state": state, **fields}


def test_status_of_a_direct_volume_migration() -> None:
    made = status.dvm_status(
        [
            entry("succeeded", "b", percent=100, seconds=63.4, rate_text="12.00MB/s"),
            entry("running", "a", percent=40, attempt=2),
            entry("pending", "c"),
            entry("failed", "d"),
        ]
    )
    assert made["successfulPods"] == [
        {
            "namespace": "shop",
            "name": "pod-1",
            "pvcRef": {"namespace": "shop", "name": "b"},
            "lastObservedProgressPercent": "100%",
            "lastObservedTransferRate": "12.00MB/s",
            "totalElapsedTime": "1m3s",
        }
    ]
    assert [made[name][0]["pvcRef"]["name"] for name in ("runningPods", "pendingPods", "failedPods")] == ["a", "c", "d"]
    assert made["rsyncOperations"][0] == {
        "pvcReference": {"namespace": "shop", "name": "a"},
        "currentAttempt": 2,
        "succeeded": False,
        "failed": False,
    }


def test_failed_run_leaves_nothing_running() -> None:
    made = status.dvm_status([entry("running", "a"), entry("succeeded", "b"), entry("pending", "c")], failed=True)
    assert (made["runningPods"], made["pendingPods"]) == ([], [])
    assert (len(made["failedPods"]), len(made["successfulPods"])) == (2, 1)


def test_progress_resource_and_lines() -> None:
    item = entry("running", "a", percent=40, attempt=2, rate_text="1.00MB/s", seconds=5.0)
    assert status.dvmp_status(item)["totalProgressPercentage"] == "40%"
    assert "exitCode" not in status.dvmp_status(item)
    assert status.dvmp_status(entry("failed", "a", failure="why"))["logMessage"] == "why"
    line = status.progress_line(item)
    assert line == "[a] pod-1: Running - Attempt 2 40% completed (Transfer rate 1.00MB/s) (5s)"
    assert status.progress_line(entry("pending", "a", waiting="no node")) == "[a] pod-1: Pending: no node"
    assert status.summary_line([item]) == "1 total volumes; 0 successful; 1 running; 0 failed"


def test_a_further_attempt_is_told_by_its_own_figures_and_the_end_by_the_last_exit() -> None:
    def told(**fact: Any) -> dict[str, Any]:
        fact = {"pass": "final", **fact}
        item = progress.entry(move(), "pod-1", name="final", fact=fact, waiting="", failure="", connected=True)
        return status.dvmp_status(item) | {"attempt": item["attempt"]}

    first = told(fact="progress", attempt=1, line="  600 60%  1.00MB/s    0:00:05  ")
    assert (first["attempt"], first["totalProgressPercentage"], "exitCode" in first) == (1, "60%", False)
    between = told(fact="retry", attempt=1)
    assert (between["attempt"], between["totalProgressPercentage"], between["phase"]) == (2, "0%", "Running")
    second = told(fact="progress", attempt=2, line="  700 70%  1.00MB/s    0:00:07  ")
    assert (second["attempt"], second["totalProgressPercentage"], second["rsyncElapsedTime"]) == (2, "70%", "7s")
    ended = {"fact": "done", "kind": "copy", "generation": 1, "attempts": 2, "milliseconds": 9000}
    failed, done = told(**ended, exit=12), told(**ended, exit=0)
    assert (failed["phase"], failed["exitCode"]) == ("Failed", 1)
    assert (done["phase"], done["exitCode"], done["totalProgressPercentage"]) == ("Succeeded", 0, "100%")


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0s"), (59.6, "1m0s"), (3600, "1h0m0s"), (3723, "1h2m3s")])
def test_durations(seconds: float, text: str) -> None:
    assert progress.duration(seconds) == text
