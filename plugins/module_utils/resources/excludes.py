# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What of a volume is neither copied nor compared, in rsync's patterns, for all volumes or for those that are named.

Patterns are relative to the volume: a leading slash means its root. What rsync would read as something else than an
exclusion (a comment, an inclusion, the end of a line) is refused, for it would change silently what is copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import plan_selections
from .errors import Problem

LONGEST = 1000
"""Characters of a pattern; rsync passes over longer ones."""
_EVERYTHING = frozenset({"", "*", "**", "***", "."})


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """One element of the option ``excludes``. ``pvc``: claims as in ``persistent_volumes``; None is every volume."""

    patterns: tuple[str, ...]
    pvc: str | None = None

    def matches(self, namespace: str, claim: str) -> bool:
        return self.pvc is None or plan_selections.Rule(pvc=self.pvc).matches(namespace, claim)


def exclusions(option: Sequence[Mapping[str, Any]] | None) -> tuple[Exclusion, ...]:
    """From the option, or from what a record has kept of it."""
    return tuple(Exclusion(patterns=tuple(item["patterns"]), pvc=item.get("pvc")) for item in option or ())


def to_record(chosen: Sequence[Exclusion]) -> list[dict[str, Any]]:
    """As JSON knows them; exclusions() reads it."""
    return [{"pvc": item.pvc, "patterns": list(item.patterns)} for item in chosen]


def patterns_for(chosen: Sequence[Exclusion], namespace: str, claim: str) -> tuple[str, ...]:
    """All patterns for one claim of the source, in the user's order, none twice."""
    return tuple(dict.fromkeys(text for item in chosen if item.matches(namespace, claim) for text in item.patterns))


def unmatched(chosen: Sequence[Exclusion], claims: Sequence[tuple[str, str]]) -> list[Problem]:
    """The elements that name no volume that is copied."""
    mend = "Compare with the claims that the plan copies"
    return [
        Problem(path=f"excludes[{index}].pvc", fault=f"no volume that is copied matches {item.pvc!r}", mend=mend)
        for index, item in enumerate(chosen)
        if not any(item.matches(*claim) for claim in claims)
    ]


def problems(option: Sequence[Mapping[str, Any]] | None) -> list[Problem]:
    """What is wrong with the option itself, whatever volumes there are."""
    found: list[Problem] = []
    for index, item in enumerate(exclusions(option)):
        path = f"excludes[{index}]"
        if item.pvc is not None:
            found += plan_selections.claim_problems(item.pvc, f"{path}.pvc")
        if not item.patterns:
            found.append(Problem(path=f"{path}.patterns", fault="names nothing", mend="Give at least one pattern"))
        for number, pattern in enumerate(item.patterns):
            if fault := _fault(pattern):
                mend = "Write a pattern of rsync relative to the volume, such as /cache/ or *.tmp"
                found.append(Problem(path=f"{path}.patterns[{number}]", fault=f"{pattern!r} {fault}", mend=mend))
    return found


def _fault(pattern: str) -> str:
    """Why rsync would not take it for the exclusion of a part of the volume; empty when it would."""
    if not pattern.strip():
        return "is empty"
    if any(ord(character) < 32 or ord(character) == 127 for character in pattern):
        return "has a control character in it"
    if pattern[0] in "#;":
        return "would be read as a comment; write [#] or [;] for its first character"
    if pattern[:2] in ("+ ", "- ") or pattern == "!":
        return "would be read as a rule, not as a pattern"
    if ".." in pattern.split("/"):
        return "leads out of the volume"
    if pattern.strip("/") in _EVERYTHING:
        return "would leave out everything; choose action: skip for the volume instead"
    if len(pattern) > LONGEST:
        return f"has more than {LONGEST} characters"
    return ""
