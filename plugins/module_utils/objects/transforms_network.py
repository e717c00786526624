# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Transforms of Services, Endpoints, Ingresses, Routes and NetworkPolicies: a cluster gives addresses itself.

What a user asked for by name (a node port) stays; what the source has allocated goes. The user's wish is read from
what ``kubectl apply`` remembers and from managedFields, where a server notes who set a field: allocated ones are not
in it. An object that no server has stored has nothing allocated and is left alone.
"""

from __future__ import annotations

import json
from typing import Any, Final

from .context import Note, Result, TransformContext
from .manifest import (
    LAST_APPLIED,
    Manifest,
    annotations_of,
    from_server,
    group_kind,
    map_items,
    put,
    read,
    without,
)

NAMESPACE_NAME_LABEL: Final = "kubernetes.io/metadata.name"
"""On every namespace, by the server since 1.21: its name."""


def _applied(obj: Manifest) -> Any:
    try:
        return json.loads(annotations_of(obj).get(LAST_APPLIED, "{}"))
    except ValueError:
        return {}


def _set_by_user(obj: Manifest, *path: str) -> bool:
    """Whether somebody has set the field: by ``kubectl apply``, or as a manager that the server names."""
    if read(_applied(obj), *path) is not None:
        return True
    managed = [f"f:{step}" for step in path]
    return any(read(entry, "fieldsV1", *managed) is not None for entry in obj["metadata"].get("managedFields") or ())


def _node_port_set_by_user(obj: Manifest, port: dict[str, Any]) -> bool:
    wanted = port.get("nodePort")
    for applied in read(_applied(obj), "spec", "ports") or ():
        if isinstance(applied, dict) and applied.get("nodePort") == wanted:
            return True
    key = json.dumps({"port": port.get("port"), "protocol": port.get("protocol", "TCP")}, separators=(",", ":"))
    return any(
        read(entry, "fieldsV1", "f:spec", "f:ports", f"k:{key}", "f:nodePort") is not None
        for entry in obj["metadata"].get("managedFields") or ()
    )


def service_addresses(obj: Manifest, _context: TransformContext) -> Result:
    """Drop the cluster IPs (``None`` of a headless Service stays) and with them the address families of one stack."""
    if not from_server(obj):
        return obj, ()
    notes: list[Note] = []
    headless = read(obj, "spec", "clusterIP") == "None"
    if not headless:
        if read(_applied(obj), "spec", "clusterIP"):
            notes.append(Note("dropped", "spec.clusterIP", "the destination allocates its own"))
        obj = without(without(obj, "spec", "clusterIP"), "spec", "clusterIPs")
    if read(obj, "spec", "ipFamilyPolicy") in (None, "SingleStack") and not _set_by_user(obj, "spec", "ipFamilies"):
        obj = without(obj, "spec", "ipFamilies")
    return obj, tuple(notes)


def service_node_ports(obj: Manifest, _context: TransformContext) -> Result:
    """Drop node ports and the health check's, unless the user set them (Velero's rule without preserveNodePorts)."""
    if not from_server(obj):
        return obj, ()
    notes: list[Note] = []

    def port(held: dict[str, Any]) -> dict[str, Any]:
        if not held.get("nodePort"):
            return held
        if _node_port_set_by_user(obj, held):
            notes.append(Note("kept", "spec.ports", f"node port {held['nodePort']} was set by hand"))
            return held
        return {key: value for key, value in held.items() if key != "nodePort"}

    changed: Manifest = map_items(obj, port, "spec", "ports")
    health = read(obj, "spec", "healthCheckNodePort")
    if health:
        if _set_by_user(obj, "spec", "healthCheckNodePort"):
            notes.append(Note("kept", "spec.healthCheckNodePort", f"port {health} was set by hand"))
        else:
            changed = without(changed, "spec", "healthCheckNodePort")
    return changed, tuple(notes)


def node_ports(obj: Manifest) -> list[tuple[str, int]]:
    """The node ports that a Service has, each with its protocol; none of any other kind. The health check's is TCP."""
    if group_kind(obj) != ("", "Service"):
        return []
    found = [(port.get("protocol", "TCP"), port.get("nodePort")) for port in read(obj, "spec", "ports") or ()]
    found.append(("TCP", read(obj, "spec", "healthCheckNodePort")))
    return [(protocol, int(port)) for protocol, port in found if port]


