# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan's persistentVolumes: which volumes there are, what may be done with each, and what is chosen by default.

Discovery owns the list: entries that are not found again disappear, and of an entry that is found again only the user's
choices survive. Source of the rules: MTC pkg/controller/migplan, pvlist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from . import names, quantity, storage_classes

SKIP, COPY, MOVE = "skip", "copy", "move"
ACTIONS = (SKIP, COPY, MOVE)
FILESYSTEM, BLOCK, SNAPSHOT = "filesystem", "block", "snapshot"
COPY_METHODS = (FILESYSTEM, BLOCK, SNAPSHOT)
DIRECT_METHODS = (FILESYSTEM, BLOCK)
"""Copied by a DirectVolumeMigration; a snapshot is not."""

PHASE_BOUND = "Bound"
_DERIVED_FROM = ("PersistentVolumeClaim", "Pod")
_CLAIM_LIMIT = 253
_SUFFIX_ROOM = 247
_OLD_SUFFIX = re.compile(r"-mig-[0-9A-Za-z|]{4}\Z")


@dataclass(frozen=True, kw_only=True)
class ClaimUse:
    """Who uses a claim. ``owner_type`` as in ``pvc.ownerType``; ``stateful_set`` names the set that owns its pods."""

    referenced: bool = False
    owner_type: str = ""
    stateful_set: str = ""


@dataclass(frozen=True, kw_only=True)
class VolumeFacts:
    """What discovery needs from the clusters. Classes are described ones (storage_classes.describe)."""

    claims: Sequence[Mapping[str, Any]]
    """The claims of the plan's source namespaces."""
    volumes: Sequence[Mapping[str, Any]]
    """The source's PVs; those that are not bound or that belong to other claims are passed over."""
    source_classes: Sequence[Mapping[str, Any]] = ()
    destination_classes: Sequence[Mapping[str, Any]] = ()
    uses: Mapping[tuple[str, str], ClaimUse] = field(default_factory=dict)
    """By (namespace, claim)."""
    same_cluster: bool = False
    move_classes: Sequence[str] = ()
    """Storage classes whose volumes can be re-attached elsewhere, beyond those that always can."""
    storage_conversion: bool = False
    suffix: str = ""
    """The plan's ``status.suffix``; only a storage conversion uses it."""
    plan_uid: str = ""
    """"" for a plan that is not stored yet; only a storage conversion asks."""

    @property
    def nfs(self) -> dict[str, str]:
        """The servers of the PVs that lie on NFS, by the PV's name."""
        found = {_name(volume): (volume.get("spec") or {}).get("nfs") for volume in self.volumes}
        return {name: str(nfs.get("server", "")) for name, nfs in found.items() if nfs}


@dataclass(frozen=True)
class Discovered:
    """The new list, and the PVs of Gluster that fell back to the default class (PvWarnNoCephAvailable)."""

    entries: list[dict[str, Any]]
    without_ceph: tuple[str, ...] = ()


def discover(facts: VolumeFacts, existing: Sequence[Mapping[str, Any]]) -> Discovered:
    """``spec.persistentVolumes`` as it should be now, sorted by name. Claims without a bound volume are not listed."""
    known = {str(entry.get("name")): entry for entry in existing}
    volumes = {key: volume for volume in facts.volumes if (key := _bound_to(volume)) is not None}
    entries = []
    without_ceph = []
    for claim in facts.claims:
        metadata = claim.get("metadata") or {}
        key = (str(metadata.get("namespace", "")), str(metadata.get("name", "")))
        volume = volumes.get(key)
        if volume is None or not _is_candidate(claim, facts):
            continue
        entry, fell_back = _entry(volume, claim, facts=facts, existing=known.get(_name(volume)))
        entries.append(entry)
        if fell_back and entry["selection"].get("action") != MOVE:
            without_ceph.append(str(entry["name"]))
    return Discovered(sorted(entries, key=lambda entry: str(entry["name"])), tuple(sorted(without_ceph)))


def supported_actions(volume: Mapping[str, Any], *, move_classes: Sequence[str] = ()) -> list[str]:
    """What may be done with a PV, in upstream's order. Upstream lets hostPath be skipped only, since restic and its
    rsync pods cannot read it; a pod that mounts the claim can."""
    spec = volume.get("spec") or {}
    if "nfs" in spec or "awsElasticBlockStore" in spec or storage_classes.class_of(volume) in set(move_classes):
        return [SKIP, COPY, MOVE]
    return [SKIP, COPY]


def default_selection(volume: Mapping[str, Any], *, storage_class: str) -> dict[str, Any]:
    """What is chosen for a PV that nobody has chosen anything for. Empty fields are left out, as upstream does."""
    block = (volume.get("spec") or {}).get("volumeMode") == storage_classes.BLOCK
    selection = {"action": COPY, "copyMethod": BLOCK if block else FILESYSTEM}
    if storage_class:
        selection["storageClass"] = storage_class
    return selection


def claim_names(entry: Mapping[str, Any]) -> tuple[str, str]:
    """The source's and the destination's name of an entry's claim."""
    source, _colon, target = str((entry.get("pvc") or {}).get("name", "")).partition(":")
    return source, target.partition(":")[0] or source


