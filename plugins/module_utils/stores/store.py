# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A place for objects, by four verbs, whoever provides it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..resources.errors import PermanentError

CONNECT_SECONDS = 5
READ_SECONDS = 15
"""Of one request. Where the library tries again by itself, it does so once."""


@dataclass(frozen=True)
class Listed:
    """One object of a listing. ``modified`` is by the store's clock."""

    key: str
    modified: datetime


class Store(Protocol):
    """Each verb raises ``StoreError``, and nothing else for what the store or the way to it does."""

    @property
    def address(self) -> str:
        """How messages call it: ``bucket backups at https://...``; nothing secret."""

    def put(self, key: str, content: bytes) -> None: ...

    def get(self, key: str) -> bytes: ...

    def list(self, prefix: str) -> Sequence[Listed]:
        """What begins with the prefix; a page of it is enough where there is more."""

    def delete(self, key: str) -> None:
        """Absence was the aim: no error for what is not there, where the store can tell."""

    def close(self) -> None: ...


class StoreError(PermanentError):
    """The store or the way to it said no. ``unreached``: the request certainly never came to the store.

    The reason never holds a credential, and is the same each time the same thing goes wrong.
    """

    def __init__(self, *, address: str, attempt: str, reason: str, mend: str, unreached: bool = False) -> None:
        self.unreached = unreached
        super().__init__(subject=address[:1].upper() + address[1:], attempt=attempt, reason=reason, mend=mend)
