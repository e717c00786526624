# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of Services in text: certain ones are rewritten, the others are told about."""

from __future__ import annotations

import base64
import time
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms import transform
from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms_names import rewritten, uncertain
from unit.objects.manifests import CONTEXT, deployment, live, notes, pod_spec, sent

Manifest = dict[str, Any]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web.shop.svc", "web.store.svc"),
        ("http://web.shop.svc:80/a", "http://web.store.svc:80/a"),
        ("postgres://u:p@db.shop.svc.cluster.local:5432/x", "postgres://u:p@db.store.svc.cluster.local:5432/x"),
        ("web.shop.svc.cluster.local.", "web.store.svc.cluster.local."),
        ("web.shop.svc.", "web.store.svc."),
        ("_http._tcp.web.shop.svc", "_http._tcp.web.store.svc"),
        ("db-0.db.shop.svc", "db-0.db.store.svc"),
        ("a,.shop.svc.cluster.local,*.shop.svc", "a,.store.svc.cluster.local,*.store.svc"),
        ('{"a": "web.shop.svc", "b": ["x.shop.svc"]}', '{"a": "web.store.svc", "b": ["x.store.svc"]}'),
        ("x.same.svc", "x.same.svc"),
        ("web.workshop.svc", "web.workshop.svc"),
        ("web.shop.svc2", "web.shop.svc2"),
        ("web.shop.svc.example.org", "web.shop.svc.example.org"),
        ("web.shop.svc-x", "web.shop.svc-x"),
        ("shop.svc", "shop.svc"),
        ("svc.shop.example.org", "svc.shop.example.org"),
        ("shop", "shop"),
        ("", ""),
        (".svc", ".svc"),
    ],
)
def test_only_what_is_certain_is_rewritten(text: str, expected: str) -> None:
    assert rewritten(text, CONTEXT)[0] == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("web.shop", ["web.shop"]),
        ("http://web.shop:80/", ["web.shop"]),
        ("shop", ["shop"]),
        (" shop\n", ["shop"]),
        ("www.example.shop", []),
        ("the shop is open", []),
        ("Web.shop", []),
        ("web.shop.svc", []),
        ("web.same", []),
        ("web.same.svc.corp.local", []),
        ("shop.other.svc", []),
        ("pg://u:p@db.shop:5432/x", ["db.shop"]),
        ("web.shop.svc.corp.local", ["web.shop.svc.corp.local"]),
        ("localhost,.cluster.local,shop.svc.cluster.local", ["shop.svc.cluster.local"]),
        ("shop.svc", ["shop.svc"]),
        ("workshop.svc", []),
    ],
)
def test_what_is_not_certain_is_found(text: str, found: list[str]) -> None:
    assert uncertain(text, CONTEXT) == found


def test_known_services_make_it_surer() -> None:
    context = replace(CONTEXT, services=frozenset({("shop", "web")}))
    assert uncertain("web.shop a.shop", context) == ["web.shop"]
    assert uncertain("call web.shop.", context) == ["web.shop"]


def test_a_pod_of_a_known_service_is_found() -> None:
    """A StatefulSet's pods are known below its headless Service."""
    context = replace(CONTEXT, services=frozenset({("shop", "mysql")}))
    assert uncertain("mysql://mysql-0.mysql.shop:3306,mysql-1.mysql.shop", context) == [
        "mysql-0.mysql.shop",
        "mysql-1.mysql.shop",
    ]
    assert uncertain("www.example.shop mysql-0.shop mysql.shop.other.svc", context) == []


def test_how_a_pod_resolves_names_is_looked_at() -> None:
    pod = pod_spec(
        dnsConfig={"searches": ["shop.svc.cluster.local", "example.org"], "nameservers": ["10.0.0.1"]},
        hostAliases=[{"ip": "10.1.1.1", "hostnames": ["db.shop", "db.shop.svc"]}],
    )
    result = transform(deployment(pod=pod), CONTEXT)
    assert result.object is not None
    sent_pod = result.object["spec"]["template"]["spec"]
    assert sent_pod["dnsConfig"] == pod["dnsConfig"]
    assert sent_pod["hostAliases"] == [{"ip": "10.1.1.1", "hostnames": ["db.shop", "db.store.svc"]}]
    path = "spec.template.spec"
    assert notes(result) == [
        f"{path}.hostAliases[0].hostnames[0]: left: db.shop may mean the namespace that gets another name",
        f"{path}.hostAliases[0].hostnames[1]: rewritten: db.shop.svc is db.store.svc there",
        f"{path}.dnsConfig.searches[0]: left: shop.svc.cluster.local may mean the namespace that gets another name",
    ]


