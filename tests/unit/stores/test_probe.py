# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The probe's order of things, with faults that a real server cannot be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.stores.probe import PREFIX, look, probe
from ansible_collections.openmig.mtc.plugins.module_utils.stores.store import Listed, StoreError

NOW = datetime(2024, 5, 1, tzinfo=UTC)


class Memory:
    """Stands for a store: a dictionary that fails where it is told to. The real ones are in the integration tests."""

    address = "bucket of the test"

    def __init__(self, *failing: str, unreached: bool = False, broken: str = "") -> None:
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self.calls: list[str] = []
        self._failing = failing
        self._unreached = unreached
        self._broken = broken

    def put(self, key: str, content: bytes) -> None:
        self.objects[key] = (content, NOW)
        self._called("put")

    def get(self, key: str) -> bytes:
        self._called("get")
        return b"other" if self._broken == "get" else self.objects[key][0]

    def list(self, prefix: str) -> Sequence[Listed]:
        self._called("list")
        if self._broken == "list":
            return []
        return [Listed(key, made) for key, (_content, made) in self.objects.items() if key.startswith(prefix)]

    def delete(self, key: str) -> None:
        self._called("delete")
        self.objects.pop(key, None)

    def close(self) -> None:
        pass

    def _called(self, verb: str) -> None:
        self.calls.append(verb)
        if verb in self._failing:
            raise StoreError(
                address=self.address, attempt=verb, reason="told to", mend="Nothing", unreached=self._unreached
            )


def test_all_verbs_and_nothing_stays() -> None:
    store = Memory()
    probe(store)
    assert store.calls == ["put", "get", "list", "delete"]
    assert store.objects == {}


@pytest.mark.parametrize("verb", ["put", "get", "list"])
def test_nothing_stays_when_a_verb_fails(verb: str) -> None:
    store = Memory(verb)
    with pytest.raises(StoreError, match=f"{verb}: told to"):
        probe(store)
    assert store.objects == {}


@pytest.mark.parametrize("verb", ["get", "list"])
def test_a_store_that_gives_something_else_is_none(verb: str) -> None:
    store = Memory(broken=verb)
    with pytest.raises(StoreError, match=r"content is not what was written|not in the listing"):
        probe(store)
    assert store.objects == {}


def test_a_store_that_was_not_reached_is_not_asked_to_delete() -> None:
    store = Memory("put", unreached=True)
    with pytest.raises(StoreError):
        probe(store)
    assert store.calls == ["put"]


def test_a_deletion_that_fails_is_told_and_the_first_error_wins() -> None:
    with pytest.raises(StoreError, match="delete: told to"):
        probe(Memory("delete"))
    with pytest.raises(StoreError, match="get: told to"):
        probe(Memory("get", "delete"))


def test_what_a_killed_process_left_goes_and_what_others_are_at_stays() -> None:
    store = Memory()
    store.objects = {
        f"{PREFIX}old": (b"", NOW - timedelta(minutes=16)),
        f"{PREFIX}young": (b"", NOW - timedelta(minutes=14)),
        "velero/backup": (b"", NOW - timedelta(days=1)),
    }
    probe(store)
    assert set(store.objects) == {f"{PREFIX}young", "velero/backup"}


def test_looking_only_lists() -> None:
    store = Memory()
    look(store)
    assert store.calls == ["list"]
