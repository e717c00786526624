# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The MigMigration as the engine writes it: its phase, its pipeline, its conditions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from ..resources import accepted, names
from ..resources.condition_names import Category, MigrationCondition
from . import pipeline
from .clock import utc_now
from .itinerary import COMPLETED, CREATED, Flag, Itinerary, failure_reason
from .run_resource import RunResource


class MigrationResource(RunResource):
    """The live object and the working copy of its status."""

    @property
    def phase(self) -> str:
        return str(self.status.get("phase", CREATED))

    @property
    def failed(self) -> bool:
        return self.conditions.has(MigrationCondition.FAILED)

    @property
    def canceled(self) -> bool:
        """It has ended by being cancelled."""
        return self.conditions.has(MigrationCondition.CANCELED)

    @property
    def cancel_is_asked(self) -> bool:
        """As far as the resource was read last."""
        return bool(self._object["spec"].get("canceled"))

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
        self.conditions.delete(MigrationCondition.CANCELING)
        self.add_errors(errors)
        self.status["pipeline"] = pipeline.fail(self.status.get("pipeline") or [], itinerary, phase, now=utc_now())
        self.conditions.set(
            MigrationCondition.FAILED,
            Category.ADVISORY,
            reason=failure_reason(phase),
            message="The migration has failed. See: Errors.",
            durable=True,
        )

    def show_progress(self, step: str, lines: Sequence[str]) -> None:
        """The lines under one step of the pipeline; not yet written."""
        self.status["pipeline"] = pipeline.tell_progress(self.status.get("pipeline") or [], step, list(lines))

    def warn(self, type: str, message: str) -> None:
        """Set a warning that stays, with the reason that MTC gives for it; not yet written."""
        reason = accepted.REASONS.get(type, "")
        self.conditions.set(type, Category.WARN, reason=reason, message=message, durable=True)

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

    def annotations(self) -> dict[str, str]:
        return {**super().annotations(), names.TOUCH_ANNOTATION: str(uuid.uuid1())}