def converted_claim_name(name: str, *, suffix: str, stateful_set: str = "") -> str:
    """The claim's name after a storage conversion. An earlier suffix is replaced; a claim of a set keeps its tail."""
    tail = ""
    if stateful_set and (found := re.fullmatch(rf"(.+)(-{re.escape(stateful_set)}-[0-9]+)", name)):
        name, tail = found.groups()
    stem = _OLD_SUFFIX.sub("", name)
    if stem == name:
        stem = name.removesuffix("-new")
    room = _SUFFIX_ROOM - len(tail)
    return f"{stem[:room]}-mig-{suffix}{tail}"[:_CLAIM_LIMIT]


def _entry(
    volume: Mapping[str, Any], claim: Mapping[str, Any], *, facts: VolumeFacts, existing: Mapping[str, Any] | None
) -> tuple[dict[str, Any], bool]:
    old: Mapping[str, Any] = existing or {}
    metadata = claim.get("metadata") or {}
    modes = list((claim.get("spec") or {}).get("accessModes") or [])
    use = facts.uses.get((str(metadata.get("namespace")), str(metadata.get("name"))), ClaimUse())
    actions = supported_actions(volume, move_classes=facts.move_classes)
    choice = storage_classes.choose(
        volume,
        access_modes=modes,
        source=facts.source_classes,
        destination=facts.destination_classes,
        same_cluster=facts.same_cluster,
    )
    selection = deepcopy(dict(old.get("selection") or {})) or default_selection(volume, storage_class=choice.name)
    old_claim = old.get("pvc") or {}
    pvc: dict[str, Any] = {
        "namespace": metadata.get("namespace", ""),
        "name": _mapped_name(str(metadata.get("name", "")), facts=facts, use=use, existing=existing),
        "accessModes": list(old_claim.get("accessModes") or modes),
        "volumeMode": old_claim.get("volumeMode") or (claim.get("spec") or {}).get("volumeMode", "Filesystem"),
        "hasReference": use.referenced,
    }
    if use.owner_type:
        pvc["ownerType"] = use.owner_type
    entry: dict[str, Any] = {
        "name": _name(volume),
        "capacity": ((volume.get("spec") or {}).get("capacity") or {}).get("storage", "0"),
        "storageClass": storage_classes.class_of(volume),
        "supported": {"actions": actions, "copyMethods": list(COPY_METHODS)},
        "selection": selection,
        "pvc": pvc,
        "proposedCapacity": old.get("proposedCapacity", "0"),
    }
    if old.get("capacityConfirmed"):
        entry["capacityConfirmed"] = True
    return entry, choice.without_ceph


def _mapped_name(claim: str, *, facts: VolumeFacts, use: ClaimUse, existing: Mapping[str, Any] | None) -> str:
    target = (claim_names(existing)[1] if existing else "") or claim
    if facts.storage_conversion:
        if re.search(rf"-mig-{re.escape(facts.suffix)}(-.+-[0-9]+)?\Z", target):
            return f"{claim}:{target}"  # also once the set that gave it its ending uses another claim
        target = converted_claim_name(target, suffix=facts.suffix, stateful_set=use.stateful_set)
        return f"{claim}:{target}"
    return claim if target == claim else f"{claim}:{target}"


def _is_candidate(claim: Mapping[str, Any], facts: VolumeFacts) -> bool:
    """Not what a storage conversion has made or left, not what a controller derives from another claim, and not the
    ephemeral volume of a pod, which comes and goes with it."""
    metadata = claim.get("metadata") or {}
    if facts.suffix and str(metadata.get("name", "")).endswith(f"-mig-{facts.suffix}"):
        return False
    made_by = (metadata.get("labels") or {}).get(names.MIGRATED_BY_MIGPLAN_LABEL)
    if facts.storage_conversion and made_by and made_by == facts.plan_uid:
        return False
    left_by = (metadata.get("labels") or {}).get(names.SOURCE_FOR_DIRECT_VOLUME_MIGRATION_LABEL)
    if facts.storage_conversion and left_by and left_by != facts.plan_uid:
        return False
    owners: Iterable[Mapping[str, Any]] = metadata.get("ownerReferences") or []
    return not any(owner.get("controller") and owner.get("kind") in _DERIVED_FROM for owner in owners)


def _bound_to(volume: Mapping[str, Any]) -> tuple[str, str] | None:
    reference = (volume.get("spec") or {}).get("claimRef") or {}
    if (volume.get("status") or {}).get("phase") != PHASE_BOUND or not reference.get("name"):
        return None
    return (str(reference["namespace"]), str(reference["name"])) if reference.get("namespace") else None


def _name(volume: Mapping[str, Any]) -> str:
    return str((volume.get("metadata") or {}).get("name", ""))


def destination_size(entry: Mapping[str, Any], *, request: str | int) -> int:
    """Bytes of the destination's claim: the proposal that the user has confirmed, also when it is below the source's
    size.

    Without one the largest of the source's request, the PV's capacity and the proposal, as upstream takes it.
    """
    proposed = quantity.parse(entry.get("proposedCapacity") or 0)
    if entry.get("capacityConfirmed") and proposed:
        return proposed
    return max(quantity.parse(request), quantity.parse(entry.get("capacity") or 0), proposed)
