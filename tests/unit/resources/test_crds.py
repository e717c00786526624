# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Our definitions accept what MTC's accept, and the role ships what the tables say."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.crds import crd_manifests

HERE = Path(__file__).parent


def beside(name: str) -> ModuleType:
    """A helper of this folder; the tests of the folder are no package."""
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def upstream() -> dict[str, Any]:
    facts = json.loads((HERE / "upstream_crd_facts.json").read_text())
    assert facts["project"] == "migtools/mig-controller"
    return dict(facts["definitions"])


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    return dict(beside("crd_facts").table(crd_manifests()))


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from flat(inner, f"{path} > {name}")
    else:
        yield path, value


def test_nothing_is_missing_added_or_different(ours: dict[str, Any], upstream: dict[str, Any]) -> None:
    here, there = dict(flat(ours)), dict(flat(upstream))
    differing = {
        path: (here.get(path), there.get(path))
        for path in here.keys() | there.keys()
        if here.get(path) != there.get(path)
    }
    assert differing == {}
    assert here.keys() == there.keys()


def test_all_ten_kinds_are_there(upstream: dict[str, Any]) -> None:
    assert sorted(upstream) == sorted(kind.crd_name for kind in names.KINDS.values())
    assert len(upstream) == 10


def test_each_call_returns_fresh_manifests() -> None:
    crd_manifests()[0]["spec"]["scope"] = "Cluster"
    assert crd_manifests()[0]["spec"]["scope"] == "Namespaced"


def test_every_field_of_a_spec_is_explained() -> None:
    silent = []
    for manifest in crd_manifests():
        schema = manifest["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        assert schema["description"]
        fields = schema["properties"]["spec"]["properties"]
        silent += [
            f"{manifest['spec']['names']['kind']}.{name}"
            for name, field in fields.items()
            if not field.get("description")
        ]
    assert silent == []


def test_the_role_ships_what_the_tables_say() -> None:
    crd_files = beside("crd_files")
    expected = crd_files.files(crd_manifests())
    shipped = {path: path.read_text() for path in expected if path.exists()}
    assert shipped == dict(expected), "run tests/unit/resources/crd_files.py"
    assert set((crd_files.ROLE / "files").iterdir()) == {path for path in expected if path.parent.name == "files"}


def test_the_digest_follows_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    before = crd_manifests()[0]["metadata"]["labels"][names.DIGEST_LABEL]
    monkeypatch.setattr(names, "VERSION", "v1")
    assert crd_manifests()[0]["metadata"]["labels"][names.DIGEST_LABEL] != before


def test_the_role_says_the_same_about_its_variables_everywhere() -> None:
    role = beside("crd_files").ROLE
    specs = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text())
    rows = [line.split("|")[1:3] for line in (role / "README.md").read_text().splitlines() if line.startswith("| `")]
    readme = {name.strip(" `"): value.strip(" `") for name, value in rows}
    assert set(specs) == set(defaults) == set(readme)
    for name, option in specs.items():
        if "default" in option:
            assert defaults[name] == option["default"]
            assert readme[name] == str(yaml.safe_dump(option["default"])).split("\n", maxsplit=1)[0]
        else:
            assert readme[name] in defaults[name]
