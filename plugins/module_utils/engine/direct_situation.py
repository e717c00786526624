# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What both clusters say about the claims of a DirectVolumeMigration that stands alone, and why it could not end well.

Everything here is read; nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..cluster.api import Cluster
from ..resources import directvolume, names, quantity, storage_classes
from ..resources.directvolume import claim_key, target_key
from ..resources.errors import InvalidInput, MtcError, Problem, Refused, subject_of
from ..resources.excludes import patterns_for, unmatched
from ..volumes.model import VolumeMove
from . import quiesce, volume_checks
from .destination_claims import CLAIM
from .direct_options import USE, DirectOptions
from .direct_phases import missing_namespace

Manifest = Mapping[str, Any]
CLASSES = ("storage.k8s.io/v1", "StorageClass")


@dataclass(frozen=True, kw_only=True)
class DirectSituation:
    """The copies that are asked for, as the clusters stand now. ``spec`` is complete: with the defaults written out."""

    source: Cluster
    destination: Cluster
    subject: str
    uid: str
    """Of the stored resource; empty before there is one."""
    spec: dict[str, Any]
    options: DirectOptions
    moves: tuple[VolumeMove, ...]
    sources: Mapping[tuple[str, str], Manifest]
    targets: Mapping[tuple[str, str], Manifest]
    """Claims that stand in the place of a copy already."""
    same_cluster: bool

    @property
    def is_stage(self) -> bool:
        return self.spec.get("migrationType") == directvolume.STAGE


def source_claims(source: Cluster, spec: Manifest) -> dict[tuple[str, str], Manifest]:
    """Those of the spec's claims that exist, by (namespace, name); one list for each namespace."""
    wanted = {claim_key(claim) for claim in spec["persistentVolumeClaims"]}
    return _claims(source, wanted)


def _claims(cluster: Cluster, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], Manifest]:
    listed = cluster.map(
        lambda namespace: list(cluster.list("v1", CLAIM, namespace)), sorted({key[0] for key in wanted})
    )
    found = {(item["metadata"]["namespace"], item["metadata"]["name"]): item for items in listed for item in items}
    return {key: item for key, item in found.items() if key in wanted}


def look(
    *,
    source: Cluster,
    destination: Cluster,
    subject: str,
    uid: str,
    spec: Manifest,
    options: DirectOptions,
    sources: Mapping[tuple[str, str], Manifest],
) -> DirectSituation:
    """Complete the spec from what the clusters say. Raises InvalidInput for a claim that no class can be chosen for."""
    same = source.identity() == destination.identity()
    claims = _complete(source, destination, spec["persistentVolumeClaims"], sources, subject=subject, same=same)
    targets = _claims(destination, {target_key(claim) for claim in claims})
    if problems := unmatched(options.excludes, [claim_key(claim) for claim in claims]):
        raise InvalidInput(subject=subject, problems=problems)
    moves = tuple(
        replace(_move(claim, sources[claim_key(claim)]), excludes=patterns_for(options.excludes, *claim_key(claim)))
        for claim in claims
    )
    if options.existing_claims == USE:
        moves = tuple(_as_it_is(move, targets.get((move.target_namespace, move.target_claim))) for move in moves)
    return DirectSituation(
        source=source,
        destination=destination,
        subject=subject,
        uid=uid,
        spec={**spec, "persistentVolumeClaims": claims},
        options=options,
        moves=moves,
        sources=sources,
        targets=targets,
        same_cluster=same,
    )


