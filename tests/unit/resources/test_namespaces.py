# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Namespace entries are read leniently, judged strictly, and everything wrong with them is told at once."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ansible_collections.openmig.mtc.plugins.module_utils.resources import namespaces
from ansible_collections.openmig.mtc.plugins.module_utils.resources.namespaces import NamespacePair

labels = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("entry", "source", "destination"),
    [
        ("shop", "shop", "shop"),
        ("shop:shop-new", "shop", "shop-new"),
        ("shop:shop", "shop", "shop"),
        ("shop:", "shop", "shop"),
        ("shop:a:b", "shop", "a"),
    ],
)
def test_reading(entry: str, source: str, destination: str) -> None:
    assert namespaces.parse(entry) == NamespacePair(source, destination)


@given(labels, labels)
def test_a_pair_is_written_as_it_is_read(source: str, destination: str) -> None:
    pair = NamespacePair(source, destination)
    assert namespaces.parse(str(pair)) == pair
    assert namespaces.problems([str(pair)], "namespaces") == []


@given(st.lists(labels, unique=True, max_size=6))
def test_mapping_keeps_every_source_in_order(names: list[str]) -> None:
    assert namespaces.mapping([f"{name}:{name}-new" for name in names]) == {name: f"{name}-new" for name in names}


@pytest.mark.parametrize("text", ["a", "a-b", "0", "a" * 63])
def test_labels(text: str) -> None:
    assert namespaces.is_dns_label(text)


@pytest.mark.parametrize("text", ["", "-a", "a-", "A", "a.b", "a_b", "a" * 64, "a\n", "ä"])
def test_no_labels(text: str) -> None:
    assert not namespaces.is_dns_label(text)


@pytest.mark.parametrize(
    ("text", "valid"), [("a.b-c", True), ("a..b", False), ("", False), (".a", False), ("a" * 254, False)]
)
def test_subdomains(text: str, valid: bool) -> None:
    assert namespaces.is_dns_subdomain(text) is valid


def test_every_problem_is_told_at_once() -> None:
    found = namespaces.problems(["shop:new", "shop", "A", "b:c:d", "x:new", "z:"], "namespaces")
    told = [str(problem) for problem in found]
    assert [problem.path for problem in found] == [
        "namespaces[2]",
        "namespaces[3]",
        "namespaces[5]",
        "namespaces",
        "namespaces",
    ]
    assert "'A'" in told[0]
    assert "more than one colon" in told[1]
    assert "destination namespace ''" in told[2]
    assert "'shop' is named as source" in told[3]
    assert "'new' is named as destination" in told[4]
