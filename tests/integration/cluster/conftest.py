# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The source cluster for tests of the cluster room: a connection, a namespace of their own, a relay in front of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from integration.cluster.relay import Relay, relay_to
from lab.targets import targets

Kubeconfig = dict[str, Any]
NewCluster = Callable[..., Cluster]


@pytest.fixture(scope="session")
def kubeconfig_path() -> Path:
    return targets().source


@pytest.fixture
def kubeconfig(kubeconfig_path: Path) -> Kubeconfig:
    """The source's kubeconfig as a dictionary that a test may change."""
    loaded: Kubeconfig = yaml.safe_load(kubeconfig_path.read_text())
    return loaded


@pytest.fixture(scope="session")
def cluster(kubeconfig_path: Path) -> Iterator[Cluster]:
    connected = connect({"kubeconfig": str(kubeconfig_path)}, name="source", environ={})
    yield connected
    connected.close()


@pytest.fixture
def new_cluster(kubeconfig: Kubeconfig) -> Iterator[NewCluster]:
    """Makes connections with options of the test's choice; closes them afterwards."""
    made: list[Cluster] = []

    def make(**options: Any) -> Cluster:
        made.append(connect({"kubeconfig": kubeconfig, **options}, name="source", environ={}))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[str]:
    name = f"cluster-{secrets.token_hex(3)}"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    cluster.delete("v1", "Namespace", name)


@pytest.fixture
def relay(kubeconfig: Kubeconfig) -> Iterator[Relay]:
    """A relay to the source's API server; ``kubeconfig`` and ``new_cluster`` of the same test lead through it."""
    entry = kubeconfig["clusters"][0]["cluster"]
    server = urlsplit(entry["server"])
    with relay_to(server.hostname or "", server.port or 443) as made:
        entry["server"] = f"https://127.0.0.1:{made.port}"
        entry["tls-server-name"] = server.hostname
        yield made
