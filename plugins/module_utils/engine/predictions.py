# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check mode of a whole playbook: what earlier tasks have foretold, as far as later ones refer to it.

In check mode no task leaves anything on a cluster. So the action plugins hand the resources that earlier tasks of the
same playbook have foretold to those that follow, and a cluster that would have been adopted is reached as it would have
been for that. Outside check mode there are none.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

Manifest = dict[str, Any]


class Predictions:
    """Resources by kind, namespace and name. ``entries`` as the action plugin gives them."""

    def __init__(self, entries: Sequence[Mapping[str, Any]] = (), *, less_than_stored: Sequence[Manifest] = ()) -> None:
        self._entries = {_key(entry["resource"]): entry for entry in entries}
        self._less = {_key(resource): resource for resource in less_than_stored}

    def find(self, kind: str, target: tuple[str, str] | None) -> Manifest | None:
        """What an earlier task would have made of it: that is newer than what is stored. ``target`` is (namespace,
        name)."""
        entry = self._entries.get((kind, *target)) if target is not None else None
        return None if entry is None else copy.deepcopy(dict(entry["resource"]))

    def otherwise(self, kind: str, target: tuple[str, str] | None) -> Manifest | None:
        """What to assume of it where nothing is stored."""
        return self._less.get((kind, *target)) if target is not None else None

    def way_to(self, kind: str, target: tuple[str, str]) -> Mapping[str, Any] | None:
        """The connection by which the task that foretold it has reached it, as far as it may be passed on."""
        found: Mapping[str, Any] | None = (self._entries.get((kind, *target)) or {}).get("remote")
        return found

    def assuming(self, resources: Sequence[Manifest]) -> Predictions:
        """The same, and these where nothing is stored."""
        return Predictions(list(self._entries.values()), less_than_stored=resources)


def _key(resource: Mapping[str, Any]) -> tuple[str, str, str]:
    metadata = resource["metadata"]
    return str(resource["kind"]), str(metadata["namespace"]), str(metadata["name"])
