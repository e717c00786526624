# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Ansible lets pass and an API server would not take is told with the option's path."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import option_checks, option_types, urls
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import InvalidInput, Problem, suboptions_of
from ansible_collections.openmig.mtc.plugins.module_utils.resources.plan_selections import problems as plan_problems

SPEC = {
    "limit": {"type": "int"},
    "name": {"type": "str"},
    "group": {"type": "dict", "options": {"seconds": {"type": "int"}}},
    "rows": {"type": "list", "elements": "dict", "options": {"number": {"type": "int"}}},
    "free": {"type": "dict"},
}


@pytest.mark.parametrize(
    ("params", "paths"),
    [
        ({"limit": 1, "name": "a", "group": {"seconds": -1}, "rows": [{"number": 2**63 - 1}]}, []),
        ({"limit": None, "group": None, "rows": None}, []),
        ({"limit": True}, ["limit"]),
        ({"limit": 2**63}, ["limit"]),
        ({"limit": -(2**63) - 1}, ["limit"]),
        ({"group": {"seconds": False}}, ["group.seconds"]),
        ({"rows": [{"number": 1}, {"number": 10**30}]}, ["rows[1].number"]),
        ({"free": {"a": True}}, []),
    ],
)
def test_numbers_are_numbers_of_64_bits(params: dict[str, Any], paths: list[str]) -> None:
    assert [problem.path for problem in option_types.problems(SPEC, params)] == paths


@pytest.mark.parametrize("text", ["http://[", "http://[::1", "https://a:99999", "https://a:port", "https://a:0"])
def test_what_is_no_url_is_told_without_a_word_of_it(text: str) -> None:
    assert urls.parsed(text) is None
    (problem,) = option_checks.http_url(text, "url")
    assert text not in str(problem)


def test_a_url_has_parts() -> None:
    parts = urls.parsed("https://user:word@[::1]:6443/path")
    assert parts is not None
    assert (parts.hostname, parts.port, parts.password) == ("::1", 6443, "word")


@pytest.mark.parametrize(("mapping", "found"), [({"a": 1}, 1), ({"a": None}, 1), ({"a": ["b"]}, 1), ({"a": ""}, 0)])
def test_a_storage_class_is_a_text(mapping: dict[str, Any], found: int) -> None:
    problems = plan_problems({"storage_class_mapping": mapping})
    assert [problem.path for problem in problems] == ["storage_class_mapping[a]"] * found


def test_problems_of_suboptions_are_told_with_the_option() -> None:
    def fail() -> None:
        with suboptions_of("plan_definition"):
            raise InvalidInput(subject="MigPlan a", problems=[Problem(path="namespaces", fault="is missing")])

    with pytest.raises(InvalidInput, match=r"plan_definition\.namespaces is missing|plan_definition.namespaces: is"):
        fail()
