# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A volume's row says no more than is known: a copy that nobody reports is not told as done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import directvolume, names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.volume_rows import volumes_of

TRACES = Path(__file__).parents[2] / "data" / "traces"
Claim = tuple[str, str]
DATA, LOGS = ("shop", "data"), ("shop", "logs")


def reference(claim: Claim) -> dict[str, str]:
    return {"namespace": claim[0], "name": claim[1]}


def direct(*claims: Claim, uid: Any = "d", conditions: Any = (), **status: Any) -> dict[str, Any]:
    listed = [
        {**reference(claim), "targetNamespace": "new", "targetName": claim[1], "targetStorageClass": "fast"}
        for claim in claims
    ]
    return {
        "kind": names.DIRECT_VOLUME_MIGRATION,
        "metadata": {"name": "direct", "namespace": "openmig", "uid": uid},
        "spec": {"persistentVolumeClaims": listed},
        "status": {**status, "conditions": list(conditions)},
    }


def pod(claim: Claim, percent: str = "", **more: Any) -> dict[str, Any]:
    return {"name": f"rsync-{claim[1]}", "pvcRef": reference(claim), "lastObservedProgressPercent": percent, **more}


def progress(claim: Claim, *, uid: str = "d", **status: Any) -> dict[str, Any]:
    made = directvolume.progress_manifest(
        direct(claim, uid=uid) | {"spec": {"srcMigClusterRef": {}}}, namespace=claim[0], claim=claim[1]
    )
    return {**made, "status": status}


def states(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["claim"]: row["state"] for row in rows}


@pytest.mark.parametrize(
    ("where", "state"),
    [
        ("pendingPods", "pending"),
        ("pendingSinceTimeLimitPods", "pending"),
        ("runningPods", "running"),
        ("successfulPods", "succeeded"),
        ("failedPods", "failed"),
        ("unknownPods", "unknown"),
        ("runningLiveMigration", "running"),
        ("successfulLiveMigration", "succeeded"),
        ("failedLiveMigration", "failed"),
    ],
)
def test_the_list_that_names_a_claim_says_its_state(where: str, state: str) -> None:
    (row,) = volumes_of([direct(DATA, phase="RunRsyncOperations", **{where: [pod(DATA, "42%")]})])
    assert (row["state"], row["percent"]) == (state, 42)
    assert (row["target_namespace"], row["target_name"], row["storage_class"]) == ("new", "data", "fast")


def test_a_claim_that_nobody_reports_is_unknown_while_the_copies_run() -> None:
    assert states(volumes_of([direct(DATA, LOGS, phase="Prepare", runningPods=[pod(DATA)])])) == {
        "data": "running",
        "logs": "unknown",
    }


def test_a_claim_of_an_ended_run_that_nobody_reports_has_failed() -> None:
    """What MTC wrote when it failed before a pod was made: it calls itself completed, and its lists are empty."""
    trace = TRACES / "final-dvm-failed-but-succeeded-with-warnings.jsonl"
    lines = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    last = [line for line in lines if line["kind"] == names.DIRECT_VOLUME_MIGRATION][-1]
    assert last["status"]["phase"] == "Completed"
    (row,) = volumes_of([{**last, "metadata": {"name": last["name"]}}])
    assert (row["claim"], row["state"], row["proven"]) == ("data", "failed", None)
    assert row["message"] == 'ConfigMap "migration-controller" not found'


def test_a_skipped_claim_stays_skipped() -> None:
    rows = volumes_of([direct(DATA, LOGS, phase="Completed", successfulPods=[pod(DATA)], skippedVolumes=["shop/logs"])])
    assert states(rows) == {"data": "succeeded", "logs": "skipped"}


def test_what_the_lists_do_not_say_the_progress_resource_does() -> None:
    told = progress(DATA, totalProgressPercentage="57%", lastObservedTransferRate="1MB/s", podName="rsync-x")
    (row,) = volumes_of([direct(DATA, phase="X", runningPods=[{"pvcRef": reference(DATA)}])], [told])
    assert (row["percent"], row["rate"], row["pod"]) == (57, "1MB/s", "rsync-x")


def test_the_progress_of_another_run_says_nothing() -> None:
    other = progress(DATA, uid="other", totalProgressPercentage="99%")
    assert volumes_of([direct(DATA, phase="X")], [other])[0]["percent"] is None


def test_a_verdict_wins_over_what_the_pods_say() -> None:
    move = {"source_namespace": "shop", "source_claim": "data", "target_namespace": "new", "target_claim": "data"}
    verdict = {"move": move, "ok": False, "files": 3, "bytes": 12, "reason": "the content of 1 file(s) differs"}
    (row,) = volumes_of([direct(DATA, phase="Completed", successfulPods=[pod(DATA)])], [], {"volumes": [verdict]})
    assert (row["state"], row["proven"], row["message"]) == ("failed", False, verdict["reason"])
    (row,) = volumes_of([], [], {"volumes": [{**verdict, "ok": True, "reason": ""}]})
    assert (row["state"], row["proven"], row["percent"], row["target_namespace"]) == ("succeeded", True, 100, "new")
    assert (row["files"], row["bytes"]) == (3, 12)


def test_what_a_stage_run_has_copied_is_not_told_as_proven() -> None:
    move = {"source_namespace": "shop", "source_claim": "data", "target_namespace": "new", "target_claim": "data"}
    passed = {"move": move, "ok": True, "proven": False, "files": 3, "bytes": 12, "files_moved": 1, "bytes_moved": 4}
    (row,) = volumes_of([], [], {"volumes": [passed]})
    assert (row["state"], row["proven"], row["files_moved"], row["bytes_moved"]) == ("succeeded", None, 1, 4)
    (row,) = volumes_of([], [], {"volumes": [{**passed, "proven": True}]})
    assert row["proven"] is True


def test_rows_are_sorted_by_claim() -> None:
    rows = volumes_of([direct(LOGS, ("a", "z"), DATA)])
    assert [(row["namespace"], row["claim"]) for row in rows] == [("a", "z"), DATA, LOGS]
