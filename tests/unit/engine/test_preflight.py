# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a plan may ask for and this engine cannot do is refused by name, and nothing else is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine import (
    conversion_checks,
    ensure_direct_volume,
    preflight,
)
from ansible_collections.openmig.mtc.plugins.module_utils.engine.call import Call
from ansible_collections.openmig.mtc.plugins.module_utils.engine.preflight import Situation
from ansible_collections.openmig.mtc.plugins.module_utils.resources.condition_names import PlanCondition, Reason
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import Refused


def refusals(plan: dict[str, Any], reason: str) -> list[str]:
    """Of a plan that was judged to be of that kind. Nothing but the plan is looked at."""
    kind = {"type": PlanCondition.MIGRATION_TYPE_IDENTIFIED, "status": "True", "reason": reason}
    judged = {"metadata": {"name": "shop", "namespace": "openmig"}, "spec": plan, "status": {"conditions": [kind]}}
    return [error.message for error in preflight._unsupported(cast(Situation, SimpleNamespace(plan=judged)))]


def volume(action: str, method: str) -> dict[str, Any]:
    return {"pvc": {"namespace": "shop", "name": "data"}, "selection": {"action": action, "copyMethod": method}}


def test_a_conversion_in_place_is_a_state_migration() -> None:
    plan = {"metadata": {"name": "shop", "namespace": "openmig"}, "spec": {}}
    (error,) = conversion_checks.kind_of_run(plan, state=False)
    assert error.message.startswith("MigPlan openmig/shop: its objects cannot be moved to where they are")
    assert "migrate_state: true" in error.mend
    assert conversion_checks.kind_of_run(plan, state=True) == []


def test_the_disk_of_a_virtual_machine_is_not_converted() -> None:
    disk, other = volume("copy", "filesystem"), volume("skip", "")
    for entry in (disk, other):
        entry["pvc"] = {"namespace": "shop", "name": "disk:disk-mig-ab12", "ownerType": "VirtualMachine"}
    (error,) = conversion_checks.virtual_machines({"spec": {"persistentVolumes": [disk, other]}})
    assert error.message.startswith("PersistentVolumeClaim shop/disk: it cannot be converted")
    assert "VirtualMachine" in error.message


@pytest.mark.parametrize(("action", "method"), [("move", "filesystem"), ("copy", "snapshot")])
def test_volumes_that_are_moved_or_copied_as_snapshots_are_refused(action: str, method: str) -> None:
    (told,) = refusals({"persistentVolumes": [volume(action, method)]}, Reason.NAMESPACE_MIGRATION_PLAN)
    assert f"{action} by {method} cannot be carried out" in told
    assert "shop/data" in told


def test_volumes_of_running_virtual_machines_are_refused() -> None:
    (told,) = refusals({"liveMigrate": True, "persistentVolumes": []}, Reason.NAMESPACE_MIGRATION_PLAN)
    assert told.startswith("MigPlan openmig/shop: spec.liveMigrate cannot be carried out by the builtin engine yet")
    claim = {"name": "disk", "namespace": "shop"}
    params = {"live_migrate": True, "persistent_volume_claims": [claim], "transfer_image": "mover:1"}
    call = SimpleNamespace(params=params, namespace="openmig")
    with pytest.raises(Refused, match="live_migrate cannot be carried out by the builtin engine yet"):
        ensure_direct_volume._spec(cast(Call, call), None, "DirectVolumeMigration openmig/disk")


def test_the_rest_is_not() -> None:
    plan = {"persistentVolumes": [volume("copy", "filesystem"), volume("skip", "")]}
    assert refusals(plan, Reason.NAMESPACE_MIGRATION_PLAN) == []


def state_refusals(plan: dict[str, Any], *, stops: bool, moves: tuple[object, ...] = (object(),)) -> list[str]:
    """Of a state migration of that plan."""
    judged = {"metadata": {"name": "shop", "namespace": "openmig"}, "spec": plan}
    asked = SimpleNamespace(state=True, plan=judged, quiesce_pods=stops, moves=moves)
    return [error.message for error in preflight._state(cast(Situation, asked))]


def test_what_a_state_migration_cannot_do_is_told_at_once() -> None:
    hooks = [{"phase": "PreBackup"}, {"phase": "PostRestore"}]
    told = state_refusals({"indirectVolumeMigration": True, "hooks": hooks}, stops=True, moves=())
    assert [text.partition(": ")[2].partition(":")[0] for text in told] == [
        "a state migration copies volumes directly only",
        "its hooks would not run",
        "the application would be stopped for nothing",
    ]
    assert "PreBackup, PostRestore" in told[1]
    assert state_refusals({"hooks": hooks}, stops=False, moves=()) == []
    assert state_refusals({}, stops=True) == []
