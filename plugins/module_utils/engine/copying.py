# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the steps that prepare a destination need to know of a run, whichever kind of resource it is a run of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..cluster.api import Cluster
from ..volumes.model import RunIdentity, VolumeMove


class Copying(Protocol):
    """A run that copies volumes."""

    @property
    def source(self) -> Cluster: ...

    @property
    def destination(self) -> Cluster: ...

    @property
    def moves(self) -> Sequence[VolumeMove]: ...

    @property
    def origins(self) -> Mapping[str, str]:
        """Destination namespace to the source namespace that it is made like."""

    def identity(self) -> RunIdentity: ...

    def ownership_labels(self) -> dict[str, str]:
        """On everything that this run creates on the destination for good."""

    def is_ours(self, found: Mapping[str, Any]) -> bool:
        """Whether this run or one that it continues has made the object, so that it may be copied into."""

    def is_of_this_run(self, found: Mapping[str, Any]) -> bool:
        """Whether this very run has made the object, so that it may be removed again."""

    def tell(self, fact: str) -> None: ...
