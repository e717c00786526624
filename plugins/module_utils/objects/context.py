# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a transform is given and what it gives: the facts of the run, and notes that say what it did or left alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from .manifest import GroupKind, Manifest

NoteKind = Literal["rewritten", "dropped", "kept", "left"]


@dataclass(frozen=True)
class Note:
    """One thing that a person should know about the form that is sent.

    ``rewritten``: a value was changed so that it means the same there. ``dropped``: it cannot hold there. ``kept``: it
    is sent as it is and works only if the destination agrees. ``left``: it may need a change that nobody can be certain
    of, so it was not changed. The text never contains a Secret's data.
    """

    kind: NoteKind
    path: str
    text: str
    subject: str = ""
    """The reference of the source's object; transform() fills it in."""

    @property
    def sentence(self) -> str:
        """Without the object, for where it has been named already."""
        return f"{self.path}: {self.kind}: {self.text}" if self.path else f"{self.kind}: {self.text}"

    def __str__(self) -> str:
        return f"{self.subject}: {self.sentence}" if self.subject else self.sentence


@dataclass(frozen=True, kw_only=True)
class TransformContext:
    """The facts of one run. Names are those of the source; ``namespace_mapping`` holds every namespace of the plan."""

    namespace_mapping: Mapping[str, str]
    migplan_uid: str
    migmigration_uid: str
    claim_mapping: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(source namespace, source claim) to the claim's name on the destination. Unrenamed claims may be missing."""
    storage_classes: Mapping[str, str] = field(default_factory=dict)
    """Source class to destination class, for the claim templates of StatefulSets."""
    services: frozenset[tuple[str, str]] | None = None
    """(source namespace, name) of the Services, if they are known: makes notes about short names fewer and surer."""

    owners: frozenset[str] = frozenset()
    """UIDs, on the source, of objects that travel and own others that do."""

    @cached_property
    def renamed(self) -> dict[str, str]:
        """The namespaces that get another name."""
        return {source: target for source, target in self.namespace_mapping.items() if source != target}

    @cached_property
    def destinations(self) -> frozenset[str]:
        return frozenset(self.namespace_mapping.values())

    def namespace(self, name: str) -> str:
        """What a namespace is called on the destination; one that is not part of the plan keeps its name."""
        return self.namespace_mapping.get(name, name)

    def in_plan(self, name: str) -> bool:
        """Whether the plan moves the namespace, by either name."""
        return name in self.namespace_mapping or name in self.destinations


@dataclass(frozen=True)
class Transformed:
    """The form that is sent, or None when the object does not belong to the plan, and what is worth knowing."""

    object: Manifest | None
    notes: tuple[Note, ...] = ()
    source: Manifest | None = None
    """The source's object, for comparing."""


Result = tuple[Manifest, tuple[Note, ...]]
Step = Callable[[Manifest, TransformContext], Result]


@dataclass(frozen=True, kw_only=True)
class Transform:
    """One row of the table. ``kinds`` None applies to everything."""

    name: str
    kinds: frozenset[GroupKind] | None
    function: Step
    reason: str
