# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which clusters there are, where they live on the network, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

BRIDGE = "omlab0"
HOST_IP = "10.77.0.1"
PREFIX_LENGTH = 24
DNS_DOMAIN = "cluster.local"
API_PORT = 6443
COMPACTION_SECONDS = 30
S3_PORT = 8333
S3_PROXY_PORT = 18333
FAULTS_PORT = 18474


@dataclass(frozen=True)
class Cluster:
    """One single-node cluster: its address, its ranges, its storage classes."""

    name: str
    ip: str
    pods: str
    services: str
    api_proxy_port: int
    default_class: str
    other_class: str
    block_class: str
    default_waits: bool
    """Whether the default class binds a claim only when a pod uses it, and the other one at once; else the reverse."""

    @property
    def node(self) -> str:
        """Name of the only node."""
        return f"{self.name}-node"

    @property
    def namespace(self) -> str:
        """Name of the network namespace."""
        return f"omlab-{self.name}"

    @property
    def veth(self) -> str:
        """Name of the bridge's end of the cable (at most 15 characters)."""
        return f"omlab-{self.name}"[:15]

    @property
    def cgroup(self) -> str:
        """Cgroup below which the node's pods run."""
        return f"/omlab-{self.name}"

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://{self.ip}:{API_PORT}"

    @property
    def proxied_server(self) -> str:
        """URL of the API server through the fault proxy."""
        return f"https://{HOST_IP}:{self.api_proxy_port}"

    @property
    def api_service_ip(self) -> str:
        """First address of the service range, which the `kubernetes` service takes."""
        return self.services.split("/", maxsplit=1)[0].removesuffix(".0") + ".1"


SOURCE = Cluster(
    name="source",
    ip="10.77.0.2",
    pods="10.81.0.0/16",
    services="10.82.0.0/16",
    api_proxy_port=16442,
    default_class="source-ssd",
    other_class="source-hdd",
    block_class="source-block",
    default_waits=True,
)
DESTINATION = Cluster(
    name="destination",
    ip="10.77.0.3",
    pods="10.83.0.0/16",
    services="10.84.0.0/16",
    api_proxy_port=16443,
    default_class="destination-fast",
    other_class="destination-slow",
    block_class="destination-block",
    default_waits=False,
)
CLUSTERS: Mapping[str, Cluster] = MappingProxyType({each.name: each for each in (SOURCE, DESTINATION)})


def cluster(name: str) -> Cluster:
    """Return the cluster of that name; raises ValueError that lists the names there are."""
    try:
        return CLUSTERS[name]
    except KeyError:
        raise ValueError(f"no cluster is called {name!r}; there are: {', '.join(CLUSTERS)}") from None
