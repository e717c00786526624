# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each known defect and quirk of MTC has its decision in docs/compatibility.md; tests that it names exist."""

from __future__ import annotations

import re

import pytest

from unit.form import tree

DEFECTS = {"D": 30, "V": 35}
QUIRKS = 20
ROW = re.compile(
    r"^\| ([DV])(\d+) [^|]+\| (?:fixed|does not arise|kept)[^|]*"
    r"\| (?:controller )?(`[^`:]+::\w+`(?:, `[^`:]+::\w+`)*) \|$",
    re.MULTILINE,
)
TEST = re.compile(r"`([^`:]+)::(\w+)`")
PAGE = (tree.ROOT / "docs/compatibility.md").read_text(encoding="utf-8")
ROWS = ROW.findall(PAGE)


@pytest.mark.parametrize("letter", DEFECTS)
def test_each_has_one_decision(letter: str) -> None:
    assert [int(number) for kind, number, _tests in ROWS if kind == letter] == list(range(1, DEFECTS[letter] + 1))


def test_each_names_tests_that_exist() -> None:
    missing = [
        f"{letter}{number}: {file}::{test}"
        for letter, number, tests in ROWS
        for file, test in TEST.findall(tests)
        if not (tree.ROOT / "tests" / file).is_file()
        or f"def {test}(" not in (tree.ROOT / "tests" / file).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_each_quirk_of_the_resources_has_its_decision() -> None:
    told = {int(number) for number in re.findall(r"\bQ(\d+)\b", PAGE)}
    assert told == set(range(1, QUIRKS + 1))
