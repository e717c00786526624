# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How much one plan may hold. MTC has these as settings of its controller; here each plan has its own.

They stand on the plan as annotations, for its spec has no field for them, so that whoever looks at the plan later (a
migration does) measures it by the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .errors import Problem


@dataclass(frozen=True, kw_only=True)
class Limits:
    """MTC's defaults. Too many namespaces keep a plan from being ready; of pods and volumes it is warned."""

    namespace_limit: int = 10
    pod_limit: int = 100
    pv_limit: int = 100


OPTIONS: Final = ("namespace_limit", "pod_limit", "pv_limit")
_ANNOTATIONS: Final = {option: f"openmig.io/{option.replace('_', '-')}" for option in OPTIONS}
_DEFAULTS: Final = Limits()


def limits_of(plan: Mapping[str, Any]) -> Limits:
    """What is written on the plan; the default for what is not, or cannot be read as a number above zero."""
    annotations = (plan.get("metadata") or {}).get("annotations") or {}
    written = {option: str(annotations.get(name, "")) for option, name in _ANNOTATIONS.items()}
    return Limits(**{option: int(text) for option, text in written.items() if text.isdecimal() and int(text) > 0})


def annotated(params: Mapping[str, Any], existing: Mapping[str, str]) -> dict[str, str]:
    """The plan's annotations with the limits that the user named; a default is not written, and takes another away."""
    result = dict(existing)
    for option, name in _ANNOTATIONS.items():
        wanted = params.get(option)
        if wanted is None:
            continue
        if wanted == getattr(_DEFAULTS, option):
            result.pop(name, None)
        else:
            result[name] = str(wanted)
    return result


def written(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The limits among the annotations, to compare two forms of a plan by."""
    found = metadata.get("annotations") or {}
    return {name: str(found[name]) for name in _ANNOTATIONS.values() if name in found}


def problems(params: Mapping[str, Any]) -> list[Problem]:
    """A limit below one would forbid everything."""
    return [
        Problem(path=option, fault=f"{params[option]} is no limit", mend="Use a number above zero")
        for option in OPTIONS
        if params.get(option) is not None and params[option] < 1
    ]
