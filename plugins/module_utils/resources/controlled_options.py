# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options that MTC's controller knows nothing of, of runs and of plans.

One that promises something is refused, for it would be broken in silence; one that only says how the builtin engine
goes about it (its image, its deadlines) has no effect, so that the same task works with both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import plan_exclusions, plan_limits
from .errors import Problem


@dataclass(frozen=True)
class _Promise:
    """An option that MTC cannot keep. ``harmless`` are values that promise nothing."""

    mend: str
    harmless: tuple[Any, ...] = (None,)


PROMISES: Mapping[str, _Promise] = {
    "excludes": _Promise("Leave it out, or say engine: builtin", (None, [])),
    "pause_before": _Promise("Use a hook of the plan, or say engine: builtin"),
    "rollback_sync": _Promise("Leave it out, or say engine: builtin", (None, False)),
    "plan_digest": _Promise("Leave it out, or say engine: builtin"),
    "plan_file": _Promise("Leave it out, or say engine: builtin"),
    "verification": _Promise("Say verify: true for the plan's volumes in mig_plan", (None, "changed")),
    "existing_objects": _Promise("Leave it out: Velero keeps what exists", (None, "fail", "keep")),
    "images": _Promise("Leave imagestreams out with the plan's included_resources", (None, "copy")),
    "bandwidth": _Promise("Set rsync_opt_bwlimit in the MigrationController"),
    "endpoint_address": _Promise("Set rsync_endpoint_type and cluster_subdomain in the MigrationController"),
}


PLAN_LIMITS: Mapping[str, _Promise] = {
    option: _Promise(f"Set mig_{option} in the MigrationController") for option in plan_limits.OPTIONS
} | {plan_exclusions.OPTION: _Promise("Set additional_excluded_resources in the MigrationController")}


def problems(params: Mapping[str, Any]) -> list[Problem]:
    """The options of a run that would promise too much."""
    return _kept_by_nobody(params, PROMISES)


def plan_problems(params: Mapping[str, Any]) -> list[Problem]:
    """The same for a plan: its limits and exclusions are settings of the controller."""
    return _kept_by_nobody(params, PLAN_LIMITS)


def _kept_by_nobody(params: Mapping[str, Any], promises: Mapping[str, _Promise]) -> list[Problem]:
    return [
        Problem(path=option, fault="is not something that MTC's controller can be told here", mend=promise.mend)
        for option, promise in promises.items()
        if params.get(option) not in promise.harmless
    ]
