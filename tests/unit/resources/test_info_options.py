# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which resources an info module is asked for: what cannot be a selector is told before a server is asked."""

from __future__ import annotations

import time

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.info_options import info_spec, validate

GOOD = [
    "team=shop",
    "team==shop",
    "team!=shop",
    "team=",
    "team",
    "!team",
    "tier in (a, b)",
    "tier notin (a)",
    "app.kubernetes.io/part-of=openshift-migration",
    " tier  in  (a,b) ",
]
BAD = [
    "",
    "=a",
    "team=a b",
    "team in a",
    "team in ()x",
    "a,b",
    "!",
    "team=ä",
    "Team/x=1",
    "team>1",
    "team=-a",
    "a" * 64,
]


@pytest.mark.parametrize("selector", GOOD)
def test_a_selector_that_the_api_server_takes(selector: str) -> None:
    assert validate({"label_selectors": [selector]}) == []


@pytest.mark.parametrize("selector", BAD)
def test_a_selector_that_it_does_not(selector: str) -> None:
    assert [item.path for item in validate({"label_selectors": ["a", selector]})] == ["label_selectors[1]"]


def test_a_long_text_is_refused_at_once() -> None:
    began = time.monotonic()
    assert validate({"label_selectors": ["a in (" + "a, " * 20000 + "!"]}) != []
    assert time.monotonic() - began < 1


def test_all_problems_are_told_at_once() -> None:
    params = {"name": "A", "namespace": "b.c", "plan": "", "migration": "_", "label_selectors": ["?"]}
    assert [item.path for item in validate(params)] == ["name", "namespace", "plan", "migration", "label_selectors[0]"]


@pytest.mark.parametrize(
    ("kind", "filters"),
    [
        (names.MIG_CLUSTER, set()),
        (names.MIG_ANALYTIC, {"newest"}),
        (names.MIG_MIGRATION, {"finished", "newest"}),
        (names.DIRECT_VOLUME_MIGRATION, {"finished", "newest", "migration"}),
        (names.DIRECT_VOLUME_MIGRATION_PROGRESS, {"migration"}),
    ],
)
def test_a_kind_has_the_filters_that_mean_something_for_it(kind: str, filters: set[str]) -> None:
    assert set(info_spec(kind)) - {"name", "namespace", "label_selectors", "plan", "ready"} == filters
