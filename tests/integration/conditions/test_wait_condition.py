# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Calls that wait for a condition that they name, where the builtin engine judges: what is stored by somebody else is
blocked, and stays so or is mended while the call waits."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.conditions.tasks import perform, written
from integration.migration.playbooks import Started
from lab import audit
from lab.targets import targets

GOOD = {"custom": True, "image": "runner:1", "targetCluster": "source"}
BAD = {**GOOD, "image": "Runner:1"}
BLOCKED = {"type": "InvalidImage"}
SOON = 3
"""Seconds of a wait that is to come to nothing: time for a second look."""
BOOK = "tests/integration/controller/call.yml"


def store(control: Cluster, namespace: str, kind: str, name: str, spec: dict[str, Any]) -> None:
    metadata = {"name": name, "namespace": namespace}
    control.create({"apiVersion": names.API_VERSION, "kind": kind, "metadata": metadata, "spec": spec})


def started(module: str, namespace: str, **given: Any) -> Started:
    options = {"kubeconfig": str(targets().destination), "namespace": namespace, **given}
    return Started({"call_module": module, "call_options": options}, playbook=BOOK)


def test_what_holds_ends_the_wait_and_what_does_not_fails_in_the_end(control: Cluster, namespace: str) -> None:
    store(control, namespace, names.MIG_HOOK, "bad", BAD)
    hook = {"name": "bad"}
    blocked, other, cleared, reason = perform(
        [
            ("mig_hook", {**hook, "wait_condition": BLOCKED}),
            ("mig_hook", {**hook, "wait_condition": {"type": "Ready"}, "wait_timeout": SOON}),
            ("mig_hook", {**hook, "wait_condition": {"type": "InvalidTarget", "status": False}}),
            ("mig_hook", {**hook, "wait_condition": {**BLOCKED, "reason": "NotFound"}, "wait_timeout": 1}),
        ],
        namespace=namespace,
    )
    assert (blocked["failed"], blocked["changed"]) == (False, True)
    assert blocked["conditions"].keys() == {"InvalidImage"}
    assert other["failed"]
    assert f"MigHook {namespace}/bad: Ready=True does not hold within {SOON} s: InvalidImage: " in other["msg"]
    assert other["conditions"].keys() == {"InvalidImage"}
    assert (cleared["failed"], cleared["changed"]) == (False, False)
    assert "InvalidImage=True, reason NotFound does not hold" in reason["msg"]


def test_somebody_mends_it_meanwhile(control: Cluster, namespace: str) -> None:
    store(control, namespace, names.MIG_HOOK, "mended", BAD)
    running = started("mig_hook", namespace, name="mended", wait_condition={"type": "Ready"}, wait_timeout=60)
    running.wait_for("waits for Ready=True")
    control.patch(names.API_VERSION, names.MIG_HOOK, "mended", namespace, patch={"spec": {"image": "runner:2"}})
    run = running.end()
    assert run.code == 0, run.output
    result = run.result("mig_hook")
    assert result["conditions"].keys() == {"Ready"}
    assert result["resource"]["spec"]["image"] == "runner:2"
    assert len(result["changes"]) == len(set(result["changes"]))


def test_it_is_deleted_meanwhile(control: Cluster, namespace: str) -> None:
    store(control, namespace, names.MIG_HOOK, "gone", BAD)
    running = started("mig_hook", namespace, name="gone", wait_condition={"type": "Ready"}, wait_timeout=60)
    running.wait_for("waits for Ready=True")
    control.delete(names.API_VERSION, names.MIG_HOOK, "gone", namespace)
    run = running.end()
    assert run.code != 0
    assert "it was deleted while its condition was waited for" in run.failure


