# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Conditions are staged, kept and dropped as MTC does it, and their times move only when a reader sees a change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ansible_collections.openmig.mtc.plugins.module_utils.resources import conditions as c
from ansible_collections.openmig.mtc.plugins.module_utils.resources.condition_names import Category
from ansible_collections.openmig.mtc.plugins.module_utils.resources.conditions import Conditions

NOON = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def after(listed: list[dict[str, Any]]) -> Conditions:
    conditions = Conditions({"conditions": listed})
    conditions.begin()
    return conditions


def first_pass(**more: Any) -> list[dict[str, Any]]:
    conditions = Conditions(None)
    conditions.begin()
    conditions.set("Found", Category.WARN, "Because", "See [].", items=["a", "b"], **more)
    return conditions.end(NOON)


def test_what_is_written_looks_like_upstreams() -> None:
    conditions = Conditions(None)
    conditions.set_ready(True, "The plan is ready.")
    assert conditions.end(NOON) == [
        {
            "type": "Ready",
            "status": "True",
            "category": "Required",
            "message": "The plan is ready.",
            "lastTransitionTime": "2024-05-01T12:00:00Z",
        }
    ]


def test_what_is_not_found_again_is_gone() -> None:
    assert after(first_pass()).end(LATER) == []


def test_what_is_durable_stays_until_it_is_deleted() -> None:
    listed = first_pass(durable=True)
    conditions = after(listed)
    assert conditions.end(LATER) == listed
    conditions.begin()
    conditions.delete("Found")
    assert not conditions.has("Found")
    assert conditions.end(LATER) == []


def test_a_skipped_check_keeps_its_finding_and_its_time() -> None:
    listed = first_pass()
    conditions = after(listed)
    conditions.restage("Found", "NeverSeen")
    assert conditions.end(LATER) == listed


def test_the_same_finding_keeps_its_time() -> None:
    conditions = after(first_pass())
    conditions.set("Found", Category.WARN, "Because", "See [].", items=["a", "b"])
    assert conditions.end(LATER)[0]["lastTransitionTime"] == "2024-05-01T12:00:00Z"


@pytest.mark.parametrize(
    "change",
    [
        {"status": "False"},
        {"category": Category.ERROR},
        {"reason": "Otherwise"},
        {"message": "Look at []."},
        {"items": ["a"]},
        {"durable": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_visible_change_moves_the_time(change: dict[str, Any]) -> None:
    conditions = after(first_pass())
    fields = {"category": Category.WARN, "reason": "Because", "message": "See [].", "items": ["a", "b"], **change}
    conditions.set("Found", fields.pop("category"), fields.pop("reason"), fields.pop("message"), **fields)
    assert conditions.end(LATER)[0]["lastTransitionTime"] == "2024-05-01T13:00:00Z"


def test_lookups_see_only_what_is_staged() -> None:
    conditions = Conditions({"conditions": first_pass()})
    assert conditions.has("Found")
    conditions.begin()
    assert not conditions.has("Found")
    assert not conditions.has_category(Category.WARN)
    assert conditions.find("Found") is None


def test_has_wants_all_and_has_any_wants_one() -> None:
    conditions = after([])
    conditions.set("One", Category.WARN)
    conditions.set("Off", Category.WARN, status="False")
    assert not conditions.has("One", "Off")
    assert conditions.has_any(["Off", "One"])
    assert not conditions.has_any(["Off"])


@pytest.mark.parametrize(
    ("category", "blocks"), [("Critical", True), ("Error", True), ("Warn", False), ("Required", False)]
)
def test_only_critical_and_error_block(category: str, blocks: bool) -> None:
    conditions = after([])
    conditions.set("Found", category)
    assert conditions.has_blocker() is blocks
    conditions.set("Found", category, status="False")
    assert conditions.has_blocker() is False


def test_ready_is_true_or_absent() -> None:
    conditions = after([])
    conditions.set_ready(True, "Ready.")
    conditions.set_ready(False, "Ready.")
    assert conditions.end(NOON) == []


def test_the_given_status_is_not_changed() -> None:
    listed = first_pass()
    before = [dict(item) for item in listed]
    after(listed).set("Found", Category.ERROR, message="Other.")
    assert listed == before


def test_order_is_kept_and_new_ones_come_last() -> None:
    conditions = after([])
    for name in ("B", "A"):
        conditions.set(name, Category.WARN)
    conditions.begin()
    for name in ("C", "A", "B"):
        conditions.set(name, Category.WARN)
    assert [item["type"] for item in conditions.end(NOON)] == ["B", "A", "C"]


@given(
    message=st.text(alphabet="ab []:,", max_size=20),
    items=st.lists(st.text(alphabet="xyz/-", min_size=1, max_size=5), max_size=3),
)
def test_repeating_any_finding_changes_nothing(message: str, items: list[str]) -> None:
    conditions = Conditions(None)
    conditions.begin()
    conditions.set("Found", Category.WARN, "Because", message, items=items)
    first = conditions.end(NOON)
    again = after(first)
    again.set("Found", Category.WARN, "Because", message, items=items)
    assert again.end(LATER) == first


@given(items=st.lists(st.text(alphabet="xyz/-", min_size=1, max_size=5), min_size=1, max_size=4))
def test_items_can_be_read_back(items: list[str]) -> None:
    assert c.items_of({"message": c.render("These are at fault: [].", items)}) == tuple(items)


def test_items_without_a_place_are_appended() -> None:
    assert c.render("At fault", ["a", "b"]) == "At fault [a,b]"
    assert c.items_of({"message": "nothing listed"}) == ()
    assert c.items_of(None) == ()


def test_readers() -> None:
    resource = {
        "status": {
            "conditions": [
                {"type": "Ready", "status": "True", "category": "Required"},
                {"type": "Bad", "status": "True", "category": "Critical"},
                {"type": "WasBad", "status": "False", "category": "Error"},
                {"type": "Odd", "status": "True", "category": "Warn"},
            ]
        }
    }
    assert c.is_ready(resource)
    assert [item["type"] for item in c.blockers(resource)] == ["Bad"]
    assert [item["type"] for item in c.warnings(resource)] == ["Odd"]
    assert not c.is_true(resource, "WasBad")
    assert list(c.by_type(resource)) == ["Ready", "Bad", "WasBad", "Odd"]


@pytest.mark.parametrize("resource", [None, {}, {"status": None}, {"status": {"conditions": None}}])
def test_readers_take_a_resource_without_status(resource: dict[str, Any] | None) -> None:
    assert not c.is_ready(resource)
    assert c.blockers(resource) == []
    assert c.condition(resource, "Ready") is None
