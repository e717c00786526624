# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The resource of a run as the engine writes it: one whole-object write per change, refused by the server when somebody
else wrote in between.

MTC's CRDs have no status subresource, so spec and status travel together and the resourceVersion guards both. A write
that is refused because the user changed the spec is repeated on top of that change; one that is refused because a
newer generation took the run over ends this process.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ..cluster.api import Cluster
from ..resources import names
from ..resources.conditions import Conditions
from ..resources.digest import observed_digest
from ..resources.errors import Conflict, LeaseLost, NotFound, subject_of

WRITES = 5
"""Tries of one status write while the user changes the spec at the same time."""


class RunResource:
    """The live object and the working copy of its status."""

    def __init__(self, *, cluster: Cluster, manifest: dict[str, Any], generation: int) -> None:
        self._cluster = cluster
        self._object = manifest
        self._generation = generation
        self.status: dict[str, Any] = copy.deepcopy(manifest.get("status") or {})
        self.conditions = Conditions(self.status)

    @property
    def manifest(self) -> dict[str, Any]:
        """The object as last read or written."""
        return self._object

    @property
    def kind(self) -> str:
        return str(self._object["kind"])

    @property
    def name(self) -> str:
        return str(self._object["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self._object["metadata"]["namespace"])

    @property
    def uid(self) -> str:
        return str(self._object["metadata"]["uid"])

    @property
    def subject(self) -> str:
        return subject_of(self.kind, self.name, self.namespace)

    def owner_reference(self) -> dict[str, Any]:
        """For what this run owns."""
        return {"apiVersion": names.API_VERSION, "kind": self.kind, "name": self.name, "uid": self.uid}

    def add_errors(self, errors: Sequence[str]) -> None:
        known = self.status.setdefault("errors", [])
        known.extend(error for error in dict.fromkeys(errors) if error not in known)

    def annotations(self) -> dict[str, str]:
        """What every write marks the object with."""
        return {names.GENERATION_LABEL: str(self._generation)}

    def write(self) -> None:
        """Store the status. Raises LeaseLost when a newer generation owns the run, NotFound when the resource was
        deleted."""
        self.status["conditions"] = self.conditions.end(datetime.now(UTC))
        for attempt in range(WRITES):
            metadata = self._object["metadata"]
            annotations = {**(metadata.get("annotations") or {}), **self.annotations()}
            self.status["observedDigest"] = observed_digest(self._object["spec"])
            wanted = {**self._object, "metadata": {**metadata, "annotations": annotations}, "status": self.status}
            try:
                self._object = self._cluster.replace(wanted)
                return
            except Conflict:
                if attempt == WRITES - 1:
                    raise
                self._reread()

    def look(self) -> None:
        """Read it again, because others may have changed the spec. Raises as write() does."""
        self._reread()

    def _reread(self) -> None:
        found = self._cluster.get(names.API_VERSION, self.kind, self.name, self.namespace)
        if found is None or found["metadata"]["uid"] != self.uid:
            raise NotFound(
                subject=self.subject,
                attempt="its status could not be written",
                reason="it was deleted while it ran",
                mend=f"Remove what the run has left: on both clusters, what carries the label {names.RUN_LABEL}",
                status=404,
            )
        newest = int((found["metadata"].get("annotations") or {}).get(names.GENERATION_LABEL, 0))
        if newest > self._generation:
            raise LeaseLost(
                subject=self.subject,
                attempt="its status was not written",
                reason=f"generation {newest} carries the migration out, this process is generation {self._generation}",
                mend="Watch the newer run",
            )
        self._object = found
