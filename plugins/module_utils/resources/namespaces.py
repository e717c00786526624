# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The namespaces of a plan: entries ``source`` or ``source:destination``, their mapping, and the rules for names.

Reading is as lenient as upstream (text after a second colon is ignored, ``shop:`` and ``shop:shop`` mean "not
renamed"), so that every plan that exists can be read. problems() is strict, for what a user writes now.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .errors import Problem

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.ASCII)
_LABEL_LIMIT = 63
_SUBDOMAIN_LIMIT = 253


def is_dns_label(text: str) -> bool:
    """DNS-1123 label, the rule for namespaces: at most 63 of a-z, 0-9 and inner dashes."""
    return len(text) <= _LABEL_LIMIT and _LABEL.fullmatch(text) is not None


def is_dns_subdomain(text: str) -> bool:
    """DNS-1123 subdomain, the rule for most other names: labels (of any length) joined by dots, at most 253."""
    return len(text) <= _SUBDOMAIN_LIMIT and all(_LABEL.fullmatch(part) for part in text.split("."))


@dataclass(frozen=True)
class NamespacePair:
    """One namespace and what it becomes."""

    source: str
    destination: str

    @property
    def renamed(self) -> bool:
        return self.source != self.destination

    def __str__(self) -> str:
        return f"{self.source}:{self.destination}" if self.renamed else self.source


def parse(entry: str) -> NamespacePair:
    """The pair that an entry of ``spec.namespaces`` means. Never fails; see problems() for what is wrong with one."""
    source, _colon, rest = entry.partition(":")
    destination = rest.partition(":")[0]
    return NamespacePair(source, destination or source)


def pairs(entries: Iterable[str]) -> list[NamespacePair]:
    """All entries, in their order, duplicates included."""
    return [parse(entry) for entry in entries]


def mapping(entries: Iterable[str]) -> dict[str, str]:
    """Source to destination, unrenamed ones included, in the entries' order. Of duplicate sources the first counts."""
    result: dict[str, str] = {}
    for pair in pairs(entries):
        result.setdefault(pair.source, pair.destination)
    return result


def sources(entries: Iterable[str]) -> list[str]:
    return [pair.source for pair in pairs(entries)]


def destinations(entries: Iterable[str]) -> list[str]:
    return [pair.destination for pair in pairs(entries)]


Name = TypeVar("Name")


def repeated(names: Iterable[Name]) -> list[Name]:
    """The names that occur more than once, each once, in order of first occurrence."""
    return [name for name, count in Counter(names).items() if count > 1]


def problems(entries: Sequence[str], path: str) -> list[Problem]:
    """Everything that is wrong with the entries of the option at ``path``, once per entry and per repeated name."""
    found = [problem for index, entry in enumerate(entries) for problem in _entry_problems(entry, f"{path}[{index}]")]
    well_formed = [entry for entry in entries if not _entry_problems(entry, "")]
    for side, names in (("source", sources(well_formed)), ("destination", destinations(well_formed))):
        found += [
            Problem(
                path=path,
                fault=f"namespace {name!r} is named as {side} more than once",
                mend="Every namespace may appear once as source and once as destination",
            )
            for name in repeated(names)
        ]
    return found


def _entry_problems(entry: str, path: str) -> list[Problem]:
    if entry.count(":") > 1:
        fault = f"{entry!r} has more than one colon"
        return [Problem(path=path, fault=fault, mend="Write source or source:destination")]
    parts = list(zip(("source", "destination"), entry.split(":"), strict=False))
    return [
        Problem(
            path=path,
            fault=f"{side} namespace {name!r} in {entry!r} is not a DNS-1123 label",
            mend="Use at most 63 of a-z, 0-9 and inner dashes",
        )
        for side, name in parts
        if not is_dns_label(name)
    ]
