# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ``mig_plan`` tells of a plan, whoever has judged it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resources import summaries
from ..resources.conditions import by_type, warnings


def told(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The plan and what is in it, in the form of the module's result; {} stands for a plan that is gone."""
    status = plan.get("status") or {}
    return {
        "resource": plan,
        "conditions": by_type(plan),
        "volumes": summaries.summary(plan)["volumes"] if plan else [],
        "unhealthy": status.get("namespaces") or [],
        "incompatible": status.get("incompatibleNamespaces") or [],
        "warnings_to_show": [f"{item['type']}: {item.get('message', '')}" for item in warnings(plan)],
    }
