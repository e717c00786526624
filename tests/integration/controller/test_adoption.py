# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""mig_cluster where MTC reconciles: the account, its rights and its token as MTC's controller wants them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect, connect_with_token
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.controller.conftest import Play, call, until
from integration.controller.test_made_sequences import CLUSTERS
from lab.targets import targets

READY = {"type": "Ready", "status": "True", "category": "Required", "message": "The cluster is ready."}
DENIED = {
    "type": "SaTokenNotPrivileged",
    "status": "True",
    "category": "Critical",
    "reason": "Unauthorized",
    "message": "The `saToken` has insufficient privileges.",
}
OLDER = {
    "type": "OperatorVersionMismatch",
    "status": "True",
    "category": "Warn",
    "message": "The operator is older.",
}
BINDING = ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", f"openmig-controller-{names.CONTROLLER_NAMESPACE}")
ROLE = ("rbac.authorization.k8s.io/v1", "ClusterRole", "openmig-controller")


@pytest.fixture
def source() -> Iterator[Cluster]:
    """The remote cluster, without MTC; what adopting made there is removed."""
    cluster = connect({"kubeconfig": str(targets().source)}, name="source", environ={})
    yield cluster
    cluster.delete(*BINDING)
    cluster.delete(*ROLE)
    cluster.delete("v1", "Namespace", names.CONTROLLER_NAMESPACE)
    until(lambda: cluster.get("v1", "Namespace", names.CONTROLLER_NAMESPACE) is None, what="the remote namespace")
    cluster.close()


def adopt(**more: Any) -> dict[str, Any]:
    return {"name": "src", "remote": {"kubeconfig": str(targets().source)}, **more}


def test_a_cluster_is_adopted_with_what_mtc_demands(source: Cluster, clean: Cluster, controller: Play) -> None:
    with controller(passes={names.MIG_CLUSTER: [[{"after": 0.3, "conditions": [READY]}]]}):
        foretold = call("mig_cluster", "--check", **adopt())
        assert (foretold.code, foretold.changed) == (0, 1), foretold.output
        assert clean.get("v1", "Secret", "src-token", names.CONFIG_NAMESPACE) is None
        run = call("mig_cluster", **adopt())
        assert run.code == 0, run.output
        spec = run.result("mig_cluster")["resource"]["spec"]
        assert spec["serviceAccountSecretRef"] == {"name": "src-token", "namespace": names.CONFIG_NAMESPACE}
        secret = clean.get("v1", "Secret", "src-token", names.CONFIG_NAMESPACE)
        assert secret is not None
        token = base64.b64decode(secret["data"]["saToken"]).decode()
        assert token not in run.output
        account = connect_with_token(url=source.server, token=token, ca_data=source.authorities(), name="account")
        for group in (names.GROUP, "velero.io"):
            assert account.allowed("*", group, "*"), group
        account.close()
        again = call("mig_cluster", **adopt())
        assert (again.code, again.changed) == (0, 0), again.output
        gone = call("mig_cluster", **adopt(state="absent"))
        assert gone.code == 0, gone.output
    assert clean.get("v1", "Secret", "src-token", names.CONFIG_NAMESPACE) is None
    assert source.get(*BINDING) is None


def test_what_the_controller_finds_wrong_is_told(source: Cluster, clean: Cluster, controller: Play) -> None:
    with controller(passes={names.MIG_CLUSTER: [[{"after": 0.3, "conditions": [DENIED]}]]}):
        run = call("mig_cluster", **adopt())
    assert run.code != 0
    assert "SaTokenNotPrivileged: The `saToken` has insufficient privileges" in run.failure
    assert run.result("mig_cluster")["conditions"]["SaTokenNotPrivileged"]["reason"] == "Unauthorized"


def test_a_warning_of_the_controller_is_shown_and_a_refresh_asks_it_again(clean: Cluster, controller: Play) -> None:
    """MTC warns of an operator of another version; the pass that the refresh causes finds one."""
    passes = [[{"after": 0.3, "conditions": found}] for found in ([READY], [OLDER, READY])]
    with controller(passes={names.MIG_CLUSTER: passes}):
        first = call("mig_cluster", name="host", is_host_cluster=True)
        assert (first.code, first.changed) == (0, 1), first.output
        again = call("mig_cluster", name="host", is_host_cluster=True)
        assert (again.code, again.changed) == (0, 0), again.output
        asked = call("mig_cluster", name="host", is_host_cluster=True, refresh=True)
    assert asked.code == 0, asked.output
    assert "OperatorVersionMismatch: The operator is older" in " ".join(asked.result("mig_cluster")["warnings"])
    assert asked.result("mig_cluster")["changes"] == [f"MigCluster {names.CONTROLLER_NAMESPACE}/host has a new status"]


def test_what_was_made_is_told_when_nobody_judges_it(clean: Cluster) -> None:
    """The stand-in for the controller runs and does nothing."""
    run = call("mig_cluster", name="host", is_host_cluster=True, wait_timeout=2)
    assert run.code != 0
    assert "it was not judged within 2 s" in run.failure
    result = run.result("mig_cluster")
    assert (result["changed"], result["conditions"]) == (True, {})
    assert result["changes"] == [f"MigCluster {names.CONTROLLER_NAMESPACE}/host created"]
    assert result["resource"]["metadata"]["name"] == "host"
    plan = call("mig_plan", name="shop", **CLUSTERS, wait_timeout=2)
    told = plan.result("mig_plan")
    assert (plan.code != 0, told["changed"], told["engine"]) == (True, True, "controller")
    assert told["resource"]["spec"]["namespaces"] == ["shop"]
    changed = call("mig_plan", "--check", name="shop", namespaces=["shop", "more"])
    assert (changed.code, changed.changed) == (0, 1), changed.output


def test_the_operator_s_own_cluster_is_left_as_it_is(clean: Cluster) -> None:
    made = clean.create(
        {
            "apiVersion": names.API_VERSION,
            "kind": names.MIG_CLUSTER,
            "metadata": {"name": "host", "namespace": names.CONTROLLER_NAMESPACE},
            "spec": {"isHostCluster": True},
            "status": {"conditions": [{**READY, "lastTransitionTime": "2026-11-21T16:05:50Z"}]},
        }
    )
    run = call("mig_cluster", name="host", is_host_cluster=True)
    assert (run.code, run.changed) == (0, 0), run.output
    found = clean.get(names.API_VERSION, names.MIG_CLUSTER, "host", names.CONTROLLER_NAMESPACE)
    assert found is not None
    assert found["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
