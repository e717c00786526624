# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What counts as left behind, and whether somebody else is at work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from integration import leaks
from integration.leaks import Inventory, Thing, at_work, new, settled, stays


@pytest.mark.parametrize(
    "thing",
    [
        Thing("source", "Pod", "shop", "web"),
        Thing("source", "Namespace", "", "openmig-2"),
        Thing("destination", "Secret", "openmig", "source-token"),
        Thing("destination", "Lease", "openmig", "app-final"),
        Thing("destination", "PersistentVolume", "", "pvc-1"),
        Thing("bucket", "Key", "", "openmig-probe/1"),
    ],
)
def test_what_no_row_covers_is_a_leak(thing: Thing) -> None:
    assert new({}, {"uid": thing}) == [thing]
    assert new({"uid": thing}, {"uid": thing}) == []


@pytest.mark.parametrize(
    "thing",
    [
        Thing("destination", "CustomResourceDefinition", "", "migplans.migration.openshift.io"),
        Thing("source", "ClusterRoleBinding", "", "openmig-source-openmig"),
        Thing("source", "Lease", "kube-system", "apiserver-1"),
        Thing("bucket", "Key", "", "velero/backups/app-final-initial-abcde/app-final-initial-abcde.tar.gz"),
    ],
)
def test_records_and_the_clusters_own_are_none(thing: Thing) -> None:
    assert new({}, {"uid": thing}) == []


def test_others_at_work_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENMIG_LAB_DIR", str(tmp_path))
    with at_work() as alone:
        assert alone()
        with at_work() as also:
            assert not alone()
            assert not also()
        assert alone()


def test_what_is_about_to_go_does_not_stay() -> None:
    gone = Thing("source", "Namespace", "", "shop", going=True)
    other = Thing("source", "Namespace", "", "web")
    inside, stuck = Thing("source", "Pod", "shop", "web"), Thing("source", "Pod", "web", "web")
    elsewhere, volume = Thing("destination", "Pod", "shop", "web"), Thing("source", "PersistentVolume", "", "pvc-1")
    assert stays([gone, other, inside, stuck, elsewhere, volume]) == [other, stuck, elsewhere]
    assert stays([replace(stuck, going=True)]) == []


@dataclass
class Shrinking(Inventory):
    """Stands in for two clusters: has less each time that it is looked at, until ``least`` are left."""

    clusters: tuple[()] = ()
    keys: Callable[[], list[str]] = list
    there: list[Thing] = field(default_factory=list)
    least: int = 0

    def take(self) -> dict[str, Thing]:
        if len(self.there) > self.least:
            self.there.pop()
        return {str(thing): thing for thing in self.there}


def test_what_goes_is_waited_for_and_what_remains_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "PAUSE", 0.0)
    pods = [Thing("source", "Pod", "shop", f"web-{number}") for number in range(4)]
    assert settled(Shrinking(there=[*pods]), {}, stays) == ([], {})
    monkeypatch.setattr(leaks, "GONE_WITHIN", 0.0)
    assert settled(Shrinking(there=[*pods], least=3), {}, stays)[0] == pods[:3]
    assert settled(Shrinking(there=[*pods], least=3), {str(pods[0]): pods[0]}, stays)[0] == pods[1:3]
