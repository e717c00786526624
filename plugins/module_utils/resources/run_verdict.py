# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Has everything arrived? The verdict on a run of MTC's controller, from what it left behind and not from what it calls
itself.

MTC restores an application over volumes that were not copied and calls that SucceededWithWarnings (D2, D7); it copies
while the application still writes and does not copy again (D1); it calls a canceled run Succeeded (D6). So
every volume, image and Velero object is looked at, and each fault is a finding with a name that a user may accept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from . import directvolume, names, timestamps
from .accepted import EARLY, VOLUMES, accepts, accepts_volume, names_volume
from .condition_names import Category, MigrationCondition, VolumeCondition
from .conditions import TRUE, listed, warnings
from .errors import subject_of

Manifest = Mapping[str, Any]
Row = Mapping[str, Any]

IMAGES: Final = MigrationCondition.DIRECT_IMAGE_MIGRATION_FAILED
COPIED: Final = "succeeded"
_HARMLESS: Final = frozenset({MigrationCondition.STAGE_NO_OP})
_VELERO_NAMES: Final = (
    ("Backup", "-initial-", "VeleroInitialBackupPartiallyFailed"),
    ("Backup", "-stage-", "VeleroStageBackupPartiallyFailed"),
    ("Restore", "-stage-", "VeleroStageRestorePartiallyFailed"),
    ("Restore", "-final-", "VeleroFinalRestorePartiallyFailed"),
    ("PodVolumeBackup", "", "VeleroStageBackupPartiallyFailed"),
    ("PodVolumeRestore", "", "ResticErrors"),
)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is not as it should be. ``name`` is what accepting it names; ``volumes`` are the claims of the
    source that it is about, each ``namespace/name``. Without ``fatal`` it is told and fails nothing."""

    name: str
    message: str
    volumes: tuple[str, ...] = ()
    fatal: bool = True

    def as_row(self) -> dict[str, Any]:
        return {"name": self.name, "message": self.message, "volumes": list(self.volumes)}


def findings(
    migration: Manifest,
    *,
    plan: Manifest | None,
    volumes: Sequence[Row] = (),
    direct_volumes: Sequence[Manifest] = (),
    direct_images: Sequence[Manifest] = (),
    velero: Sequence[Row] = (),
    early: Sequence[str] = (),
) -> list[Finding]:
    """What is to be said against a run that ended without failing, one finding for each name.

    ``plan`` as the run began with it; None when nobody knows any more. ``volumes`` are rows with namespace, claim,
    state and message. ``early`` are the claims of copied_early().
    """
    found = [
        *_of_volumes(volumes, plan),
        *(Finding(name=EARLY, message=_early(claim), volumes=(claim,)) for claim in early),
        *(finding for direct in direct_volumes for finding in _of_direct_volume(direct)),
        *(finding for direct in direct_images for finding in _of_direct_image(direct)),
        *(finding for row in velero for finding in _of_velero(row)),
        *_of_migration(migration),
    ]
    return _one_for_each_name(found)


def accepted(finding: Finding, entries: Sequence[str]) -> bool:
    """Whether the user accepted it: by its name, or all of its volumes by theirs."""
    if accepts(entries, finding.name):
        return True
    named = [entry for entry in entries if names_volume(entry)]
    return bool(finding.volumes) and all(accepts_volume(named, *claim.split("/", 1)) for claim in finding.volumes)


def copied_early(progress: Iterable[Manifest], claims: Iterable[tuple[str, str]], quiesced: str | None) -> list[str]:
    """The claims whose successful copy began before ``quiesced``, when the application had stopped (as the API writes
    times; None: not known, and nothing is said). ``progress``: the DirectVolumeMigrationProgresses of the run."""
    if quiesced is None:
        return []
    limit = _time(quiesced)
    begun = {_key(item): _began(item) for item in progress}
    found = []
    for namespace, claim in claims:
        start = begun.get((namespace, directvolume.claim_label(claim)))
        if start is not None and limit is not None and start < limit:
            found.append(f"{namespace}/{claim}")
    return found


def _key(progress: Manifest) -> tuple[str, str]:
    spec = progress.get("spec") or {}
    label = (spec.get("podSelector") or {}).get(names.CREATED_FOR_PVC_LABEL, "")
    return str(spec.get("podNamespace", "")), str(label)


def _began(progress: Manifest) -> datetime | None:
    """When the pod was created that copied the volume in the end."""
    status = progress.get("status") or {}
    attempts = [item for item in status.get("rsyncPodStatuses") or [] if item.get("phase") == "Succeeded"]
    return _time(str((attempts or [status])[-1].get("creationTimestamp") or ""))


def _time(text: str) -> datetime | None:
    try:
        return timestamps.parse(text) if text else None
    except ValueError:
        return None


def _early(claim: str) -> str:
    return (
        f"volume {claim} was copied once, and that began before the application had stopped, by the clocks of the "
        "clusters: what was written meanwhile may be missing or torn"
    )


def _of_volumes(rows: Sequence[Row], plan: Manifest | None) -> list[Finding]:
    found, known = [], set()
    for row in rows:
        claim = f"{row['namespace']}/{row['claim']}"
        known.add(claim)
        if row["state"] != COPIED:
            told = f"volume {claim} was not copied ({row['state']})"
            message = f"{told}: {row['message']}" if row.get("message") else told
            found.append(Finding(name=VOLUMES, message=message, volumes=(claim,)))
    if plan is not None and not (plan.get("spec") or {}).get("indirectVolumeMigration"):
        for wanted in directvolume.claims_of(plan):
            claim = f"{wanted['namespace']}/{wanted['name']}"
            if claim not in known:
                message = f"volume {claim} was not copied: no DirectVolumeMigration of the run names it"
                found.append(Finding(name=VOLUMES, message=message, volumes=(claim,)))
    return found


def _of_direct_volume(direct: Manifest) -> list[Finding]:
    """Its warnings. What it says of single volumes is in their rows."""
    metadata = direct["metadata"]
    subject = subject_of(names.DIRECT_VOLUME_MIGRATION, metadata["name"], metadata.get("namespace"))
    return [
        Finding(name=str(item["type"]), message=f"{subject}: {str(item.get('message', '')).strip()}")
        for item in listed(direct)
        if item.get("status") == TRUE
        and item.get("category") in (Category.WARN, Category.CRITICAL)
        and item["type"] != VolumeCondition.FAILED
    ]


def _of_direct_image(direct: Manifest) -> list[Finding]:
    status, metadata = direct.get("status") or {}, direct["metadata"]
    subject = subject_of(names.DIRECT_IMAGE_MIGRATION, metadata["name"], metadata.get("namespace"))
    failed = [
        f"{item.get('namespace')}/{item.get('name')} ({'; '.join(item.get('errors') or []) or 'it does not say why'})"
        for item in status.get("failedISs") or []
    ]
    told = [*(f"image stream {text} was not copied" for text in failed), *(status.get("errors") or [])]
    return [Finding(name=IMAGES, message=f"{subject}: {'; '.join(map(str, told))}")] if told else []


def _of_velero(row: Row) -> list[Finding]:
    subject = subject_of(str(row["kind"]), str(row["name"]), str(row.get("namespace") or names.CONTROLLER_NAMESPACE))
    phase = str(row.get("phase") or "New")
    if phase == "Completed" and not row.get("errors"):
        if row.get("warnings"):
            message = f"{subject}: completed with {row['warnings']} warnings of Velero's"
            return [Finding(name=f"{row['kind']}Warnings", message=message, fatal=False)]
        return []
    name = next(
        (name for kind, part, name in _VELERO_NAMES if row["kind"] == kind and part in str(row["name"])),
        f"{row['kind']}{phase}",
    )
    counted = f", {row['errors']} errors" if row.get("errors") else ""
    told = str(row.get("message") or "; ".join(row.get("validation_errors") or []))
    return [Finding(name=name, message=f"{subject}: {phase}{counted}{f': {told}' if told else ''}")]


def _of_migration(migration: Manifest) -> list[Finding]:
    found = []
    for item in warnings(migration):
        message = str(item.get("message", "")).strip()
        if item["type"] == MigrationCondition.UNHEALTHY_NAMESPACES:
            message = f"{message} {_unhealthy(migration)}".strip()
        found.append(
            Finding(name=str(item["type"]), message=f"MTC warns: {message}", fatal=item["type"] not in _HARMLESS)
        )
    return found


def _unhealthy(migration: Manifest) -> str:
    told = [
        f"{entry.get('name')}: {', '.join(str(load.get('name')) for load in entry.get('workloads') or [])}"
        for entry in (migration.get("status") or {}).get("namespaces") or []
    ]
    return f"({'; '.join(told)})" if told else ""


def _one_for_each_name(found: Iterable[Finding]) -> list[Finding]:
    merged: dict[str, Finding] = {}
    for finding in found:
        before = merged.get(finding.name)
        if before is None:
            merged[finding.name] = finding
        else:
            merged[finding.name] = replace(
                before,
                message=f"{before.message}; {finding.message}",
                volumes=tuple(dict.fromkeys((*before.volumes, *finding.volumes))),
                fatal=before.fatal or finding.fatal,
            )
    return list(merged.values())
