# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A resource in a few words: is it ready, what blocks it, how far is it, how did it end.

One row of the table for each kind. Whoever reads a run's end here gets MTC's own strings judged in the right order: a
canceled run that also calls itself succeeded is canceled (D6), one with errors has failed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import conditions, migmigration, names
from .condition_names import MigrationCondition, PlanCondition

Resource = Mapping[str, Any]
Summary = dict[str, Any]

CANCELED = "canceled"
FAILED = "failed"
WARNED = "succeeded_with_warnings"
SUCCEEDED = "succeeded"
RUNNING = "running"
WAITING = "waiting"
STATES = (WAITING, RUNNING, SUCCEEDED, WARNED, FAILED, CANCELED)
_ENDED = frozenset({"Completed", "MigrationFailed"})
_STEP = re.compile(r"(\d+)/(\d+)")


@dataclass(frozen=True, kw_only=True)
class KindSummary:
    """What is special about a kind. ``parents``: the kinds that own it, nearest first, up to the migration."""

    details: Callable[[Resource], Summary]
    runs: bool = False
    """It has phases, begins and ends."""
    parents: tuple[str, ...] = ()


def summary(resource: Resource) -> Summary:
    """The few words, of any kind of the table. Nothing secret is ever in a spec or a status."""
    metadata = resource.get("metadata") or {}
    row = ROWS[str(resource["kind"])]
    told = {
        "name": metadata.get("name", ""),
        "namespace": metadata.get("namespace", ""),
        "created": metadata.get("creationTimestamp", ""),
        "ready": conditions.is_ready(resource),
        "conditions": conditions.by_type(resource),
        "blockers": conditions.blockers(resource),
        "warnings": conditions.warnings(resource),
    }
    return {**told, **(_course(resource, row) if row.runs else {}), **row.details(resource)}


def finished(resource: Resource) -> bool:
    """Whether a run has ended, however. A volume migration that failed may stay in ``MigrationFailed`` for good."""
    phase = _status(resource).get("phase")
    if phase == "MigrationFailed":
        return conditions.is_true(resource, MigrationCondition.FAILED)
    return phase == "Completed"


def state(resource: Resource) -> str:
    """One of STATES. Canceled is asked first, then failed: upstream adds Succeeded to both."""
    status = _status(resource)
    ended = finished(resource)
    if ended and resource["kind"] == names.MIG_MIGRATION and migmigration.canceled(resource):
        return CANCELED
    if conditions.is_true(resource, MigrationCondition.FAILED) or (ended and status.get("errors")):
        return FAILED
    if conditions.is_true(resource, MigrationCondition.SUCCEEDED_WITH_WARNINGS):
        return WARNED
    if conditions.is_true(resource, MigrationCondition.SUCCEEDED):
        return SUCCEEDED
    if ended:
        return FAILED
    return RUNNING if status.get("phase") else WAITING


def owner(resource: Resource, kind: str) -> tuple[str, str] | None:
    """(name, UID) of the owner of that kind."""
    references = (resource.get("metadata") or {}).get("ownerReferences") or []
    found = next((entry for entry in references if entry.get("kind") == kind), None)
    return (str(found.get("name", "")), str(found.get("uid", ""))) if found else None


def percent(text: Any) -> int | None:
    """The number of a text such as ``42%``."""
    digits = str(text or "").strip().removesuffix("%")
    return int(digits) if digits.isdigit() else None


def _status(resource: Resource) -> Mapping[str, Any]:
    return resource.get("status") or {}


def _spec(resource: Resource) -> Mapping[str, Any]:
    return resource.get("spec") or {}


def _name(reference: Mapping[str, Any] | None) -> str | None:
    return (reference or {}).get("name") or None


def _course(resource: Resource, row: KindSummary) -> Summary:
    status = _status(resource)
    parent = owner(resource, row.parents[0]) if row.parents else None
    belongs = {"owner": parent[0] if parent else None} if row.parents else {}
    return {
        "state": state(resource),
        "finished": finished(resource),
        "phase": status.get("phase", ""),
        "itinerary": status.get("itinerary", ""),
        "started": status.get("startTimestamp"),
        "errors": list(status.get("errors") or []),
        "progress": _steps(resource),
        **belongs,
    }


def _steps(resource: Resource) -> Summary:
    """From ``Step: 4/37`` of the condition Running; a finished run has done all."""
    if finished(resource):
        return {"percent": 100, "text": str(_status(resource).get("phase", ""))}
    running = conditions.condition(resource, MigrationCondition.RUNNING) or {}
    text = str(running.get("message", ""))
    found = _STEP.search(text)
    done = round(100 * int(found[1]) / int(found[2])) if found and int(found[2]) else None
    return {"percent": done, "text": text}


# -- one function for each kind ------------------------------------------------------------------------------------


def _cluster(resource: Resource) -> Summary:
    spec, status = _spec(resource), _status(resource)
    return {
        "is_host_cluster": bool(spec.get("isHostCluster")),
        "url": spec.get("url") or None,
        "registry_path": status.get("registryPath") or None,
        "operator_version": status.get("operatorVersion") or None,
    }


def _storage(resource: Resource) -> Summary:
    spec = _spec(resource)
    backup = spec.get("backupStorageProvider") or None
    return {
        "backup_storage_provider": backup,
        "volume_snapshot_provider": spec.get("volumeSnapshotProvider") or backup,
    }


def _hook(resource: Resource) -> Summary:
    spec = _spec(resource)
    return {
        "custom": bool(spec.get("custom")),
        "image": spec.get("image") or None,
        "target_cluster": spec.get("targetCluster") or None,
    }


