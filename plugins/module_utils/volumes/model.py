# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The words of a volume transfer: what moves, for which run, how, and what came of it.

Plain frozen dataclasses without I/O, so that the engine can store them in its record and read them back in another
process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ..resources import names
from ..resources.errors import subject_of

Profile = Literal["auto", "root", "restricted"]
SettledProfile = Literal["root", "restricted"]
EndpointType = Literal["NodePort", "ClusterIP"]


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class VolumeMove:
    """One claim of the source and the claim of the destination that it becomes, of ``size`` bytes."""

    source_namespace: str
    source_claim: str
    target_namespace: str
    target_claim: str
    storage_class: str | None
    access_modes: tuple[str, ...]
    volume_mode: str
    size: int
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    excludes: tuple[str, ...] = ()
    """rsync's patterns of what is neither copied nor compared."""

    @property
    def key(self) -> str:
        """Ten hexadecimal digits that stand for this pair of claims in names of objects."""
        return _digest(self.source_namespace, self.source_claim, self.target_namespace, self.target_claim)[:10]

    @property
    def subject(self) -> str:
        """How errors call it."""
        return f"PersistentVolumeClaim {self.source_namespace}/{self.source_claim}"

    def to_dict(self) -> dict[str, Any]:
        lists = {"access_modes": list(self.access_modes), "excludes": list(self.excludes)}
        return {**asdict(self), **lists, "labels": dict(self.labels)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> VolumeMove:
        lists = {name: tuple(data.get(name) or ()) for name in ("access_modes", "excludes")}
        return cls(**{**data, **lists, "labels": dict(data.get("labels") or {})})


@dataclass(frozen=True, kw_only=True)
class RunIdentity:
    """For whom a transfer works. ``generation`` is the lease's: requests of an older one are refused in the pods.

    ``kind``, ``migration`` and ``uid`` are those of the resource that is carried out: a MigMigration, or a
    DirectVolumeMigration that stands alone and belongs to no plan (``plan_uid`` is empty).
    """

    migration: str
    uid: str
    plan_uid: str
    namespace: str
    generation: int
    deadline_seconds: int
    direct_volume_migration_uid: str = ""
    kind: str = names.MIG_MIGRATION

    @property
    def subject(self) -> str:
        """How errors call the run."""
        return subject_of(self.kind, self.migration, self.namespace)

    @property
    def correlation_labels(self) -> dict[str, str]:
        """By which MTC finds what a run has made, as long as it is there."""
        labels = {names.PART_OF_LABEL: names.PART_OF, self.kind.lower(): self.uid}
        if self.plan_uid:
            labels[names.MIGRATED_BY_MIGPLAN_LABEL] = self.plan_uid
        if self.direct_volume_migration_uid:
            labels[names.DIRECT_VOLUME_MIGRATION_LABEL] = self.direct_volume_migration_uid
        return labels

    @property
    def ownership_labels(self) -> dict[str, str]:
        """On what a run makes on the destination for good; a rollback goes by them."""
        if self.kind == names.DIRECT_VOLUME_MIGRATION:
            return {names.MIGRATED_BY_DIRECT_VOLUME_MIGRATION_LABEL: self.uid}
        return {names.MIGRATED_BY_MIGMIGRATION_LABEL: self.uid, names.MIGRATED_BY_MIGPLAN_LABEL: self.plan_uid}

    @property
    def short(self) -> str:
        """The first eight characters of the migration's UID: part of every name."""
        return self.uid[:8]

    @property
    def host(self) -> str:
        """The name that the server's certificate carries and the client insists on, whatever the address is."""
        return f"{self.short}.transfer.openmig"

    def module(self, move: VolumeMove) -> str:
        """The rsync module (and user) of a volume: tells nothing, differs from run to run."""
        return "v" + _digest(self.uid, move.key)[:20]


@dataclass(frozen=True, kw_only=True)
class TransferOptions:
    """How to transfer. ``bandwidth_kib`` is the whole run's limit in KiB/s; ``start_timeout`` is in seconds;
    ``attempts`` is how often in a row a pass may break off without a byte having got through."""

    source_image: str
    destination_image: str
    pull_policy: str = "IfNotPresent"
    profile: Profile = "auto"
    bandwidth_kib: int | None = None
    endpoint: EndpointType = "NodePort"
    endpoint_address: str | None = None
    start_timeout: float = 300.0
    run_as_user: int | None = None
    run_as_group: int | None = None
    attempts: int = 12


@dataclass(frozen=True, kw_only=True)
class PassResult:
    """What one pass over one volume did, in rsync's own figures. ``vanished``: files went away while it ran."""

    files_total: int
    files_transferred: int
    bytes_total: int
    bytes_transferred: int
    files_deleted: int
    seconds: float
    exit_code: int
    vanished: bool
    attempts: int = 1
    downgrades: tuple[str, ...] = ()
    bytes_sent: int = 0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a destination volume holds exactly what its source holds.

    ``files`` and ``bytes`` are the source's (all entries; sizes of files and links). ``proven_earlier`` files were
    compared while the application ran and have not changed since; ``checked_now`` were read on both sides for this
    verdict. ``differing``
    and ``unreadable`` name at most some dozens, ``reason`` counts them all. ``mended`` files had the size and time of
    the source but other content after the last pass and were copied again before the verdict. ``excluded`` files of
    the source were left out on purpose and are part of no other figure.
    """

    move: VolumeMove
    ok: bool
    files: int
    bytes: int
    proven_earlier: int
    checked_now: int
    differing: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    downgrades: tuple[str, ...] = ()
    seconds: float = 0.0
    reason: str = ""
    mended: int = 0
    excluded: int = 0

    def to_dict(self) -> dict[str, Any]:
        data = {**asdict(self), "move": self.move.to_dict()}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in data.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Verdict:
        lists = {name: tuple(data.get(name) or ()) for name in ("differing", "unreadable", "downgrades")}
        return cls(**{**data, **lists, "move": VolumeMove.from_dict(data["move"])})
