# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The JSON lines by which a client pod tells what it does, read from its log or from the answer to a request.

Other lines of a log are for people and are skipped.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

STOPPED = 20
NOT_MOUNTED = 90
UNREADABLE = 91
EMPTY_SOURCE = 92
DIFFERS = 93
LINKS = 94
"""Exit codes of the scripts beside rsync's own."""


def facts(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The facts among lines, in order. A line that was cut off is no fact."""
    for line in lines:
        if not line.startswith("{"):
            continue
        try:
            fact = json.loads(line)
        except ValueError:
            continue
        if isinstance(fact, dict) and isinstance(fact.get("fact"), str):
            yield fact


def text(fact: Mapping[str, Any], name: str) -> str:
    """A base64 field in clear; bytes that are not UTF-8 are replaced."""
    return base64.b64decode(str(fact.get(name) or "")).decode(errors="replace")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a pass ended: the fact ``done``, decoded."""

    name: str
    kind: str
    generation: int
    exit_code: int
    why: str
    attempts: int
    seconds: float
    downgrades: tuple[str, ...]
    errors: str
    error_lines: int
    fields: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A further base64 field."""
        return text(self.fields, name)

    def number(self, name: str) -> int:
        """A further number; 0 when it is not there."""
        return int(self.fields.get(name) or 0)

    def lines(self, name: str) -> tuple[str, ...]:
        """A further base64 field of lines."""
        return tuple(line for line in self.text(name).splitlines() if line)


def outcome(fact: Mapping[str, Any]) -> Outcome:
    """Decode a fact ``done``."""
    return Outcome(
        name=str(fact["pass"]),
        kind=str(fact["kind"]),
        generation=int(fact["generation"]),
        exit_code=int(fact["exit"]),
        why=str(fact.get("why") or ""),
        attempts=int(fact.get("attempts") or 1),
        seconds=int(fact.get("milliseconds") or 0) / 1000,
        downgrades=tuple(text(fact, "downgrades").split()),
        errors=text(fact, "errors"),
        error_lines=int(fact.get("error_lines") or 0),
        fields=fact,
    )
