# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Addresses: what the source allocated goes, what the user asked for stays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms import transform
from unit.objects.manifests import CONTEXT, live, notes, sent

Manifest = dict[str, Any]
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def service(*, metadata: Manifest | None = None, **spec: Any) -> Manifest:
    return live("v1", "Service", metadata=metadata, spec={"selector": {"app": "web"}, **spec})


def test_allocated_addresses_go() -> None:
    spec = sent(
        service(
            type="LoadBalancer",
            clusterIP="10.96.0.7",
            clusterIPs=["10.96.0.7"],
            ipFamilies=["IPv4"],
            ipFamilyPolicy="SingleStack",
            healthCheckNodePort=31000,
            ports=[{"port": 80, "nodePort": 30080}],
        )
    )["spec"]
    assert spec == {
        "selector": {"app": "web"},
        "type": "LoadBalancer",
        "ipFamilyPolicy": "SingleStack",
        "ports": [{"port": 80}],
    }


def test_headless_stays_headless() -> None:
    spec = sent(service(clusterIP="None", clusterIPs=["None"], ipFamilies=["IPv4"]))["spec"]
    assert spec == {"selector": {"app": "web"}, "clusterIP": "None", "clusterIPs": ["None"]}


def test_two_stacks_stay_two() -> None:
    spec = sent(service(clusterIP="1", ipFamilies=["IPv4", "IPv6"], ipFamilyPolicy="RequireDualStack"))["spec"]
    assert spec["ipFamilies"] == ["IPv4", "IPv6"]


def managed(*path: str) -> Manifest:
    fields: Manifest = {}
    for step in reversed(path):
        fields = {step: fields}
    return {"managedFields": [{"manager": "kubectl-create", "fieldsV1": fields}]}


def applied(**spec: Any) -> Manifest:
    return {"annotations": {LAST_APPLIED: json.dumps({"spec": spec})}}


@pytest.mark.parametrize(
    ("metadata", "kept"),
    [
        ({}, False),
        (applied(ports=[{"port": 80, "nodePort": 30080}]), True),
        (applied(ports=[{"port": 80, "nodePort": 30081}]), False),
        (applied(ports=[{"port": 80}]), False),
        (applied(ports=["odd"]), False),
        ({"annotations": {LAST_APPLIED: "no JSON"}}, False),
        (managed("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:nodePort"), True),
        (managed("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:port"), False),
        (managed("f:spec", "f:ports", 'k:{"port":81,"protocol":"TCP"}', "f:nodePort"), False),
    ],
)
def test_a_node_port_stays_if_the_user_set_it(metadata: Manifest, kept: bool) -> None:
    obj = service(metadata=metadata, type="NodePort", ports=[{"port": 80, "protocol": "TCP", "nodePort": 30080}])
    result = transform(obj, CONTEXT)
    assert result.object is not None
    assert ("nodePort" in result.object["spec"]["ports"][0]) is kept
    assert any("30080 was set by hand" in note for note in notes(result)) is kept


@pytest.mark.parametrize(
    ("metadata", "kept"),
    [({}, False), (applied(healthCheckNodePort=31000), True), (managed("f:spec", "f:healthCheckNodePort"), True)],
)
def test_a_health_check_port_stays_if_the_user_set_it(metadata: Manifest, kept: bool) -> None:
    obj = service(metadata=metadata, type="LoadBalancer", healthCheckNodePort=31000)
    assert ("healthCheckNodePort" in sent(obj)["spec"]) is kept


def test_a_chosen_cluster_ip_goes_and_is_told() -> None:
    result = transform(service(metadata=applied(clusterIP="10.0.0.5"), clusterIP="10.0.0.5"), CONTEXT)
    assert result.object is not None
    assert "clusterIP" not in result.object["spec"]
    assert notes(result) == ["spec.clusterIP: dropped: the destination allocates its own"]


def test_what_no_server_has_stored_has_nothing_allocated() -> None:
    obj = service(clusterIP="10.0.0.5", ports=[{"port": 80, "nodePort": 30080}])
    del obj["metadata"]["uid"]
    spec = sent(obj)["spec"]
    assert spec["clusterIP"] == "10.0.0.5"
    assert spec["ports"] == [{"port": 80, "nodePort": 30080}]


def test_external_addresses() -> None:
    result = transform(service(type="LoadBalancer", externalIPs=["192.0.2.1"], loadBalancerIP="192.0.2.2"), CONTEXT)
    assert result.object is not None
    assert "externalIPs" not in result.object["spec"]
    assert result.object["spec"]["loadBalancerIP"] == "192.0.2.2"
    assert [note.kind for note in result.notes] == ["dropped", "kept"]
    other = transform(service(type="ClusterIP", externalIPs=["192.0.2.1"]), CONTEXT)
    assert other.object is not None
    assert other.object["spec"]["externalIPs"] == ["192.0.2.1"]
    assert [note.kind for note in other.notes] == ["kept"]


def test_an_external_name_follows() -> None:
    obj = live("v1", "Service", spec={"type": "ExternalName", "externalName": "db.shop.svc.cluster.local"})
    assert sent(obj)["spec"]["externalName"] == "db.store.svc.cluster.local"


def test_an_ingress_keeps_its_host_and_says_so() -> None:
    obj = live(
        "networking.k8s.io/v1", "Ingress", spec={"ingressClassName": "nginx", "rules": [{"host": "a.example"}, {}]}
    )
    result = transform(obj, CONTEXT)
    assert result.object is not None
    assert result.object["spec"] == obj["spec"]
    assert notes(result) == [
        "spec.rules: kept: host a.example leads to the source until its DNS record changes",
        "spec.ingressClassName: kept: class nginx must exist on the destination",
    ]


def test_a_route_loses_only_a_generated_host() -> None:
    spec = {"host": "web-shop.apps.example", "to": {"kind": "Service", "name": "web"}}
    generated = {"annotations": {"openshift.io/host.generated": "true"}}
    assert "host" not in sent(live("route.openshift.io/v1", "Route", metadata=generated, spec=spec))["spec"]
    assert sent(live("route.openshift.io/v1", "Route", spec=spec))["spec"] == spec


def test_a_network_policy_lets_the_same_namespaces_in() -> None:
    def peers(namespace: str) -> list[Manifest]:
        return [
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}, "podSelector": {}},
            {
                "namespaceSelector": {
                    "matchExpressions": [
                        {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace, "other"]},
                        {"key": "team", "operator": "In", "values": ["shop"]},
                    ]
                }
            },
            {"namespaceSelector": {}},
            {"ipBlock": {"cidr": "10.0.0.0/8"}},
        ]

    obj = live(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        spec={"podSelector": {}, "ingress": [{"from": peers("shop")}, {}], "egress": [{"to": peers("shop")}]},
    )
    result = transform(obj, CONTEXT)
    assert result.object is not None
    assert result.object["spec"] == {
        "podSelector": {},
        "ingress": [{"from": peers("store")}, {}],
        "egress": [{"to": peers("store")}],
    }
    assert [note.kind for note in result.notes] == ["kept", "kept", "rewritten"]


def test_endpoints_made_by_hand_are_told() -> None:
    subsets = [{"addresses": [{"ip": "192.0.2.1"}]}]
    result = transform(live("v1", "Endpoints", subsets=subsets), CONTEXT)
    assert result.object is not None
    assert result.object["subsets"] == subsets
    assert notes(result) == ["kept: addresses made by hand must be reachable from the destination"]
    assert transform(live("v1", "Endpoints"), CONTEXT).notes == ()
