# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table that the demo ends with: plain text, at most 120 columns, coloured only for a person who looks at it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from demo.rows import Row

WIDTHS = (34, 36, 36)
"""What, source, destination; the verdict takes the rest of 120 columns."""
HEADINGS = ("what was measured", "source", "destination", "")
GREEN, RED, BOLD, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[0m"


def render(rows: Sequence[Row], *, colour: bool) -> str:
    """Rows, then what stood out about them, then the sum. Cells that are too long are continued on the next line."""
    lines = [_line("┌┬┐"), *_cells(HEADINGS, style=BOLD if colour else ""), _line("├┼┤")]
    for row in rows:
        style = (GREEN if row.good else RED) if colour else ""
        lines += _cells((row.what, row.source, row.destination, "✔" if row.good else "✘"), style=style)
    lines.append(_line("└┴┘"))
    for row in rows:
        if row.details:
            lines += ["", f"{row.what}:", *(f"  {_printable(detail)}"[:240] for detail in row.details)]
    bad = [row.what for row in rows if not row.good]
    verdict = f"{len(rows) - len(bad)} of {len(rows)} as they should be"
    return "\n".join([*lines, "", verdict + (f"; not so: {', '.join(bad)}" if bad else "")])


def _line(corners: str) -> str:
    left, middle, right = tuple(corners)
    return left + middle.join("─" * (width + 2) for width in (*WIDTHS, 1)) + right


def _cells(texts: Sequence[str], *, style: str) -> list[str]:
    widths = (*WIDTHS, 1)
    columns = [textwrap.wrap(_printable(text), width) or [""] for text, width in zip(texts, widths, strict=True)]
    lines = []
    for number in range(max(len(column) for column in columns)):
        parts = [
            (column[number] if number < len(column) else "").ljust(width)
            for column, width in zip(columns, widths, strict=True)
        ]
        if style:
            parts = (
                [*parts[:-1], f"{style}{parts[-1]}{PLAIN}"]
                if style != BOLD
                else [f"{style}{part}{PLAIN}" for part in parts]
            )
        lines.append("│ " + " │ ".join(parts) + " │")
    return lines


def _printable(text: str) -> str:
    """Names of files may hold anything; none of it reaches the terminal as a command."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
