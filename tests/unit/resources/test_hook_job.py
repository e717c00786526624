# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Job of a hook, field by field as MTC makes it, with names that a repeated creation finds again."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ansible_collections.openmig.mtc.plugins.module_utils.resources import hook_job
from ansible_collections.openmig.mtc.plugins.module_utils.resources.hook_job import HookRun, Verdict

PLAYBOOK = "- hosts: localhost\n"
UID = "0b5f4f6e-1111-2222-3333-444455556666"
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def run(name: str = "shop", *, uid: str = UID, **spec: Any) -> HookRun:
    playbook = base64.b64encode(PLAYBOOK.encode()).decode()
    defaults = {"custom": False, "image": "runner:1", "targetCluster": "source", "playbook": playbook}
    return HookRun(
        plan={"metadata": {"name": name, "uid": "p-1"}, "spec": {"namespaces": ["shop:shop-new", "web"]}},
        migration_uid=uid,
        phase="PreBackup",
        namespace="ops",
        service_account="worker",
        hook={"metadata": {"name": "h", "uid": "h-1"}, "spec": {**defaults, **spec}},
        deadline="2026-11-22T00:00:00Z",
    )


def pod(made: HookRun) -> dict[str, Any]:
    found: dict[str, Any] = hook_job.job(made, "c-1")["spec"]["template"]["spec"]
    return found


def test_a_playbook_runs_as_upstream_runs_it() -> None:
    made = run()
    assert hook_job.config_map(made)["data"] == {"playbook.yml": PLAYBOOK}
    spec = pod(made)
    (container,) = spec["containers"]
    assert container["name"] == "shop-prebackup"
    command = " ".join(container["command"])
    assert command == "/bin/entrypoint ansible-runner run /tmp/runner -p /tmp/playbook/playbook.yml"
    assert container["volumeMounts"] == [{"name": "playbook", "mountPath": "/tmp/playbook"}]
    assert spec["volumes"] == [{"name": "playbook", "configMap": {"name": made.name}}]
    assert (spec["restartPolicy"], spec["serviceAccountName"], spec["activeDeadlineSeconds"]) == (
        "OnFailure",
        "worker",
        1800,
    )
    assert "backoffLimit" not in hook_job.job(made, "c-1")["spec"]


def test_no_mesh_puts_a_proxy_beside_a_hook() -> None:
    """Its proxy would run on when the hook has ended, and the Job with it. Movers have the same marks."""
    marks = hook_job.job(run(), "c-1")["spec"]["template"]["metadata"]
    assert run().labels.items() <= marks["labels"].items()
    assert marks["labels"]["kuma.io/sidecar-injection"] == "disabled"
    assert marks["annotations"] == {
        "sidecar.istio.io/inject": "false",
        "linkerd.io/inject": "disabled",
        "consul.hashicorp.com/connect-inject": "false",
    }


def test_both_spellings_are_in_the_environment() -> None:
    (container,) = pod(run())["containers"]
    assert {item["name"]: item["value"] for item in container["env"]} == {
        "MIGRATION_NAMESPACES": "shop:shop-new,web",
        "MIGRATION_PLAN_NAME": "shop",
        "migration_namespaces": "shop:shop-new,web",
        "migplan_name": "shop",
    }


def test_an_image_of_ones_own_is_started_as_it_is() -> None:
    made = run(custom=True, playbook="", activeDeadlineSeconds=60)
    spec = pod(made)
    (container,) = spec["containers"]
    assert "command" not in container
    assert "volumes" not in spec
    assert spec["activeDeadlineSeconds"] == 60
    assert hook_job.config_map(made)["data"] == {}


def test_labels_are_upstreams_and_ours_and_the_job_goes_with_its_config_map() -> None:
    made = run()
    job = hook_job.job(made, "c-1")
    wanted = {
        "app.kubernetes.io/part-of": "openshift-migration",
        "mighook": "h-1",
        "phase": "PreBackup",
        "owner": UID,
        "openmig.io/run": UID,
    }
    for labels in (job["metadata"]["labels"], job["spec"]["template"]["metadata"]["labels"]):
        assert {name: labels.get(name) for name in wanted} == wanted
    assert hook_job.config_map(made)["metadata"]["labels"] == job["metadata"]["labels"]
    (owner,) = job["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == (
        "ConfigMap",
        hook_job.config_map(made)["metadata"]["name"],
        "c-1",
    )


@given(st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", fullmatch=True), st.uuids())
def test_names_are_valid_whatever_the_plan_is_called(name: str, uid: Any) -> None:
    made = run(name, uid=str(uid))
    for found in (made.name, made.stem):
        assert len(found) <= 63
        assert LABEL.fullmatch(found)
    assert made.name.endswith(str(uid)[:8])


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ({}, Verdict("running")),
        ({"active": 1, "failed": 5}, Verdict("running")),
        ({"failed": 6}, Verdict("failed", "6 pods have failed")),
        ({"succeeded": 1, "failed": 2}, Verdict("succeeded")),
        (
            {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}], "succeeded": 1},
            Verdict("failed", "BackoffLimitExceeded"),
        ),
        ({"conditions": [{"type": "Complete", "status": "True"}], "succeeded": 1}, Verdict("succeeded")),
        ({"conditions": [{"type": "FailureTarget", "status": "True"}]}, Verdict("running")),
    ],
)
def test_what_a_status_means(status: dict[str, Any], verdict: Verdict) -> None:
    assert hook_job.judge({"status": status}) == verdict