def _plan(resource: Resource) -> Summary:
    spec = _spec(resource)
    annotations = (resource.get("metadata") or {}).get("annotations") or {}
    return {
        "source_cluster": _name(spec.get("srcMigClusterRef")),
        "destination_cluster": _name(spec.get("destMigClusterRef")),
        "storage": _name(spec.get("migStorageRef")),
        "namespaces": list(spec.get("namespaces") or []),
        "volumes": [_volume(entry) for entry in spec.get("persistentVolumes") or []],
        "closed": bool(spec.get("closed")) or conditions.is_true(resource, PlanCondition.CLOSED),
        "suspended": conditions.is_true(resource, PlanCondition.SUSPENDED),
        "reconciled_by": annotations.get(names.ENGINE_ANNOTATION),
    }


def _volume(entry: Mapping[str, Any]) -> Summary:
    selection, pvc = entry.get("selection") or {}, entry.get("pvc") or {}
    source, _colon, target = str(pvc.get("name", "")).partition(":")
    return {
        "namespace": pvc.get("namespace", ""),
        "claim": source,
        "target_name": target or source,
        "capacity": entry.get("capacity"),
        "action": selection.get("action"),
        "copy_method": selection.get("copyMethod"),
        "storage_class": selection.get("storageClass"),
    }


def _analytic(resource: Resource) -> Summary:
    found = _status(resource).get("analytics") or {}
    done = found.get("percentComplete")
    return {
        "plan": _name(_spec(resource).get("migPlanRef")),
        "progress": {"percent": done, "text": "" if done is None else f"{done}%"},
        "resources": found.get("k8sResourceTotal"),
        "excluded_resources": found.get("excludedk8sResourceTotal"),
        "incompatible_resources": found.get("incompatiblek8sResourceTotal"),
        "volumes": found.get("pvCount"),
        "volume_capacity": found.get("pvCapacity"),
        "images": found.get("imageCount"),
        "image_size": found.get("imageSizeTotal"),
    }


def _migration(resource: Resource) -> Summary:
    spec = _spec(resource)
    return {
        "plan": _name(spec.get("migPlanRef")),
        "type": _kind_of_run(spec),
        "canceled": migmigration.canceled(resource),
        "pipeline": list(_status(resource).get("pipeline") or []),
    }


def _kind_of_run(spec: Mapping[str, Any]) -> str:
    if spec.get("rollback"):
        return "rollback"
    if spec.get("migrateState"):
        return "state"
    return "stage" if spec.get("stage") else "final"


def _direct_volume(resource: Resource) -> Summary:
    claims = _spec(resource).get("persistentVolumeClaims") or []
    good = sum(len(_status(resource).get(name) or []) for name in ("successfulPods", "successfulLiveMigration"))
    done = 100 if not claims else round(100 * good / len(claims))
    return {
        "type": _spec(resource).get("migrationType"),
        "progress": {"percent": done, "text": f"{good} of {len(claims)} volumes"},
    }


def _direct_volume_progress(resource: Resource) -> Summary:
    status = _status(resource)
    done = percent(status.get("totalProgressPercentage")) or percent(status.get("lastObservedProgressPercent"))
    return {
        "owner": (owner(resource, names.DIRECT_VOLUME_MIGRATION) or (None, None))[0],
        "pod_namespace": _spec(resource).get("podNamespace"),
        "pod": status.get("podName"),
        "phase": status.get("phase", ""),
        "exit_code": status.get("exitCode"),
        "rate": status.get("lastObservedTransferRate") or None,
        "elapsed": status.get("rsyncElapsedTime") or status.get("containerElapsedTime") or None,
        "progress": {"percent": done, "text": "" if done is None else f"{done}%"},
    }


def _direct_image(resource: Resource) -> Summary:
    status = _status(resource)
    counts = {name: len(status.get(name) or []) for name in ("newISs", "successfulISs", "failedISs", "deletedISs")}
    total = sum(counts.values())
    done = round(100 * (total - counts["newISs"]) / total) if total else (100 if finished(resource) else None)
    return {
        "namespaces": list(_spec(resource).get("namespaces") or []),
        "progress": {"percent": done, "text": f"{counts['successfulISs']} of {total} image streams"},
    }


def _direct_image_stream(resource: Resource) -> Summary:
    spec = _spec(resource)
    reference = spec.get("imageStreamRef") or {}
    return {
        "image_stream": _name(reference),
        "image_stream_namespace": reference.get("namespace") or None,
        "target_namespace": spec.get("destNamespace") or reference.get("namespace") or None,
    }


_OF_MIGRATION = (names.MIG_MIGRATION,)

ROWS: Mapping[str, KindSummary] = {
    names.MIG_CLUSTER: KindSummary(details=_cluster),
    names.MIG_STORAGE: KindSummary(details=_storage),
    names.MIG_HOOK: KindSummary(details=_hook),
    names.MIG_PLAN: KindSummary(details=_plan),
    names.MIG_ANALYTIC: KindSummary(details=_analytic),
    names.MIG_MIGRATION: KindSummary(details=_migration, runs=True),
    names.DIRECT_VOLUME_MIGRATION: KindSummary(details=_direct_volume, runs=True, parents=_OF_MIGRATION),
    names.DIRECT_VOLUME_MIGRATION_PROGRESS: KindSummary(
        details=_direct_volume_progress, parents=(names.DIRECT_VOLUME_MIGRATION, names.MIG_MIGRATION)
    ),
    names.DIRECT_IMAGE_MIGRATION: KindSummary(details=_direct_image, runs=True, parents=_OF_MIGRATION),
    names.DIRECT_IMAGE_STREAM_MIGRATION: KindSummary(
        details=_direct_image_stream, runs=True, parents=(names.DIRECT_IMAGE_MIGRATION, names.MIG_MIGRATION)
    ),
}