def _complete(
    source: Cluster,
    destination: Cluster,
    claims: Sequence[Manifest],
    sources: Mapping[tuple[str, str], Manifest],
    *,
    subject: str,
    same: bool,
) -> list[dict[str, Any]]:
    """Every entry with all that the API demands of it, and with its target written out (an empty one fails there)."""
    completed: list[dict[str, Any]] = []
    problems: list[Problem] = []
    chosen = _classes(source, destination, claims, sources, same=same)
    for index, claim in enumerate(claims):
        namespace, name = target_key(claim)
        found = sources[claim_key(claim)]
        made = {**claim, "targetNamespace": namespace, "targetName": name}
        made.setdefault("targetAccessModes", list(found["spec"].get("accessModes") or []))
        if "targetStorageClass" not in made:
            made["targetStorageClass"] = chosen[claim_key(claim)]
            if not made["targetStorageClass"]:
                path = f"persistent_volume_claims[{index}].target_storage_class"
                fault = "is missing, and the destination has no class of the same provisioner and no default class"
                problems.append(Problem(path=path, fault=fault, mend="Name the class"))
        completed.append(made)
    if problems:
        raise InvalidInput(subject=subject, problems=problems)
    return completed


def _classes(
    source: Cluster,
    destination: Cluster,
    claims: Sequence[Manifest],
    sources: Mapping[tuple[str, str], Manifest],
    *,
    same: bool,
) -> dict[tuple[str, str], str]:
    """The classes that a plan would suggest, for the claims that name none."""
    without = [claim_key(claim) for claim in claims if "targetStorageClass" not in claim]
    if not without:
        return {}
    here, there = source.map(
        lambda cluster: [storage_classes.describe(item) for item in cluster.list(*CLASSES)], [source, destination]
    )

    def choose(key: tuple[str, str]) -> str:
        spec = sources[key]["spec"]
        volume = source.get("v1", "PersistentVolume", spec["volumeName"]) if spec.get("volumeName") else None
        described = volume or {"spec": {"storageClassName": spec.get("storageClassName", "")}}
        modes = spec.get("accessModes") or []
        return storage_classes.choose(
            described, access_modes=modes, source=here, destination=there, same_cluster=same
        ).name

    return dict(zip(without, source.map(choose, without), strict=True))


def _move(claim: Manifest, found: Manifest) -> VolumeMove:
    return VolumeMove(
        source_namespace=claim["namespace"],
        source_claim=claim["name"],
        target_namespace=claim["targetNamespace"],
        target_claim=claim["targetName"],
        storage_class=claim["targetStorageClass"],
        access_modes=tuple(claim["targetAccessModes"]),
        volume_mode=claim.get("targetVolumeMode") or found["spec"].get("volumeMode") or "Filesystem",
        size=_size(found),
    )


