# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A resource in a few words: the words are right for everything that MTC was seen to write, and for what it was not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names, summaries

TRACES = Path(__file__).parents[2] / "data" / "traces"


def resource(kind: str, spec: Any = None, status: Any = None, **metadata: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "metadata": {"name": "a", "namespace": "openmig", **metadata},
        "spec": spec or {},
        "status": status or {},
    }


def condition(type: str, category: str = "Advisory", **more: str) -> dict[str, str]:
    return {"type": type, "status": "True", "category": category, **more}


def run(*conditions: dict[str, str], phase: str = "Completed", spec: Any = None, **status: Any) -> dict[str, Any]:
    return resource(names.MIG_MIGRATION, spec, {"phase": phase, "conditions": list(conditions), **status})


# -- how a run ended -----------------------------------------------------------------------------------------------

ENDS = [
    pytest.param(run(phase=""), summaries.WAITING, id="nobody has begun"),
    pytest.param(run(condition("Running"), phase="Prepare"), summaries.RUNNING, id="under way"),
    pytest.param(run(condition("Succeeded")), summaries.SUCCEEDED, id="well"),
    pytest.param(run(condition("SucceededWithWarnings")), summaries.WARNED, id="with warnings"),
    pytest.param(run(condition("Succeeded"), condition("Canceled")), summaries.CANCELED, id="upstream's D6"),
    pytest.param(run(condition("Succeeded"), spec={"canceled": True}), summaries.SUCCEEDED, id="asked too late"),
    pytest.param(run(condition("Succeeded"), condition("Failed")), summaries.FAILED, id="contradicts itself"),
    pytest.param(run(condition("Running"), condition("Failed"), phase="X"), summaries.FAILED, id="cleans up"),
    pytest.param(run(condition("Succeeded"), errors=["lost"]), summaries.FAILED, id="well with errors"),
    pytest.param(run(), summaries.FAILED, id="says nothing"),
    pytest.param(
        run(condition("Running"), phase="Prepare", spec={"canceled": True}), summaries.RUNNING, id="canceling"
    ),
]


@pytest.mark.parametrize(("migration", "state"), ENDS)
def test_what_has_become_of_a_run(migration: dict[str, Any], state: str) -> None:
    told = summaries.summary(migration)
    assert told["state"] == state
    assert told["state"] in summaries.STATES
    assert told["finished"] is (migration["status"]["phase"] == "Completed")


def test_a_volume_migration_that_failed_stays_in_its_phase_for_good() -> None:
    failed = resource(
        names.DIRECT_VOLUME_MIGRATION,
        status={
            "phase": "MigrationFailed",
            "conditions": [condition("Failed", "Critical", reason="RunRsyncOperations")],
        },
    )
    told = summaries.summary(failed)
    assert (told["finished"], told["state"]) == (True, summaries.FAILED)
    assert [item["reason"] for item in told["blockers"]] == ["RunRsyncOperations"]
    on_its_way = resource(names.DIRECT_VOLUME_MIGRATION, status={"phase": "MigrationFailed", "conditions": []})
    assert summaries.summary(on_its_way)["finished"] is False


# -- what MTC was seen to write ------------------------------------------------------------------------------------


def recorded(trace: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (TRACES / f"{trace}.jsonl").read_text(encoding="utf-8").splitlines()]
    return [{**line, "metadata": {"name": line.get("name", "")}} for line in lines if line["kind"] in names.KINDS]


def runs(trace: str) -> list[dict[str, Any]]:
    """What the trace's newest migration said of itself, in order, in our words."""
    found = [each for each in recorded(trace) if each["kind"] == names.MIG_MIGRATION and each.get("spec")]
    return [summaries.summary(each) for each in found if each["name"] == found[-1]["name"]]


