# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one proof that a store can hold backups: an object is written, read back, listed and deleted.

It lies beside the directory of backups, never within: Velero takes a directory that it does not know there for a
broken store.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from .store import Store, StoreError

PREFIX = "openmig-probe/"
FORGOTTEN_AFTER = timedelta(minutes=15)
"""A probe that is older was left by a process that was killed."""


def probe(store: Store) -> None:
    """Raises StoreError for the first verb that the store does not carry out. The object is gone afterwards, also when
    a verb before the deletion failed; if it cannot be deleted, the error says where it lies."""
    key, content = f"{PREFIX}{secrets.token_hex(16)}", secrets.token_bytes(64)
    try:
        store.put(key, content)
        _read_back(store, key, content)
        forgotten = _listed(store, key)
    except StoreError as error:
        # After a lost answer the object may be there, so only certainty spares the deletion.
        if not error.unreached:
            _tidy(store, key)
        raise
    store.delete(key)
    for each in forgotten:
        _tidy(store, each)


def look(store: Store) -> None:
    """What can be proven without writing: the store answers and lets these credentials list."""
    store.list(PREFIX)


def _read_back(store: Store, key: str, content: bytes) -> None:
    if store.get(key) != content:
        raise StoreError(
            address=store.address,
            attempt="read an object back",
            reason="its content is not what was written",
            mend="Look for a proxy or cache in between that changes or withholds answers",
        )


def _listed(store: Store, key: str) -> list[str]:
    """The keys of forgotten probes, by the store's own clock. Raises when ours is not in the listing."""
    found = {each.key: each.modified for each in store.list(PREFIX)}
    if key not in found:
        raise StoreError(
            address=store.address,
            attempt="list objects",
            reason="an object that was written is not in the listing",
            mend="Use a store that lists what it holds at once: backups are found by listing",
        )
    return [other for other, modified in found.items() if modified < found[key] - FORGOTTEN_AFTER]


def _tidy(store: Store, key: str) -> None:
    """Delete what may be there. The error that led here is the one to be told, so this one's own is not."""
    try:
        store.delete(key)
    except StoreError:
        return