@pytest.mark.parametrize("kind", ["Role", "ClusterRole"])
def test_rights_on_a_namespace_by_name_are_told(kind: str) -> None:
    rules = [
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["shop"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods", "namespaces"], "resourceNames": ["same", "shop"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["namespaces/finalize"], "resourceNames": ["shop"], "verbs": ["update"]},
        {"nonResourceURLs": ["/shop"], "verbs": ["get"]},
    ]
    result = transform(live("rbac.authorization.k8s.io/v1", kind, rules=rules), CONTEXT)
    assert result.object is not None
    assert result.object["rules"] == rules
    assert notes(result) == [
        "rules[1].resourceNames: left: namespace shop gets another name",
        "rules[2].resourceNames: left: namespace shop gets another name",
    ]


def test_containers_follow() -> None:
    def container(namespace: str) -> Manifest:
        host = f"web.{namespace}.svc"
        return {
            "name": "main",
            "image": "registry.shop.svc:5000/app",
            "args": [f"--url=http://{host}/"],
            "command": ["run", host],
            "env": [{"name": "URL", "value": host}, {"name": "REF", "valueFrom": {}}, {"name": "EMPTY"}],
            "livenessProbe": {"httpGet": {"host": host, "port": 80}},
            "lifecycle": {"preStop": {"exec": {"command": ["call", host]}}},
        }

    pod = {"initContainers": [container("shop")], "containers": [container("shop")]}
    result = transform(deployment(pod=pod), CONTEXT)
    assert result.object is not None
    assert result.object["spec"]["template"]["spec"] == {
        "initContainers": [container("store")],
        "containers": [container("store")],
    }
    assert "spec.template.spec.containers[0].env[URL]: rewritten: web.shop.svc is web.store.svc there" in notes(result)
    assert len(result.notes) == 10


def test_a_config_map_follows_and_tells() -> None:
    obj = live(
        "v1",
        "ConfigMap",
        data={"app.conf": "host web.shop.svc;\nhost web.shop.svc;\npeer cache.shop:1;", "namespace": "shop"},
        binaryData={"raw": "d2ViLnNob3Auc3Zj"},
    )
    result = transform(obj, CONTEXT)
    assert result.object is not None
    assert result.object["data"] == {
        "app.conf": "host web.store.svc;\nhost web.store.svc;\npeer cache.shop:1;",
        "namespace": "shop",
    }
    assert result.object["binaryData"] == obj["binaryData"]
    assert notes(result) == [
        'data["app.conf"]: rewritten: web.shop.svc is web.store.svc there',
        'data["app.conf"]: left: cache.shop may mean the namespace that gets another name',
        "data.namespace: left: shop may mean the namespace that gets another name",
    ]


def test_a_secret_is_never_rewritten_and_never_told() -> None:
    data = {
        "url": base64.b64encode(b"postgres://user:hunter2@db.shop.svc").decode(),
        "binary": base64.b64encode(b"\xff\xfe.shop.svc").decode(),
        "odd": "no base64",
        "other": base64.b64encode(b"nothing").decode(),
        "dsn": base64.b64encode(b"pg://user:hunter2@db.shop:5432/x").decode(),
        "namespace": base64.b64encode(b"shop").decode(),
    }
    result = transform(live("v1", "Secret", data=data), CONTEXT)
    assert result.object is not None
    assert result.object["data"] == data
    assert notes(result) == [
        "data.dsn: left: may hold the name of a namespace that gets another, or of a Service in it",
        "data.namespace: left: may hold the name of a namespace that gets another, or of a Service in it",
        "data.url: left: holds the name of a Service in a namespace that gets another",
    ]


def test_annotations_and_custom_resources_are_told() -> None:
    obj = live(
        "example.org/v1",
        "Widget",
        metadata={
            "annotations": {
                "example.org/peer": "http://web.shop:80",
                "example.org/url": "web.shop.svc",
                "meta.helm.sh/release-name": "shop",
                "meta.helm.sh/release-namespace": "shop",
            }
        },
        spec={
            "targetNamespace": "shop",
            "namespaces": ["shop", "x"],
            "ns": "shop",
            "title": "the shop",
            "host": "web.shop.svc",
            "peer": "http://web.shop",
        },
        status={"namespace": "shop"},
    )
    result = transform(obj, CONTEXT)
    assert result.object is not None
    assert result.object["spec"] == obj["spec"]
    guess = "may mean the namespace that gets another name"
    assert sorted(notes(result)) == [
        f'metadata.annotations["example.org/peer"]: left: web.shop {guess}',
        'metadata.annotations["example.org/url"]: left: web.shop.svc gets another namespace',
        f'metadata.annotations["meta.helm.sh/release-namespace"]: left: shop {guess}',
        "spec.host: left: web.shop.svc gets another namespace",
        "spec.namespaces[0]: left: namespace shop gets another name",
        f"spec.ns: left: shop {guess}",
        f"spec.peer: left: web.shop {guess}",
        "spec.targetNamespace: left: namespace shop gets another name",
    ]


def test_without_renaming_nothing_is_looked_at() -> None:
    context = replace(CONTEXT, namespace_mapping={"shop": "shop"})
    obj = live("v1", "ConfigMap", data={"a": "web.shop.svc shop web.shop"})
    assert sent(obj, context)["data"] == obj["data"]
    assert transform(obj, context).notes == ()


def test_a_large_text_takes_no_time() -> None:
    """A megabyte without a blank, which a careless pattern would try from every letter."""
    begun = time.perf_counter()
    rewritten("a" * 1_000_000 + ".svc", CONTEXT)
    uncertain("a" * 1_000_000 + ".shop-", CONTEXT)
    assert time.perf_counter() - begun < 5
