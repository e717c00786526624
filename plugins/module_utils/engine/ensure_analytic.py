# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of ``mig_analytic``: the MigAnalytic is stored with its figures; they are worked out again only when the
options change or a refresh is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..cluster.api import Cluster
from ..resources import miganalytic, names, spec_fields
from ..resources.conditions import is_ready
from . import analytic_reconciler, awaiting, ensure_resource
from .call import Call
from .ensure_resource import Handler, Manifest, Situation
from .observed import FIELD, is_observed, observed

LONGEST_LABEL = 63
"""Characters of a label's value; a plan of a longer name is found by the reference alone."""


def ensure(this: Call) -> dict[str, Any]:
    """The module's result. Raises NotReady when the plan is missing or not ready, and what reading the source
    raises."""
    return ensure_resource.ensure(this, HANDLER)


def _evaluate(situation: Situation) -> dict[str, Any]:
    stored, params = situation.stored, situation.call.params
    if stored is not None and not params["refresh"] and _stands(stored, situation):
        status: dict[str, Any] = stored["status"]
        return status
    plan = _plan(situation)

    def source() -> Cluster:
        return situation.call.reach.side(situation.control, plan or {}, side="source")

    before = {name: value for name, value in ((stored or {}).get("status") or {}).items() if name != FIELD}
    status = analytic_reconciler.check_analytic(
        spec=situation.spec, status=before, plan=plan, source=source, threshold=params["pv_resizing_threshold"]
    )
    return observed(situation, status)


def _stands(stored: Manifest, situation: Situation) -> bool:
    """Whether the stored figures are an answer to what is asked now."""
    same = stored["spec"] == situation.spec and not stored["spec"].get("refresh")
    return same and is_ready(stored) and is_observed(stored)


def _plan(situation: Situation) -> Manifest | None:
    target = spec_fields.refers_to(situation.spec.get("migPlanRef"))
    foretold = situation.call.predictions.find(names.MIG_PLAN, target)
    if target is None or foretold is not None or not situation.installed:
        return foretold
    namespace, name = target
    return situation.control.get(names.API_VERSION, names.MIG_PLAN, name, namespace)


def _results(_situation: Situation, resource: Manifest) -> dict[str, Any]:
    return {"analytics": (resource.get("status") or {}).get("analytics") or {}}


def _labels(spec: Mapping[str, Any]) -> dict[str, str]:
    """By which people find the analytics of a plan: upstream's label, which holds the plan's name."""
    _namespace, name = spec_fields.refers_to(spec.get("migPlanRef")) or ("", "")
    return {names.MIGPLAN_LABEL: name} if 0 < len(name) <= LONGEST_LABEL else {}


HANDLER = Handler(
    kind=names.MIG_ANALYTIC,
    room=miganalytic,
    evaluate=_evaluate,
    drive=awaiting.drive,
    labels=_labels,
    results=_results,
)
