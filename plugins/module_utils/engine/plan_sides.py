# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The two clusters of a plan in one call: opened once, when first needed; and why a plan cannot be carried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..cluster.api import Cluster
from ..resources import names, spec_fields
from ..resources.condition_names import Category, ConditionType
from ..resources.conditions import TRUE, blockers, is_ready
from ..resources.errors import MtcError, Refused, subject_of
from ..resources.plan_mends import mend
from .call import Call
from .predictions import Predictions

SIDES = {"source": "srcMigClusterRef", "destination": "destMigClusterRef"}


class PlanSides:
    """Opens source and destination of a plan as its call says."""

    def __init__(self, this: Call, control: Cluster, plan: Mapping[str, Any]) -> None:
        self._call = this
        self._control = control
        self._plan = plan
        self._opened: tuple[Cluster, Cluster] | None = None
        self.asked = False
        """Whether somebody wanted the sides: from then on an error is more likely theirs than the control cluster's."""

    def both(self) -> tuple[Cluster, Cluster]:
        """(source, destination); raises NotFound when a MigCluster is missing and no connection is given instead."""
        self.asked = True
        if self._opened is None:
            source, destination = (self._call.reach.side(self._control, self._plan, side=side) for side in SIDES)
            self._opened = (source, destination)
        return self._opened

    def predicted(self) -> Predictions:
        """What a run without check mode would find: what earlier tasks have foretold, and MigClusters whose connection
        the call gives itself. Outside check mode nothing is foretold."""
        if not self._call.check:
            return Predictions()
        found = []
        for side, field in SIDES.items():
            target = spec_fields.refers_to(self._plan["spec"].get(field))
            if target is None or not self._call.params.get(side):
                continue
            ready = {"type": ConditionType.READY, "status": TRUE, "category": Category.REQUIRED}
            found.append(
                {
                    "apiVersion": names.API_VERSION,
                    "kind": names.MIG_CLUSTER,
                    "metadata": {"name": target[1], "namespace": target[0]},
                    "spec": {"isHostCluster": False},
                    "status": {"conditions": [ready]},
                }
            )
        return self._call.predictions.assuming(found)


def plan_findings(plan: Mapping[str, Any]) -> list[MtcError]:
    """Why the plan is not ready, one error per condition; empty when it is."""
    if is_ready(plan):
        return []
    metadata = plan["metadata"]
    subject = subject_of(names.MIG_PLAN, metadata["name"], metadata["namespace"])
    if plan["spec"].get("closed"):
        closed = Refused(
            subject=subject,
            attempt="it is closed",
            reason="no migration of it is started",
            mend="Open it again with mig_plan (close: false), or make another plan",
        )
        return [closed]
    found: list[MtcError] = [
        Refused(subject=subject, attempt=item["type"], reason=item.get("message", ""), mend=mend(item, plan))
        for item in blockers(plan)
    ]
    return found or [Refused(subject=subject, attempt="it is not ready", mend="Look at its conditions")]
