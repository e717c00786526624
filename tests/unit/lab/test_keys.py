# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is built is found again by what it was built from, wherever the checkout is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lab import build, imagestore
from lab.images import Image


@pytest.fixture
def module(tmp_path: Path) -> Path:
    directory = tmp_path / "one"
    (directory / "cmd").mkdir(parents=True)
    (directory / "go.mod").write_text("module x\n", encoding="utf-8")
    (directory / "cmd" / "main.go").write_text("package main\n", encoding="utf-8")
    return directory


def test_a_copy_of_the_sources_has_the_same_key(module: Path, tmp_path: Path) -> None:
    shutil.copytree(module, tmp_path / "two")
    assert build.key(module) == build.key(tmp_path / "two")


def test_a_change_or_another_file_changes_the_key(module: Path) -> None:
    before = build.key(module)
    (module / "cmd" / "main.go").write_text("package main // changed\n", encoding="utf-8")
    changed = build.key(module)
    (module / "cmd" / "more.go").write_text("package main\n", encoding="utf-8")
    assert len({before, changed, build.key(module)}) == 3


def test_what_is_no_source_does_not_count(module: Path) -> None:
    before = build.key(module)
    (module / "notes.md").write_text("x", encoding="utf-8")
    assert build.key(module) == before


def test_an_image_is_known_by_its_inputs_and_their_modes(tmp_path: Path) -> None:
    definition = tmp_path / "definition"
    definition.mkdir()
    script = definition / "run.sh"
    script.write_text("true\n", encoding="utf-8")
    script.chmod(0o644)

    def key() -> str:
        return Image("localhost/x:1", (definition, tmp_path / "missing"), lambda _to: None, debian=False).key()

    before = key()
    (definition / "__pycache__").mkdir()
    (definition / "__pycache__" / "x.pyc").touch()
    assert key() == before
    script.chmod(0o755)
    assert key() != before


def test_the_store_of_images_does_not_depend_on_their_order_or_place() -> None:
    one = {"a:1": Path("/here/a-1.tar"), "b:1": Path("/here/b-1.tar")}
    two = {"b:1": Path("/there/b-1.tar"), "a:1": Path("/there/a-1.tar")}
    assert imagestore.key(one) == imagestore.key(two)
    assert imagestore.key(one) != imagestore.key({**one, "a:1": Path("/here/a-2.tar")})
