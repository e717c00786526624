# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Option ``wait_condition``: a condition that a call waits for, instead of what the module waits for by itself.

Its form is that of ``kubernetes.core.k8s``. Its meaning follows MTC, whose resources lose a condition when it is not
found any more: an absent one counts as ``False``. No condition of MTC's is ever ``Unknown``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from . import names
from .condition_names import (
    AnalyticCondition,
    ClusterCondition,
    ConditionType,
    HookCondition,
    ImageCondition,
    ImageStreamCondition,
    MigrationCondition,
    PlanCondition,
    StorageCondition,
    VolumeCondition,
)
from .conditions import FALSE, TRUE, condition
from .errors import Problem

OPTION: Final = "wait_condition"
TYPES: Final[Mapping[str, type[ConditionType]]] = {
    names.MIG_CLUSTER: ClusterCondition,
    names.MIG_STORAGE: StorageCondition,
    names.MIG_HOOK: HookCondition,
    names.MIG_PLAN: PlanCondition,
    names.MIG_ANALYTIC: AnalyticCondition,
    names.MIG_MIGRATION: MigrationCondition,
    names.DIRECT_VOLUME_MIGRATION: VolumeCondition,
    names.DIRECT_IMAGE_MIGRATION: ImageCondition,
    names.DIRECT_IMAGE_STREAM_MIGRATION: ImageStreamCondition,
}
"""The kinds that modules wait for, with the types of their conditions."""
ENDS: Final = (MigrationCondition.SUCCEEDED, MigrationCondition.SUCCEEDED_WITH_WARNINGS, MigrationCondition.CANCELED)
"""How a run ends without having failed; a failed one fails the task, whatever was waited for."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The condition to wait for. Without ``reason`` any will do."""

    type: str
    status: str = TRUE
    reason: str | None = None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Wanted | None:
        """From a module's options; None when none is asked for."""
        given = params.get(OPTION)
        if not given:
            return None
        return cls(type=given["type"], status=given.get("status") or TRUE, reason=given.get("reason"))

    def holds(self, resource: Mapping[str, Any]) -> bool:
        """Whether the resource has it. Nobody knows of a resource that was never looked at: it has none."""
        if not resource.get("status"):
            return False
        found = condition(resource, self.type)
        if found is None:
            return self.status == FALSE and self.reason is None
        is_so = (found.get("status") == TRUE) == (self.status == TRUE)
        return is_so and (self.reason is None or found.get("reason") == self.reason)

    def __str__(self) -> str:
        reason = f", reason {self.reason}" if self.reason else ""
        return f"{self.type}={self.status}{reason}"


def types_of(kind: str) -> list[str]:
    """All condition types of a kind."""
    found = {
        str(value)
        for group in TYPES[kind].__mro__
        for name, value in vars(group).items()
        if name.isupper() and isinstance(value, str)
    }
    return sorted(found)


def problems(params: Mapping[str, Any], kind: str) -> list[Problem]:
    """What is wrong with it beside the module's other options, and with the time that is waited."""
    found: list[Problem] = []
    if params.get("wait_timeout") is not None and params["wait_timeout"] < 1:
        found.append(Problem(path="wait_timeout", fault="must be at least 1 second"))
    wanted = Wanted.of(params)
    if wanted is None:
        return found
    known = types_of(kind)
    if wanted.type not in known:
        import difflib  # needed by nobody who spells it right

        near = difflib.get_close_matches(wanted.type, known, n=3, cutoff=0.5) or known
        fault = f"a {kind} never has the condition {wanted.type!r}"
        found.append(Problem(path=f"{OPTION}.type", fault=fault, mend=f"Choose among {', '.join(near)}"))
    if params.get("state") == "absent":
        fault = "cannot be combined with state=absent: what is removed has no conditions"
        found.append(Problem(path=OPTION, fault=fault, mend="Drop one of them"))
    if params.get("wait") is False:
        fault = "cannot be combined with wait=false"
        found.append(Problem(path=OPTION, fault=fault, mend="Drop one of them"))
    return found


def at_the_end_only(params: Mapping[str, Any], kind: str) -> list[Problem]:
    """What the builtin engine cannot wait for with a run, because it is this very call that carries the run out."""
    wanted = Wanted.of(params)
    if wanted is None or (wanted.type in ENDS and wanted.status == TRUE):
        return []
    ends = [name for name in ENDS if name in types_of(kind)]
    way = "say wait: false, and run the task again to go on"
    if kind == names.MIG_MIGRATION:
        way = "stop it with pause_before, or say wait: false, and run the task again to go on"
    fault = f"{wanted} is no end of a run, and with engine builtin a run stands still when this call leaves it"
    return [Problem(path=OPTION, fault=fault, mend=f"Wait for {' or '.join(ends)}, or {way}")]


def ended_without(params: Mapping[str, Any], run: Mapping[str, Any]) -> Wanted | None:
    """The end that was waited for, when a run that has ended did not end so. Other conditions of a run come and go:
    once it has ended they are behind it."""
    wanted = Wanted.of(params)
    ended = wanted is not None and wanted.type in ENDS and wanted.status == TRUE
    return wanted if ended and wanted is not None and not wanted.holds(run) else None
