# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MigAnalytic: how much there is to move for a plan: objects, images, volumes and how full these are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import option_checks as check, spec_fields
from .errors import Problem
from .spec_fields import Field, ReferenceField

FIELDS = (
    ReferenceField("plan", "mig_plan_ref", "migPlanRef"),
    Field("analyze_image_count", "analyzeImageCount"),
    Field("analyze_k8s_resources", "analyzeK8SResources"),
    Field("analyze_pv_capacity", "analyzePVCapacity"),
    Field("analyze_extended_pv_capacity", "analyzeExtendedPVCapacity"),
    Field("list_images", "listImages"),
    Field("list_images_limit", "listImagesLimit"),
)
REQUIRED_DEFAULTS: Mapping[str, Any] = {
    "analyzeImageCount": True,
    "analyzeK8SResources": True,
    "analyzePVCapacity": True,
}
"""What the API demands and a new resource gets when the user says nothing: all that costs only lists."""
DEFAULT_THRESHOLD = 3
"""Percent of a volume that should stay free (MTC's PV_RESIZING_USAGE_THRESHOLD)."""
LARGEST_LIMIT = 2**31 - 1
SPEC = spec_fields.Spec(FIELDS, REQUIRED_DEFAULTS)
build_spec, merge_spec, drift = SPEC.build, SPEC.merge, SPEC.drift


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with the options themselves; what the merged spec lacks is incomplete()'s question."""
    problems = check.resource_name(params)
    if params.get("state") == "absent":
        return problems
    problems += check.exclusive(params, ("plan", "mig_plan_ref"))
    problems += check.dns_subdomain(params.get("plan"), "plan")
    problems += check.reference(params.get("mig_plan_ref"), "mig_plan_ref")
    limit = params.get("list_images_limit")
    if limit is not None and not 0 <= limit <= LARGEST_LIMIT:
        mend = "Name how many images of a namespace are listed at most"
        problems.append(Problem(path="list_images_limit", fault=f"{limit} is no number of images", mend=mend))
    if params.get("list_images") and limit is None:
        mend = "Name how many images of a namespace are listed at most; MTC lists none without it"
        problems.append(Problem(path="list_images_limit", fault="is missing beside list_images", mend=mend))
    threshold = params.get("pv_resizing_threshold")
    if threshold is not None and not 1 <= threshold <= 99:
        fault = f"{threshold} is no percentage between 1 and 99"
        problems.append(Problem(path="pv_resizing_threshold", fault=fault, mend="MTC's default is 3"))
    return problems


def incomplete(spec: Mapping[str, Any]) -> list[Problem]:
    """What a merged spec still lacks to be usable."""
    if spec_fields.refers_to(spec.get("migPlanRef")) is not None:
        return []
    return [Problem(path="plan", fault="is missing", mend="Name the MigPlan that is to be analyzed")]
