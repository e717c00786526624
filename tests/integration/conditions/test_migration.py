# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The conditions of a MigMigration: which a run of the builtin engine gets and where that is shown, and which the
module says in words instead, because it makes no resource that could only be refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.condition_names import MigrationCondition as Type
from integration.conditions.tasks import perform, written
from lab import audit

RUNS = Path(__file__).parents[1] / "migration"
SHOWN: Mapping[str, tuple[str, ...]] = {
    Type.READY: ("test_second_call.py",),
    Type.RUNNING: ("test_second_call.py",),
    Type.SUCCEEDED: ("test_final_migration.py",),
    Type.SUCCEEDED_WITH_WARNINGS: ("test_run_options.py", "test_stage.py"),
    Type.FAILED: ("test_hooks.py", "test_volume_truth.py"),
    Type.CANCELING: ("test_kills_of_other_runs.py",),
    Type.CANCELED: ("test_cancel.py",),
    Type.STAGE_NO_OP: ("test_stage.py",),
    Type.STAGE_PODS_CREATED: ("test_indirect.py",),
    Type.DIRECT_VOLUME_MIGRATION_FAILED: ("test_run_options.py",),
    Type.UNHEALTHY_NAMESPACES: ("test_run_options.py",),
}
"""The conditions that runs get, and the files of tests/integration/migration in which real runs show them."""


@dataclasses.dataclass(frozen=True)
class Refusal:
    """A call that MTC would answer with the condition; here the task fails with these words and makes nothing."""

    options: dict[str, Any]
    words: str
    runs: tuple[dict[str, Any], ...] = ()
    """Runs of the plan that are there before: their specs, with ``succeeded`` beside them."""
    plan: dict[str, Any] = dataclasses.field(default_factory=dict)
    """What is different in the spec of the plan."""


THEN = "2026-01-01T00:00:00Z"
FINAL, STAGE = {"stage": False}, {"stage": True}
REFUSED: Mapping[str, Refusal] = {
    Type.INVALID_PLAN_REF: Refusal({"plan": "nowhere"}, "MigPlan {space}/nowhere: there is no such plan"),
    Type.PLAN_NOT_READY: Refusal({}, "MigCluster {space}/nowhere: the plan's source cluster is unknown"),
    Type.PLAN_CLOSED: Refusal({}, "it is closed", plan={"closed": True}),
    Type.INVALID_SPEC: Refusal({"stage": True, "rollback": True}, "stage"),
    Type.HAS_FINAL_MIGRATION: Refusal(
        {"stage": True}, "no stage run is started after it", runs=({**FINAL, "succeeded": True},)
    ),
    Type.POSTPONED: Refusal({}, "another run of the plan is not finished", runs=(STAGE,)),
}
NOT_PRODUCED: Mapping[str, str] = {
    Type.CONFLICTING_PVC_MAPPINGS: "a plan within one cluster is judged by its own conditions",
    Type.REGISTRIES_HEALTHY: "no image streams are copied, so there are no registries",
    Type.REGISTRIES_UNHEALTHY: "no image streams are copied, so there are no registries",
    Type.DIRECT_IMAGE_MIGRATION_FAILED: "no image streams are copied",
    Type.DIRECT_VOLUME_MIGRATION_BLOCKED: "pods that do not come fail the run after start_timeout",
    Type.INITIAL_BACKUP_PARTIAL: "a backup that is not whole fails the run",
    Type.STAGE_BACKUP_PARTIAL: "a copy that is not whole fails the run",
    Type.STAGE_RESTORE_PARTIAL: "a copy that is not whole fails the run",
    Type.FINAL_RESTORE_PARTIAL: "an object that is not restored fails the run",
    Type.RESTIC_ERRORS: "a volume that is not whole fails the run",
    Type.RESTIC_VERIFY_ERRORS: "a volume that is not whole fails the run",
    Type.STALE_SOURCE_DELETED: "there are no objects of Velero's",
    Type.STALE_DESTINATION_DELETED: "there are no objects of Velero's",
    Type.STALE_RESTIC_DELETED: "there are no objects of Velero's",
    Type.RECONCILE_FAILED: "an unexpected error ends the call and is told there",
}


def test_no_condition_of_the_kind_is_left_out() -> None:
    known = {value for name, value in vars(Type).items() if name.isupper()} | {Type.READY, Type.RECONCILE_FAILED}
    tables = (SHOWN, REFUSED, NOT_PRODUCED)
    assert known == {name for table in tables for name in table}
    assert sum(len(table) for table in tables) == len(known), "a condition stands in one table only"


@pytest.mark.parametrize("condition", SHOWN)
def test_it_is_shown_where_the_table_says(condition: str) -> None:
    for file in SHOWN[condition]:
        assert f'"{condition}"' in (RUNS / file).read_text(), file


@pytest.mark.parametrize("condition", REFUSED)
def test_it_is_said_and_nothing_is_made(control: Cluster, namespace: str, condition: str) -> None:
    row, name = REFUSED[condition], condition.lower()
    nowhere = {"name": "nowhere", "namespace": namespace}
    spec = {"srcMigClusterRef": nowhere, "destMigClusterRef": nowhere, "namespaces": [f"cond-{name}"], **row.plan}
    place = {"apiVersion": names.API_VERSION}
    control.create({**place, "kind": names.MIG_PLAN, "metadata": {"name": name, "namespace": namespace}, "spec": spec})
    for number, given in enumerate(row.runs):
        wanted = {key: value for key, value in given.items() if key != "succeeded"}
        succeeded = [{"type": "Succeeded", "status": "True", "category": "Advisory", "lastTransitionTime": THEN}]
        ended = {"phase": "Completed", "conditions": succeeded} if given.get("succeeded") else {"phase": "Started"}
        reference = {"migPlanRef": {"name": name, "namespace": namespace}}
        metadata = {"name": f"{name}-{number}", "namespace": namespace}
        run = {**place, "kind": names.MIG_MIGRATION, "metadata": metadata, "spec": {**reference, **wanted}}
        control.create({**run, "status": ended})
    mark = audit.mark("destination")
    (told,) = perform([("mig_migration", {"plan": name, **row.options})], namespace=namespace)
    assert told["failed"]
    assert row.words.format(space=namespace) in told["msg"]
    assert written(namespace, mark) == []
