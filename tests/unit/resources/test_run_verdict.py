# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is said against a run that MTC calls a success."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources.accepted import EARLY, VOLUMES
from ansible_collections.openmig.mtc.plugins.module_utils.resources.run_verdict import (
    Finding,
    accepted,
    copied_early,
    findings,
)

TRACES = Path(__file__).parents[2] / "data" / "traces"
CLEAN = {"metadata": {"name": "final"}, "status": {"phase": "Completed"}}
COPIED = {"namespace": "shop", "claim": "data", "state": "succeeded", "message": None}
PLAN = {
    "spec": {
        "namespaces": ["shop"],
        "persistentVolumes": [
            {"pvc": {"namespace": "shop", "name": "data"}, "selection": {"action": "copy", "copyMethod": "filesystem"}}
        ],
    }
}


def last(name: str, kind: str) -> dict[str, Any]:
    events = [json.loads(line) for line in (TRACES / name).read_text().splitlines()]
    found = [event for event in events if event["kind"] == kind][-1]
    return {**found, "metadata": {"name": found["name"], "namespace": "openshift-migration"}}


def velero(**more: Any) -> dict[str, Any]:
    row = {"kind": "Restore", "name": "final1-final-x", "namespace": "openshift-migration", "phase": "Completed"}
    return {**row, "errors": 0, "warnings": 0, "message": None, "validation_errors": [], **more}


def named(found: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in found}


def test_a_clean_run() -> None:
    migration = last("final-succeeded.jsonl", "MigMigration")
    direct = last("final-succeeded.jsonl", "DirectVolumeMigration")
    assert findings(migration, plan=PLAN, volumes=[COPIED], direct_volumes=[direct], velero=[velero()]) == []


def test_the_recorded_run_over_an_empty_volume() -> None:
    trace = "final-dvm-failed-but-succeeded-with-warnings.jsonl"
    row = {**COPIED, "state": "failed", "message": 'ConfigMap "migration-controller" not found'}
    direct = last(trace, "DirectVolumeMigration")
    found = findings(last(trace, "MigMigration"), plan=PLAN, volumes=[row], direct_volumes=[direct])
    assert [(item.name, item.volumes, item.fatal) for item in found] == [(VOLUMES, ("shop/data",), True)]
    assert 'volume shop/data was not copied (failed): ConfigMap "migration-controller" not found' in found[0].message


@pytest.mark.parametrize("state", ["failed", "skipped", "running", "pending", "unknown"])
def test_whatever_is_not_copied_is_found(state: str) -> None:
    assert named(findings(CLEAN, plan=None, volumes=[{**COPIED, "state": state}]))[VOLUMES].volumes == ("shop/data",)


def test_a_volume_that_nothing_copied() -> None:
    assert "no DirectVolumeMigration" in named(findings(CLEAN, plan=PLAN))[VOLUMES].message
    indirect = {"spec": {**PLAN["spec"], "indirectVolumeMigration": True}}
    assert findings(CLEAN, plan=indirect) == []


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (velero(phase="PartiallyFailed", errors=2), "VeleroFinalRestorePartiallyFailed"),
        (velero(kind="Backup", name="f-initial-x", phase="PartiallyFailed"), "VeleroInitialBackupPartiallyFailed"),
        (velero(kind="Backup", name="f-stage-x", phase="Failed"), "VeleroStageBackupPartiallyFailed"),
        (velero(name="f-stage-x", phase="FailedValidation"), "VeleroStageRestorePartiallyFailed"),
        (velero(kind="PodVolumeRestore", phase="Failed"), "ResticErrors"),
        (velero(phase="InProgress"), "VeleroFinalRestorePartiallyFailed"),
        (velero(errors=1), "VeleroFinalRestorePartiallyFailed"),
    ],
)
def test_partial_work_of_velero(row: dict[str, Any], name: str) -> None:
    (found,) = findings(CLEAN, plan=None, velero=[row])
    assert (found.name, found.fatal) == (name, True)


