# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each known defect and quirk of MTC has its decision in docs/compatibility.md; tests that it names exist."""

from __future__ import annotations

import re

from unit.form import tree

DEFECTS = 30
QUIRKS = 20
ROW = re.compile(
    r"^\| D(\d+) [^|]+\| (?:fixed|does not arise)[^|]*\| (?:controller )?`([^`:]+)::(\w+)` \|$", re.MULTILINE
)
PAGE = (tree.ROOT / "docs/compatibility.md").read_text(encoding="utf-8")
ROWS = ROW.findall(PAGE)


def test_each_has_one_decision() -> None:
    assert [int(number) for number, _file, _test in ROWS] == list(range(1, DEFECTS + 1))


def test_each_names_a_test_that_exists() -> None:
    missing = [
        f"D{number}: {file}::{test}"
        for number, file, test in ROWS
        if not (tree.ROOT / "tests" / file).is_file()
        or f"def {test}(" not in (tree.ROOT / "tests" / file).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_each_quirk_of_the_resources_has_its_decision() -> None:
    told = {int(number) for number in re.findall(r"\bQ(\d+)\b", PAGE)}
    assert told == set(range(1, QUIRKS + 1))
