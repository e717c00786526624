# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was measured becomes the proposed sizes, unless the user has said one or nothing is known yet."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources.conditions import Conditions, items_of
from ansible_collections.openmig.mtc.plugins.module_utils.resources.plan_resizing import analytic_of, resize

READY = {"type": "Ready", "status": "True", "category": "Required"}


def entry(claim: str, *, capacity: str = "1Gi", action: str = "copy", **more: Any) -> dict[str, Any]:
    pvc = {"namespace": "shop", "name": claim}
    return {"name": f"pv-{claim}", "pvc": pvc, "capacity": capacity, "selection": {"action": action}, **more}


def analytic(*conditions: dict[str, Any], spec: dict[str, Any] | None = None, **proposed: str) -> dict[str, Any]:
    volumes = [{"name": claim, "proposedCapacity": size} for claim, size in proposed.items()]
    return {
        "metadata": {"name": "a", "creationTimestamp": "2024-05-01T00:00:00Z"},
        "spec": {
            "migPlanRef": {"name": "plan", "namespace": "openmig"},
            "analyzeExtendedPVCapacity": True,
            **(spec or {}),
        },
        "status": {
            "conditions": list(conditions),
            "analytics": {"namespaces": [{"namespace": "shop", "persistentVolumes": volumes}]},
        },
    }


def told(
    entries: list[dict[str, Any]], found: Any, before: list[dict[str, Any]] | None = None
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    conditions = Conditions({"conditions": before or []})
    conditions.begin()
    sized = resize(entries, found, conditions)
    listed = {item["type"]: item for item in conditions.end(datetime.now(UTC))}
    return {item["pvc"]["name"]: item.get("proposedCapacity") for item in sized}, listed


def test_a_full_volume_grows_and_that_is_said_for_as_long_as_it_holds() -> None:
    sizes, found = told([entry("data"), entry("logs")], analytic(READY, data="2Gi", logs="1Gi"))
    assert sizes == {"data": "2Gi", "logs": "1Gi"}
    required = found["PvCapacityAdjustmentRequired"]
    assert (required["status"], required["reason"], required["durable"]) == ("False", "Done", True)
    assert items_of(required) == ("shop/data",)
    _sizes, later = told([entry("data", capacity="2Gi")], analytic(READY, data="2Gi"), [required])
    assert later == {}
    _sizes, without = told([entry("data")], None, [required])
    assert without == {}


def test_a_size_that_the_user_has_confirmed_stays() -> None:
    confirmed = entry("data", proposedCapacity="5Gi", capacityConfirmed=True)
    sizes, _found = told([confirmed], analytic(READY, data="2Gi"))
    assert sizes == {"data": "5Gi"}


def test_equal_sizes_are_not_rewritten() -> None:
    sizes, _found = told([entry("data", proposedCapacity="1024Mi")], analytic(READY, data="1Gi"))
    assert sizes == {"data": "1024Mi"}


def test_a_volume_that_nothing_is_known_about_is_named_unless_it_is_skipped() -> None:
    _sizes, found = told([entry("data"), entry("cache", action="skip")], analytic(READY))
    assert items_of(found["PvUsageAnalysisFailed"]) == ("shop/data",)
    assert found["PvUsageAnalysisFailed"]["reason"] == "NotDone"


def test_what_the_analysis_failed_at_is_passed_on() -> None:
    failed = {"type": "ExtendedPVAnalysisFailed", "status": "True", "category": "Warn", "reason": "FailedRunningDf"}
    _sizes, found = told([entry("data")], analytic(READY, {**failed, "message": "No data for [data]"}, data="1Gi"))
    assert found["ExtendedPVAnalysisFailed"]["message"] == "No data for [data]"
    assert found["ExtendedPVAnalysisFailed"]["reason"] == "FailedRunningDf"


def test_a_broken_analysis_is_a_warning() -> None:
    sizes, found = told(
        [entry("data")], analytic({"type": "ReconcileFailed", "status": "True", "category": "Critical"})
    )
    assert (sizes, list(found)) == ({"data": None}, ["PvUsageAnalysisFailed"])


@pytest.mark.parametrize("under_way", [analytic(data="2Gi"), analytic(READY, spec={"refresh": True}, data="2Gi")])
def test_an_analysis_under_way_changes_nothing(under_way: dict[str, Any]) -> None:
    before = [{"type": "PvUsageAnalysisFailed", "status": "True", "category": "Warn", "reason": "NotDone"}]
    sizes, found = told([entry("data")], under_way, before)
    assert (sizes, list(found)) == ({"data": None}, ["PvUsageAnalysisFailed"])


def test_the_newest_analysis_of_use_is_the_plans() -> None:
    plan = {"metadata": {"name": "plan", "namespace": "openmig"}}
    old = analytic()
    new = {**old, "metadata": {"name": "b", "creationTimestamp": "2024-05-02T00:00:00Z"}}
    counting = analytic(spec={"analyzeExtendedPVCapacity": False})
    other = analytic(spec={"migPlanRef": {"name": "other", "namespace": "openmig"}})
    assert analytic_of(plan, [new, old, counting, other]) is new
    assert analytic_of(plan, [counting, other]) is None
