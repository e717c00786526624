# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two real clusters, the resources' definitions on the destination, and for each file a namespace of its own there."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from integration.crds.conftest import role_on
from lab.targets import targets

GONE_WITHIN = 60


@pytest.fixture(scope="session")
def control() -> Iterator[Cluster]:
    """The destination, with the definitions installed."""
    installed = role_on(targets().destination)()
    assert installed.code == 0, installed.output
    connected = connect({"kubeconfig": str(targets().destination)}, name="destination", environ={})
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def source() -> Iterator[Cluster]:
    connected = connect({"kubeconfig": str(targets().source)}, name="source", environ={})
    yield connected
    connected.close()


def own_namespace(cluster: Cluster, prefix: str) -> Iterator[str]:
    name = f"{prefix}-{secrets.token_hex(3)}"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    cluster.delete("v1", "Namespace", name)
    until = time.monotonic() + GONE_WITHIN
    while cluster.get("v1", "Namespace", name) is not None:
        assert time.monotonic() < until, f"Namespace {name} does not go"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def namespace(control: Cluster) -> Iterator[str]:
    """Where the resources of one file's tests live."""
    yield from own_namespace(control, "cond")


@pytest.fixture(scope="module")
def source_namespace(source: Cluster) -> Iterator[str]:
    """What one file's tests would migrate."""
    yield from own_namespace(source, "cond")
