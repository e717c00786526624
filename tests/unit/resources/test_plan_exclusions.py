# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kinds that a plan leaves out of itself."""

from __future__ import annotations

from ansible_collections.openmig.mtc.plugins.module_utils.resources import plan_exclusions
from ansible_collections.openmig.mtc.plugins.module_utils.resources.controlled_options import plan_problems


def test_they_stand_on_the_plan_and_are_added_to_mtcs_own() -> None:
    annotations = plan_exclusions.annotated({"excluded_resources": ["secrets", "events"]}, {"other": "stays"})
    plan = {"metadata": {"annotations": annotations}}
    assert plan_exclusions.own(plan) == ["events", "secrets"]
    assert plan_exclusions.excluded(plan) == [*plan_exclusions.DEFAULT, "secrets"]
    assert plan_exclusions.annotated({}, annotations) == annotations
    assert plan_exclusions.annotated({"excluded_resources": []}, annotations) == {"other": "stays"}
    assert plan_exclusions.excluded({"metadata": {}}) == list(plan_exclusions.DEFAULT)


def test_mtcs_controller_has_its_own() -> None:
    assert [item.path for item in plan_problems({"excluded_resources": ["secrets"]})] == ["excluded_resources"]
    assert plan_problems({"excluded_resources": None}) == []
