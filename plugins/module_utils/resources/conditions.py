# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Conditions of a resource: how a reconciler stages them, and how everybody reads them.

A pass never clears a condition by hand. It begins, which un-stages all that are not durable; the checks set what they
find, or keep an old finding whose check was skipped; it ends, which drops what was not staged again. So absence means
"not found this time", and ``lastTransitionTime`` moves only when something that a reader can see has changed.
Rules, order and omitted fields are those of MTC's pkg/apis/migration/v1alpha1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import timestamps
from .condition_names import BLOCKING, Category, ConditionType

TRUE = "True"
FALSE = "False"
_PLACE = "[]"


def render(message: str, items: Sequence[str]) -> str:
    """The message with its first ``[]`` filled with the items; without one they are appended. No items: as it is."""
    if not items:
        return message
    listed = f"[{','.join(items)}]"
    return message.replace(_PLACE, listed, 1) if _PLACE in message else f"{message} {listed}".lstrip()


def items_of(condition: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What the first bracketed list of the condition's message names; () without a list or a condition."""
    message = str((condition or {}).get("message", ""))
    _before, opened, rest = message.partition("[")
    listed, closed, _after = rest.partition("]")
    return tuple(item.strip() for item in listed.split(",")) if opened and closed and listed.strip() else ()


@dataclass
class _Entry:
    fields: dict[str, Any]
    staged: bool = True
    moved: bool = False


class Conditions:
    """The conditions of one status while a reconciler works on it.

    Until begin() everything counts as staged. The given status is not changed: take what end() returns.
    """

    def __init__(self, status: Mapping[str, Any] | None) -> None:
        listed = (status or {}).get("conditions") or []
        self._entries = {str(item["type"]): _Entry(dict(item)) for item in listed}

    def begin(self) -> None:
        """Start a pass: what is not durable must be found again."""
        for entry in self._entries.values():
            entry.staged = bool(entry.fields.get("durable"))

    def set(
        self,
        type: str,
        category: str,
        reason: str = "",
        message: str = "",
        *,
        items: Sequence[str] = (),
        durable: bool = False,
        status: str = TRUE,
    ) -> None:
        """Add the condition or overwrite the one of that type. ``items`` fill the message's ``[]``."""
        fields: dict[str, Any] = {"type": type, "status": status, "category": category}
        if reason:
            fields["reason"] = reason
        if text := render(message, items):
            fields["message"] = text
        if durable:
            fields["durable"] = True
        before = self._entries.get(type)
        if before is not None and _visible(before.fields) == _visible(fields):
            before.staged = True
            return
        self._entries[type] = _Entry(fields, moved=True)

    def restage(self, *types: str) -> None:
        """Keep these as they are, if present: their check is skipped in this pass."""
        for name in types:
            if entry := self._entries.get(name):
                entry.staged = True

    def delete(self, *types: str) -> None:
        """Drop these at the end of the pass, durable ones too."""
        for name in types:
            if entry := self._entries.get(name):
                entry.staged = False

    def set_ready(self, ready: bool, message: str) -> None:
        """Ready is present and True, or absent; never False."""
        if ready:
            self.set(ConditionType.READY, Category.REQUIRED, message=message)
        else:
            self.delete(ConditionType.READY)

    def find(self, type: str) -> dict[str, Any] | None:
        """The staged condition of that type (a copy), whatever its status."""
        entry = self._entries.get(type)
        return dict(entry.fields) if entry and entry.staged else None

    def has(self, *types: str) -> bool:
        """Whether all of them are staged and True."""
        return all((found := self.find(name)) is not None and found.get("status") == TRUE for name in types)

    def has_any(self, types: Iterable[str]) -> bool:
        """Whether one of them is staged and True."""
        return any(self.has(name) for name in types)

    def has_category(self, *categories: str) -> bool:
        """Whether a staged condition of one of the categories is True."""
        return any(
            entry.staged and entry.fields.get("category") in categories and entry.fields.get("status") == TRUE
            for entry in self._entries.values()
        )

    def has_blocker(self) -> bool:
        """Whether something Critical or Error keeps the resource from Ready."""
        return self.has_category(*BLOCKING)

    def end(self, now: datetime) -> list[dict[str, Any]]:
        """The list for ``status.conditions``: staged ones in their old order, new ones behind them."""
        stamp = timestamps.to_text(now)
        result = []
        for entry in self._entries.values():
            if not entry.staged:
                continue
            if entry.moved or not entry.fields.get("lastTransitionTime"):
                entry.fields["lastTransitionTime"] = stamp
                entry.moved = False
            result.append(dict(entry.fields))
        self._entries = {str(fields["type"]): _Entry(fields) for fields in result}
        return [dict(fields) for fields in result]


def listed(resource: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The conditions of a resource as stored; [] for one without a status."""
    status = (resource or {}).get("status") or {}
    return [dict(item) for item in status.get("conditions") or []]


def condition(resource: Mapping[str, Any] | None, type: str) -> dict[str, Any] | None:
    """The condition of that type, whatever its status."""
    return next((item for item in listed(resource) if item.get("type") == type), None)


def is_true(resource: Mapping[str, Any] | None, type: str) -> bool:
    found = condition(resource, type)
    return found is not None and found.get("status") == TRUE


def is_ready(resource: Mapping[str, Any] | None) -> bool:
    return is_true(resource, ConditionType.READY)


def blockers(resource: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Critical and Error conditions that are True: why the resource is not Ready."""
    return _of_categories(resource, BLOCKING)


def warnings(resource: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Warn conditions that are True."""
    return _of_categories(resource, {Category.WARN})


def by_type(resource: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """All conditions by type, as modules return them."""
    return {str(item["type"]): item for item in listed(resource)}


def _of_categories(resource: Mapping[str, Any] | None, categories: Iterable[str]) -> list[dict[str, Any]]:
    wanted = set(categories)
    return [item for item in listed(resource) if item.get("category") in wanted and item.get("status") == TRUE]


def _visible(fields: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes two states of a condition differ. Items are compared as part of the message."""
    return (
        fields.get("status", ""),
        fields.get("category", ""),
        fields.get("reason", ""),
        fields.get("message", ""),
        bool(fields.get("durable")),
    )
