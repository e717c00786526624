# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Ansible lets pass as a value of an option's type and an API server does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import Problem

LIMIT = 2**63
"""Numbers of resources have 64 bits."""


def problems(spec: Mapping[str, Any], params: Mapping[str, Any], prefix: str = "") -> list[Problem]:
    """Of validated parameters: truth values where a number is meant, and numbers beyond measure; suboptions too."""
    found: list[Problem] = []
    for name, option in spec.items():
        value, path = params.get(name), f"{prefix}{name}"
        if value is None:
            continue
        if option.get("type") == "int":
            found += _number(value, path)
        elif option.get("options") and isinstance(value, Mapping):
            found += problems(option["options"], value, f"{path}.")
        elif option.get("options"):
            for index, item in enumerate(value):
                found += problems(option["options"], item, f"{path}[{index}].")
    return found


def _number(value: Any, path: str) -> list[Problem]:
    if isinstance(value, bool):
        return [Problem(path=path, fault=f"{str(value).lower()} is no number", mend="Write a number")]
    if not -LIMIT <= value < LIMIT:
        return [Problem(path=path, fault=f"{value} has more than 64 bits", mend="Write a smaller number")]
    return []
