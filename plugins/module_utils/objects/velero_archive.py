# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A backup of objects in Velero's layout: the files and their names below a repository's prefix. No I/O.

Format 1.1.0 of Velero (design/Implemented and internal/archive): a tar of one JSON file per object, each at two paths,
and companions that ``velero backup describe`` and ``logs`` read. The objects are as the source's server gave them.
Nothing is written to a disk, for there are Secrets among them.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from ..resources import timestamps
from ..resources.names import PART_OF, PART_OF_LABEL
from .manifest import Manifest, name_of, namespace_of

PREFIX: Final = "velero"
"""Where MTC's locations begin in a bucket."""
FORMAT: Final = "1.1.0"
KEPT: Final = timedelta(hours=720)
"""After which a Velero server that watches the bucket removes the backup; MTC's value."""
_MODE: Final = 0o755
_LABEL_LIMIT: Final = 63
_NAME_LIMIT: Final = 253 - len("-00000000-0000-0000-0000-000000000000")
"""For each file that ``velero`` fetches it makes a request with this name and a UUID."""


def name_from(stem: str, ending: str) -> str:
    """``stem-ending``, as a backup or a restore may be called: what is too long loses the end of its stem."""
    return f"{stem[: _NAME_LIMIT - len(ending) - 1].rstrip('-.')}-{ending}"


def label_from(text: str) -> str:
    """A name as the value of a label. What is too long is shortened as Velero does it."""
    if len(text) <= _LABEL_LIMIT:
        return text
    return text[: _LABEL_LIMIT - 6] + hashlib.sha256(text.encode()).hexdigest()[:6]


@dataclass(frozen=True)
class Stored:
    """The kind of an object as paths name it."""

    plural: str
    group: str
    version: str
    namespaced: bool

    @property
    def directory(self) -> str:
        return f"resources/{f'{self.plural}.{self.group}' if self.group else self.plural}"


@dataclass
class Archive:
    """The tar while it grows; packed in memory."""

    at: datetime
    listed: dict[str, list[str]] = field(default_factory=dict)
    """What ``velero backup describe --details`` shows: ``apps/v1/Deployment`` to the names."""

    def __post_init__(self) -> None:
        self._packed = io.BytesIO()
        self._gzip = gzip.GzipFile(fileobj=self._packed, mode="wb", mtime=0)
        self._tar = tarfile.open(fileobj=self._gzip, mode="w|", format=tarfile.GNU_FORMAT)  # noqa: SIM115 - see close()
        self._write("metadata/version", f"{FORMAT}\n".encode())

    @property
    def items(self) -> int:
        return sum(len(names) for names in self.listed.values())

    def add(self, obj: Manifest, kind: Stored) -> None:
        """The object at its plain path and at that of its version."""
        name, namespace = name_of(obj), namespace_of(obj)
        content = json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode()
        place = f"namespaces/{namespace}/{name}.json" if kind.namespaced else f"cluster/{name}.json"
        for directory in (kind.directory, f"{kind.directory}/{kind.version}-preferredversion"):
            self._write(f"{directory}/{place}", content)
        shown = f"{obj['apiVersion']}/{obj['kind']}"
        self.listed.setdefault(shown, []).append(f"{namespace}/{name}" if kind.namespaced else name)

    def close(self) -> bytes:
        """The packed archive; nothing can be added any more."""
        self._tar.close()
        self._gzip.close()
        return self._packed.getvalue()

    def _write(self, path: str, content: bytes) -> None:
        entry = tarfile.TarInfo(path)
        entry.size, entry.mode, entry.mtime = len(content), _MODE, int(self.at.timestamp())
        self._tar.addfile(entry, io.BytesIO(content))


@dataclass(frozen=True, kw_only=True)
class BackupFacts:
    """What the Backup resource of an archive says."""

    name: str
    namespace: str
    location: str
    namespaces: Sequence[str]
    excluded: Sequence[str]
    label_selector: Mapping[str, Any] | None
    labels: Mapping[str, str]
    source_version: str
    """Of the source's Kubernetes, as ``v1.34.4``."""
    begun: datetime
    ended: datetime
    warnings: Sequence[str]
    included: Sequence[str] = ()
    """Kinds; empty for all but the excluded."""


def files(facts: BackupFacts, archive: Archive) -> Iterator[tuple[str, bytes]]:
    """Keys and contents in the order in which they are to be written: what makes the backup exist comes last."""
    folder = f"{PREFIX}/backups/{facts.name}"
    items = archive.items
    yield f"{folder}/{facts.name}.tar.gz", archive.close()
    listed = {kind: sorted(names) for kind, names in sorted(archive.listed.items())}
    warnings = {"velero": list(facts.warnings)} if facts.warnings else {}
    for ending, content in (
        ("resource-list.json.gz", _json(listed)),
        ("podvolumebackups.json.gz", _json([])),
        ("volumesnapshots.json.gz", _json([])),
        ("results.gz", _json({"errors": {}, "warnings": warnings})),
        ("logs.gz", _log(facts, items)),
    ):
        yield f"{folder}/{facts.name}-{ending}", gzip.compress(content, mtime=0)
    yield f"{folder}/velero-backup.json", json.dumps(backup(facts, items), indent=2).encode() + b"\n"


def backup(facts: BackupFacts, items: int) -> Manifest:
    """The Backup resource, with its end in it."""
    major, _dot, minor = facts.source_version.removeprefix("v").partition(".")
    spec: dict[str, Any] = {
        "storageLocation": facts.location,
        "includedNamespaces": list(facts.namespaces),
        **({"includedResources": list(facts.included)} if facts.included else {}),
        "excludedResources": list(facts.excluded),
        "ttl": f"{int(KEPT.total_seconds() // 3600)}h0m0s",
        "snapshotVolumes": False,
        "hooks": {},
        "metadata": {},
    }
    if facts.label_selector:
        spec["labelSelector"] = dict(facts.label_selector)
    return {
        "apiVersion": "velero.io/v1",
        "kind": "Backup",
        "metadata": {
            "name": facts.name,
            "namespace": facts.namespace,
            "labels": {
                PART_OF_LABEL: PART_OF,
                "velero.io/storage-location": label_from(facts.location),
                **facts.labels,
            },
            "annotations": {
                "velero.io/source-cluster-k8s-gitversion": facts.source_version,
                "velero.io/source-cluster-k8s-major-version": major,
                "velero.io/source-cluster-k8s-minor-version": minor.partition(".")[0],
            },
            "creationTimestamp": timestamps.to_text(facts.begun),
        },
        "spec": spec,
        "status": {
            "version": 1,
            "formatVersion": FORMAT,
            "phase": "Completed",
            "startTimestamp": timestamps.to_text(facts.begun),
            "completionTimestamp": timestamps.to_text(facts.ended),
            "expiration": timestamps.to_text(facts.begun + KEPT),
            "progress": {"totalItems": items, "itemsBackedUp": items},
            **({"warnings": len(facts.warnings)} if facts.warnings else {}),
        },
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _log(facts: BackupFacts, items: int) -> bytes:
    def line(level: str, at: datetime, text: str) -> str:
        said = json.dumps(text, ensure_ascii=False)
        backup_name = f"{facts.namespace}/{facts.name}"
        return f'time="{timestamps.to_text(at)}" level={level} msg={said} backup={backup_name}'

    lines = [line("info", facts.begun, f"Backing up namespaces {', '.join(facts.namespaces)}")]
    lines += [line("warning", facts.ended, warning) for warning in facts.warnings]
    lines += [line("info", facts.ended, f"Backed up a total of {items} items")]
    return ("\n".join(lines) + "\n").encode()
