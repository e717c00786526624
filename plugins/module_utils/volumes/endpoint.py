# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the clients reach a server pod: the Service, and the address and port that they are told.

The certificate proves the server's identity by the run's name, so any address that leads there will do.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any, Final

from ..resources import names
from ..resources.errors import PermanentError, subject_of
from .configuration import TUNNEL_PORT
from .layout import Layout
from .model import TransferOptions

HOST_LABEL: Final = "hostname"
_WORKER: Final = "node-role.kubernetes.io/worker"
_CONTROL_PLANES: Final = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


def service(
    layout: Layout, namespace: str, anchor_uid: str, options: TransferOptions, host: str | None
) -> dict[str, Any]:
    """``host`` is kept as a label, as upstream does for its node ports."""
    labels = {HOST_LABEL: host} if host and _is_label(host) else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": layout.metadata(layout.named("server"), namespace, "server", anchor_uid=anchor_uid, labels=labels),
        "spec": {
            "type": options.endpoint,
            "selector": {names.RUN_LABEL: layout.identity.uid, names.COMPONENT_LABEL: "server"},
            "ports": [{"name": "tunnel", "port": TUNNEL_PORT, "targetPort": TUNNEL_PORT, "protocol": "TCP"}],
        },
    }


def _is_label(text: str) -> bool:
    return len(text) <= 63 and all(character.isalnum() or character in "-._" for character in text)


def address(
    manifest: dict[str, Any], options: TransferOptions, nodes: Sequence[dict[str, Any]] = ()
) -> tuple[str, int]:
    """Address and port for a Service as the server returned it. ``nodes``: those of the destination, if they are known.

    The address that was told before stays as long as a ready node has it: another one would cost every client its pod.
    """
    spec = manifest["spec"]
    if spec.get("type") == "NodePort":
        told = (manifest["metadata"].get("labels") or {}).get(HOST_LABEL)
        stays = told and (not nodes or any(_internal(node) == told and _ready(node) for node in nodes))
        chosen = options.endpoint_address or (told if stays else node_address(nodes) or told)
        if not chosen:
            raise PermanentError(
                subject=subject_of("Service", manifest["metadata"]["name"], manifest["metadata"]["namespace"]),
                attempt="no address for its node port",
                reason="no ready node of the destination has an InternalIP",
                mend="Give the address by which the source's pods reach a node: endpoint_address",
            )
        return chosen, int(spec["ports"][0]["nodePort"])
    return options.endpoint_address or str(spec["clusterIP"]), TUNNEL_PORT


def is_ipv6(manifest: dict[str, Any]) -> bool:
    """Whether pods of this Service listen on IPv6 first."""
    families = manifest["spec"].get("ipFamilies") or []
    if families:
        return str(families[0]) == "IPv6"
    return ":" in str(manifest["spec"].get("clusterIP") or "")


def node_address(nodes: Iterable[dict[str, Any]]) -> str | None:
    """The InternalIP of a ready node, a worker if there is one; always the same for the same nodes (V27)."""
    best: tuple[int, str, str] | None = None
    for node in nodes:
        internal = _internal(node)
        if internal is None or not _ready(node) or (node.get("spec") or {}).get("unschedulable"):
            continue
        labels = node["metadata"].get("labels") or {}
        rank = 0 if _WORKER in labels else 2 if any(label in labels for label in _CONTROL_PLANES) else 1
        candidate = (rank, node["metadata"]["name"], internal)
        best = candidate if best is None else min(best, candidate)
    return best[2] if best else None


def _internal(node: dict[str, Any]) -> str | None:
    addresses = node["status"].get("addresses") or []
    return next((entry["address"] for entry in addresses if entry["type"] == "InternalIP"), None)


def _ready(node: dict[str, Any]) -> bool:
    conditions = node["status"].get("conditions") or []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def certificate_addresses(candidates: Iterable[str]) -> list[str]:
    """Addresses fit for a certificate: IP addresses and names without wildcards."""
    fit = []
    for candidate in dict.fromkeys(candidates):
        try:
            ipaddress.ip_address(candidate)
        except ValueError:
            if not candidate or not _is_label(candidate):
                continue
        fit.append(candidate)
    return fit
