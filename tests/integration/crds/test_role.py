# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role installs, repairs, respects and removes definitions, and says truly whether it has changed something."""

from __future__ import annotations

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.crds import crd_manifests
from integration.crds.conftest import CRD, NAMESPACE, Role, definitions, wait_until

PLANS = names.KINDS[names.MIG_PLAN].crd_name
CLUSTERS = names.KINDS[names.MIG_CLUSTER].crd_name


def is_served(definition: dict[str, object]) -> bool:
    status = definition.get("status")
    assert isinstance(status, dict)
    return any(item["type"] == "Established" and item["status"] == "True" for item in status["conditions"])


@pytest.mark.sample
def test_first_checked_then_installed_then_nothing_to_do(bare: Cluster, role: Role) -> None:
    checked = role("--check", "--diff")
    assert checked.code == 0, checked.output
    assert checked.changed > 0
    assert definitions(bare) == {}
    assert bare.get("v1", "Namespace", NAMESPACE) is None

    installed = role()
    assert installed.code == 0, installed.output
    assert installed.changed > 0
    present = definitions(bare)
    assert set(present) == {kind.crd_name for kind in names.KINDS.values()}
    assert all(is_served(item) for item in present.values())
    assert bare.get("v1", "Namespace", NAMESPACE) is not None

    again = role()
    assert (again.code, again.changed) == (0, 0), again.output
    assert "present.yml" not in again.output
    assert definitions(bare) == present


def test_what_is_missing_or_differs_is_mended(bare: Cluster, role: Role) -> None:
    role()
    old = {"metadata": {"labels": {names.DIGEST_LABEL: "old"}}}
    bare.patch(*CRD, PLANS, patch=old)
    stale = bare.get(*CRD, PLANS)
    assert stale is not None
    fields = stale["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    del fields["namespaces"]
    fields["surplus"] = {"type": "string"}
    bare.replace(stale)
    bare.delete(*CRD, CLUSTERS)
    wait_until(lambda: bare.get(*CRD, CLUSTERS) is None)

    mended = role()
    assert mended.code == 0, mended.output
    assert mended.changed > 0
    shipped = {manifest["metadata"]["name"]: manifest for manifest in crd_manifests()}
    present = definitions(bare)
    assert set(present) == set(shipped)
    assert present[PLANS]["spec"]["versions"][0]["schema"] == shipped[PLANS]["spec"]["versions"][0]["schema"]
    assert present[PLANS]["metadata"]["labels"] == shipped[PLANS]["metadata"]["labels"]
    assert role().changed == 0


def test_what_somebody_else_installed_is_left_alone(bare: Cluster, role: Role) -> None:
    (foreign,) = [manifest for manifest in crd_manifests() if manifest["metadata"]["name"] == PLANS]
    foreign["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "somebody"}
    foreign["spec"]["versions"][0]["additionalPrinterColumns"] = []
    bare.create(foreign)

    installed = role()
    assert installed.code == 0, installed.output
    present = definitions(bare)
    assert len(present) == len(names.KINDS)
    assert present[PLANS]["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "somebody"}
    assert "additionalPrinterColumns" not in present[PLANS]["spec"]["versions"][0]
    assert role().changed == 0

    removed = role(crds_state="absent")
    assert removed.code == 0, removed.output
    assert set(definitions(bare)) == {PLANS}


def test_a_host_that_is_not_this_machine_is_asked_with_modules(bare: Cluster, role: Role) -> None:
    # The lookup's answer is overruled, so that the role goes the way that it goes for any other host.
    installed = role(__crds_current=False)
    assert installed.code == 0, installed.output
    assert installed.changed > 0
    again = role(__crds_current=False)
    assert (again.code, again.changed) == (0, 0), again.output
    assert set(definitions(bare)) == {kind.crd_name for kind in names.KINDS.values()}


def test_removal_is_refused_while_resources_exist(bare: Cluster, role: Role) -> None:
    role()
    cluster = {
        "apiVersion": names.API_VERSION,
        "kind": names.MIG_CLUSTER,
        "metadata": {"name": "precious", "namespace": NAMESPACE},
        "spec": {"isHostCluster": True},
    }
    bare.create(cluster)

    refused = role(crds_state="absent")
    assert refused.code != 0
    assert f"MigCluster/{NAMESPACE}/precious" in refused.failure
    assert bare.get(names.API_VERSION, names.MIG_CLUSTER, "precious", NAMESPACE) is not None

    checked = role("--check", crds_state="absent", crds_force=True)
    assert checked.changed > 0
    assert bare.get(names.API_VERSION, names.MIG_CLUSTER, "precious", NAMESPACE) is not None

    forced = role(crds_state="absent", crds_force=True)
    assert forced.code == 0, forced.output
    assert forced.changed > 0
    assert definitions(bare) == {}
    assert bare.get("v1", "Namespace", NAMESPACE) is not None
    assert role(crds_state="absent").changed == 0


def test_a_cluster_that_does_not_answer_is_an_error_of_its_own(bare: Cluster, role: Role) -> None:
    lost = role(crds_kubeconfig={"apiVersion": "v1", "kind": "Config", "current-context": "x", "clusters": [
        {"name": "x", "cluster": {"server": "https://127.0.0.1:1"}}], "users": [{"name": "x", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}]})  # fmt: skip
    assert lost.code != 0
    assert "127.0.0.1" in lost.failure
    assert definitions(bare) == {}
