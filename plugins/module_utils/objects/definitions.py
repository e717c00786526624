# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Definitions of custom resources: which kinds one brings, and whether it can be given to the destination.

A definition travels only where the destination has none of that name: one that is there belongs to an operator or to
another team, and is never touched. One whose versions are converted by a webhook stays: until that webhook runs, the
objects could not be created, and by then the application is stopped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from ..cluster.api import Cluster
from ..cluster.resource_types import ResourceType
from ..resources import names
from ..resources.errors import Forbidden
from .manifest import GroupKind, Manifest, group_kind, name_of, read
from .transforms_cluster import tended_by_nobody

API: Final = "apiextensions.k8s.io"
KIND: Final = "CustomResourceDefinition"
DEFINITION: Final[GroupKind] = (API, KIND)
ApiKind = tuple[str, str]
"""("example.com/v1", "Widget")."""


def served_versions(definition: Manifest) -> list[str]:
    """The versions that a definition has its kind served in, as v1 or v1beta1 of the API say it."""
    spec = definition.get("spec") or {}
    listed = [version["name"] for version in spec.get("versions") or () if version.get("served")]
    return listed or [spec["version"]] if "version" in spec or listed else []


def kinds_of(definition: Manifest) -> list[ApiKind]:
    """What can be created once the definition is there."""
    group, kind = read(definition, "spec", "group"), read(definition, "spec", "names", "kind")
    return [(f"{group}/{version}", kind) for version in served_versions(definition)]


def brought(objects: Iterable[Manifest]) -> frozenset[ApiKind]:
    """The kinds that the definitions among the objects bring."""
    return frozenset(kind for obj in objects if group_kind(obj) == DEFINITION for kind in kinds_of(obj))


def untended(objects: Iterable[Manifest]) -> list[str]:
    """One sentence for each definition among the objects: a definition alone does nothing."""
    return sorted(
        f"CustomResourceDefinition {name_of(obj)} is brought along: {tended_by_nobody(obj)}"
        for obj in objects
        if group_kind(obj) == DEFINITION
    )


def is_established(definition: Manifest) -> bool:
    """Whether the server has accepted the definition and its names."""
    conditions = {item.get("type"): item.get("status") for item in read(definition, "status", "conditions") or ()}
    return conditions.get("Established") == "True" and conditions.get("NamesAccepted") == "True"


def refused_names(definition: Manifest) -> str | None:
    """Why the server does not take the definition's names, if it does not: another one has them."""
    for item in read(definition, "status", "conditions") or ():
        if item.get("type") == "NamesAccepted" and item.get("status") == "False":
            return str(item.get("message") or item.get("reason"))
    return None


def to_carry(
    source: Cluster, destination: Cluster, kinds: Sequence[ResourceType], *, plan_uid: str
) -> list[tuple[ResourceType, Manifest | str]]:
    """Of these kinds those that come from a definition which the destination lacks, or has from this plan: with the
    source's definition, or why it cannot be given to the destination."""
    versions = _versions(source, destination)
    if versions is None:
        return []
    ours = _made_by(destination, plan_uid, versions[1])
    asked = [kind for kind in kinds if _name(kind) in ours or not destination.serves(kind.api_version, kind.kind)]
    judged = zip(asked, source.map(lambda kind: _judged(source, destination, kind, versions, ours), asked), strict=True)
    return [(kind, answer) for kind, answer in judged if answer is not None]


def _name(kind: ResourceType) -> str:
    return f"{kind.plural}.{kind.group}"


def _made_by(destination: Cluster, plan_uid: str, api_version: str) -> frozenset[str]:
    if not plan_uid:
        return frozenset()
    selector = f"{names.MIGRATED_BY_MIGPLAN_LABEL}={plan_uid}"
    try:
        return frozenset(map(name_of, destination.list(api_version, KIND, label_selector=selector)))
    except Forbidden:
        return frozenset()


def _judged(
    source: Cluster, destination: Cluster, kind: ResourceType, versions: tuple[str, str], ours: Collection[str]
) -> Manifest | str | None:
    name, (here, there) = _name(kind), versions
    try:
        found = source.get(here, KIND, name)
        standing = destination.get(there, KIND, name) if found is not None and name not in ours else None
    except Forbidden as error:
        return f"its definition {name} may not be read: {error.reason}"
    if found is None:
        return None
    if standing is not None:
        served = ", ".join(served_versions(standing))
        return f"the destination's own definition {name} serves {served or 'no version'} and not {kind.version}"
    if here != there:
        return f"its definition {name} is of {here}, which the destination does not take"
    if read(found, "spec", "conversion", "strategy") == "Webhook" and len(served_versions(found)) > 1:
        return f"the versions of its definition {name} are converted by a webhook, which does not travel"
    return found


def _versions(source: Cluster, destination: Cluster) -> tuple[str, str] | None:
    """The API version in which the source's definitions are read, and the one in which the destination knows them."""
    theirs = [kind.api_version for kind in source.versions(API, KIND)]
    ours = [kind.api_version for kind in destination.versions(API, KIND)]
    if not theirs or not ours:
        return None
    return next(((version, version) for version in theirs if version in ours), (theirs[0], ours[0]))
