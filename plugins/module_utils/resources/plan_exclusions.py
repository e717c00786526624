# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kinds that a plan leaves out. MTC has them as a setting of its controller; here a plan adds its own to MTC's.

They stand on the plan as an annotation, for its spec has no field for them, and together with MTC's in its status.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .errors import Problem

OPTION: Final = "excluded_resources"
ANNOTATION: Final = "openmig.io/excluded-resources"
DEFAULT: Final = (
    "imagetags",
    "templateinstances",
    "clusterserviceversions",
    "packagemanifests",
    "subscriptions",
    "servicebrokers",
    "servicebindings",
    "serviceclasses",
    "serviceinstances",
    "serviceplans",
    "operatorgroups",
    "events",
    "events.events.k8s.io",
    "rolebindings.authorization.openshift.io",
)
"""What MTC's operator leaves out by default (env EXCLUDED_RESOURCES)."""
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_BY_OTHER_MEANS: Final = {
    "persistentvolumeclaims": "Say action: skip for volumes in persistent_volumes",
    "persistentvolumes": "Say action: skip for volumes in persistent_volumes",
    "namespaces": "Leave the namespace out of namespaces",
}


def own(plan: Mapping[str, Any]) -> list[str]:
    """The names that the plan adds."""
    text = str(((plan.get("metadata") or {}).get("annotations") or {}).get(ANNOTATION, ""))
    return [name for name in text.split(",") if name]


def excluded(plan: Mapping[str, Any]) -> list[str]:
    """All names, as ``status.excludedResources`` has them."""
    return list(dict.fromkeys((*DEFAULT, *own(plan))))


def annotated(params: Mapping[str, Any], existing: Mapping[str, str]) -> dict[str, str]:
    """The plan's annotations with the names that the user has given; an empty list takes them away."""
    wanted: Sequence[str] | None = params.get(OPTION)
    result = dict(existing)
    if wanted is None:
        return result
    result.pop(ANNOTATION, None)
    if wanted:
        result[ANNOTATION] = ",".join(sorted(set(wanted)))
    return result


def problems(params: Mapping[str, Any]) -> list[Problem]:
    """What is no name of a kind, or is left out by other means."""
    found = []
    for index, name in enumerate(params.get(OPTION) or ()):
        path = f"{OPTION}[{index}]"
        if not _NAME.fullmatch(name):
            mend = "Write it as in kubectl api-resources: plural or plural.group"
            found.append(Problem(path=path, fault=f"{name!r} names no kind", mend=mend))
        elif name in _BY_OTHER_MEANS:
            found.append(Problem(path=path, fault=f"{name} is not left out here", mend=_BY_OTHER_MEANS[name]))
    return found
