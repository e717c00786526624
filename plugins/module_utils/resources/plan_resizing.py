# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a MigAnalytic has measured becomes the proposed sizes of a plan's volumes.

Source of the rules: MTC pkg/controller/migplan, PV resizing. Two things are better than there: a size that the user has
confirmed is never replaced, and whether a volume grows is seen from the sizes instead of from a comment's words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from . import plan_volumes, quantity, spec_fields
from .condition_names import Category, PlanCondition, Reason
from .conditions import FALSE, Conditions, condition, is_ready, is_true

Resource = Mapping[str, Any]


def analytic_of(plan: Resource, analytics: Iterable[Resource]) -> Resource | None:
    """The plan's newest MigAnalytic that measures the real use of volumes; None when there is none."""
    metadata = plan.get("metadata") or {}
    own = (str(metadata.get("namespace")), str(metadata.get("name")))
    fitting = [
        analytic
        for analytic in analytics
        if spec_fields.refers_to((analytic.get("spec") or {}).get("migPlanRef")) == own
        and (analytic.get("spec") or {}).get("analyzeExtendedPVCapacity")
    ]
    return max(fitting, key=lambda found: str((found.get("metadata") or {}).get("creationTimestamp")), default=None)


def resize(
    entries: Sequence[Mapping[str, Any]], analytic: Resource | None, conditions: Conditions
) -> list[dict[str, Any]]:
    """The entries with what the analytic proposes, as new dicts, and the conditions that say how it went.

    An analysis that is still under way changes nothing: what was known before stays.
    """
    kept = [deepcopy(dict(entry)) for entry in entries]
    if analytic is None:
        conditions.delete(PlanCondition.CAPACITY_ADJUSTMENT_REQUIRED)
        return kept
    if is_true(analytic, PlanCondition.RECONCILE_FAILED):
        message = "The use of the volumes could not be measured: see the conditions of the MigAnalytic."
        conditions.set(PlanCondition.USAGE_ANALYSIS_FAILED, Category.WARN, Reason.NOT_DONE, message)
        return kept
    if not is_ready(analytic) or (analytic.get("spec") or {}).get("refresh"):
        conditions.restage(PlanCondition.USAGE_ANALYSIS_FAILED, PlanCondition.EXTENDED_ANALYSIS_FAILED)
        return kept
    proposals = _proposals(analytic)
    growing, unmeasured = [], []
    for entry in kept:
        if (entry.get("selection") or {}).get("action") != plan_volumes.COPY:
            continue
        claim = _claim(entry)
        if claim not in proposals:
            unmeasured.append("/".join(claim))
            continue
        proposed = proposals[claim]
        if not entry.get("capacityConfirmed") and not quantity.equal(entry.get("proposedCapacity") or 0, proposed):
            entry["proposedCapacity"] = proposed
        if quantity.parse(proposed) > quantity.parse(entry.get("capacity") or 0):
            growing.append("/".join(claim))
    _tell(growing, unmeasured, analytic, conditions)
    return kept


def _tell(growing: Sequence[str], unmeasured: Sequence[str], analytic: Resource, conditions: Conditions) -> None:
    if growing:
        conditions.set(
            PlanCondition.CAPACITY_ADJUSTMENT_REQUIRED,
            Category.WARN,
            Reason.DONE,
            "The destination's claims are made larger than the source's volumes, which are nearly full: [].",
            status=FALSE,
            items=sorted(growing),
            durable=True,
        )
    else:
        conditions.delete(PlanCondition.CAPACITY_ADJUSTMENT_REQUIRED)
    if unmeasured:
        message = "Nothing is known about the use of these volumes (does a running pod mount them?): []."
        conditions.set(
            PlanCondition.USAGE_ANALYSIS_FAILED, Category.WARN, Reason.NOT_DONE, message, items=sorted(unmeasured)
        )
    failed = condition(analytic, PlanCondition.EXTENDED_ANALYSIS_FAILED)
    if failed is not None and failed.get("status") != FALSE:
        conditions.set(
            PlanCondition.EXTENDED_ANALYSIS_FAILED,
            Category.WARN,
            str(failed.get("reason", "")),
            str(failed.get("message", "")),
        )


def _proposals(analytic: Resource) -> dict[tuple[str, str], str]:
    """By (namespace, claim). A volume without a measured capacity has no proposal."""
    analytics = (analytic.get("status") or {}).get("analytics") or {}
    return {
        (str(namespace.get("namespace", "")), str(volume.get("name", ""))): str(volume["proposedCapacity"])
        for namespace in analytics.get("namespaces") or ()
        for volume in namespace.get("persistentVolumes") or ()
        if quantity.parse(volume.get("proposedCapacity") or 0)
    }


def _claim(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str((entry.get("pvc") or {}).get("namespace", "")), plan_volumes.claim_names(entry)[0]
