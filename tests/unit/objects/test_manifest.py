# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Edits copy along the path, share the rest, and return the very input when nothing changes."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.objects import manifest

VALUE: dict[str, Any] = {"a": {"b": [{"c": 1}, {"c": 2}], "d": {}}, "e": None, "app.kubernetes.io/name": "x"}


def test_put_copies_only_the_way() -> None:
    changed = manifest.put(VALUE, 9, "a", "b", 1, "c")
    assert changed["a"]["b"] == [{"c": 1}, {"c": 9}]
    assert VALUE["a"]["b"] == [{"c": 1}, {"c": 2}]
    assert changed["a"]["b"][0] is VALUE["a"]["b"][0]
    assert changed["a"]["d"] is VALUE["a"]["d"]


def test_put_makes_what_is_missing() -> None:
    assert manifest.put({}, 1, "a", "b") == {"a": {"b": 1}}
    assert manifest.put({"a": None}, 1, "a", "b") == {"a": {"b": 1}}
    assert manifest.put({}, None, "a") == {"a": None}


@pytest.mark.parametrize(
    "same",
    [
        manifest.put(VALUE, VALUE["a"]["b"], "a", "b"),
        manifest.without(VALUE, "x"),
        manifest.without(VALUE, "a", "x", "y"),
        manifest.pruned(VALUE, "a", "d", "x"),
        manifest.map_items(VALUE, lambda item: item, "a", "b"),
        manifest.map_items(VALUE, lambda _item: None, "a", "x"),
        manifest.keep_items(VALUE, bool, "a", "b"),
        manifest.keep_items(VALUE, bool, "e"),
        manifest.map_strings(VALUE, lambda _path, text: text),
    ],
)
def test_nothing_changed_is_the_same_object(same: object) -> None:
    assert same is VALUE


def test_without_and_pruned() -> None:
    assert manifest.without({"a": {"b": 1}}, "a", "b") == {"a": {}}
    assert manifest.pruned({"a": {"b": 1}}, "a", "b") == {}
    assert manifest.pruned({"a": {"b": 1, "c": 2}}, "a", "b") == {"a": {"c": 2}}


def test_a_list_without_items_goes() -> None:
    assert manifest.keep_items({"a": [1, 2]}, lambda item: item == 2, "a") == {"a": [2]}
    assert manifest.keep_items({"a": [1]}, lambda _item: False, "a") == {}
    assert manifest.keep_items({"a": []}, lambda _item: False, "a") == {"a": []}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (("a", "b", 0, "c"), 1),
        (("a", "b", 2), "?"),
        (("a", "b", "c"), "?"),
        (("e", "x"), "?"),
        (("e",), None),
        ((), VALUE),
    ],
)
def test_read(path: tuple[Any, ...], found: object) -> None:
    assert manifest.read(VALUE, *path, default="?") == found


def test_strings_are_told_with_their_path() -> None:
    paths: list[str] = []

    def look(path: str, text: str) -> str:
        paths.append(path)
        return text.upper()

    changed = manifest.map_strings({"a": ["x", {"b.c/d": "y"}], "n": 1}, look, "spec")
    assert changed == {"a": ["X", {"b.c/d": "Y"}], "n": 1}
    assert paths == ["spec.a[0]", 'spec.a[1]["b.c/d"]']
