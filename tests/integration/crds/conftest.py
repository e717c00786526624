# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role on two clusters: installed to stay on the destination, which is the control cluster of all other tests, and
installed, damaged and removed on the source, which needs no definitions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration.playbooks import Run, play
from lab.targets import targets

PLAYBOOK = str(Path(__file__).parent / "role.yml")
CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
NAMESPACE = "crds-role"
Role = Callable[..., Run]


def role_on(kubeconfig: Path, **fixed: Any) -> Role:
    def run(*arguments: str, **variables: Any) -> Run:
        return play({"crds_kubeconfig": str(kubeconfig), **fixed, **variables}, *arguments, playbook=PLAYBOOK)

    return run


def wait_until(done: Callable[[], bool], *, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.2)


def definitions(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """The definitions of MTC's kinds on the cluster, by name."""
    found = cluster.list(*CRD)
    return {item["metadata"]["name"]: item for item in found if item["spec"]["group"] == names.GROUP}


@pytest.fixture(scope="session")
def control() -> Iterator[Cluster]:
    """The destination, with the definitions installed."""
    installed = role_on(targets().destination)()
    assert installed.code == 0, installed.output
    cluster = connect({"kubeconfig": str(targets().destination)}, name="destination", environ={})
    yield cluster
    cluster.close()


@pytest.fixture
def bare() -> Iterator[Cluster]:
    """The source: no definitions before the test, none after it."""
    cluster = connect({"kubeconfig": str(targets().source)}, name="source", environ={})
    assert definitions(cluster) == {}, "these tests remove the source's definitions, so it must not use any"
    yield cluster
    for name in definitions(cluster):
        cluster.delete(*CRD, name)
    cluster.delete("v1", "Namespace", NAMESPACE)
    wait_until(lambda: not definitions(cluster) and cluster.get("v1", "Namespace", NAMESPACE) is None)
    cluster.close()


@pytest.fixture
def role() -> Role:
    """Runs the role against the source."""
    return role_on(targets().source, crds_namespace=NAMESPACE)
