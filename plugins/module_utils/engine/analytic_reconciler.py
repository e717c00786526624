# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes a MigAnalytic's status true: looks at its plan, analyzes the source, tells what could not be measured.

Conditions are upstream's (MTC pkg/controller/miganalytic). The analysis is one step here and ends before anything is
written, so nobody sees ExtendedPVAnalysisStarted or a percentage below 100, and a failed analysis is an error of the
call instead of a silent repetition. How full volumes are comes from the kubelets and not from df and du in Velero's
pods: an apparent size (sparse files) is therefore not known.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ..cluster.api import Cluster
from ..resources import analysis, spec_fields
from ..resources.condition_names import AnalyticCondition, Category, Reason
from ..resources.conditions import FALSE, Conditions, is_ready
from ..resources.migplan import namespace_mapping
from .analytic_reading import Wanted, read_namespaces

IMAGE_STREAMS = "imagestreams"
VOLUME_RESOURCES = frozenset({"persistentvolumes", "persistentvolumeclaims"})


def check_analytic(
    *,
    spec: Mapping[str, Any],
    status: Mapping[str, Any],
    plan: Mapping[str, Any] | None,
    source: Callable[[], Cluster],
    threshold: int,
) -> dict[str, Any]:
    """The status that is true now, without ``observedGeneration``. ``source`` is opened only when it is needed.

    Raises what reading the source raises.
    """
    conditions = Conditions(status)
    conditions.begin()
    analytics = copy.deepcopy(dict(status.get("analytics") or {}))
    reference = "/".join(spec_fields.refers_to(spec.get("migPlanRef")) or ())
    missing = ""
    if plan is None:
        message = f"The plan {reference} does not exist." if reference else "The analytic names no plan."
        conditions.set(AnalyticCondition.INVALID_PLAN_REF, Category.CRITICAL, Reason.NOT_FOUND, message)
    else:
        found = "The plan exists."
        conditions.set(AnalyticCondition.INVALID_PLAN_REF, Category.CRITICAL, message=found, status=FALSE)
        _check_plan(spec, plan, conditions)
    if plan is not None and not conditions.has_blocker():
        opened = source()
        analytics = _analyze(spec, plan, opened, conditions, threshold=threshold)
        missing = ", ".join(sorted(opened.broken_groups))
    told = f"The analysis is complete, but for {missing}, whose server does not answer." if missing else ""
    conditions.set_ready(not conditions.has_blocker(), told or "The analysis is complete.")
    found_now = {**copy.deepcopy(dict(status)), "conditions": conditions.end(datetime.now(UTC))}
    return {**found_now, "analytics": analytics} if analytics else found_now


def _check_plan(spec: Mapping[str, Any], plan: Mapping[str, Any], conditions: Conditions) -> None:
    """A plan that is not ready may name what does not exist. A plan that waits for its volumes to be measured is never
    ready before, so that analysis alone is not postponed."""
    kind = AnalyticCondition.POSTPONED
    if is_ready(plan):
        conditions.set(kind, Category.CRITICAL, Reason.TEST_FAILED, "The plan is ready.", status=FALSE)
    elif not spec.get("analyzeExtendedPVCapacity"):
        message = "The plan is not ready: see its conditions. The analysis waits for it."
        conditions.set(kind, Category.CRITICAL, Reason.TEST_FAILED, message)


def _analyze(
    spec: Mapping[str, Any], plan: Mapping[str, Any], source: Cluster, conditions: Conditions, *, threshold: int
) -> dict[str, Any]:
    excluded = frozenset((plan.get("status") or {}).get("excludedResources") or ())
    facts = read_namespaces(
        source,
        list(namespace_mapping(plan)),
        Wanted(
            resources=bool(spec.get("analyzeK8SResources")),
            images=bool(spec.get("analyzeImageCount")) and IMAGE_STREAMS not in excluded,
            claims=bool(spec.get("analyzePVCapacity")) and not excluded >= VOLUME_RESOURCES,
            usage=bool(spec.get("analyzeExtendedPVCapacity")),
        ),
    )
    if unmeasured := analysis.unmeasured(facts):
        conditions.set(
            AnalyticCondition.EXTENDED_FAILED,
            Category.WARN,
            Reason.FAILED_RUNNING_DF,
            "No running pod mounts these claims, or no kubelet tells how full their volumes are: [].",
            items=unmeasured,
        )
    rules = analysis.Rules(
        excluded=excluded,
        incompatible=analysis.incompatible_kinds(plan),
        images_listed=int(spec.get("listImagesLimit") or 0) if spec.get("listImages") else 0,
        threshold=threshold,
    )
    rows = [analysis.namespace_row(each, rules) for each in facts]
    return analysis.totals(str(plan["metadata"]["name"]), rows)
