# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options that are resolved once at the start of a run and kept for its whole life.

Upstream's resources have no field for most of them and their CRDs prune unknown ones, so they live in the run's record.
A later call for the same run must ask for the same; only what may change in mid-run without changing the result may
differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

from ..resources.errors import InvalidInput, Problem


@dataclass(frozen=True, kw_only=True)
class FrozenOptions:
    """The base of the options of one kind of run: a field for each option, under the option's name."""

    changeable: ClassVar[frozenset[str]] = frozenset()
    """Options that a later call for the same run may give another value."""

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """From a module's parameters, which carry every field under the same name."""
        return cls(**cls.settled({field.name: params[field.name] for field in fields(cls)}))

    @classmethod
    def from_record(cls, stored: Mapping[str, Any]) -> Self:
        """From a record; what it does not know yet has its default."""
        return cls(**cls.settled({field.name: stored[field.name] for field in fields(cls) if field.name in stored}))

    @classmethod
    def settled(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The fields' values in the one form in which equal wishes are equal."""
        return values

    def to_record(self) -> dict[str, Any]:
        """As JSON knows it."""
        return asdict(self)

    def continued_by(self, wanted: Self, *, subject: str) -> Self:
        """The options with which a run goes on when ``wanted`` is asked for; InvalidInput names every field that may
        not differ."""
        began, asked = self.to_record(), wanted.to_record()
        problems = [
            Problem(
                path=name,
                fault=f"the run began with {began[name]!r} and this call asks for {asked[name]!r}",
                mend="Give the value that the run began with, or cancel the run first",
            )
            for name in began
            if name not in self.changeable and began[name] != asked[name]
        ]
        if problems:
            raise InvalidInput(subject=subject, problems=problems)
        return wanted
