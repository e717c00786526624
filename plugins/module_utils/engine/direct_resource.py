# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A DirectVolumeMigration that stands alone, as the engine writes it: its phase, its lists of pods, its conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..resources.condition_names import Category, Reason, VolumeCondition
from ..resources.conditions import Conditions
from ..volumes.status import dvm_status
from .clock import utc_now
from .direct_itinerary import VOLUME_MIGRATION
from .itinerary import COMPLETED, CREATED, Itinerary
from .run_resource import RunResource

PASSING = (
    VolumeCondition.TRANSFER_PODS_PENDING,
    VolumeCondition.CLIENT_PODS_PENDING,
)
"""Warnings that hold for the phase that shows them."""


class DirectResource(RunResource):
    """The live object and the working copy of its status."""

    @property
    def spec(self) -> dict[str, Any]:
        found: dict[str, Any] = self._object["spec"]
        return found

    @property
    def phase(self) -> str:
        return str(self.status.get("phase", CREATED))

    @property
    def failed(self) -> bool:
        return self.conditions.has(VolumeCondition.FAILED)

    def start(self, spec: Mapping[str, Any]) -> None:
        """Begin a new attempt with this spec: nothing of an earlier one is shown any more; not yet written."""
        self._object = {**self._object, "spec": dict(spec)}
        self.status = {}
        self.conditions = Conditions(None)
        self.enter(VOLUME_MIGRATION, "Started")

    def enter(self, itinerary: Itinerary, phase: str) -> None:
        """Make ``phase`` the current one; not yet written."""
        row = itinerary.row(phase)
        self.status["itinerary"] = itinerary.name
        self.status.setdefault("startTimestamp", utc_now())
        self.status["phase"] = phase
        self.status["phaseDescription"] = row.description if row else phase
        self.conditions.delete(*PASSING)
        if phase == COMPLETED:
            self.conditions.delete(VolumeCondition.RUNNING, VolumeCondition.READY)
            return
        step = f"Step: {itinerary.index(phase)}/{itinerary.total}"
        self.conditions.set(VolumeCondition.RUNNING, Category.ADVISORY, reason=phase, message=step)
        self.conditions.set_ready(not self.failed, "The migration is ready.")

    def show(self, progress: Iterable[Mapping[str, Any]], *, failed: bool = False) -> None:
        """The lists of pods and operations; not yet written."""
        self.status.update(dvm_status(progress, failed=failed))

    def warn(self, type: str, reason: str, message: str, items: Sequence[str] = ()) -> None:
        """A warning about the present phase; not yet written."""
        self.conditions.set(type, Category.WARN, reason, message, items=items)

    def fail(self, phase: str, errors: Sequence[str], *, copying: bool) -> None:
        """Record a failure. As with upstream it is Critical when the copy itself failed; not yet written."""
        self.add_errors(errors)
        category = Category.CRITICAL if copying else Category.WARN
        message = "The migration has failed. See: Errors."
        self.conditions.set(VolumeCondition.FAILED, category, phase, message, durable=True)

    def succeed(self) -> None:
        message = "The migration has succeeded"
        self.conditions.set(VolumeCondition.SUCCEEDED, Category.ADVISORY, Reason.COMPLETED, message, durable=True)
