# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The CustomResourceDefinitions of MTC's ten kinds, made from the schema tables.

What MTC's own definitions accept, these accept, and the other way round: a cluster may change from one to the other
without touching a resource. So there are no enums and defaults here either, and no status subresource: spec and status
are written together. Role crds ships these manifests as files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import names, schema_direct, schema_migration, schema_setup
from .digest import observed_digest
from .schema_pieces import Schema, record, text

_LABEL_DIGITS = 32
_READY = ".status.conditions[?(@.type=='Ready')].status"


def _columns(*columns: tuple[str, str] | tuple[str, str, str]) -> tuple[dict[str, str], ...]:
    return tuple(
        {"name": column[0], "jsonPath": column[1], "type": column[2] if len(column) > 2 else "string"}
        for column in (*columns, ("Age", ".metadata.creationTimestamp", "date"))
    )


@dataclass(frozen=True)
class _Definition:
    kind: str
    about: str
    schemas: Callable[[], tuple[Schema, Schema]]
    columns: Sequence[Mapping[str, str]] = ()


_DEFINITIONS = (
    _Definition(
        names.MIG_CLUSTER,
        "A cluster to migrate from or to.",
        schema_setup.mig_cluster,
        _columns(("Ready", _READY), ("URL", ".spec.url"), ("Host", ".spec.isHostCluster", "boolean")),
    ),
    _Definition(
        names.MIG_STORAGE,
        "A replication repository.",
        schema_setup.mig_storage,
        _columns(
            ("Ready", _READY),
            ("BackupStorageProvider", ".spec.backupStorageProvider"),
            ("VolumeSnapshotProvider", ".spec.volumeSnapshotProvider"),
        ),
    ),
    _Definition(
        names.MIG_HOOK,
        "Something of the user's that runs in the course of a migration.",
        schema_setup.mig_hook,
        _columns(("Ready", _READY), ("Image", ".spec.image"), ("TargetCluster", ".spec.targetCluster")),
    ),
    _Definition(
        names.MIG_PLAN,
        "Which namespaces and volumes go from which cluster to which.",
        schema_migration.mig_plan,
        _columns(
            ("Ready", _READY),
            ("Source", ".spec.srcMigClusterRef.name"),
            ("Target", ".spec.destMigClusterRef.name"),
            ("Storage", ".spec.migStorageRef.name"),
        ),
    ),
    _Definition(
        names.MIG_ANALYTIC,
        "What a plan's namespaces contain.",
        schema_migration.mig_analytic,
        _columns(
            ("Ready", _READY),
            ("Plan", ".spec.migPlanRef.name"),
            ("Progress", ".status.analytics.percentComplete"),
            ("Resources", ".status.analytics.k8sResourceTotal"),
            ("Images", ".status.analytics.imageCount"),
            ("ImageSize", ".status.analytics.imageSizeTotal"),
            ("PVs", ".status.analytics.pvCount"),
            ("PVCapacity", ".status.analytics.pvCapacity"),
        ),
    ),
    _Definition(
        names.MIG_MIGRATION,
        "One run of a plan.",
        schema_migration.mig_migration,
        _columns(
            ("Ready", _READY),
            ("Plan", ".spec.migPlanRef.name"),
            ("Stage", ".spec.stage"),
            ("Rollback", ".spec.rollback"),
            ("Itinerary", ".status.itinerary"),
            ("Phase", ".status.phase"),
        ),
    ),
    _Definition(
        names.DIRECT_VOLUME_MIGRATION,
        "The direct copies of one run's volumes.",
        schema_direct.direct_volume_migration,
    ),
    _Definition(
        names.DIRECT_VOLUME_MIGRATION_PROGRESS,
        "How far the copy of one claim is.",
        schema_direct.direct_volume_migration_progress,
        _columns(
            ("Cluster", ".spec.clusterRef.name"),
            ("Pod Name", ".status.podName"),
            ("Pod Namespace", ".spec.podNamespace"),
            ("Progress Percent", ".status.totalProgressPercentage"),
            ("Transfer Rate", ".status.lastObservedTransferRate"),
        ),
    ),
    _Definition(
        names.DIRECT_IMAGE_MIGRATION,
        "The direct copies of one run's image streams.",
        schema_direct.direct_image_migration,
    ),
    _Definition(
        names.DIRECT_IMAGE_STREAM_MIGRATION,
        "The direct copy of one image stream.",
        schema_direct.direct_image_stream_migration,
    ),
)


def crd_manifests() -> list[dict[str, Any]]:
    """All ten manifests, as fresh dicts, in the order in which a user meets the kinds.

    Each carries the label that marks it as this collection's, and the digest of all ten specs: ten definitions with
    both labels are all up to date.
    """
    specs = {definition.kind: _spec(definition) for definition in _DEFINITIONS}
    labels = {names.MANAGED_BY_LABEL: names.MANAGED_BY, names.DIGEST_LABEL: digest(specs)}
    return [
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": names.KINDS[kind].crd_name, "labels": dict(labels)},
            "spec": spec,
        }
        for kind, spec in specs.items()
    ]


def digest(specs: Mapping[str, Any]) -> str:
    """Of all specs by kind, cut to what fits into a label."""
    return observed_digest(specs)[:_LABEL_DIGITS]


def _spec(definition: _Definition) -> dict[str, Any]:
    return {
        "group": names.GROUP,
        "names": _kind_names(names.KINDS[definition.kind]),
        "scope": "Namespaced",
        "versions": [_version(definition)],
    }


def _kind_names(kind: names.KindNames) -> dict[str, Any]:
    called: dict[str, Any] = {
        "kind": kind.kind,
        "listKind": kind.list_kind,
        "plural": kind.plural,
        "singular": kind.singular,
    }
    if kind.short_names:
        called["shortNames"] = list(kind.short_names)
    return called


def _version(definition: _Definition) -> dict[str, Any]:
    spec, status = definition.schemas()
    schema = record(
        {"apiVersion": text(), "kind": text(), "metadata": {"type": "object"}, "spec": spec, "status": status},
        definition.about,
    )
    version: dict[str, Any] = {
        "name": names.VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    if definition.columns:
        version["additionalPrinterColumns"] = [dict(column) for column in definition.columns]
    return version