def test_velero_s_own_warnings_are_told_and_fail_nothing() -> None:
    (found,) = findings(CLEAN, plan=None, velero=[velero(warnings=3)])
    assert not found.fatal


def test_images_that_were_not_copied() -> None:
    direct = {
        "metadata": {"name": "dim", "namespace": "openshift-migration"},
        "status": {"failedISs": [{"namespace": "shop", "name": "web", "errors": ["unauthorized"]}]},
    }
    (found,) = findings(CLEAN, plan=None, direct_images=[direct])
    assert found.name == "DirectImageMigrationFailed"
    assert "shop/web was not copied" not in found.message
    assert "image stream shop/web (unauthorized) was not copied" in found.message


def test_warnings_of_the_run_fail_it_unless_harmless() -> None:
    warned = {
        **CLEAN,
        "status": {
            "conditions": [
                {"type": "UnhealthyNamespaces", "category": "Warn", "status": "True", "message": "Unhealthy."},
                {"type": "StageNoOp", "category": "Warn", "status": "True", "message": "Nothing to stage."},
            ],
            "namespaces": [{"name": "shop", "workloads": [{"name": "Deployment/web"}]}],
        },
    }
    found = named(findings(warned, plan=None))
    assert found["UnhealthyNamespaces"].fatal
    assert "shop: Deployment/web" in found["UnhealthyNamespaces"].message
    assert not found["StageNoOp"].fatal


@pytest.mark.parametrize(
    ("entries", "yes"),
    [
        ([VOLUMES], True),
        (["shop/data"], True),
        (["shop/*"], True),
        (["shop/other"], False),
        ([], False),
        ([EARLY], False),
    ],
)
def test_acceptance_by_name_or_volume(entries: list[str], yes: bool) -> None:
    assert accepted(Finding(name=VOLUMES, message="", volumes=("shop/data",)), entries) is yes


def test_a_volume_accepts_nothing_that_is_about_no_volume() -> None:
    assert not accepted(Finding(name="UnhealthyNamespaces", message=""), ["shop/*"])


def progress(created: str, *, earlier: str | None = None) -> dict[str, Any]:
    label = {"migration.openshift.io/created-for-pvc": hashlib.md5(b"data", usedforsecurity=False).hexdigest()}
    attempts = [{"phase": "Failed", "creationTimestamp": earlier}] if earlier else []
    return {
        "spec": {"podNamespace": "shop", "podSelector": label},
        "status": {"rsyncPodStatuses": [*attempts, {"phase": "Succeeded", "creationTimestamp": created}]},
    }


@pytest.mark.parametrize(
    ("found", "early"),
    [
        (progress("2026-11-21T16:05:50Z"), ["shop/data"]),
        (progress("2026-11-21T16:05:52Z"), []),
        (progress("2026-11-21T16:05:53Z", earlier="2026-11-21T16:05:40Z"), []),
    ],
)
def test_a_copy_that_began_before_the_application_had_stopped(found: dict[str, Any], early: list[str]) -> None:
    claims = [("shop", "data"), ("shop", "logs")]
    assert copied_early([found], claims, "2026-11-21T16:05:52Z") == early
    assert copied_early([found], claims, None) == []


def test_the_recorded_copy_began_after_the_quiesce() -> None:
    events = [json.loads(line) for line in (TRACES / "final-succeeded.jsonl").read_text().splitlines()]
    phases = [
        (event["status"]["phase"], event) for event in events if event["kind"] == "MigMigration" and event.get("status")
    ]
    after = next(index for index, (phase, _event) in enumerate(phases) if phase == "EnsureSrcQuiesced") + 1
    running = next(item for item in phases[after][1]["status"]["conditions"] if item["type"] == "Running")
    told = [event for event in events if event["kind"] == "DirectVolumeMigrationProgress"]
    assert copied_early(told, [("shop", "data")], running["lastTransitionTime"]) == []
