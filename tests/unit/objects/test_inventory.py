# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventory: names, digests, parts, and what is not the same any more."""

from __future__ import annotations

import functools
import random

import pytest
from hypothesis import given, settings, strategies as st

from ansible_collections.openmig.mtc.plugins.module_utils.objects import inventory
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import PermanentError
from unit.objects.manifests import deployment, live, sent

ENTRIES = st.dictionaries(
    st.from_regex(r"[A-Z][a-z]+(\.[a-z.]+)? [a-z-]+/[a-z0-9.:-]+", fullmatch=True),
    st.text("0123456789abcdef", max_size=64),
)


def test_a_reference_says_group_kind_and_place() -> None:
    assert inventory.reference(live("v1", "ConfigMap")) == "ConfigMap shop/web"
    assert inventory.reference(deployment()) == "Deployment.apps shop/web"
    assert inventory.reference({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}}) == "Node a"


def test_digests_are_keyed() -> None:
    obj = sent(live("v1", "Secret", data={"password": "aHVudGVyMg=="}))
    digests = {inventory.digest(obj), inventory.digest(obj, key=b"a"), inventory.digest(obj, key=b"b")}
    assert len(digests) == 3
    assert inventory.digest(obj, key=b"a") in digests


def test_digests_do_not_depend_on_order_or_run() -> None:
    obj = sent(live("v1", "ConfigMap", metadata={"labels": {"a": "b"}}, data={"x": "1", "y": "2"}))
    turned = {key: obj[key] for key in reversed(obj)}
    turned["data"] = {"y": "2", "x": "1"}
    later = {**obj, "metadata": {**obj["metadata"], "labels": {**obj["metadata"]["labels"]}}}
    later["metadata"]["labels"]["migration.openshift.io/migrated-by-migmigration"] = "later"
    assert len({inventory.digest(item, key=b"k") for item in (obj, turned, later)}) == 1


def test_an_autoscaler_may_change_replicas_and_nothing_else() -> None:
    two, three = sent(deployment()), sent({**deployment(), "spec": {**deployment()["spec"], "replicas": 3}})
    assert inventory.digest(two) != inventory.digest(three)
    assert inventory.digest(two, autoscaled=True) == inventory.digest(three, autoscaled=True)
    other = {**two, "spec": {**two["spec"], "paused": True}}
    assert inventory.digest(two, autoscaled=True) != inventory.digest(other, autoscaled=True)


def test_what_autoscalers_scale() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    scaler = live("autoscaling/v2", "HorizontalPodAutoscaler", spec={"scaleTargetRef": target})
    assert inventory.autoscaled([scaler, deployment()]) == {"Deployment.apps shop/web"}


def test_a_scaled_workload_is_the_same_and_another_is_not() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    scaler = sent(live("autoscaling/v2", "HorizontalPodAutoscaler", spec={"scaleTargetRef": target}))
    free = {**deployment(), "metadata": {"name": "free", "namespace": "shop"}}

    def look(replicas: int) -> dict[str, str]:
        objects = [sent({**obj, "spec": {**obj["spec"], "replicas": replicas}}) for obj in (deployment(), free)]
        return inventory.entries([*objects, scaler], key=b"k")

    assert inventory.differences(look(2), look(5)) == ["Deployment.apps store/free changed"]


@given(ENTRIES)
@settings(max_examples=50, deadline=None)
def test_parts_are_the_same_and_read_back(entries: dict[str, str]) -> None:
    parts = inventory.encode(entries)
    turned = dict(random.Random(0).sample(sorted(entries.items()), len(entries)))
    assert inventory.encode(turned) == parts
    assert inventory.decode(parts) == entries


@functools.cache
def many() -> dict[str, str]:
    numbers = random.Random(0)
    return {f"ConfigMap shop/settings-{number}": f"{numbers.getrandbits(256):064x}" for number in range(40_000)}


def test_parts_fit_into_config_maps() -> None:
    parts = inventory.encode(many())
    assert len(parts) > 2
    assert all(len(part) <= inventory.PART_BYTES for part in parts)
    assert inventory.decode(parts) == many()


@pytest.mark.parametrize("damage", ["first", "last", "order", "bit", "none", "text"])
def test_damage_is_noticed(damage: str) -> None:
    parts = inventory.encode(many())
    broken = {
        "first": parts[1:],
        "last": parts[:-1],
        "order": [parts[1], parts[0], *parts[2:]],
        "bit": [parts[0], parts[1][:1000] + bytes([parts[1][1000] ^ 1]) + parts[1][1001:], *parts[2:]],
        "none": [],
        "text": [b"text"],
    }[damage]
    with pytest.raises(PermanentError, match="Inventory: cannot be read"):
        inventory.decode(broken)


def test_another_schema_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = inventory.encode({"ConfigMap a/b": "1"})
    monkeypatch.setattr(inventory, "SCHEMA", 2)
    with pytest.raises(PermanentError, match="it has schema 1, this collection reads 2"):
        inventory.decode(parts)


def test_differences_are_named() -> None:
    assert inventory.differences({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "9", "d": "4"}) == [
        "b changed",
        "c removed",
        "d added",
    ]
    assert inventory.differences({"a": "1"}, {"a": "1"}) == []
