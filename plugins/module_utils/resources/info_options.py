# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the ``*_info`` modules: which resources are asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from . import names, option_checks as check, summaries
from .errors import Problem

_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY = rf"([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}"
_VALUE = rf"({_NAME})?"
_VALUES = rf"\(\s*{_VALUE}(\s*,\s*{_VALUE})*\s*\)"
_SELECTOR = re.compile(
    rf"\s*(!\s*{_KEY}|{_KEY}|{_KEY}\s*(=|==|!=)\s*{_VALUE}|{_KEY}\s+(in|notin)\s*{_VALUES})\s*", re.ASCII
)
"""One requirement of a label selector, as the API server reads it."""


def info_spec(kind: str) -> dict[str, Any]:
    """What every kind can be filtered by, and runs by more. The engine knows the default namespace."""
    spec: dict[str, Any] = {
        "name": {"type": "str"},
        "namespace": {"type": "str"},
        "label_selectors": {"type": "list", "elements": "str", "default": []},
        "plan": {"type": "str"},
        "ready": {"type": "bool"},
    }
    row = summaries.ROWS[kind]
    if row.parents:
        spec["migration"] = {"type": "str"}
    if row.runs:
        spec["finished"] = {"type": "bool"}
    if row.runs or kind == names.MIG_ANALYTIC:
        spec["newest"] = {"type": "bool", "default": False}
    return spec


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with the options themselves."""
    problems = check.resource_name(params)
    for option in ("plan", "migration"):
        problems += check.dns_subdomain(params.get(option), option)
    mend = "Write key=value, key!=value, key in (a,b), key notin (a,b), key or !key, one to an element"
    problems += [
        Problem(path=f"label_selectors[{index}]", fault=f"{selector!r} is no label selector", mend=mend)
        for index, selector in enumerate(params.get("label_selectors") or ())
        if not _SELECTOR.fullmatch(selector)
    ]
    return problems
