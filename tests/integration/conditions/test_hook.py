# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each condition of a MigHook on a real cluster, and a hook's life: made, left alone, changed, kept, removed.

The module refuses options that could only lead to a condition, so the hooks that deserve one are stored by somebody
else here, and the module is called to judge them.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.condition_names import HookCondition
from integration.conditions.tasks import by_type, perform, written
from lab import audit

PLAYBOOK = "- hosts: localhost\n  gather_facts: false\n"
ENCODED = base64.b64encode(PLAYBOOK.encode()).decode()
GOOD = {"custom": False, "image": "runner:1", "targetCluster": "source", "playbook": ENCODED}
READY = {"Ready": ("Required", "True", "")}
CRITICAL = ("Critical", "True", "NotSet")

ROWS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "image": ({**GOOD, "image": "Runner:1"}, [HookCondition.INVALID_IMAGE]),
    "target": ({**GOOD, "targetCluster": "both"}, [HookCondition.INVALID_TARGET]),
    "playbook": ({**GOOD, "playbook": "YQ"}, [HookCondition.INVALID_PLAYBOOK]),
    "custom": ({**GOOD, "custom": True}, [HookCondition.INVALID_CUSTOM]),
    "ansible": ({**GOOD, "playbook": ""}, [HookCondition.INVALID_ANSIBLE]),
    "everything": (
        {"custom": True, "image": "", "targetCluster": "", "playbook": "!"},
        [
            HookCondition.INVALID_IMAGE,
            HookCondition.INVALID_TARGET,
            HookCondition.INVALID_PLAYBOOK,
            HookCondition.INVALID_CUSTOM,
        ],
    ),
    "ready": (GOOD, []),
    "ready-custom": (
        {"custom": True, "image": f"example.com/job@sha256:{'0' * 64}", "targetCluster": "destination"},
        [],
    ),
}
NOT_PRODUCED = {
    HookCondition.RECONCILE_FAILED: "an unexpected error ends the call and is told there; nothing is stored",
}


def stored(control: Cluster, namespace: str, name: str) -> dict[str, Any]:
    found = control.get(names.API_VERSION, names.MIG_HOOK, name, namespace)
    assert found is not None
    return found


@pytest.mark.sample
def test_each_condition_is_found_and_stored(control: Cluster, namespace: str) -> None:
    for name, (spec, _types) in ROWS.items():
        metadata = {"name": name, "namespace": namespace}
        control.create({"apiVersion": names.API_VERSION, "kind": names.MIG_HOOK, "metadata": metadata, "spec": spec})
    results = perform([("mig_hook", {"name": name}) for name in ROWS], namespace=namespace)
    for (name, (spec, types)), result in zip(ROWS.items(), results, strict=True):
        wanted = dict.fromkeys(types, CRITICAL) or READY
        assert (result["failed"], by_type(result)) == (bool(types), wanted), name
        now = stored(control, namespace, name)
        assert now["spec"] == spec
        assert {item["type"]: item for item in now["status"]["conditions"]} == result["conditions"]
        assert now["status"]["observedGeneration"] == now["metadata"]["generation"]
    again = perform([("mig_hook", {"name": name}) for name in ROWS], namespace=namespace)
    assert [by_type(result) for result in again] == [by_type(result) for result in results]
    assert [result["changed"] for result in again] == [False] * len(ROWS)


def test_no_condition_of_the_kind_is_left_out() -> None:
    produced = {name for _spec, types in ROWS.values() for name in types} | {HookCondition.READY}
    known = {value for name, value in vars(HookCondition).items() if name.isupper()}
    known |= {HookCondition.READY, HookCondition.RECONCILE_FAILED}
    assert known == produced | set(NOT_PRODUCED)


def test_a_hooks_life(control: Cluster, namespace: str, tmp_path: Path) -> None:
    file = tmp_path / "hook.yml"
    file.write_text(PLAYBOOK)
    hook = {"name": "life", "image": "runner:1", "target_cluster": "source", "playbook_file": str(file)}
    mark = audit.mark("destination")
    (predicted,) = perform([("mig_hook", hook)], "--check", "--diff", namespace=namespace)
    assert written(namespace, mark) == []
    assert control.get(names.API_VERSION, names.MIG_HOOK, "life", namespace) is None
    assert (predicted["changed"], predicted["diff"]["after"]["playbook"]) == (True, PLAYBOOK)
    made, again, changed, longer = perform(
        [
            ("mig_hook", hook),
            ("mig_hook", {**hook, "playbook_file": None, "playbook_base64": ENCODED}),
            ("mig_hook", {"name": "life", "active_deadline_seconds": 60}),
            ("mig_hook", {"name": "life", "active_deadline_seconds": 60}),
        ],
        namespace=namespace,
    )
    assert [result["changed"] for result in (made, again, changed, longer)] == [True, False, True, False]
    assert made["resource"]["spec"] == predicted["resource"]["spec"] == {**GOOD}
    now = stored(control, namespace, "life")
    assert now["spec"] == {**GOOD, "activeDeadlineSeconds": 60}
    assert now["status"]["observedGeneration"] == now["metadata"]["generation"]


def test_a_hook_that_a_plan_uses_is_kept(control: Cluster, namespace: str) -> None:
    metadata = {"name": "used", "namespace": namespace}
    control.create({"apiVersion": names.API_VERSION, "kind": names.MIG_HOOK, "metadata": metadata, "spec": GOOD})
    use = {
        "phase": "PreBackup",
        "reference": {"name": "used", "namespace": namespace},
        "executionNamespace": "shop",
        "serviceAccount": "default",
    }
    plan = {"apiVersion": names.API_VERSION, "kind": names.MIG_PLAN, "metadata": {**metadata, "name": "user"}}
    control.create({**plan, "spec": {"hooks": [use]}})
    (kept,) = perform([("mig_hook", {"name": "used", "state": "absent"})], namespace=namespace)
    assert kept["failed"]
    assert f"used by MigPlan {namespace}/user" in kept["msg"]
    assert stored(control, namespace, "used")["spec"] == GOOD
    control.delete(names.API_VERSION, names.MIG_PLAN, "user", namespace)
    gone, again = perform([("mig_hook", {"name": "used", "state": "absent"})] * 2, namespace=namespace)
    assert (gone["changed"], again["changed"]) == (True, False)
    assert control.get(names.API_VERSION, names.MIG_HOOK, "used", namespace) is None


def test_wrong_options_are_told_at_once_and_touch_nothing(namespace: str) -> None:
    mark = audit.mark("destination")
    wrong = {"name": "wrong", "image": "Bad Image", "playbook": PLAYBOOK, "custom": True, "playbook_file": "/nowhere"}
    lacking = {"name": "lacking", "active_deadline_seconds": 5}
    told, missing = perform([("mig_hook", wrong), ("mig_hook", lacking)], namespace=namespace)
    assert [problem["path"] for problem in told["problems"]] == ["playbook_file", "image", "playbook", "playbook_file"]
    assert [problem["path"] for problem in missing["problems"]] == ["image", "target_cluster", "playbook"]
    assert written(namespace, mark) == []
