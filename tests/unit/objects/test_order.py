# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The order of creation and the objects that wait in it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.objects.order import WAVES, rank
from ansible_collections.openmig.mtc.plugins.module_utils.objects.queue import Queue, Shelf, unpacked
from unit.objects.manifests import live

Manifest = dict[str, Any]

EARLIER_THAN = [
    (("v1", "Namespace"), ("v1", "ServiceAccount")),
    (("v1", "ServiceAccount"), ("v1", "Secret")),
    (("rbac.authorization.k8s.io/v1", "Role"), ("rbac.authorization.k8s.io/v1", "RoleBinding")),
    (("rbac.authorization.k8s.io/v1", "RoleBinding"), ("v1", "Pod")),
    (("v1", "Secret"), ("example.org/v1", "Database")),
    (("v1", "Service"), ("example.org/v1", "Database")),
    (("example.org/v1", "Database"), ("apps/v1", "Deployment")),
    (("networking.k8s.io/v1", "NetworkPolicy"), ("v1", "Pod")),
    (("v1", "LimitRange"), ("v1", "Pod")),
    (("v1", "Endpoints"), ("v1", "Service")),
    (("v1", "Service"), ("v1", "Pod")),
    (("v1", "Pod"), ("apps/v1", "ReplicaSet")),
    (("apps/v1", "StatefulSet"), ("autoscaling/v2", "HorizontalPodAutoscaler")),
    (("autoscaling/v2", "HorizontalPodAutoscaler"), ("v1", "ResourceQuota")),
]


@pytest.mark.parametrize(("first", "second"), EARLIER_THAN)
def test_what_others_need_comes_before_them(first: tuple[str, str], second: tuple[str, str]) -> None:
    assert rank(live(*first)) < rank(live(*second))


def test_each_kind_is_in_one_wave() -> None:
    kinds = [kind for wave in WAVES for kind in wave.kinds]
    assert len(kinds) == len(set(kinds))
    assert sum(not wave.kinds for wave in WAVES) == 1


@pytest.mark.parametrize("few", [0, 2, 100])
def test_the_queue_gives_waves_in_order_and_whole(few: int) -> None:
    objects = [
        live("v1", kind, name=f"{kind.lower()}-{number}", data={"text": "ü" * 10})
        for number in range(5)
        for kind in ("Service", "ConfigMap", "Pod")
    ]
    waiting = Queue(iter(objects), rank, few=few)
    assert len(waiting) == 15
    waves = [[unpacked(held) for held in wave] for wave in waiting.waves()]
    assert [{obj["kind"] for obj in wave} for wave in waves] == [{"ConfigMap"}, {"Service"}, {"Pod"}]
    assert waves[0] == [obj for obj in objects if obj["kind"] == "ConfigMap"]


def test_many_objects_are_packed() -> None:
    """A kilobyte that says little takes less than a tenth of it."""
    waiting = Queue((live("v1", "ConfigMap", name=str(n), data={"a": "x" * 1000}) for n in range(20)), rank, few=10)
    wave = next(waiting.waves())
    assert [isinstance(held, bytes) for held in wave] == [False] * 10 + [True] * 10
    assert all(len(held) < 300 for held in wave[10:])


@pytest.mark.parametrize("few", [0, 3, 100])
def test_a_shelf_gives_what_was_put_on_it_as_often_as_asked(few: int) -> None:
    objects = [live("v1", "ConfigMap", name=f"settings-{number}", data={"text": "ü" * number}) for number in range(5)]
    shelf = Shelf(iter(objects), few=few)
    assert len(shelf) == 5
    assert list(shelf) == objects
    assert list(shelf) == objects
    assert objects[4] in shelf
    assert live("v1", "ConfigMap", name="another") not in shelf
