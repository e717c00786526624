# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a MigAnalytic tells, worked out from what was read: lists and totals of a namespace, of a plan, and the size
that a volume should have at the destination.

Rules: MTC pkg/controller/miganalytic. Totals are those of this analysis alone, never added to an earlier one's (Q5).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import quantity

NO_CHANGE = "The requested size is enough."
NEARLY_FULL = "The volume is nearly full."
OTHER_SIZE = "The volume is larger than requested."
"""Why a size is proposed. Whoever resizes compares with NO_CHANGE."""
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How many objects of one type a namespace has."""

    group: str
    version: str
    plural: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim: bytes that it asks for, bytes that it got (0 while unbound), and what is known of its use."""

    name: str
    requested: int
    provisioned: int
    capacity: int | None = None
    """Of its file system; None while nobody has measured it."""
    used: int | None = None


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image that an image stream's history names; ``size`` in bytes."""

    name: str
    reference: str
    size: int


@dataclass(frozen=True, kw_only=True)
class NamespaceFacts:
    """What was read of one source namespace. What was not asked for is empty."""

    namespace: str
    resources: Sequence[Counted] = ()
    claims: Sequence[Claim] = ()
    summed: bool = True
    """Whether the sizes of the claims were asked for."""
    measured: bool = False
    """Whether the use of the claims was asked for."""
    images: Sequence[Image] = field(default=())
    """In the order in which they are to be listed."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the plan and the analytic say about counting."""

    excluded: Collection[str]
    """Plural names, or ``plural.group``, that the plan leaves out."""
    incompatible: Mapping[str, Collection[tuple[str, str, str]]]
    """(group, version, plural) that the destination does not serve, by namespace."""
    images_listed: int
    """How many images of a namespace are listed."""
    threshold: int
    """Percent of a volume that should stay free."""

    def excludes(self, counted: Counted) -> bool:
        return counted.plural in self.excluded or f"{counted.plural}.{counted.group}" in self.excluded


def incompatible_kinds(plan: Mapping[str, Any]) -> dict[str, set[tuple[str, str, str]]]:
    """A plan's ``status.incompatibleNamespaces`` as Rules want it. The kind there is the plural name (sic)."""
    listed = (plan.get("status") or {}).get("incompatibleNamespaces") or []
    return {
        str(item["name"]): {(str(gvk["group"]), str(gvk["version"]), str(gvk["kind"])) for gvk in item["gvks"]}
        for item in listed
    }


def namespace_row(facts: NamespaceFacts, rules: Rules) -> dict[str, Any]:
    """The entry of ``status.analytics.namespaces``. Each type is in exactly one of the three lists."""
    unserved = rules.incompatible.get(facts.namespace, ())
    excluded, incompatible, normal = [], [], []
    for counted in sorted(facts.resources, key=lambda each: (each.group, each.plural, each.version)):
        if rules.excludes(counted):
            excluded.append(counted)
        elif (counted.group, counted.version, counted.plural) in unserved:
            incompatible.append(counted)
        else:
            normal.append(counted)
    summed = facts.claims if facts.summed else ()
    row = {
        "namespace": facts.namespace,
        "k8sResourceTotal": _total(normal),
        "excludedK8SResourceTotal": _total(excluded),
        "incompatibleK8SResourceTotal": _total(incompatible),
        "pvCapacity": quantity.to_text(sum(claim.requested for claim in summed)),
        "pvCount": len(summed),
        "imageCount": len(facts.images),
        "imageSizeTotal": quantity.to_text(sum(_whole_mebibytes(image) for image in facts.images)),
    }
    lists = {
        "k8sResources": [_listed(counted) for counted in normal],
        "excludedK8SResources": [_listed(counted) for counted in excluded],
        "incompatibleK8SResources": [_listed(counted) for counted in incompatible],
        "images": [_image(image) for image in facts.images[: rules.images_listed]],
        "persistentVolumes": [volume_row(claim, rules.threshold) for claim in facts.claims if claim.used is not None],
    }
    return {**row, **{name: rows for name, rows in lists.items() if rows}}


def totals(plan: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """``status.analytics`` of a finished analysis."""
    return {
        "plan": plan,
        "percentComplete": 100,
        "k8sResourceTotal": _sum(rows, "k8sResourceTotal"),
        "excludedk8sResourceTotal": _sum(rows, "excludedK8SResourceTotal"),
        "incompatiblek8sResourceTotal": _sum(rows, "incompatibleK8SResourceTotal"),
        "pvCapacity": quantity.to_text(sum(quantity.parse(row["pvCapacity"]) for row in rows)),
        "pvCount": _sum(rows, "pvCount"),
        "imageCount": _sum(rows, "imageCount"),
        "imageSizeTotal": quantity.to_text(sum(quantity.parse(row["imageSizeTotal"]) for row in rows)),
        "namespaces": [dict(row) for row in rows],
    }


def volume_row(claim: Claim, threshold: int) -> dict[str, Any]:
    """The entry of a claim whose use is known."""
    capacity, used = claim.capacity or 0, claim.used or 0
    percentage = -(-used * 100 // capacity) if capacity else 0
    proposed, comment = proposal(claim, percentage=percentage, threshold=threshold)
    return {
        "name": claim.name,
        "requestedCapacity": quantity.to_text(claim.requested),
        "actualCapacity": quantity.to_text(capacity),
        "usagePercentage": percentage,
        "proposedCapacity": quantity.to_text(proposed),
        "comment": comment,
    }


def proposal(claim: Claim, *, percentage: int, threshold: int) -> tuple[int, str]:
    """(bytes, why): the size that the claim should have at the destination, never less than it has here."""
    proposed, comment = claim.requested, NO_CHANGE
    for size in (claim.capacity or 0, claim.provisioned):
        if size > proposed:
            proposed, comment = size, OTHER_SIZE
    if percentage + threshold > 100:
        proposed, comment = (claim.capacity or 0) * (percentage + threshold) // 100, NEARLY_FULL
    return max(proposed, claim.provisioned), comment


def unmeasured(facts: Iterable[NamespaceFacts]) -> list[str]:
    """``namespace/claim`` whose use was asked for and is not known; a claim without a volume has none."""
    return sorted(
        f"{each.namespace}/{claim.name}"
        for each in facts
        if each.measured
        for claim in each.claims
        if claim.provisioned and claim.used is None
    )


def _total(counted: Iterable[Counted]) -> int:
    return sum(each.count for each in counted)


def _sum(rows: Iterable[Mapping[str, Any]], name: str) -> int:
    return sum(int(row[name]) for row in rows)


def _listed(counted: Counted) -> dict[str, Any]:
    return {"group": counted.group, "version": counted.version, "kind": counted.plural, "count": counted.count}


def _whole_mebibytes(image: Image) -> int:
    return image.size // MEBIBYTE * MEBIBYTE


def _image(image: Image) -> dict[str, Any]:
    return {"name": image.name, "reference": image.reference, "size": f"{image.size // MEBIBYTE}Mi"}
