# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A row of the table: what was looked at, what each side showed, and whether that is as it should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

UNKNOWN = "unknown"
"""What a missing figure is called; such a row is never green."""

SHOWN = 12
"""Lines that are told of one row; the rest is counted."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """`good` is the verdict; `details` say what is wrong, or what was rewritten, line by line, below the table."""

    what: str
    source: str
    destination: str
    good: bool
    details: Sequence[str] = ()


def shown(lines: list[str]) -> list[str]:
    """The first lines of many, and how many more there are."""
    return lines if len(lines) <= SHOWN else [*lines[:SHOWN], f"and {len(lines) - SHOWN} more"]


def size(count: float) -> str:
    """Bytes for a reader: 174.3 MiB."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024 or unit == "GiB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return ""


def number(count: int) -> str:
    """A count with thin groups: 253 000."""
    return f"{count:,}".replace(",", " ")
