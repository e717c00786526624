# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the account of an adopted cluster may do: what its part needs, no more when that becomes less, and nothing when
it is released. Accounts of its own on a real cluster, each in a namespace of this file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.conditions.conftest import own_namespace
from integration.conditions.tasks import perform, written
from integration.migration.waiting import until
from lab import audit
from lab.targets import targets

RBAC = "rbac.authorization.k8s.io/v1"
WRITE = ("create", "apps", "deployments")
READ = ("list", "", "pods")


@pytest.fixture(scope="module")
def other_namespace(source: Cluster) -> Iterator[str]:
    """For a second account."""
    yield from own_namespace(source, "cond")


def adopting(account: str, *, name: str = "remote", **more: Any) -> tuple[str, dict[str, Any]]:
    remote = {"kubeconfig": str(targets().source)}
    return "mig_cluster", {"name": name, "remote": remote, "service_account_namespace": account, **more}


def may(source: Cluster, account: str, action: tuple[str, str, str]) -> bool:
    return source.allowed(*action, user=f"system:serviceaccount:{account}:migration-controller")


def binding(source: Cluster, rights: str, account: str) -> dict[str, Any] | None:
    return source.get(RBAC, "ClusterRoleBinding", f"openmig-{rights}-{account}")


def role_is_there_when_bound(source: Cluster, rights: str) -> bool:
    """Others may adopt clusters beside this test."""
    role = f"openmig-{rights}"
    bound = any(item["roleRef"]["name"] == role for item in source.list(RBAC, "ClusterRoleBinding"))
    return bound == (source.get(RBAC, "ClusterRole", role) is not None)


def test_rights_that_are_not_chosen_any_more_go(source: Cluster, source_namespace: str, namespace: str) -> None:
    account = source_namespace
    everything, less = adopting(account, rights="destination"), adopting(account, rights="source")
    (first,) = perform([everything], namespace=namespace)
    assert not first["failed"], first
    until(lambda: may(source, account, WRITE), "the account may do everything")
    (foretold,) = perform([less], "--check", namespace=namespace)
    assert may(source, account, WRITE)

    second, again = perform([less, less], namespace=namespace)
    assert f"ClusterRoleBinding openmig-destination-{account} removed" in second["changes"]
    assert second["changes"] == foretold["changes"]
    until(lambda: not may(source, account, WRITE), "the account may do less")
    assert may(source, account, READ)
    assert binding(source, "destination", account) is None
    assert binding(source, "source", account) is not None
    assert (again["changed"], again["changes"]) == (False, [])

    (back,) = perform([everything], namespace=namespace)
    assert f"ClusterRoleBinding openmig-source-{account} removed" in back["changes"]
    (gone,) = perform([adopting(account, state="absent")], namespace=namespace)
    assert gone["changed"]


def test_a_release_takes_all_rights_whatever_the_task_says_and_leaves_others_theirs(
    source: Cluster, source_namespace: str, other_namespace: str, namespace: str
) -> None:
    one, other = source_namespace, other_namespace
    made = perform(
        [
            adopting(one, name="one", rights="destination"),
            adopting(other, name="other", rights="destination"),
        ],
        namespace=namespace,
    )
    assert [result["failed"] for result in made] == [False, False]
    release = adopting(one, name="one", state="absent")
    (foretold,) = perform([release], "--check", namespace=namespace)
    assert binding(source, "destination", one) is not None
    gone, again = perform([release, release], namespace=namespace)
    assert gone["changes"] == foretold["changes"]
    assert binding(source, "destination", one) is None
    assert source.get("v1", "ServiceAccount", "migration-controller", one) is None
    assert (again["changed"], again["changes"]) == (False, [])
    until(lambda: not may(source, one, READ), "the account may do nothing")

    # Two accounts share the role.
    assert source.get(RBAC, "ClusterRole", "openmig-destination") is not None
    assert may(source, other, WRITE)
    (last,) = perform([adopting(other, name="other", state="absent")], namespace=namespace)
    assert f"ClusterRoleBinding openmig-destination-{other} removed" in last["changes"]
    until(lambda: role_is_there_when_bound(source, "destination"), "the role goes with its last binding")


def test_check_mode_lets_both_servers_judge_what_would_be_written(
    source: Cluster, other_namespace: str, control: Cluster, namespace: str
) -> None:
    adoption = adopting(other_namespace, name="judged", rights="source")
    marks = {side: audit.mark(side) for side in ("source", "destination")}
    (foretold,) = perform([adoption], "--check", namespace=namespace)
    assert not foretold["failed"], foretold
    asked = {
        side: {
            (event["verb"], event["objectRef"]["resource"])
            for event in audit.events(side, mark)
            if audit.is_dry_run(event) and _of(event, namespace, other_namespace)
        }
        for side, mark in marks.items()
    }
    assert asked["destination"] == {("create", "migclusters"), ("create", "secrets")}
    assert asked["source"] >= {("create", "serviceaccounts"), ("create", "clusterrolebindings")}
    assert written(namespace, marks["destination"]) == []
    (done,) = perform([adoption], namespace=namespace)
    assert done["changes"] == foretold["changes"]

    mark = audit.mark("destination")
    (changed,) = perform([(adoption[0], {**adoption[1], "restart_restic": True})], "--check", namespace=namespace)
    assert changed["changes"] == [f"MigCluster {namespace}/judged changed"]
    dry = [event for event in audit.events("destination", mark) if audit.is_dry_run(event) and _of(event, namespace)]
    assert [(event["verb"], event["objectRef"]["resource"]) for event in dry] == [("update", "migclusters")]
    stored = control.get(names.API_VERSION, names.MIG_CLUSTER, "judged", namespace) or {}
    assert "restartRestic" not in stored["spec"]
    (gone,) = perform([adopting(other_namespace, name="judged", state="absent")], namespace=namespace)
    assert not gone["failed"], gone


def _of(event: dict[str, Any], *namespaces: str) -> bool:
    """Whether it is about these namespaces, be it by the name of what lives in none."""
    about = event.get("objectRef") or {}
    return about.get("namespace") in namespaces or str(about.get("name", "")).endswith(namespaces)
