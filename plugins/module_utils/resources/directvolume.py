# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DirectVolumeMigration and its progress resources: the copies of one run, as the API shows them.

A migration makes one DirectVolumeMigration from its plan; each of its claims gets a DirectVolumeMigrationProgress.
Shapes and names are those of MTC pkg/controller/migmigration (dvm) and pkg/controller/directvolumemigration.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from . import names, option_checks as check, plan_volumes, spec_fields
from .errors import Problem
from .migplan import namespace_mapping
from .spec_fields import Field, ReferenceField

STAGE, CUT_OVER, ROLLBACK = "Stage", "CutOver", "Rollback"
MIGRATION_TYPES = (STAGE, CUT_OVER, ROLLBACK)
VOLUME_MODES = ("Filesystem", "Block")
DEFAULT_ATTEMPTS = 20
"""Upstream's, of an entry whose copy breaks; also what ``backOffLimit: 0`` means."""
AUTO_ACCESS_MODE = "auto"


def _claims(items: Any) -> list[dict[str, Any]]:
    converted = {
        "target_storage_class": "targetStorageClass",
        "target_access_modes": "targetAccessModes",
        "target_volume_mode": "targetVolumeMode",
        "target_namespace": "targetNamespace",
        "target_name": "targetName",
    }
    return [{converted.get(name, name): value for name, value in item.items() if value is not None} for item in items]


FIELDS = (
    ReferenceField("source_cluster", "src_mig_cluster_ref", "srcMigClusterRef"),
    ReferenceField("destination_cluster", "dest_mig_cluster_ref", "destMigClusterRef"),
    Field("persistent_volume_claims", "persistentVolumeClaims", _claims),
    Field("create_destination_namespaces", "createDestinationNamespaces"),
    Field("delete_progress_reporting_crs", "deleteProgressReportingCRs"),
    Field("back_off_limit", "backOffLimit"),
    Field("live_migrate", "liveMigrate"),
    Field("migration_type", "migrationType"),
)


