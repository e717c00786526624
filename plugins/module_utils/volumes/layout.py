# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the scaffolding of one run is called and labelled, so that any process finds it, keeps it apart from other
runs', and removes all of it.

Names begin with ``openmig-`` and the migration's UID; Secrets and ConfigMaps end in a digest of what they hold. A pod
is therefore up to date exactly when the names it mounts are the ones that would be made now, and two runs over the
same namespaces never meet (V1, V2).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ..resources import names
from .model import RunIdentity, VolumeMove

Role = Literal["anchor", "server", "client"]

CONTAINER: Final = "transfer"
PURPOSE_LABEL: Final = "purpose"
PURPOSE: Final = "rsync"


def digest(data: Mapping[str, str]) -> str:
    """Eight hexadecimal digits for some files."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:8]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The names and labels of one run's scaffolding."""

    identity: RunIdentity
    moves: tuple[VolumeMove, ...]
    purpose: str = PURPOSE
    """What the pods run, as upstream labels it."""
    _prefix: str = field(init=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "_prefix", f"openmig-{self.identity.short}")

    @property
    def source_namespaces(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(move.source_namespace for move in self.moves))

    @property
    def target_namespaces(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(move.target_namespace for move in self.moves))

    def into(self, target_namespace: str) -> tuple[VolumeMove, ...]:
        """The moves that end in that namespace."""
        return tuple(move for move in self.moves if move.target_namespace == target_namespace)

    def out_of(self, source_namespace: str) -> tuple[VolumeMove, ...]:
        """The moves that start in that namespace."""
        return tuple(move for move in self.moves if move.source_namespace == source_namespace)

    @property
    def anchor(self) -> str:
        return f"{self._prefix}-anchor"

    def named(self, role: Role, ending: str = "") -> str:
        """The server's pod and service, or what a digest makes unique."""
        return f"{self._prefix}-{role}" + (f"-{ending}" if ending else "")

    def client(self, move: VolumeMove) -> str:
        """The client pod of a volume."""
        return f"{self._prefix}-{move.key}"

    @property
    def selector(self) -> str:
        """Selects all scaffolding of the run."""
        return f"{names.RUN_LABEL}={self.identity.uid}"

    def labels(self, role: Role) -> dict[str, str]:
        """On everything; ``app`` and ``owner`` are upstream's, so that network policies written for MTC match."""
        return {
            names.RUN_LABEL: self.identity.uid,
            names.COMPONENT_LABEL: role,
            names.MANAGED_BY_LABEL: names.MANAGED_BY,
            names.APP_LABEL: names.TRANSFER_APP,
            names.OWNER_LABEL: names.TRANSFER_OWNER,
            PURPOSE_LABEL: self.purpose,
            **self.identity.correlation_labels,
        }

    def metadata(
        self, name: str, namespace: str, role: Role, *, anchor_uid: str | None, labels: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """With the namespace's anchor as owner, so that deleting the anchor alone would remove everything."""
        metadata: dict[str, Any] = {
            "name": name,
            "namespace": namespace,
            "labels": {**self.labels(role), **(labels or {})},
        }
        if anchor_uid is not None:
            metadata["ownerReferences"] = [
                {"apiVersion": "v1", "kind": "ConfigMap", "name": self.anchor, "uid": anchor_uid}
            ]
        return metadata

    def module_paths(self, moves: Sequence[VolumeMove], root: str) -> dict[str, str]:
        """rsync module to directory in the server pod."""
        return {self.identity.module(move): f"{root}/{move.key}" for move in moves}
