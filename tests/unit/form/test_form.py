# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The rules of this repository that no linter knows."""

from __future__ import annotations

import re
import subprocess
from pathlib import PurePosixPath

import yaml

from setup import pins
from unit.form import tree

FILES = tree.files()
PYTHON = [name for name in FILES if name.endswith(".py")]
MODULES = [PurePosixPath(name).stem for name in FILES if re.fullmatch(r"plugins/modules/[a-z]\w*\.py", name)]
ROLES = sorted({PurePosixPath(name).parts[1] for name in FILES if name.startswith("roles/")})

MOST_LINES = 400
NAMES_THAT_SAY_NOTHING = {"base", "common", "helper", "helpers", "misc", "util", "utils"}

LICENCE = ("Copyright: openmig contributors", "GNU General Public License v3.0+")
# Where a comment can stand and people write by hand; data that tools write is not among them.
WITH_HEADER = {".cfg", ".go", ".ini", ".j2", ".lua", ".py", ".sh", ".sql", ".toml", ".yaml", ".yml", ""}
WITHOUT_HEADER = {
    "COPYING": "is the licence",
    "changelogs/changelog.yaml": "is written by antsibull-changelog",
    "tests/lab/go/go.mod": "is written by go",
    "tests/lab/go-velero/go.mod": "is written by go",
}


def has_place_for_header(name: str) -> bool:
    path = PurePosixPath(name)
    if name in WITHOUT_HEADER or path.suffix not in WITH_HEADER:
        return False
    # Without a suffix: a program or a settings file. Shared snippets in the lab's images are data.
    return bool(path.suffix) or path.name in {".gitignore", "Makefile", "Containerfile", "run"}


def test_licence_header() -> None:
    """Both forms, each for its reader: the sentence for ansible-test, the identifier for tools that take stock."""
    lacking = []
    for name in filter(has_place_for_header, FILES):
        head = "\n".join(tree.text(name).splitlines()[:10])
        lacking += [f"{name}: {line}" for line in LICENCE if line not in head]
    assert lacking == []


def test_no_file_is_too_long() -> None:
    """Above the limit a file has more than one subject, surely."""
    lengths = {name: tree.code_lines(tree.text(name)) for name in PYTHON}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_file_names_say_something() -> None:
    assert [name for name in PYTHON if PurePosixPath(name).stem.strip("_") in NAMES_THAT_SAY_NOTHING] == []


def test_no_ignore_file() -> None:
    forbidden = re.compile(r"tests/sanity/ignore-.*|\.ansible-lint-ignore|.*\.yamllint-ignore")
    assert [name for name in FILES if forbidden.fullmatch(name)] == []


def test_no_blanket_exemption() -> None:
    """A line may be exempted from one rule that is named, never from all; a file never."""
    blanket = re.compile(r"#\s*((ruff|flake8): noqa|mypy: ignore-errors|type: ignore\s*($|[^\[\s])|noqa\s*($|[^:\s]))")
    bad = [
        f"{name}:{number}"
        for name in PYTHON
        for number, line in enumerate(tree.text(name).splitlines(), start=1)
        if blanket.search(line) and "re.compile" not in line
    ]
    assert bad == []


def test_action_group_names_every_module() -> None:
    runtime = yaml.safe_load(tree.text("meta/runtime.yml"))
    assert runtime["action_groups"]["mtc"] == sorted(MODULES)


def test_readme_names_every_module_and_role() -> None:
    readme = tree.text("README.md")
    assert [name for name in MODULES + ROLES if not re.search(rf"\b{re.escape(name)}\b", readme)] == []


def test_version_is_the_same_wherever_it_stands() -> None:
    """A module travels without galaxy.yml, so one constant repeats its version; a second one is one too many."""
    version = yaml.safe_load(tree.text("galaxy.yml"))["version"]
    constant = re.compile(r"^\w*VERSION\w*(?:: \w+)? = \"(\d+\.\d+\.\d+)\"", re.MULTILINE)
    said = {name: constant.findall(tree.text(name)) for name in PYTHON if name.startswith("plugins/")}
    assert [each for name in said for each in said[name]] in ([], [version]), said


def test_makefile_lists_every_target() -> None:
    printed = subprocess.run(
        ["make", "--silent", "help"], cwd=tree.ROOT, check=True, capture_output=True, text=True
    ).stdout
    described = {line.split()[0] for line in printed.splitlines() if line.strip()}
    targets = set(re.findall(r"^([a-z][a-z-]*):", tree.text("Makefile"), flags=re.MULTILINE))
    assert targets == described


def test_everything_installed_is_pinned() -> None:
    """`make lock` mends what came in unpinned."""
    assert pins.unpinned() == []
