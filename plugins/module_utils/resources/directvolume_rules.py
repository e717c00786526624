# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The conditions that keep a DirectVolumeMigration from beginning, and how a stored one stands.

Types, categories, reasons and order are those of MTC pkg/controller/directvolumemigration/validation.go. A cluster
whose connection the call itself gives needs no MigCluster, so its reference is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .condition_names import Category, Reason, VolumeCondition
from .conditions import Conditions, is_ready, is_true
from .spec_fields import refers_to

COMPLETED = "Completed"


@dataclass(frozen=True, kw_only=True)
class Side:
    """What is known of a cluster. ``given``: the call says itself how it is reached."""

    given: bool
    resource: Mapping[str, Any] | None = None


def validate_references(
    conditions: Conditions, spec: Mapping[str, Any], *, source: Side, destination: Side
) -> Conditions:
    """Set what is wrong with the clusters and the list of claims."""
    rows = (
        ("source", source, "srcMigClusterRef", _Types.SOURCE),
        ("destination", destination, "destMigClusterRef", _Types.DESTINATION),
    )
    for word, side, field, (invalid, not_ready) in rows:
        if side.given:
            continue
        target = refers_to(spec.get(field))
        if target is None:
            message = f"The reference to the {word} cluster is not set or lacks name or namespace."
            conditions.set(invalid, Category.CRITICAL, Reason.NOT_SET, message)
        elif side.resource is None:
            message = f"The {word} MigCluster {target[0]}/{target[1]} does not exist."
            conditions.set(invalid, Category.CRITICAL, Reason.NOT_FOUND, message)
        elif not is_ready(side.resource):
            message = f"The {word} MigCluster {target[0]}/{target[1]} is not ready."
            conditions.set(not_ready, Category.CRITICAL, Reason.NOT_READY, message)
    if not spec.get("persistentVolumeClaims"):
        message = "The list of claims is not set."
        conditions.set(VolumeCondition.INVALID_PVCS, Category.CRITICAL, Reason.NOT_SET, message)
    return conditions


def validate_claims(conditions: Conditions, missing: Sequence[tuple[str, str]]) -> Conditions:
    """Set that the source lacks these (namespace, name)."""
    if missing:
        conditions.set(
            VolumeCondition.PVCS_NOT_FOUND_ON_SOURCE,
            Category.CRITICAL,
            Reason.NOT_FOUND,
            "The source cluster has no such claims: [].",
            items=[f"{namespace}/{name}" for namespace, name in missing],
        )
    return conditions


class _Types:
    SOURCE = (VolumeCondition.INVALID_SOURCE_CLUSTER_REF, VolumeCondition.SOURCE_CLUSTER_NOT_READY)
    DESTINATION = (VolumeCondition.INVALID_DESTINATION_CLUSTER_REF, VolumeCondition.DESTINATION_CLUSTER_NOT_READY)


def begun(direct: Mapping[str, Any]) -> bool:
    """Whether a run of it has begun and has not ended."""
    phase = (direct.get("status") or {}).get("phase", "")
    return bool(phase) and phase != COMPLETED


def finished(direct: Mapping[str, Any]) -> bool:
    return bool((direct.get("status") or {}).get("phase") == COMPLETED)


def failed(direct: Mapping[str, Any]) -> bool:
    return is_true(direct, VolumeCondition.FAILED)


def succeeded(direct: Mapping[str, Any]) -> bool:
    return is_true(direct, VolumeCondition.SUCCEEDED) and not failed(direct)


def of_a_migration(direct: Mapping[str, Any]) -> str | None:
    """The MigMigration that a DirectVolumeMigration serves, None for one that stands alone."""
    for owner in (direct.get("metadata") or {}).get("ownerReferences") or ():
        if owner.get("kind") == "MigMigration":
            return str(owner.get("name"))
    return None
