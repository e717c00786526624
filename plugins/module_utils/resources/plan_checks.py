# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the choices for a plan's volumes can be carried out: one row per condition, one rule per row.

A rule looks at one volume and says whether it is at fault; the condition then lists all that are.
Source of the rules: MTC pkg/controller/migplan, validation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import option_checks, plan_volumes as volumes, storage_classes
from .condition_names import Category, PlanCondition, Reason
from .conditions import Conditions

AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class SelectionFacts:
    """A plan's volumes and what the destination offers (described classes, see storage_classes)."""

    entries: Sequence[Mapping[str, Any]]
    destination_classes: Sequence[Mapping[str, Any]]
    storage_conversion: bool = False
    nfs: Mapping[str, str] = field(default_factory=dict)
    """The servers of the PVs that lie on NFS, by the PV's name."""


Entry = Mapping[str, Any]
Rule = Callable[[Entry, SelectionFacts], bool]
Name = Callable[[Entry, SelectionFacts], str]


@dataclass(frozen=True)
class _Row:
    condition: str
    category: str
    message: str
    at_fault: Rule
    reason: str = ""
    item: Name = lambda entry, _facts: str(entry.get("name", ""))
    copies_only: bool = True


def check_selections(facts: SelectionFacts, conditions: Conditions) -> None:
    """Set the conditions that the volumes' selections deserve. Not to be called while the plan is suspended."""
    for row in _ROWS:
        faulty = {
            row.item(entry, facts) for entry in facts.entries if _concerns(row, entry) and row.at_fault(entry, facts)
        }
        if faulty:
            conditions.set(row.condition, row.category, row.reason, row.message, items=sorted(faulty))
    if facts.storage_conversion and _conversion_unavailable(facts):
        conditions.set(
            PlanCondition.STORAGE_CONVERSION_UNAVAILABLE,
            Category.CRITICAL,
            message="A storage conversion needs a volume that is not skipped and at least two storage classes.",
        )


def _claim_and_class(entry: Entry, _facts: SelectionFacts) -> str:
    """Names the claim and what was chosen: nobody knows a PV by its name."""
    pvc = entry.get("pvc") or {}
    source = volumes.claim_names(entry)[0]
    return f"{pvc.get('namespace', '')}/{source} (class {_selection(entry).get('storageClass', '')})"


def _concerns(row: _Row, entry: Entry) -> bool:
    if not row.copies_only:
        return True
    return _selection(entry).get("action") == volumes.COPY and not _invalid_action(entry)


def _selection(entry: Entry) -> Mapping[str, Any]:
    return entry.get("selection") or {}


def _supported(entry: Entry, what: str) -> list[str]:
    return list((entry.get("supported") or {}).get(what) or [])


def _invalid_action(entry: Entry) -> bool:
    actions = _supported(entry, "actions")
    return bool(actions) and _selection(entry).get("action", "") not in actions


def _class_is_unknown(entry: Entry, facts: SelectionFacts) -> bool:
    name = _selection(entry).get("storageClass")
    return bool(name) and name not in {row.get("name") for row in facts.destination_classes}


def _mode_is_unknown(entry: Entry) -> bool:
    mode = _selection(entry).get("accessMode")
    return bool(mode) and mode not in (*option_checks.ACCESS_MODES, AUTO)


def _mode_is_not_offered(entry: Entry, facts: SelectionFacts) -> bool:
    selection, pvc = _selection(entry), entry.get("pvc") or {}
    described = next(
        (row for row in facts.destination_classes if row.get("name") == selection.get("storageClass")), None
    )
    if described is None or _mode_is_unknown(entry) or selection.get("accessMode") == AUTO:
        return False
    offered = storage_classes.offered_modes(described, str(pvc.get("volumeMode") or storage_classes.FILESYSTEM))
    wanted = [selection["accessMode"]] if selection.get("accessMode") else list(pvc.get("accessModes") or [])
    return not set(wanted) & set(offered)


