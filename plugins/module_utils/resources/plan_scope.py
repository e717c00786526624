# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which kinds and objects a plan is about, in the words in which clusters are asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def included_kinds(plan: Mapping[str, Any]) -> list[str]:
    """``spec.includedResources`` as names that collect() takes."""
    return [
        f"{item.get('kind', '')}.{item.get('group', '')}".rstrip(".")
        for item in plan["spec"].get("includedResources") or ()
    ]


def selector_text(selector: Mapping[str, Any] | None) -> str | None:
    """A LabelSelector as the text that a list request takes; None selects everything."""
    if not selector:
        return None
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    operators = {"In": "in", "NotIn": "notin"}
    for row in selector.get("matchExpressions") or ():
        key, operator = row["key"], row["operator"]
        if operator in operators:
            parts.append(f"{key} {operators[operator]} ({','.join(row.get('values') or ())})")
        else:
            parts.append(key if operator == "Exists" else f"!{key}")
    return ",".join(parts) or None
