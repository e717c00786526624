# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads from the source what an analysis counts: objects by type without their content, claims and how full their
volumes are, image streams and the images that they name.

Nothing is held that is only counted, and lists run side by side, so that a namespace of a hundred thousand objects
costs pages and no memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..cluster.api import Cluster
from ..cluster.resource_types import ResourceType
from ..resources import quantity
from ..resources.analysis import Claim, Counted, Image, NamespaceFacts
from ..resources.errors import NotFound
from ..volumes import sizing

Manifest = dict[str, Any]

CONCURRENCY = 16
_IMAGES: Final = "image.openshift.io/v1"
_STREAM: Final = "ImageStream"
_TWINS: Final[Mapping[str, Sequence[str]]] = {
    "deployments": ("apps", "extensions"),
    "daemonsets": ("apps", "extensions"),
    "replicasets": ("apps", "extensions"),
    "networkpolicies": ("networking.k8s.io", "extensions"),
    "events": ("", "events.k8s.io"),
}
"""Types that a server serves in two groups as two views of the same objects; the first that is there counts."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which parts of the analysis were asked for."""

    resources: bool
    images: bool
    claims: bool
    usage: bool


def read_namespaces(source: Cluster, namespaces: Sequence[str], wanted: Wanted) -> list[NamespaceFacts]:
    """The facts of each namespace, in their order. A namespace that does not exist has nothing."""
    counted = _counted(source, namespaces) if wanted.resources else {}
    claims = _claims(source, namespaces) if wanted.claims or wanted.usage else {}
    if wanted.usage:
        claims = _measured(source, claims)
    images = _images(source, namespaces) if wanted.images else {}
    return [
        NamespaceFacts(
            namespace=namespace,
            resources=counted.get(namespace, ()),
            claims=claims.get(namespace, ()),
            summed=wanted.claims,
            measured=wanted.usage,
            images=images.get(namespace, ()),
        )
        for namespace in namespaces
    ]


def countable(types: Iterable[ResourceType]) -> list[ResourceType]:
    """The namespaced types that can be listed, without the second view of those that have two."""
    listed = [each for each in types if each.namespaced and "list" in each.verbs]
    served = {(each.group, each.plural) for each in listed}

    def is_second_view(each: ResourceType) -> bool:
        groups = _TWINS.get(each.plural, ())
        first = next((group for group in groups if (group, each.plural) in served), None)
        return each.group in groups and each.group != first

    return [each for each in listed if not is_second_view(each)]


def _counted(source: Cluster, namespaces: Sequence[str]) -> dict[str, list[Counted]]:
    found: Counter[tuple[ResourceType, str]] = Counter()
    types = countable(source.types())
    for kind, namespace, _object in source.list_types(types, namespaces, concurrency=CONCURRENCY, metadata_only=True):
        found[kind, namespace] += 1
    rows: dict[str, list[Counted]] = {}
    for (kind, namespace), count in found.items():
        row = Counted(group=kind.group, version=kind.version, plural=kind.plural, count=count)
        rows.setdefault(namespace, []).append(row)
    return rows


def _claims(source: Cluster, namespaces: Sequence[str]) -> dict[str, list[Claim]]:
    def read(namespace: str) -> list[Claim]:
        listed = source.list("v1", "PersistentVolumeClaim", namespace)
        return sorted((_claim(found) for found in listed), key=lambda claim: claim.name)

    return dict(zip(namespaces, source.map(read, namespaces), strict=True))


def _claim(found: Manifest) -> Claim:
    requested = ((found["spec"].get("resources") or {}).get("requests") or {}).get("storage")
    provisioned = ((found.get("status") or {}).get("capacity") or {}).get("storage")
    return Claim(
        name=str(found["metadata"]["name"]),
        requested=quantity.parse(requested or 0),
        provisioned=quantity.parse(provisioned or 0),
    )


def _measured(source: Cluster, claims: Mapping[str, Sequence[Claim]]) -> dict[str, list[Claim]]:
    keys = [(namespace, claim.name) for namespace, rows in claims.items() for claim in rows if claim.provisioned]
    use = sizing.usage(source, keys) if keys else {}

    def with_use(namespace: str, claim: Claim) -> Claim:
        found = use.get((namespace, claim.name))
        if found is None:
            return claim
        return Claim(
            name=claim.name,
            requested=claim.requested,
            provisioned=claim.provisioned,
            capacity=found.capacity,
            used=found.used,
        )

    return {namespace: [with_use(namespace, claim) for claim in rows] for namespace, rows in claims.items()}


def _images(source: Cluster, namespaces: Sequence[str]) -> dict[str, list[Image]]:
    """Every entry of the streams' histories that lies in the cluster's own registry, oldest first within its tag."""
    try:
        source.resource(_IMAGES, _STREAM)
    except NotFound:
        return {}

    def entries(namespace: str) -> list[str]:
        return [name for stream in source.list(_IMAGES, _STREAM, namespace) for name in _own_images(stream)]

    listed = dict(zip(namespaces, source.map(entries, namespaces), strict=True))
    wanted = list(dict.fromkeys(name for found in listed.values() for name in found))
    images = dict(zip(wanted, source.map(lambda name: _image(source, name), wanted), strict=True))
    return {
        namespace: [image for name in found if (image := images[name]) is not None]
        for namespace, found in listed.items()
    }


def _own_images(stream: Manifest) -> list[str]:
    status = stream.get("status") or {}
    registry = str(status.get("dockerImageRepository") or "").partition("/")[0]
    return [
        str(item["image"])
        for tag in status.get("tags") or ()
        for item in reversed(tag.get("items") or ())
        if registry and str(item.get("dockerImageReference") or "").startswith(f"{registry}/") and item.get("image")
    ]


def _image(source: Cluster, name: str) -> Image | None:
    found = source.get(_IMAGES, "Image", name)
    if found is None:  # pruned since the stream named it
        return None
    size = (found.get("dockerImageMetadata") or {}).get("Size") or 0
    return Image(name=name, reference=str(found.get("dockerImageReference") or ""), size=int(size))
