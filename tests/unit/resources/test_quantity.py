# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Quantities mean what the API server takes them for."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ansible_collections.openmig.mtc.plugins.module_utils.resources import quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("10Mi", 10 * 1024**2),
        ("1.5Gi", 3 * 1024**3 // 2),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1E", 10**18),
        ("100m", 1),
        ("1001m", 2),
        ("12n", 1),
        ("1e-3", 1),
        (".5k", 500),
        ("5.", 5),
        ("+1k", 1000),
        ("-1.5", -1),
        ("0.1Ki", 103),
        (7, 7),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_meaning(text: str | int, value: int) -> None:
    assert quantity.parse(text) == value


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 Gi", "1gi", "1K", "1Kib", "ten", "1e1.5", "--1", "1e99", "1e99999999", "9223372036854775808", "8Ei",
     "9" * 100, True, None, 1.5, "\u0661"],
)  # fmt: skip
def test_no_quantity(text: object) -> None:
    with pytest.raises(quantity.QuantityError):
        quantity.parse(text)  # type: ignore[arg-type]
    assert not quantity.is_quantity(text)


@given(st.integers(min_value=-quantity.LARGEST, max_value=quantity.LARGEST))
def test_text_means_the_number_it_was_made_from(value: int) -> None:
    assert quantity.parse(quantity.to_text(value)) == value


@given(st.integers(min_value=1, max_value=2**20), st.sampled_from(["Ki", "Mi", "Gi", "Ti"]))
def test_text_is_as_short_as_it_was(number: int, suffix: str) -> None:
    text = f"{number}{suffix}"
    assert len(quantity.to_text(quantity.parse(text))) <= len(text)


@given(st.decimals(min_value=0, max_value=10**9, places=3))
def test_fractions_are_rounded_up(number: object) -> None:
    value = quantity.parse(str(number))
    assert value - 1 < number <= value  # type: ignore[operator]


def test_other_spellings_are_no_difference() -> None:
    assert quantity.equal("1Gi", "1024Mi")
    assert not quantity.equal("1Gi", "1G")