def _size(claim: Manifest) -> int:
    """Bytes that a claim has, or asks for when that is more."""
    requested = ((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", "0")
    has = ((claim.get("status") or {}).get("capacity") or {}).get("storage", "0")
    return max(quantity.parse(requested), quantity.parse(has))


def _as_it_is(move: VolumeMove, target: Manifest | None) -> VolumeMove:
    """A claim that is to be used keeps the size that it has."""
    return move if target is None else replace(move, size=_size(target))


# -- findings --------------------------------------------------------------------------------------------------------


def findings(situation: DirectSituation) -> list[MtcError]:
    """Everything that would keep the copy from ending well; the checks are made side by side."""
    found = situation.source.map(lambda check: check(situation), CHECKS)
    return [error for errors in found for error in errors]


def _onto_itself(situation: DirectSituation) -> list[MtcError]:
    if not situation.same_cluster:
        return []
    sources = {claim_key(claim) for claim in situation.spec["persistentVolumeClaims"]}
    return [
        Refused(
            subject=move.subject,
            attempt="it cannot be copied",
            reason=f"{move.target_namespace}/{move.target_claim} is a source of this very cluster",
            mend="Give it another target_name or target_namespace",
        )
        for move in situation.moves
        if (move.target_namespace, move.target_claim) in sources
    ]


def _unbound(situation: DirectSituation) -> list[MtcError]:
    return [
        Refused(
            subject=subject_of(CLAIM, name, namespace),
            attempt="there is nothing to copy",
            reason="it is not bound to a volume",
            mend="Leave it out, or let its application start once",
        )
        for (namespace, name), claim in situation.sources.items()
        if (claim.get("status") or {}).get("phase") != "Bound"
    ]


def _volume_modes(situation: DirectSituation) -> list[MtcError]:
    found = volume_checks.volume_modes(situation.moves)
    for move in situation.moves:
        mode = situation.sources[move.source_namespace, move.source_claim]["spec"].get("volumeMode") or "Filesystem"
        if mode != move.volume_mode:
            found.append(
                Refused(
                    subject=move.subject,
                    attempt="its volumeMode cannot be changed by a copy of files",
                    reason=f"it is {mode} and target_volume_mode is {move.volume_mode}",
                    mend="Leave target_volume_mode out",
                )
            )
    return found


def _host_paths(situation: DirectSituation) -> list[MtcError]:
    return volume_checks.host_paths(situation.source, situation.moves)


def _storage_classes(situation: DirectSituation) -> list[MtcError]:
    missing = [move for move in situation.moves if (move.target_namespace, move.target_claim) not in situation.targets]
    mend = "Choose one of these in target_storage_class"
    return volume_checks.storage_classes(situation.destination, missing, mend=mend)


def _sizes(situation: DirectSituation) -> list[MtcError]:
    mend = "Create a larger claim there and say existing_claims: use"
    return volume_checks.sizes(situation.source, situation.moves, mend=mend)


def _targets(situation: DirectSituation) -> list[MtcError]:
    uses_all = situation.options.existing_claims == USE

    def ours(found: Mapping[str, Any]) -> bool:
        made_by = (found["metadata"].get("labels") or {}).get(names.MIGRATED_BY_DIRECT_VOLUME_MIGRATION_LABEL)
        return uses_all or bool(situation.uid and made_by == situation.uid)

    mend = "Remove it, give the volume another target_name, or say existing_claims: use to overwrite what it holds"
    return volume_checks.claims(situation.destination, situation.moves, ours=ours, foreign_mend=mend)


def _namespaces(situation: DirectSituation) -> list[MtcError]:
    wanted = sorted({move.target_namespace for move in situation.moves})
    cluster = situation.destination
    there = dict(zip(wanted, cluster.map(lambda name: cluster.get("v1", "Namespace", name), wanted), strict=True))
    found: list[MtcError] = []
    for name, namespace in there.items():
        if namespace is None and situation.spec.get("createDestinationNamespaces") is False:
            found.append(missing_namespace(name))
        elif namespace is not None and "deletionTimestamp" in namespace["metadata"]:
            found.append(
                Refused(
                    subject=subject_of("Namespace", name),
                    attempt="nothing can be created in it",
                    reason="it is being deleted on the destination cluster",
                    mend="Wait until it is gone and run the task again",
                )
            )
    return found


def _source_writers(situation: DirectSituation) -> list[MtcError]:
    if situation.is_stage or situation.options.allow_writers:
        return []
    mend = (
        "Stop it, say migration_type: Stage to copy while it runs, or allow_writers: true when you know that it "
        "does not write"
    )
    claims = [(move.source_namespace, move.source_claim) for move in situation.moves]
    return _written_to(situation.source, claims, side="source", mend=mend)


def _destination_users(situation: DirectSituation) -> list[MtcError]:
    claims = list(situation.targets)
    mend = "Stop it: the copy would change its files underneath it"
    return _written_to(situation.destination, claims, side="destination", mend=mend)


def _written_to(cluster: Cluster, claims: Sequence[tuple[str, str]], *, side: str, mend: str) -> list[MtcError]:
    return [
        Refused(
            subject=subject_of("Pod", writer.pod, writer.namespace),
            attempt=f"it can write to a volume of the {side}",
            reason=f"it mounts {', '.join(writer.claims)}",
            mend=mend,
        )
        for writer in quiesce.writers(cluster, claims)
    ]


CHECKS = (
    _onto_itself,
    _unbound,
    _volume_modes,
    _host_paths,
    _storage_classes,
    _sizes,
    _targets,
    _namespaces,
    _source_writers,
    _destination_users,
)
"""In the order in which their findings are told. A new check is one function and one row."""
