# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The MigMigration as the engine writes it: one whole-object write per change, refused by the server when somebody
else wrote in between.

MTC's CRDs have no status subresource, so spec and status travel together and the resourceVersion guards both. A write
that is refused because the user changed the spec is repeated on top of that change; one that is refused because a
newer generation took the run over ends this process.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ..cluster.api import Cluster
from ..resources import names
from ..resources.condition_names import Category, MigrationCondition
from ..resources.conditions import Conditions
from ..resources.digest import observed_digest
from ..resources.errors import Conflict, LeaseLost, NotFound, subject_of
from . import pipeline
from .clock import utc_now
from .itinerary import COMPLETED, CREATED, Flag, Itinerary

WRITES = 5
"""Tries of one status write while the user changes the spec at the same time."""


class MigrationResource:
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
        return subject_of(names.MIG_MIGRATION, self.name, self.namespace)

    @property
    def phase(self) -> str:
        return str(self.status.get("phase", CREATED))

    @property
    def failed(self) -> bool:
        return self.conditions.has(MigrationCondition.FAILED)

    def owner_reference(self) -> dict[str, Any]:
        """For what this migration owns."""
        return {"apiVersion": names.API_VERSION, "kind": names.MIG_MIGRATION, "name": self.name, "uid": self.uid}

    def own(self, plan: dict[str, Any]) -> None:
        """Label the run and let its plan own it, as upstream does on first contact; written with the next status."""
        metadata = self._object["metadata"]
        owner = {
            "apiVersion": names.API_VERSION,
            "kind": names.MIG_PLAN,
            "name": plan["metadata"]["name"],
            "uid": plan["metadata"]["uid"],
        }
        labels = {names.MIGRATION_UID_LABEL: self.uid, names.MIGPLAN_NAME_LABEL: plan["metadata"]["name"]}
        metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
        if owner["uid"] not in [entry.get("uid") for entry in metadata.get("ownerReferences") or ()]:
            metadata["ownerReferences"] = [*(metadata.get("ownerReferences") or ()), owner]

    def enter(self, itinerary: Itinerary, phase: str, *, flags: frozenset[Flag]) -> None:
        """Make ``phase`` the current one, with everything that shows it; not yet written."""
        now = utc_now()
        if self.status.get("itinerary") != itinerary.name:
            self.status["itinerary"] = itinerary.name
            self.status["pipeline"] = pipeline.append_missing(self.status.get("pipeline") or [], itinerary, flags)
        self.status.setdefault("startTimestamp", now)
        self.status["phase"] = phase
        self.status["pipeline"] = pipeline.enter(self.status["pipeline"], itinerary, phase, now=now)
        if phase == COMPLETED:
            self.conditions.delete(MigrationCondition.RUNNING, MigrationCondition.READY)
            return
        step = f"Step: {itinerary.index(phase)}/{itinerary.total}"
        self.conditions.set(MigrationCondition.RUNNING, Category.ADVISORY, reason=phase, message=step)
        self.conditions.set_ready(True, "The migration is ready.")

    def fail(self, itinerary: Itinerary, phase: str, errors: Sequence[str]) -> None:
        """Record a failure in ``phase``; not yet written."""
        self.add_errors(errors)
        self.status["pipeline"] = pipeline.fail(self.status.get("pipeline") or [], itinerary, phase, now=utc_now())
        self.conditions.set(
            MigrationCondition.FAILED,
            Category.ADVISORY,
            reason=phase,
            message="The migration has failed. See: Errors.",
            durable=True,
        )

    def add_errors(self, errors: Sequence[str]) -> None:
        known = self.status.setdefault("errors", [])
        known.extend(error for error in dict.fromkeys(errors) if error not in known)

    def show_progress(self, step: str, lines: Sequence[str]) -> None:
        """The lines under one step of the pipeline; not yet written."""
        self.status["pipeline"] = pipeline.tell_progress(self.status.get("pipeline") or [], step, list(lines))

    def succeed(self) -> None:
        """Set the end's condition: with warnings where a Warn condition stands; not yet written."""
        warned = self.conditions.has_category(Category.WARN)
        self.conditions.set(
            MigrationCondition.SUCCEEDED_WITH_WARNINGS if warned else MigrationCondition.SUCCEEDED,
            Category.ADVISORY,
            reason="Completed",
            message="The migration has completed with warnings."
            if warned
            else "The migration has completed successfully.",
            durable=True,
        )

    def write(self) -> None:
        """Store the status. Raises LeaseLost when a newer generation owns the run, NotFound when the resource was
        deleted."""
        self.status["conditions"] = self.conditions.end(datetime.now(UTC))
        for attempt in range(WRITES):
            metadata = self._object["metadata"]
            annotations = {
                **(metadata.get("annotations") or {}),
                names.TOUCH_ANNOTATION: str(uuid.uuid1()),
                names.GENERATION_LABEL: str(self._generation),
            }
            self.status["observedDigest"] = observed_digest(self._object["spec"])
            wanted = {**self._object, "metadata": {**metadata, "annotations": annotations}, "status": self.status}
            try:
                self._object = self._cluster.replace(wanted)
                return
            except Conflict:
                if attempt == WRITES - 1:
                    raise
                self._reread()

    def _reread(self) -> None:
        found = self._cluster.get(names.API_VERSION, names.MIG_MIGRATION, self.name, self.namespace)
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