def _over(existing: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Which claims are copied is what the user named now; what he did not say of one of them stays as it was."""
    if wanted.get("persistentVolumeClaims") is None:
        return spec_fields.merge(existing, wanted)
    before = {claim_key(claim): claim for claim in existing.get("persistentVolumeClaims") or []}
    claims = [{**before.get(claim_key(claim), {}), **claim} for claim in wanted["persistentVolumeClaims"]]
    return spec_fields.merge(existing, {**wanted, "persistentVolumeClaims": claims})


SPEC = spec_fields.Spec(FIELDS, over=_over)
build_spec, merge_spec, drift = SPEC.build, SPEC.merge, SPEC.drift


def claim_key(claim: Mapping[str, Any]) -> tuple[str, str]:
    """(namespace, name) of an entry's source claim."""
    return str(claim.get("namespace", "")), str(claim.get("name", ""))


def target_key(claim: Mapping[str, Any]) -> tuple[str, str]:
    """(namespace, name) of an entry's destination claim; by default those of the source."""
    namespace, name = claim_key(claim)
    return str(claim.get("targetNamespace") or namespace), str(claim.get("targetName") or name)


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with the options themselves."""
    problems = check.resource_name(params)
    if params.get("state") == "absent":
        return problems
    for short, full in (
        ("source_cluster", "src_mig_cluster_ref"),
        ("destination_cluster", "dest_mig_cluster_ref"),
    ):
        problems += check.exclusive(params, (short, full))
        problems += check.dns_subdomain(params.get(short), short)
        problems += check.reference(params.get(full), full)
    claims = params.get("persistent_volume_claims")
    if claims == []:
        fault = "names no claim"
        problems.append(Problem(path="persistent_volume_claims", fault=fault, mend="Name the claims to copy"))
    for index, claim in enumerate(claims or []):
        problems += _claim_problems(claim, f"persistent_volume_claims[{index}]")
    problems += _meetings(params)
    problems += check.one_of(params.get("migration_type"), MIGRATION_TYPES, "migration_type")
    limit = params.get("back_off_limit")
    if limit is not None and limit < 0:
        mend = "Use 0 for the default of 20, or the number of attempts"
        problems.append(Problem(path="back_off_limit", fault=f"{limit} is no number of attempts", mend=mend))
    return problems


def _claim_problems(claim: Mapping[str, Any], path: str) -> list[Problem]:
    problems = [
        *check.dns_subdomain(claim.get("name") or "", f"{path}.name"),
        *check.dns_label(claim.get("namespace") or "", f"{path}.namespace"),
        *check.dns_subdomain(claim.get("target_name"), f"{path}.target_name"),
        *check.dns_label(claim.get("target_namespace"), f"{path}.target_namespace"),
        *check.one_of(claim.get("target_volume_mode"), VOLUME_MODES, f"{path}.target_volume_mode"),
    ]
    if claim.get("target_storage_class"):
        problems += check.dns_subdomain(claim["target_storage_class"], f"{path}.target_storage_class")
    modes = claim.get("target_access_modes")
    if modes == []:
        mend = "Leave it out to keep the source's, or name one"
        problems.append(Problem(path=f"{path}.target_access_modes", fault="names no access mode", mend=mend))
    for mode in modes or []:
        problems += check.one_of(mode, check.ACCESS_MODES, f"{path}.target_access_modes")
    return problems


def _meetings(params: Mapping[str, Any]) -> list[Problem]:
    """Claims that are named twice, that would be copied into one another, or onto themselves."""
    entries = _claims(params.get("persistent_volume_claims") or [])
    problems: list[Problem] = []
    one_cluster = params.get("source_cluster") is not None and (
        params.get("source_cluster") == params.get("destination_cluster")
    )
    for index, entry in enumerate(entries):
        path = f"persistent_volume_claims[{index}]"
        before = entries[:index]
        if claim_key(entry) in [claim_key(other) for other in before]:
            fault = f"names {'/'.join(claim_key(entry))} a second time"
            problems.append(Problem(path=path, fault=fault, mend="Name each claim once"))
        elif target_key(entry) in [target_key(other) for other in before]:
            fault = f"would be copied into {'/'.join(target_key(entry))}, as another claim would"
            problems.append(Problem(path=path, fault=fault, mend="Give it a target_name of its own"))
        if one_cluster and target_key(entry) in [claim_key(other) for other in entries]:
            fault = f"would be copied onto {'/'.join(target_key(entry))}, which is a source of the same cluster"
            problems.append(Problem(path=path, fault=fault, mend="Give it another target_name or target_namespace"))
    return problems


def claims_of(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """``persistentVolumeClaims`` for the plan's volumes that are copied directly, in the plan's order."""
    mapping = namespace_mapping(plan)
    claims = []
    for entry in (plan.get("spec") or {}).get("persistentVolumes") or []:
        selection, pvc = entry.get("selection") or {}, entry.get("pvc") or {}
        if selection.get("action") != plan_volumes.COPY:
            continue
        if selection.get("copyMethod") not in plan_volumes.DIRECT_METHODS:
            continue
        source, target = plan_volumes.claim_names(entry)
        namespace = str(pvc.get("namespace", ""))
        claim = {
            **spec_fields.reference(source, namespace),
            "targetName": target,
            "targetNamespace": mapping.get(namespace, namespace),
            "targetStorageClass": selection.get("storageClass", ""),
            "targetAccessModes": _access_modes(selection, pvc),
        }
        if pvc.get("volumeMode"):
            claim["targetVolumeMode"] = pvc["volumeMode"]
        if selection.get("verify"):
            claim["verify"] = True
        claims.append(claim)
    return claims


def manifest(migration: Mapping[str, Any], plan: Mapping[str, Any]) -> dict[str, Any]:
    """The DirectVolumeMigration of a run, to be created. It is found again by label_selector()."""
    metadata, spec = migration["metadata"], migration.get("spec") or {}
    plan_spec = plan.get("spec") or {}
    direct: dict[str, Any] = {
        "srcMigClusterRef": plan_spec.get("srcMigClusterRef"),
        "destMigClusterRef": plan_spec.get("destMigClusterRef"),
        "createDestinationNamespaces": True,
        "migrationType": _migration_type(spec),
        "persistentVolumeClaims": claims_of(plan),
    }
    if plan_spec.get("liveMigrate") is not None:
        direct["liveMigrate"] = plan_spec["liveMigrate"]
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.DIRECT_VOLUME_MIGRATION,
        "metadata": {
            "generateName": f"{metadata['name']}-",
            "namespace": metadata["namespace"],
            "labels": labels(metadata["uid"]),
            "ownerReferences": [_controller(names.MIG_MIGRATION, metadata)],
        },
        "spec": direct,
    }


def labels(migration_uid: str) -> dict[str, str]:
    """Of the DirectVolumeMigration that serves that run; also the way to find it."""
    return {**names.correlation_labels(names.MIG_MIGRATION, migration_uid), names.DIRECT_VOLUME_LABEL: migration_uid}


def attempts_of(spec: Mapping[str, Any]) -> int:
    """How often a claim's copy is tried."""
    return int(spec.get("backOffLimit") or DEFAULT_ATTEMPTS)


def progress_name(direct_name: str, *, namespace: str, claim: str) -> str:
    """The name of a claim's progress resource, as upstream makes it: MD5 because a claim's name may be too long."""
    return _md5(direct_name + claim + namespace)


def claim_label(claim: str) -> str:
    """The value of the label created-for-pvc on the pods that copy the claim."""
    return _md5(claim)


def progress_manifest(direct: Mapping[str, Any], *, namespace: str, claim: str) -> dict[str, Any]:
    """The progress resource of one source claim of a stored DirectVolumeMigration."""
    metadata = direct["metadata"]
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.DIRECT_VOLUME_MIGRATION_PROGRESS,
        "metadata": {
            "name": progress_name(metadata["name"], namespace=namespace, claim=claim),
            "namespace": metadata["namespace"],
            "labels": names.correlation_labels(names.DIRECT_VOLUME_MIGRATION, metadata["uid"]),
            "ownerReferences": [_controller(names.DIRECT_VOLUME_MIGRATION, metadata)],
        },
        "spec": {
            "clusterRef": direct["spec"].get("srcMigClusterRef"),
            "podNamespace": namespace,
            "podSelector": {names.CREATED_FOR_PVC_LABEL: claim_label(claim)},
        },
    }


def all_reported(direct: Mapping[str, Any]) -> bool:
    """Whether every claim has an outcome: succeeded, failed or skipped, and none still running or waiting."""
    status = direct.get("status") or {}
    done = ("successfulPods", "failedPods", "skippedVolumes", "successfulLiveMigration", "failedLiveMigration")
    open_ones = ("runningPods", "pendingPods", "unknownPods", "runningLiveMigration", "pendingLiveMigration")
    if any(status.get(name) for name in open_ones):
        return False
    claims = (direct.get("spec") or {}).get("persistentVolumeClaims") or []
    return sum(len(status.get(name) or []) for name in done) == len(claims)


def _migration_type(spec: Mapping[str, Any]) -> str:
    if spec.get("rollback"):
        return ROLLBACK
    return CUT_OVER if spec.get("quiescePods") else STAGE


def _access_modes(selection: Mapping[str, Any], pvc: Mapping[str, Any]) -> Sequence[str]:
    chosen = selection.get("accessMode")
    if chosen and chosen != AUTO_ACCESS_MODE:
        return [str(chosen)]
    return list(pvc.get("accessModes") or [])


def _controller(kind: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": names.API_VERSION,
        "kind": kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
