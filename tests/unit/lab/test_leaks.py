# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What counts as left behind, and whether somebody else is at work."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.leaks import Thing, at_work, new


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
        Thing("source", "Event", "shop", "web.1"),
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