def _method_is_unsupported(entry: Entry) -> bool:
    method = _selection(entry).get("copyMethod")
    return bool(method) and method not in _supported(entry, "copyMethods")


def _keeps_its_name(entry: Entry, facts: SelectionFacts) -> bool:
    source, target = volumes.claim_names(entry)
    return facts.storage_conversion and source == target


def _moves_over_nfs(entry: Entry, facts: SelectionFacts) -> bool:
    return _selection(entry).get("action") == volumes.MOVE and str(entry.get("name", "")) in facts.nfs


def _conversion_unavailable(facts: SelectionFacts) -> bool:
    all_skipped = all(_selection(entry).get("action") == volumes.SKIP for entry in facts.entries)
    return all_skipped or len(facts.destination_classes) < 2


_ROWS = (
    _Row(
        PlanCondition.PV_INVALID_ACTION,
        Category.ERROR,
        "The chosen action is not supported for these volumes: [].",
        lambda entry, _facts: _invalid_action(entry),
        reason=Reason.NOT_DONE,
        copies_only=False,
    ),
    _Row(
        PlanCondition.PV_NO_SUPPORTED_ACTION,
        Category.WARN,
        "Nothing can be done with these volumes: [].",
        lambda entry, _facts: not _supported(entry, "actions"),
        copies_only=False,
    ),
    _Row(
        PlanCondition.PV_NO_STORAGE_CLASS,
        Category.WARN,
        "No storage class is chosen for these volumes, so the destination must hold fitting volumes already: [].",
        lambda entry, _facts: not _selection(entry).get("storageClass"),
        reason=Reason.NOT_FOUND,
    ),
    _Row(
        PlanCondition.PV_INVALID_STORAGE_CLASS,
        Category.ERROR,
        "The destination does not have the storage class that is chosen for these volumes: [].",
        _class_is_unknown,
        reason=Reason.NOT_DONE,
        item=_claim_and_class,
    ),
    _Row(
        PlanCondition.PV_INVALID_ACCESS_MODE,
        Category.ERROR,
        "The chosen access mode is unknown for these volumes: [].",
        lambda entry, _facts: _mode_is_unknown(entry),
    ),
    _Row(
        PlanCondition.PV_ACCESS_MODE_UNAVAILABLE,
        Category.WARN,
        "The chosen storage class may not offer the access mode of these volumes: [].",
        _mode_is_not_offered,
    ),
    _Row(
        PlanCondition.PV_NO_COPY_METHOD,
        Category.ERROR,
        "No copy method is chosen for these volumes: [].",
        lambda entry, _facts: not _selection(entry).get("copyMethod"),
        reason=Reason.NOT_FOUND,
    ),
    _Row(
        PlanCondition.PV_INVALID_COPY_METHOD,
        Category.ERROR,
        "The chosen copy method is not supported for these volumes: [].",
        lambda entry, _facts: _method_is_unsupported(entry),
    ),
    _Row(
        PlanCondition.PV_COPY_METHOD_SNAPSHOT,
        Category.WARN,
        "Snapshots need a provider that both clusters share, for these volumes: [].",
        lambda entry, _facts: _selection(entry).get("copyMethod") == volumes.SNAPSHOT,
    ),
    _Row(
        PlanCondition.PV_NAME_CONFLICT,
        Category.ERROR,
        "A storage conversion needs another name for these claims: [].",
        _keeps_its_name,
        item=lambda entry, _facts: volumes.claim_names(entry)[0],
    ),
    _Row(
        PlanCondition.NFS_CANNOT_BE_VALIDATED,
        Category.ERROR,
        "Volumes are to be moved, and from here nobody can tell whether the destination reaches their NFS servers: [].",
        _moves_over_nfs,
        reason=Reason.NOT_FOUND,
        item=lambda entry, facts: facts.nfs[str(entry.get("name", ""))],
        copies_only=False,
    ),
)
