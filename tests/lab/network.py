# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The bridge on the host and one network namespace per cluster."""

from __future__ import annotations

from pathlib import Path

from lab.command import LabError, run
from lab.paths import Paths
from lab.topology import BRIDGE, CLUSTERS, HOST_IP, PREFIX_LENGTH, Cluster


def up(paths: Paths) -> None:
    """Make bridge, namespaces and cables; expects that none of them exists."""
    run(["ip", "link", "add", BRIDGE, "type", "bridge"])
    run(["ip", "link", "set", BRIDGE, "alias", str(paths.root)])
    run(["ip", "address", "add", f"{HOST_IP}/{PREFIX_LENGTH}", "dev", BRIDGE])
    run(["ip", "link", "set", BRIDGE, "up"])
    for cluster in CLUSTERS.values():
        _connect(cluster)


def _connect(cluster: Cluster) -> None:
    inside = ["ip", "-n", cluster.namespace]
    run(["ip", "netns", "add", cluster.namespace])
    run(["ip", "link", "add", cluster.veth, "type", "veth", "peer", "name", "eth0", "netns", cluster.namespace])
    run(["ip", "link", "set", cluster.veth, "master", BRIDGE, "up"])
    run([*inside, "link", "set", "lo", "up"])
    run([*inside, "address", "add", f"{cluster.ip}/{PREFIX_LENGTH}", "dev", "eth0"])
    run([*inside, "link", "set", "eth0", "up"])
    run([*inside, "route", "add", "default", "via", HOST_IP])
    enter = ["nsenter", f"--net=/run/netns/{cluster.namespace}"]
    run([*enter, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])


def down() -> None:
    """Remove whatever of bridge, namespaces and cables exists."""
    for cluster in CLUSTERS.values():
        if Path("/run/netns", cluster.namespace).exists():
            run(["ip", "netns", "delete", cluster.namespace], check=False)
        if Path("/sys/class/net", cluster.veth).exists():
            run(["ip", "link", "delete", cluster.veth], check=False)
    if Path("/sys/class/net", BRIDGE).exists():
        run(["ip", "link", "delete", BRIDGE])


def refuse_foreign(paths: Paths) -> None:
    """Raise LabError if a lab of another directory is on this machine's bridge."""
    alias = Path("/sys/class/net", BRIDGE, "ifalias")
    owner = alias.read_text(encoding="utf-8").strip() if alias.exists() else ""
    if owner and owner != str(paths.root) and Path(owner).is_dir():
        raise LabError(
            f"the lab of {owner} holds bridge {BRIDGE}; take it down first (OPENMIG_LAB_DIR={owner} python -m lab down)"
        )