def test_a_cluster_whose_token_comes_later(control: Cluster, namespace: str) -> None:
    """The host cluster needs no token: somebody says only during the wait that it is the host."""
    spec = {
        "isHostCluster": False,
        "url": "https://api.example.com:6443",
        "serviceAccountSecretRef": {"name": "late", "namespace": namespace},
    }
    store(control, namespace, names.MIG_CLUSTER, "late", spec)
    running = started("mig_cluster", namespace, name="late", wait_condition={"type": "Ready"}, wait_timeout=60)
    running.wait_for("waits for Ready=True")
    control.patch(names.API_VERSION, names.MIG_CLUSTER, "late", namespace, patch={"spec": {"isHostCluster": True}})
    run = running.end()
    assert run.code == 0, run.output
    (known,) = perform(
        [("mig_cluster", {"name": "late", "wait_condition": {"type": "InvalidSaToken", "status": "False"}})],
        namespace=namespace,
    )
    assert (known["failed"], known["changed"]) == (False, False)


def test_a_plan_that_waits_for_its_clusters(control: Cluster, namespace: str) -> None:
    """Blocked, it is stored and told as what was waited for; later it comes to nothing; closed, too."""
    plan = {
        "name": "early",
        "source_cluster": "none",
        "destination_cluster": "none-either",
        "namespaces": ["cond-none"],
    }
    waited = {"type": "InvalidSourceClusterRef", "reason": "NotFound"}
    blocked, again, vain, closed = perform(
        [
            ("mig_plan", {**plan, "wait_condition": waited}),
            ("mig_plan", {**plan, "wait_condition": waited}),
            ("mig_plan", {**plan, "wait_condition": {"type": "Ready"}, "wait_timeout": SOON}),
            ("mig_plan", {"name": "early", "closed": True, "wait_condition": {"type": "Closed"}}),
        ],
        namespace=namespace,
    )
    assert [(result["failed"], result["changed"]) for result in (blocked, again)] == [(False, True), (False, False)]
    assert vain["failed"]
    assert "Ready=True does not hold" in vain["msg"]
    assert "InvalidSourceClusterRef" in vain["msg"]
    assert (closed["failed"], closed["changed"]) == (False, True)


def test_check_mode_looks_once_and_writes_nothing(control: Cluster, namespace: str) -> None:
    store(control, namespace, names.MIG_HOOK, "checked", BAD)
    mark = audit.mark("destination")
    began = time.monotonic()
    calls = [("mig_hook", {"name": "checked", "wait_condition": {"type": name}}) for name in ("InvalidImage", "Ready")]
    found, vain = perform(calls, "--check", namespace=namespace)
    assert time.monotonic() - began < 60
    assert not found["failed"]
    assert "check mode does not wait" in vain["msg"]
    assert written(namespace, mark) == []


def test_what_makes_no_sense_is_refused_at_once(namespace: str) -> None:
    mark = audit.mark("destination")
    results = perform(
        [
            ("mig_hook", {"name": "h", "wait_condition": {"type": "Raedy"}}),
            ("mig_hook", {"name": "h", "wait_condition": {"type": "Ready", "status": "Perhaps"}}),
            ("mig_hook", {"name": "h", "state": "absent", "wait_condition": {"type": "Ready"}}),
            ("mig_cluster", {"name": "c", "wait_condition": {"type": "InvalidImage"}}),
            ("mig_storage", {"name": "s", "wait_condition": {"type": "InvalidImage"}}),
            ("mig_analytic", {"name": "a", "plan": "p", "wait_condition": {"type": "InvalidImage"}}),
            ("mig_plan", {"name": "p", "wait_condition": {"type": "Running"}}),
            ("mig_migration", {"plan": "p", "wait_condition": {"type": "Runing"}}),
            ("mig_migration", {"plan": "p", "wait": False, "wait_condition": {"type": "Running"}}),
            ("mig_migration", {"plan": "p", "wait_condition": {"type": "Running"}}),
            ("direct_volume_migration", {"name": "d", "wait_condition": {"type": "Running"}}),
        ],
        namespace=namespace,
    )
    told = [problem["path"] for result in results for problem in result.get("problems", [])]
    assert [result["failed"] for result in results] == [True] * len(results)
    assert "value of status must be one of: True, False" in results[1]["msg"]
    assert [path for path in told if path.startswith("wait_condition")] == [
        "wait_condition.type",
        "wait_condition",
        *["wait_condition.type"] * 5,
        *["wait_condition"] * 3,
    ]
    assert "stop it with pause_before" in results[9]["msg"]
    assert written(namespace, mark) == []
