# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A copy without a plan in its user's words: what is merged, what is refused from the task alone, what it waits for."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine.ensure_direct_volume import decide, validate
from ansible_collections.openmig.mtc.plugins.module_utils.engine.second_call import Step
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import direct_volume_migration_spec
from ansible_collections.openmig.mtc.plugins.module_utils.resources import directvolume, directvolume_rules as rules
from ansible_collections.openmig.mtc.plugins.module_utils.resources.conditions import Conditions
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import InvalidInput

DEFAULTS: dict[str, Any] = {name: option.get("default") for name, option in direct_volume_migration_spec().items()}
LETTERS = {"name": "letters", "namespace": "archive"}
PICTURES = {"name": "pictures", "namespace": "archive"}


def paths(**params: Any) -> list[str]:
    return [problem.path for problem in validate({**DEFAULTS, "name": "copy", **params})]


# -- the list of claims ----------------------------------------------------------------------------------------------


def test_what_is_not_said_of_a_claim_stays_and_the_list_is_the_tasks() -> None:
    stored = {
        "persistentVolumeClaims": [
            {**LETTERS, "targetStorageClass": "fast", "targetName": "post"},
            {**PICTURES, "targetStorageClass": "slow"},
        ],
        "migrationType": "Stage",
    }
    wanted = directvolume.build_spec({"persistent_volume_claims": [{**LETTERS, "target_storage_class": "slow"}]})
    assert directvolume.merge_spec(stored, wanted) == {
        "persistentVolumeClaims": [{**LETTERS, "targetStorageClass": "slow", "targetName": "post"}],
        "migrationType": "Stage",
    }
    assert directvolume.drift(stored, {}) == {}


def test_a_right_task_has_no_problem() -> None:
    assert paths(persistent_volume_claims=[LETTERS, PICTURES], source_cluster="a", destination_cluster="b") == []


@pytest.mark.parametrize(
    ("params", "where"),
    [
        ({"persistent_volume_claims": []}, ["persistent_volume_claims"]),
        ({"persistent_volume_claims": [LETTERS, LETTERS]}, ["persistent_volume_claims[1]"]),
        (
            {"persistent_volume_claims": [LETTERS, {**PICTURES, "target_name": "letters"}]},
            ["persistent_volume_claims[1]"],
        ),
        ({"persistent_volume_claims": [{**LETTERS, "name": ""}]}, ["persistent_volume_claims[0].name"]),
        ({"persistent_volume_claims": [{**LETTERS, "namespace": "a.b"}]}, ["persistent_volume_claims[0].namespace"]),
        (
            {"persistent_volume_claims": [{**LETTERS, "target_access_modes": []}]},
            ["persistent_volume_claims[0].target_access_modes"],
        ),
        (
            {"persistent_volume_claims": [{**LETTERS, "target_storage_class": "Fast"}]},
            ["persistent_volume_claims[0].target_storage_class"],
        ),
        (
            {"persistent_volume_claims": [LETTERS], "source_cluster": "a", "destination_cluster": "a"},
            ["persistent_volume_claims[0]"],
        ),
        ({"source_cluster": "a", "src_mig_cluster_ref": {"name": "b"}}, ["src_mig_cluster_ref"]),
        ({"back_off_limit": -1}, ["back_off_limit"]),
        ({"bandwidth": 0}, ["bandwidth"]),
        ({"start_timeout": 0, "wait_timeout": 0}, ["wait_timeout", "start_timeout"]),
        ({"run_as_root": True, "run_as_user": 1}, ["run_as_user"]),
        ({"run_as_group": -1}, ["run_as_group"]),
    ],
)
def test_what_is_wrong_is_told_with_its_path(params: dict[str, Any], where: list[str]) -> None:
    assert paths(**params) == where


def test_removal_asks_for_nothing_but_the_name() -> None:
    assert paths(state="absent", persistent_volume_claims=[]) == []


@pytest.mark.parametrize(("given", "attempts"), [({}, 20), ({"backOffLimit": 0}, 20), ({"backOffLimit": 3}, 3)])
def test_zero_attempts_mean_mtcs_default(given: dict[str, Any], attempts: int) -> None:
    assert directvolume.attempts_of(given) == attempts


# -- what a call means -----------------------------------------------------------------------------------------------

SPEC: dict[str, Any] = {"persistentVolumeClaims": [LETTERS]}
OTHER: dict[str, Any] = {**SPEC, "migrationType": "CutOver"}


def direct(phase: str | None, *conditions: str) -> dict[str, Any]:
    status: dict[str, Any] = {"conditions": [{"type": name, "status": "True"} for name in conditions]}
    if phase is not None:
        status["phase"] = phase
    return {"spec": SPEC, "status": status}


@pytest.mark.parametrize(
    ("stored", "spec", "again", "step"),
    [
        (None, SPEC, False, Step.START),
        (direct(None, "InvalidSourceClusterRef"), OTHER, False, Step.START),
        (direct("RunRsyncOperations", "Running"), SPEC, False, Step.GO_ON),
        (direct("RunRsyncOperations", "Running"), SPEC, True, Step.GO_ON),
        (direct("MigrationFailed", "Failed"), SPEC, False, Step.GO_ON),
        (direct("Completed", "Succeeded"), SPEC, False, Step.NOTHING),
        (direct("Completed", "Succeeded"), SPEC, True, Step.START),
        (direct("Completed", "Succeeded"), OTHER, False, Step.START),
        (direct("Completed", "Failed"), SPEC, False, Step.START),
    ],
)
def test_what_a_call_means(stored: dict[str, Any] | None, spec: dict[str, Any], again: bool, step: Step) -> None:
    assert decide(stored, spec, again=again, subject="it") is step


def test_an_unfinished_one_keeps_what_it_began_with() -> None:
    with pytest.raises(InvalidInput) as refused:
        decide(direct("RunRsyncOperations"), {**OTHER, "backOffLimit": 1}, again=False, subject="it")
    assert [problem.path for problem in refused.value.problems] == ["spec.backOffLimit", "spec.migrationType"]


# -- what keeps it from beginning ------------------------------------------------------------------------------------


def test_a_connection_of_the_call_needs_no_reference() -> None:
    given = rules.Side(given=True)
    assert not rules.validate_references(Conditions(None), SPEC, source=given, destination=given).has_blocker()


def test_everything_that_is_missing_is_found_in_one_pass() -> None:
    side = rules.Side(given=False)
    spec = {"srcMigClusterRef": {"name": "a", "namespace": "b"}, "destMigClusterRef": {"name": "a"}}
    found = rules.validate_references(Conditions(None), spec, source=side, destination=side)
    assert {name: (found.find(name) or {}).get("reason") for name in ("InvalidSourceClusterRef", "InvalidPVCs")} == {
        "InvalidSourceClusterRef": "NotFound",
        "InvalidPVCs": "NotSet",
    }
    assert (found.find("InvalidDestinationClusterRef") or {})["reason"] == "NotSet"


def test_one_that_serves_a_migration_is_told_apart() -> None:
    owner = {"kind": "MigMigration", "name": "final"}
    assert rules.of_a_migration({"metadata": {"ownerReferences": [owner]}}) == "final"
    assert rules.of_a_migration({"metadata": {}}) is None
