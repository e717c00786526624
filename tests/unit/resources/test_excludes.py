# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may be excluded, for which claims, and what rsync would read as something else."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import accepted
from ansible_collections.openmig.mtc.plugins.module_utils.resources.excludes import (
    exclusions,
    patterns_for,
    problems,
    unmatched,
)

OPTION: list[dict[str, Any]] = [
    {"patterns": ["*.tmp", "/cache/"]},
    {"pvc": "shop/data", "patterns": ["/cache/", "logs/"]},
    {"pvc": "db-*", "patterns": ["/wal/"]},
]


@pytest.mark.parametrize(
    ("claim", "patterns"),
    [
        (("shop", "data"), ("*.tmp", "/cache/", "logs/")),
        (("other", "data"), ("*.tmp", "/cache/")),
        (("other", "db-0"), ("*.tmp", "/cache/", "/wal/")),
    ],
)
def test_patterns_are_gathered_by_claim(claim: tuple[str, str], patterns: tuple[str, ...]) -> None:
    assert patterns_for(exclusions(OPTION), *claim) == patterns


def test_an_element_that_names_no_volume_is_told() -> None:
    assert [item.path for item in unmatched(exclusions(OPTION), [("shop", "data")])] == ["excludes[2].pvc"]
    assert unmatched(exclusions(OPTION[:1]), [("shop", "data")]) == []


@pytest.mark.parametrize("pattern", ["*.tmp", "/cache/", "a b", "[#]x", "x..y", "...", "-x", "über/", "**/tmp/*"])
def test_relative_patterns_are_taken(pattern: str) -> None:
    assert problems([{"patterns": [pattern]}]) == []


@pytest.mark.parametrize(
    "pattern",
    ["", " ", "a\nb", "a\rb", "# x", ";x", "+ x", "- x", "!", "../x", "a/..", "/", "*", "/**", "/*", ".", "x" * 1001],
)
def test_what_rsync_would_read_otherwise_is_refused(pattern: str) -> None:
    (found,) = problems([{"patterns": ["fine", pattern]}])
    assert found.path == "excludes[0].patterns[1]"


def test_every_problem_is_told_with_its_path() -> None:
    found = problems([{"pvc": "a/b/c", "patterns": []}, {"pvc": "/x", "patterns": ["!"]}])
    assert [item.path for item in found] == [
        "excludes[0].pvc",
        "excludes[0].patterns",
        "excludes[1].pvc",
        "excludes[1].patterns[0]",
    ]


def test_warnings_are_accepted_by_name_or_by_volume() -> None:
    assert accepted.accepts_volume(["DirectVolumeMigrationFailed"], "shop", "data")
    assert accepted.accepts_volume(["shop/*"], "shop", "data")
    assert not accepted.accepts_volume(["shop/other", "UnhealthyNamespaces"], "shop", "data")
    assert accepted.problems(["UnhealthyNamespaces", "shop/data", "ResticErrors"]) == []
    found = accepted.problems(["UnhealthyNamespaces", "Unhealthy", "a/b/c", "/x"])
    assert [item.path for item in found] == [f"accept_warnings[{number}]" for number in (1, 2, 3)]
