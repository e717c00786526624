# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to be more than created before the next wave: one row per kind that something later needs whole.

Claims are not among them: they are made and bound when their volumes are copied, before any object.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from ..cluster.api import Cluster
from ..resources.errors import DeadlineExceeded, NotFound, Refused
from . import definitions
from .inventory import reference
from .manifest import GroupKind, Manifest, group_kind, name_of, namespace_of, read
from .transforms_accounts import SERVICE_ACCOUNT_ANNOTATION, TOKEN_TYPE

WITHIN: Final = 60.0
"""Seconds for which one object is awaited."""
PAUSE: Final = 0.1


@dataclass(frozen=True)
class Awaited:
    """``is_wanted`` of what was sent; ``is_ready`` of what is there, raising Refused when it never will be."""

    is_wanted: Callable[[Manifest], bool]
    is_ready: Callable[[Cluster, Manifest], bool]
    what: str


def _definition_is_ready(destination: Cluster, live: Manifest) -> bool:
    if reason := definitions.refused_names(live):
        raise Refused(
            subject=reference(live),
            attempt="the destination does not take its names",
            reason=reason,
            mend="Remove the definition that has them, or leave the kind out with included_resources",
        )
    if not definitions.is_established(live):
        return False
    kinds = definitions.kinds_of(live)
    try:
        for kind in kinds:
            next(destination.list(*kind, page=1), None)
    except NotFound:
        return False
    # What is looked for later, by whoever takes the objects away again, is looked for among these.
    destination.types(refresh=True)
    return all(destination.serves(*kind) for kind in kinds)


def _is_token(sent: Manifest) -> bool:
    return sent.get("type") == TOKEN_TYPE and bool(read(sent, "metadata", "annotations", SERVICE_ACCOUNT_ANNOTATION))


def _token_is_filled(_destination: Cluster, live: Manifest) -> bool:
    return bool(read(live, "data", "token"))


AWAITED: Final[dict[GroupKind, Awaited]] = {
    definitions.DEFINITION: Awaited(lambda _sent: True, _definition_is_ready, "is not served"),
    ("", "Secret"): Awaited(_is_token, _token_is_filled, "has not got its token"),
}
"""A definition before the objects of its kind; a token that a person asked for before the pods that mount it."""


def is_awaited(sent: Manifest) -> bool:
    """Whether something later needs the object whole."""
    row = AWAITED.get(group_kind(sent))
    return row is not None and row.is_wanted(sent)


def await_ready(destination: Cluster, sent: Iterable[Manifest], *, concurrency: int = 16) -> None:
    """Wait for objects that is_awaited() names. Raises DeadlineExceeded, or Refused for what can never be."""

    def wait(obj: Manifest) -> None:
        row = AWAITED[group_kind(obj)]
        until = time.monotonic() + WITHIN
        while True:
            live = destination.get(obj["apiVersion"], obj["kind"], name_of(obj), namespace_of(obj) or None)
            if live is not None and row.is_ready(destination, live):
                return
            if time.monotonic() > until:
                raise DeadlineExceeded(
                    subject=reference(obj),
                    attempt=f"it {row.what} after {WITHIN:.0f} s",
                    reason="no controller of the destination has taken it up",
                    mend="Look at it there, then run the task again",
                )
            time.sleep(PAUSE)

    destination.map(wait, sent, concurrency=concurrency)
