# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The objects of a source that travel, as a stream: what discovery names, less what exclusions and ownership keep back.

Kinds are listed side by side and in pages; what is held is one page per worker, the UIDs that were seen, and the few
objects whose owner has not been seen yet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..cluster.api import Cluster
from ..cluster.resource_types import ResourceType
from ..resources.errors import InvalidInput, Problem
from .exclusions import SERVED_TWICE, excluded_kind, excluded_object
from .inventory import reference
from .manifest import Manifest, group_kind, name_of, namespace_of, read
from .ownership import Owners, stages

VERBS: Final = frozenset({"create", "delete", "get", "list"})
"""What a kind must allow to be moved; without these it is a view or a question (Velero's rule)."""


@dataclass(frozen=True)
class Left:
    """Something that stays behind on the source, and why: ``<reference> <reason>`` is a sentence."""

    reference: str
    reason: str

    def __str__(self) -> str:
        return f"{self.reference} {self.reason}"


def movable_types(
    source: Cluster,
    *,
    included: Collection[str | Mapping[str, str]] | None = None,
    excluded: Collection[str | Mapping[str, str]] = (),
    destination: Cluster | None = None,
) -> list[ResourceType]:
    """The namespaced kinds whose objects can travel, each set of objects under one name, in the version that agreed()
    says if there is a destination, else in the preferred one.

    ``included`` and ``excluded`` hold ``plural``, ``plural.group``, ``Kind`` or ``Kind.group``, in any case, or
    ``{group, kind}`` as a MigPlan has it. Included none or nothing means all. What is excluded stays so even if it is
    included as well. Raises InvalidInput for an included name that the source does not
    know: with a typing error in it the migration would silently be smaller than what was asked for.
    """
    types = [kind for kind in source.types() if kind.namespaced and kind.verbs >= VERBS]
    wanted, unwanted = [spelled(name) for name in included or ()], [spelled(name) for name in excluded]
    if wanted:
        problems = [
            Problem(
                path="included_resources",
                fault=f"cluster {source.name} has no kind {name!r}",
                mend="Write it as in kubectl api-resources: plural or plural.group",
            )
            for name in unknown_kinds(source, included or ())
        ]
        if problems:
            raise InvalidInput(subject=source.subject, problems=problems)
        types = [kind for kind in types if is_among(kind, wanted)]
    types = [kind for kind in types if not is_among(kind, unwanted) and excluded_kind(kind) is None]
    served = {(kind.group, kind.plural) for kind in types}
    twice = {(old, plural) for old, plural, new in SERVED_TWICE if (new, plural) in served}
    once = [kind for kind in types if (kind.group, kind.plural) not in twice]
    return [agreed(kind, source, destination) for kind in once] if destination else once


def agreed(kind: ResourceType, source: Cluster, destination: Cluster) -> ResourceType:
    """The kind in the version in which the objects are read: the first of the source's that the destination serves, so
    that it is the source's server which converts. Without such a version the kind as it is: it cannot be created."""
    if destination.serves(kind.api_version, kind.kind):
        return kind
    versions = source.versions(kind.group, kind.kind)
    served = (other for other in versions if other.verbs >= VERBS and destination.serves(other.api_version, other.kind))
    return next(served, kind)


def unknown_kinds(source: Cluster, included: Collection[str | Mapping[str, str]]) -> list[str]:
    """The included names that the source does not know, spelled as they are looked for."""
    known = {name for kind in source.types() for name in _names(kind)}
    return [name for name in map(spelled, included) if name not in known]


def _names(kind: ResourceType) -> set[str]:
    names = {kind.plural.lower(), kind.kind.lower()}
    return names | {f"{name}.{kind.group}" for name in names}


def spelled(name: str | Mapping[str, str]) -> str:
    """The name of a kind as is_among() compares it."""
    if isinstance(name, str):
        return name.lower()
    return ".".join(part for part in (name.get("kind", ""), name.get("group", "")) if part).lower()


def is_among(kind: ResourceType, names: Collection[str]) -> bool:
    """Whether one of the names, as spelled() gives them, means the kind."""
    return not _names(kind).isdisjoint(names)


def collect(
    source: Cluster,
    *,
    namespaces: Sequence[str],
    label_selector: str | None = None,
    included: Collection[str | Mapping[str, str]] | None = None,
    excluded: Collection[str | Mapping[str, str]] = (),
    concurrency: int = 8,
    left: Callable[[Left], None] | None = None,
    destination: Cluster | None = None,
) -> Iterator[Manifest]:
    """Every object of the namespaces that travels, as the server returns it, in no particular order, in versions that
    the ``destination`` serves if one is given and it can be.

    ``left`` hears of every object of a movable kind that stays behind, and of API groups that did not answer: their
    kinds are unknown, so nobody can say what is missing. Nothing is written. See movable_types() for the names.
    """
    if not namespaces:
        return
    types = movable_types(source, included=included, excluded=excluded, destination=destination)
    told = left or _nobody
    for group, fault in sorted(source.broken_groups.items()):
        told(Left(f"API group {group}", f"could not be asked for its kinds: {fault}"))
    owners = Owners(source)
    all_services = label_selector is None and any((kind.group, kind.plural) == ("", "services") for kind in types)
    services = _Services(source, complete=all_services)
    undecided: list[Manifest] = []
    for stage in stages(types):
        found = source.list_types(stage, namespaces, label_selector=label_selector, concurrency=concurrency)
        for _kind, _namespace, obj in found:
            owners.saw(obj)
            services.saw(obj)
            reason = excluded_object(obj) or services.made_endpoints(obj)
            if reason is None:
                certain, reason = owners.makes_again(obj)
                if not certain:
                    undecided.append(obj)
                    continue
            if reason is None:
                yield obj
            else:
                told(Left(reference(obj), reason))
    settled = source.map(owners.settle, undecided, concurrency=concurrency)
    for obj, answer in zip(undecided, settled, strict=True):
        if answer is None:
            yield obj
        else:
            told(Left(reference(obj), answer))


class _Services:
    """Which Endpoints a controller makes: those of a Service of the same name that selects pods."""

    def __init__(self, source: Cluster, *, complete: bool) -> None:
        self._source = source
        self._complete = complete
        self._selecting: set[tuple[str, str]] = set()

    def saw(self, obj: Manifest) -> None:
        if group_kind(obj) == ("", "Service") and read(obj, "spec", "selector"):
            self._selecting.add((namespace_of(obj), name_of(obj)))

    def made_endpoints(self, obj: Manifest) -> str | None:
        if group_kind(obj) != ("", "Endpoints"):
            return None
        namespace, name = namespace_of(obj), name_of(obj)
        made = (namespace, name) in self._selecting
        if not made and not self._complete:
            made = bool(read(self._source.get("v1", "Service", name, namespace), "spec", "selector"))
        return f"Service {name} makes it again" if made else None


def _nobody(_left: Left) -> None:
    return
