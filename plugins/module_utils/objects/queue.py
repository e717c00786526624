# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Objects that wait for their turn: sorted into waves, as they are while there are few, packed in memory when many.

They must not lie on the disk of the machine (there are Secrets among them), and a big namespace as Python objects takes
ten times its size. Packed, a hundred thousand objects of a kilobyte take some ten megabytes.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from .manifest import Manifest

FEW: Final = 5000

Held: TypeAlias = "Manifest | bytes"


class Queue:
    """Filled once, then emptied wave by wave. ``kinds`` counts the objects of each (apiVersion, kind)."""

    def __init__(self, objects: Iterable[Manifest], rank: Callable[[Manifest], int], *, few: int = FEW) -> None:
        self._waves: dict[int, list[Held]] = {}
        self.kinds: Counter[tuple[str, str]] = Counter()
        self._total = 0
        for obj in objects:
            held: Held = obj if self._total < few else zlib.compress(json.dumps(obj).encode(), 1)
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


def unpacked(held: Held) -> Manifest:
    """The object; packed ones are unpacked by whoever works on them, so only a few exist at a time."""
    if isinstance(held, bytes):
        manifest: Manifest = json.loads(zlib.decompress(held))
        return manifest
    return held
