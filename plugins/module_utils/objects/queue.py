# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Objects that wait for their turn: as they are while there are few, packed in memory when many.

They must not lie on the disk of the machine (there are Secrets among them), and a big namespace as Python objects takes
ten times its size. Packed, a hundred thousand objects of a kilobyte take some ten megabytes.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, TypeAlias

from .manifest import Manifest

FEW: Final = 5000

Held: TypeAlias = "Manifest | bytes"
"""An object as it is, or packed."""


class Shelf(Collection[Manifest]):
    """Objects in the order in which they were added, to be gone through as often as wanted."""

    def __init__(self, objects: Iterable[Manifest] = (), *, few: int = FEW) -> None:
        self._few = few
        self._held: list[Held] = []
        for obj in objects:
            self.add(obj)

    def add(self, obj: Manifest) -> None:
        """Keep it; what is kept as it is must not be changed."""
        self._held.append(packed(obj) if len(self._held) >= self._few else obj)

    @property
    def held(self) -> Iterator[Held]:
        """The objects as they are kept."""
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Manifest]:
        return map(unpacked, self._held)

    def __contains__(self, obj: object) -> bool:
        return any(obj == each for each in self)


class Queue:
    """Filled once, then emptied wave by wave. ``kinds`` counts the objects of each (apiVersion, kind).

    What a Shelf keeps packed is shared with it. ``noted`` is given each object on its way in.
    """

    def __init__(
        self,
        objects: Iterable[Manifest],
        rank: Callable[[Manifest], int],
        *,
        few: int = FEW,
        noted: Callable[[Manifest], None] | None = None,
    ) -> None:
        self._waves: dict[int, list[Held]] = {}
        self.kinds: Counter[tuple[str, str]] = Counter()
        self._total = 0
        kept = objects.held if isinstance(objects, Shelf) else iter(objects)
        for found in kept:
            obj = unpacked(found)
            held = packed(obj) if found is obj and self._total >= few else found
            if noted is not None:
                noted(obj)
            self._waves.setdefault(rank(obj), []).append(held)
            self.kinds[obj["apiVersion"], obj["kind"]] += 1
            self._total += 1

    def __len__(self) -> int:
        """How many objects were put in, taken ones included."""
        return self._total

    def waves(self) -> Iterator[list[Held]]:
        """The waves in order; each is forgotten once the next is asked for."""
        for number in sorted(self._waves):
            yield self._waves.pop(number)


def packed(obj: Manifest) -> bytes:
    """The object in some tenth of its size."""
    return zlib.compress(json.dumps(obj).encode(), 1)


def unpacked(held: Held) -> Manifest:
    """The object; packed ones are unpacked by whoever works on them, so only a few exist at a time."""
    if isinstance(held, bytes):
        manifest: Manifest = json.loads(zlib.decompress(held))
        return manifest
    return held