def service_outside(obj: Manifest, _context: TransformContext) -> Result:
    """Addresses outside the cluster: those of a load balancer's Service go (as MTC's plugin does), others are noted."""
    notes: list[Note] = []
    external = read(obj, "spec", "externalIPs")
    if external and read(obj, "spec", "type") == "LoadBalancer":
        obj = without(obj, "spec", "externalIPs")
        notes.append(Note("dropped", "spec.externalIPs", f"{', '.join(external)} of the source's load balancer"))
    elif external:
        notes.append(Note("kept", "spec.externalIPs", f"{', '.join(external)} must reach the destination's nodes"))
    if address := read(obj, "spec", "loadBalancerIP"):
        notes.append(Note("kept", "spec.loadBalancerIP", f"{address} must be free on the destination"))
    return obj, tuple(notes)


def endpoint_addresses(obj: Manifest, _context: TransformContext) -> Result:
    """Hand-made endpoints travel as they are; what they point at is the user's to know."""
    lists = read(obj, "subsets") or read(obj, "endpoints") or []
    if not lists:
        return obj, ()
    return obj, (Note("kept", "", "addresses made by hand must be reachable from the destination"),)


def ingress_hosts(obj: Manifest, _context: TransformContext) -> Result:
    """Hosts stay: who owns the name decides when it leads to the destination."""
    hosts = sorted({rule["host"] for rule in read(obj, "spec", "rules") or () if rule.get("host")})
    notes = [
        Note("kept", "spec.rules", f"host {host} leads to the source until its DNS record changes") for host in hosts
    ]
    if class_name := read(obj, "spec", "ingressClassName"):
        notes.append(Note("kept", "spec.ingressClassName", f"class {class_name} must exist on the destination"))
    return obj, tuple(notes)


def route_host(obj: Manifest, _context: TransformContext) -> Result:
    """A host that the source's router made up goes, one that a user wrote stays (MTC's plugin)."""
    host = read(obj, "spec", "host")
    if not host:
        return obj, ()
    if annotations_of(obj).get("openshift.io/host.generated") == "true":
        return without(obj, "spec", "host"), (
            Note("dropped", "spec.host", f"{host} was generated by the source's router"),
        )
    return obj, (Note("kept", "spec.host", f"host {host} leads to the source until its DNS record changes"),)


def namespace_selector(selector: Any, context: TransformContext) -> Any:
    """A selector of namespaces that says the new names wherever it selects by name."""
    if not isinstance(selector, dict):
        return selector
    selected = read(selector, "matchLabels", NAMESPACE_NAME_LABEL)
    if isinstance(selected, str) and selected in context.renamed:
        selector = put(selector, context.namespace(selected), "matchLabels", NAMESPACE_NAME_LABEL)

    def expression(held: dict[str, Any]) -> dict[str, Any]:
        if held.get("key") != NAMESPACE_NAME_LABEL:
            return held
        return map_items(held, context.namespace, "values")

    return map_items(selector, expression, "matchExpressions")


def network_policy(obj: Manifest, context: TransformContext) -> Result:
    """Peers that are namespaces by name say the new name; ranges of addresses are noted."""
    notes: list[Note] = []
    original = obj
    for direction, side in (("ingress", "from"), ("egress", "to")):
        rules = read(obj, "spec", direction) or ()
        blocks = [read(peer, "ipBlock", "cidr") for rule in rules for peer in rule.get(side) or ()]
        notes += [Note("kept", f"spec.{direction}", f"{cidr} is an address there now") for cidr in blocks if cidr]

    def peer_of_plan(peer: Manifest) -> Manifest:
        selector = peer.get("namespaceSelector")
        return put(peer, namespace_selector(selector, context), "namespaceSelector") if selector else peer

    obj = map_items(obj, lambda rule: map_items(rule, peer_of_plan, "from"), "spec", "ingress")
    obj = map_items(obj, lambda rule: map_items(rule, peer_of_plan, "to"), "spec", "egress")
    if obj is not original:
        notes.append(Note("rewritten", "spec", f"namespaceSelector on {NAMESPACE_NAME_LABEL} says the new namespace"))
    return obj, tuple(notes)
