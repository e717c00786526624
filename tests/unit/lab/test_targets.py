# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Tests and demo work on the user's clusters or on the lab's, never on one of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import targets
from lab.command import LabError


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(targets.SOURCE_VARIABLE, raising=False)
    monkeypatch.delenv(targets.DESTINATION_VARIABLE, raising=False)
    monkeypatch.setenv("OPENMIG_LAB_DIR", str(tmp_path / "lab"))


def test_the_users_clusters_win(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source, destination = tmp_path / "a.yaml", tmp_path / "b.yaml"
    source.touch()
    destination.touch()
    monkeypatch.setenv(targets.SOURCE_VARIABLE, str(source))
    monkeypatch.setenv(targets.DESTINATION_VARIABLE, str(destination))
    assert targets.targets() == targets.Targets(source, destination, own=True)


def test_one_variable_alone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(targets.SOURCE_VARIABLE, "/x")
    with pytest.raises(LabError, match="both"):
        targets.targets()


def test_a_lab_that_is_not_up_is_named_with_the_mend() -> None:
    with pytest.raises(LabError, match="lab up"):
        targets.targets()


def test_the_labs_kubeconfigs_are_found(tmp_path: Path) -> None:
    directory = tmp_path / "lab" / "state" / "kubeconfig"
    directory.mkdir(parents=True)
    for name in ("source", "destination"):
        (directory / f"{name}.yaml").touch()
    found = targets.targets()
    assert (found.source.name, found.destination.name, found.own) == ("source.yaml", "destination.yaml", False)
    assert targets.lab_kubeconfig("source", proxied=True).name == "source-proxied.yaml"


def test_an_unknown_cluster_lists_the_known() -> None:
    with pytest.raises(ValueError, match="source, destination"):
        targets.lab_kubeconfig("elsewhere")