@pytest.mark.parametrize(
    ("trace", "kind", "end"),
    [
        ("final-succeeded", "final", summaries.SUCCEEDED),
        ("stage-succeeded", "stage", summaries.SUCCEEDED),
        ("rollback-succeeded", "rollback", summaries.SUCCEEDED),
        ("final-canceled", "final", summaries.CANCELED),
        ("final-dvm-failed-but-succeeded-with-warnings", "final", summaries.WARNED),
    ],
)
def test_a_recorded_run_goes_one_way_from_its_begin_to_its_end(trace: str, kind: str, end: str) -> None:
    told = runs(trace)
    states = [each["state"] for each in told]
    assert sorted(states, key=summaries.STATES.index) == states
    assert states[-1] == end
    assert (told[-1]["type"], told[-1]["plan"], told[-1]["finished"]) == (kind, "shop", True)


def test_the_progress_of_a_recorded_run_only_grows() -> None:
    known = [each["progress"]["percent"] for each in runs("final-succeeded") if each["progress"]["percent"] is not None]
    assert known == sorted(known)
    assert (known[0] < 100, known[-1]) == (True, 100)


@pytest.mark.parametrize("trace", sorted(path.stem for path in TRACES.glob("*.jsonl")))
def test_every_recorded_resource_can_be_told(trace: str) -> None:
    found = recorded(trace)
    assert names.MIG_MIGRATION in {each["kind"] for each in found}
    assert all(
        set(summaries.summary(each)) >= {"name", "ready", "conditions", "blockers", "warnings"} for each in found
    )


# -- the kinds -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", names.KINDS)
def test_a_resource_that_nobody_has_looked_at_is_not_ready(kind: str) -> None:
    told = summaries.summary({"kind": kind, "metadata": {"name": "a"}})
    assert (told["ready"], told["conditions"], told["blockers"]) == (False, {}, [])


def test_what_blocks_and_what_warns_are_told_apart() -> None:
    told = summaries.summary(
        resource(
            names.MIG_CLUSTER,
            {"url": "https://api"},
            {
                "conditions": [
                    condition("InvalidURL", "Critical"),
                    condition("OperatorVersionMismatch", "Warn"),
                    {**condition("InvalidSaToken", "Critical"), "status": "False"},
                ]
            },
        )
    )
    assert [item["type"] for item in told["blockers"]] == ["InvalidURL"]
    assert [item["type"] for item in told["warnings"]] == ["OperatorVersionMismatch"]
    assert set(told["conditions"]) == {"InvalidURL", "OperatorVersionMismatch", "InvalidSaToken"}


def test_a_plan_tells_its_volumes_by_their_claims() -> None:
    told = summaries.summary(
        resource(
            names.MIG_PLAN,
            {
                "srcMigClusterRef": {"name": "src"},
                "persistentVolumes": [
                    {
                        "name": "pv",
                        "capacity": "1Gi",
                        "selection": {"action": "copy", "copyMethod": "filesystem", "storageClass": "fast"},
                        "pvc": {"namespace": "shop", "name": "data:data-new"},
                    },
                    {"name": "other", "pvc": {"namespace": "shop", "name": "logs"}},
                ],
            },
            annotations={names.ENGINE_ANNOTATION: "builtin"},
        )
    )
    assert [(each["claim"], each["target_name"], each["action"]) for each in told["volumes"]] == [
        ("data", "data-new", "copy"),
        ("logs", "logs", None),
    ]
    assert (told["source_cluster"], told["destination_cluster"], told["reconciled_by"]) == ("src", None, "builtin")


def test_the_owner_is_told_by_its_kind() -> None:
    references = [{"kind": "Other", "name": "o", "uid": "1"}, {"kind": names.MIG_MIGRATION, "name": "m", "uid": "2"}]
    direct = resource(names.DIRECT_VOLUME_MIGRATION, ownerReferences=references)
    assert summaries.owner(direct, names.MIG_MIGRATION) == ("m", "2")
    assert summaries.summary(direct)["owner"] == "m"
    assert summaries.summary(resource(names.DIRECT_VOLUME_MIGRATION))["owner"] is None


def test_images_are_counted_by_their_streams() -> None:
    told = summaries.summary(
        resource(
            names.DIRECT_IMAGE_MIGRATION,
            status={"phase": "X", "newISs": [{}], "successfulISs": [{}, {}], "failedISs": [{}]},
        )
    )
    assert told["progress"] == {"percent": 75, "text": "2 of 4 image streams"}
