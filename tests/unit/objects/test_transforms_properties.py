# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Properties of every transform, whatever it is given: pure, does not touch its input, and once is enough."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings, strategies as st

from ansible_collections.openmig.mtc.plugins.module_utils.objects import inventory
from ansible_collections.openmig.mtc.plugins.module_utils.objects.context import TransformContext
from ansible_collections.openmig.mtc.plugins.module_utils.objects.manifest import POD_SPECS
from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms import TRANSFORMS, transform

Manifest = dict[str, Any]
CONTEXT = TransformContext(
    namespace_mapping={"shop": "store", "same": "same"},
    migplan_uid="plan",
    migmigration_uid="run",
    claim_mapping={("shop", "files"): "documents"},
    storage_classes={"ssd": "fast"},
)

KINDS = sorted(
    {kind for row in TRANSFORMS for kind in row.kinds or ()} | {("example.org", "Widget"), ("", "ConfigMap")}
)
NAMESPACES = st.sampled_from(["shop", "store", "same", "other"])
TEXTS = st.sampled_from(
    [
        "",
        "a",
        "web.shop.svc",
        "web.store.svc:80",
        "x.shop",
        "shop",
        "same",
        "\u00fc",
        "files",
        "system:serviceaccounts:shop",
    ]
) | st.text(max_size=20)
KEYS = st.sampled_from(
    ["name", "namespace", "spec", "template", "labels", "containers", "env", "value", "data", "host"]
)
SCALARS = st.none() | st.booleans() | st.integers(-2, 70000) | TEXTS
JUNK = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
ANNOTATIONS = st.dictionaries(
    st.sampled_from(
        [
            "kubectl.kubernetes.io/last-applied-configuration",
            "migration.openshift.io/preQuiesceReplicas",
            "migration.openshift.io/preQuiescePaused",
            "migration.openshift.io/preQuiesceNodeSelector",
            "deployment.kubernetes.io/revision",
            "note",
        ]
    ),
    TEXTS | st.sampled_from(['{"metadata":{"namespace":"shop"}}', "3", "true", '{"a":"b"}']),
    max_size=4,
)

ENVIRONMENT = st.lists(st.fixed_dictionaries({"name": st.just("A")}, optional={"value": TEXTS}), max_size=2)
CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": st.just("main")}, optional={"env": ENVIRONMENT, "args": st.lists(TEXTS, max_size=2)}
    ),
    max_size=2,
)
VOLUMES = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["a", "kube-api-access-x2b4z"])},
        optional={
            "persistentVolumeClaim": st.fixed_dictionaries({"claimName": st.sampled_from(["files", "other"])}),
            "projected": st.just({}),
        },
    ),
    max_size=2,
)
POD = st.fixed_dictionaries(
    {"containers": CONTAINERS},
    optional={
        "volumes": VOLUMES,
        "nodeName": st.just("node"),
        "nodeSelector": st.dictionaries(TEXTS, TEXTS, max_size=2),
    },
)
SERVICE = st.fixed_dictionaries(
    {},
    optional={
        "clusterIP": st.sampled_from(["None", "10.0.0.1", ""]),
        "ports": st.lists(st.fixed_dictionaries({"port": st.just(80), "nodePort": st.integers(0, 32000)}), max_size=2),
        "type": st.sampled_from(["ClusterIP", "LoadBalancer"]),
        "externalName": TEXTS,
        "externalIPs": st.just(["192.0.2.1"]),
    },
)
JOB = st.fixed_dictionaries(
    {"template": st.fixed_dictionaries({"spec": POD, "metadata": st.just({"labels": {"controller-uid": "1"}})})},
    optional={"selector": st.just({"matchLabels": {"controller-uid": "1"}}), "manualSelector": st.booleans()},
)

METADATA: dict[str, st.SearchStrategy[Any]] = {
    "uid": st.just("1"),
    "labels": st.dictionaries(KEYS, TEXTS, max_size=2),
    "annotations": ANNOTATIONS,
    "finalizers": st.just(["a"]),
    "ownerReferences": st.just([{"kind": "A", "name": "b", "uid": "c"}]),
    "managedFields": st.just([]),
}


@st.composite
def objects(draw: st.DrawFn) -> Manifest:
    group, kind = draw(st.sampled_from(KINDS))
    metadata: Manifest = {"name": draw(st.sampled_from(["web", "default"])), "namespace": draw(NAMESPACES)}
    metadata |= draw(st.fixed_dictionaries({}, optional=METADATA))
    obj: Manifest = {"apiVersion": f"{group}/v1" if group else "v1", "kind": kind, "metadata": metadata}
    if (group, kind) in POD_SPECS:
        obj["spec"] = {"replicas": draw(st.integers(0, 2))}
        holder = obj
        *way, last = POD_SPECS[group, kind]
        for step in way:
            holder = holder.setdefault(step, {})
        holder[last] = {**(holder.get(last) or {}), **draw(POD)}
        if kind == "Job":
            obj["spec"] = draw(JOB)
    elif kind == "Service":
        obj["spec"] = draw(SERVICE)
    elif kind in ("ConfigMap", "Secret"):
        obj["data"] = draw(st.dictionaries(KEYS, TEXTS, max_size=3))
    elif kind == "Widget":
        obj["spec"] = draw(JUNK)
    return obj


@given(objects())
@settings(max_examples=150, deadline=None)
def test_the_input_is_not_touched(obj: Manifest) -> None:
    before = copy.deepcopy(obj)
    transform(obj, CONTEXT)
    assert obj == before


@given(objects())
@settings(max_examples=150, deadline=None)
def test_once_is_enough(obj: Manifest) -> None:
    once = transform(obj, CONTEXT).object
    if once is not None:
        assert transform(once, CONTEXT).object == once


@given(objects())
@settings(max_examples=150, deadline=None)
def test_what_is_sent_has_nothing_of_the_source(obj: Manifest) -> None:
    result = transform(obj, CONTEXT)
    namespace = obj["metadata"]["namespace"]
    assert (result.object is None) == (namespace == "other")
    if result.object is None:
        return
    assert result.object["metadata"]["namespace"] == {"shop": "store"}.get(namespace, namespace)
    kept = result.object["metadata"].keys()
    assert not kept & {"uid", "resourceVersion", "managedFields", "ownerReferences", "finalizers", "generation"}
    assert "status" not in result.object
    json.dumps(result.object)


@given(objects(), objects())
@settings(max_examples=100, deadline=None)
def test_the_digest_tells_what_is_sent_and_nothing_else(one: Manifest, other: Manifest) -> None:
    first, second = (transform(obj, CONTEXT).object for obj in (one, other))
    if first is None or second is None:
        return
    same = inventory.canonical(first) == inventory.canonical(second)
    assert (inventory.digest(first, key=b"k") == inventory.digest(second, key=b"k")) == same
