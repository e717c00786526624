# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How the pods of a cluster get their network."""

from __future__ import annotations

import json
from pathlib import Path

from lab.topology import Cluster


def network(cluster: Cluster) -> str:
    """Return the name of the cluster's pod network."""
    return f"omlab-{cluster.name}"


def configure(directory: Path, cluster: Cluster) -> None:
    """Write the network configuration into a containerd's directory."""
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(directory / "addresses"),
            "ranges": [[{"subnet": cluster.pods}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    content = {
        "cniVersion": "0.4.0",
        "name": network(cluster),
        "plugins": [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}],
    }
    target = directory / "cni"
    target.mkdir(parents=True, exist_ok=True)
    (target / "10-lab.conflist").write_text(json.dumps(content, indent=1), encoding="utf-8")
