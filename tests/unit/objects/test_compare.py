# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What counts as a difference, after a creation and of what was there before."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from ansible_collections.openmig.mtc.plugins.module_utils.objects.compare import content_differences, differences
from unit.objects.manifests import RUN_LABELS

Manifest = dict[str, Any]


def spec(**fields: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": fields}


@pytest.mark.parametrize(
    ("sent", "live"),
    [
        (spec(a=1), spec(a=1, default=2)),
        (spec(a=None, b="", c=[], d={}), spec()),
        (spec(cpu="1000m"), spec(cpu="1")),
        (spec(cpu="0.5"), spec(cpu="500m")),
        (spec(memory="1024Mi"), spec(memory="1Gi")),
        (spec(memory="1e3"), spec(memory="1k")),
        (spec(memory="5."), spec(memory=5)),
        (spec(port="80"), spec(port=80)),
        (spec(items=[{"name": "a"}]), spec(items=[{"name": "a", "protocol": "TCP"}])),
        (spec(mounts=[{"name": "a"}]), spec(mounts=[{"name": "token"}, {"name": "a"}, {"name": "b"}])),
        (spec(tolerations=[{"key": "a"}]), spec(tolerations=[{"key": "a"}, {"key": "b"}])),
        (spec(names=["a", "b"]), spec(names=["x", "a", "b"])),
        (spec(a={"b": {"c": 1}}), spec(a={"b": {"c": 1, "d": 2}, "e": 3})),
    ],
)
def test_no_difference(sent: Manifest, live: Manifest) -> None:
    assert differences(sent, live) == []


@pytest.mark.parametrize(
    ("sent", "live", "told"),
    [
        (spec(a=1), spec(a=2), "spec.a (sent 1, is 2)"),
        (spec(a=True), spec(a=False), "spec.a (sent true, is false)"),
        (spec(a=1), spec(a=True), "spec.a (sent 1, is true)"),
        (spec(a=0), spec(), "spec.a (missing)"),
        (spec(a=False), spec(), "spec.a (missing)"),
        (spec(a="x"), spec(a="y"), "spec.a (another value)"),
        (spec(a="100m"), spec(a="200m"), "spec.a (another value)"),
        (spec(a="1Gi"), spec(a="1G"), "spec.a (another value)"),
        (spec(a="x"), spec(a=None), "spec.a (missing)"),
        (spec(a={"b": 1}), spec(a="b"), "spec.a (another value)"),
        (spec(a={"b.c/d": 1}), spec(a={}), 'spec.a["b.c/d"] (missing)'),
        (spec(emptyDir={}), spec(), "spec.emptyDir (missing)"),
        (spec(podSelector={}), spec(), "spec.podSelector (missing)"),
        (spec(items=[{"name": "a", "x": 1}]), spec(items=[{"name": "a"}]), "spec.items[0].x (missing)"),
        (spec(items=[1, 2]), spec(items=[1]), "spec.items (sent 2 items, has 1)"),
        (spec(items=[1, 2]), spec(items=[1, 3]), "spec.items[1] (sent 2, is 3)"),
        (
            spec(items=[{"name": "a"}, {"name": "b"}]),
            spec(items=[{"name": "b"}, {"name": "a"}, {"name": "c"}]),
            "spec.items[1] (missing)",
        ),
        (
            spec(items=[{"name": "a", "x": 1}]),
            spec(items=[{"name": "new"}, {"name": "a", "x": 2}]),
            "spec.items[0].x (sent 1, is 2)",
        ),
    ],
)
def test_a_difference_is_told_by_path(sent: Manifest, live: Manifest, told: str) -> None:
    assert differences(sent, live) == [told]


def config_map(**data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}


def test_texts_are_compared_as_texts_and_never_told() -> None:
    assert differences(config_map(a="1000m"), config_map(a="1")) == ["data.a (another value)"]
    assert differences(config_map(a=""), config_map(a="x")) == ["data.a (another value)"]
    assert differences(config_map(a=""), {**config_map(), "data": {"b": ""}}) == ["data.a (missing)"]


@pytest.mark.parametrize(
    ("sent", "live", "told"),
    [
        (config_map(a="1"), config_map(a="1", b="2"), ["data.b (more than was sent)"]),
        ({**config_map(), "data": None}, config_map(b="2"), ["data (more than was sent)"]),
        (spec(x=1), spec(x=1, nodeSelector={"a": "b"}), ["spec.nodeSelector (more than was sent)"]),
        (spec(x=1), spec(x=1, nodeSelector={}), []),
        (spec(selector={"a": "b"}), spec(selector={"a": "b", "c": "d"}), ["spec.selector.c (more than was sent)"]),
        (
            spec(containers=[{"name": "a"}]),
            spec(containers=[{"name": "a"}, {"name": "b"}]),
            ["spec.containers (sent 1 items, has 2)"],
        ),
        (spec(tolerations=[]), spec(tolerations=[{"key": "a"}]), []),
        (spec(a=1), spec(a=1, default=2), []),
    ],
)
def test_more_content_is_a_difference_of_what_was_there(sent: Manifest, live: Manifest, told: list[str]) -> None:
    assert content_differences(sent, live) == told
    assert differences(sent, live) == []


def test_labels_of_runs_do_not_count_and_others_do() -> None:
    sent = {**config_map(a="1"), "metadata": {"name": "a", "labels": {**RUN_LABELS, "app": "web"}}}
    live = {**config_map(a="1"), "metadata": {"name": "a", "labels": {"app": "web", "theirs": "x"}}}
    assert content_differences(sent, live) == []
    live["metadata"]["labels"] = {}
    assert content_differences(sent, live) == ["metadata.labels.app (missing)"]


def test_generated_content_is_no_difference() -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {"parallelism": 1}}
    live = {**job, "spec": {"parallelism": 1, "selector": {"matchLabels": {"controller-uid": "1"}}}}
    assert content_differences(job, live) == []
    token = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}
    token["type"] = "kubernetes.io/service-account-token"
    assert content_differences(token, {**token, "data": {"token": "x"}}) == []
    opaque = {**token, "type": "Opaque"}
    assert content_differences(opaque, {**opaque, "data": {"token": "x"}}) == ["data (more than was sent)"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_everything_equals_itself(value: Any) -> None:
    assert differences(spec(a=value), spec(a=value)) == []
    assert content_differences(spec(a=value), spec(a=value)) == []


@given(VALUES, st.text(min_size=8, max_size=12))
def test_no_text_is_ever_told(value: Any, secret: str) -> None:
    told = differences(spec(a=value, b=secret + "x"), spec(a=secret, b=secret + "y"))
    assert not any(secret in line for line in told)
