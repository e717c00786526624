# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What tasks in check mode hand on to each other, and what they keep to themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine.predictions import Predictions
from ansible_collections.openmig.mtc.plugins.plugin_utils.foretold import Foretold, harmless

HERE = {"kubeconfig": "~/.kube/destination"}


def resource(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": "openmig"}, "spec": spec}


def names_of(foretold: Foretold) -> list[str]:
    return sorted(entry["resource"]["metadata"]["name"] for entry in foretold.entries())


def test_what_one_task_foretells_the_next_one_knows(tmp_path: Path) -> None:
    remote = {"kubeconfig": "~/.kube/source", "context": None}
    Foretold(str(tmp_path), {**HERE, "remote": remote}).note({"resource": resource("MigCluster", "source")})
    Foretold(str(tmp_path), HERE).note({"resource": resource("MigStorage", "backups", url="old")})
    Foretold(str(tmp_path), HERE).note({"resource": resource("MigStorage", "backups", url="new")})
    predictions = Predictions(Foretold(str(tmp_path), {**HERE, "plan": "shop"}).entries())
    found = predictions.find("MigStorage", ("openmig", "backups"))
    assert found is not None
    assert found["spec"] == {"url": "new"}
    assert predictions.way_to("MigCluster", ("openmig", "source")) == {"kubeconfig": "~/.kube/source"}
    assert predictions.find("MigStorage", ("elsewhere", "backups")) is None
    assert predictions.find("MigHook", None) is None


def test_another_cluster_is_told_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/of-somebody")
    Foretold(str(tmp_path), HERE).note({"resource": resource("MigStorage", "backups")})
    same, other = {"kubeconfig": "/home/of-somebody/.kube/destination"}, {**HERE, "context": "second"}
    assert names_of(Foretold(str(tmp_path), same)) == ["backups"]
    assert names_of(Foretold(str(tmp_path), other)) == []


def test_of_plans_a_task_gets_its_own(tmp_path: Path) -> None:
    for name in ("shop", "letters"):
        Foretold(str(tmp_path), HERE).note({"resource": resource("MigPlan", name)})
    assert names_of(Foretold(str(tmp_path), {**HERE, "plan": "shop"})) == ["shop"]
    assert names_of(Foretold(str(tmp_path), {**HERE, "plan_definition": {"name": "letters"}})) == ["letters"]
    assert names_of(Foretold(str(tmp_path), HERE)) == []


@pytest.mark.parametrize("result", [{}, {"resource": {}}, {"resource": {"kind": "MigPlan"}}, {"msg": "failed"}])
def test_a_result_without_a_resource_foretells_nothing(tmp_path: Path, result: dict[str, Any]) -> None:
    Foretold(str(tmp_path), HERE).note(result)
    assert list(tmp_path.iterdir()) == []


def test_a_real_change_ends_the_forecasts(tmp_path: Path) -> None:
    Foretold(str(tmp_path), HERE).note({"resource": resource("MigStorage", "backups")})
    Foretold(str(tmp_path), HERE).forget()
    assert names_of(Foretold(str(tmp_path), HERE)) == []


@pytest.mark.parametrize(
    "connection",
    [
        None,
        {"api_key": "planted"},
        {"kubeconfig": {"users": []}},
        {"host": "https://one:6443", "password": "planted"},
        {"kubeconfig": "x", "proxy_headers": {"basic_auth": "planted"}},
    ],
)
def test_a_connection_with_a_secret_is_not_handed_on(tmp_path: Path, connection: Any) -> None:
    assert harmless(connection) is None
    foretold = Foretold(str(tmp_path), {**HERE, "remote": connection})
    foretold.note({"resource": resource("MigCluster", "source")})
    assert [entry["remote"] for entry in foretold.entries()] == [None]
    assert not any("planted" in path.read_text() for path in tmp_path.rglob("*.json"))


def test_the_files_are_their_owners_alone(tmp_path: Path) -> None:
    Foretold(str(tmp_path), HERE).note({"resource": resource("MigStorage", "backups")})
    (file,) = tmp_path.rglob("*.json")
    assert file.stat().st_mode & 0o077 == 0
    assert (tmp_path / "openmig-foretold").stat().st_mode & 0o022 == 0


def test_what_is_assumed_counts_less_than_what_is_foretold() -> None:
    entry = {"resource": resource("MigCluster", "source", url="foretold")}
    predictions = Predictions([entry]).assuming([resource("MigCluster", "source", url="assumed")])
    target = ("openmig", "source")
    found, assumed = predictions.find("MigCluster", target), predictions.otherwise("MigCluster", target)
    assert found is not None
    assert assumed is not None
    assert (found["spec"]["url"], assumed["spec"]["url"]) == ("foretold", "assumed")
    found["spec"]["url"] = "changed by its reader"
    assert predictions.find("MigCluster", target) == resource("MigCluster", "source", url="foretold")
