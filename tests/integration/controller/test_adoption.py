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
from lab.targets import targets

READY = {"type": "Ready", "status": "True", "category": "Required", "message": "The cluster is ready."}
DENIED = {
    "type": "SaTokenNotPrivileged",
    "status": "True",
    "category": "Critical",
    "reason": "Unauthorized",
    "message": "The `saToken` has insufficient privileges.",
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
