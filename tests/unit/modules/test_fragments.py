# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is said more than once in the documentation is said the same: a fragment cannot hold another as suboptions."""

from __future__ import annotations

import re
from typing import Any

import pytest

from unit.modules import documents


def words(options: dict[str, Any], *, within: str = "") -> dict[str, Any]:
    """The options with references to their siblings as they are in a module that has them at its top, and not
    ``within`` an option."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        if isinstance(value, list):
            return [plain(each) for each in value]
        if isinstance(value, str):
            return re.sub(rf"\bO\({re.escape(within)}\.", "O(", value) if within else value
        return value

    said: dict[str, Any] = plain(options)
    return said


@pytest.mark.parametrize(
    ("name", "option"), [("sides", "source"), ("sides", "destination"), ("source_side", "source"), ("remote", "remote")]
)
def test_a_connection_of_its_own_has_the_options_of_a_connection(name: str, option: str) -> None:
    inner = documents.fragment(name)[option]
    assert inner["type"] == "dict"
    assert words(inner["suboptions"], within=option) == words(documents.fragment("connection"))


def test_no_fragment_of_connections_brings_anything_else() -> None:
    assert set(documents.fragment("sides")) == {"source", "destination"}
    assert set(documents.fragment("remote")) == {"remote"}


def test_a_plan_given_in_place_has_the_options_of_a_plan_and_a_name() -> None:
    (given,) = documents.fragment("plan_definition").items()
    name, option = given
    assert (name, option["type"]) == ("plan_definition", "dict")
    suboptions = dict(option["suboptions"])
    assert suboptions.pop("name")["type"] == "str"
    assert words(suboptions, within=name) == words(documents.fragment("mig_plan_options"))
