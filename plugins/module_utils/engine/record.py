# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The run's record: a ConfigMap beside the MigMigration, owned by it, for everything that upstream's status has no
field for.

The head holds one JSON document: frozen intent, facts recorded before quiescing, verdicts, timings. What grows with
the plan, the inventory, lies in numbered parts. Every write carries the resourceVersion that was read, so a process
that was succeeded cannot overwrite its successor's record. No secret is ever put here.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Sequence
from typing import Any

from ..cluster.api import Cluster
from ..resources.errors import AlreadyExists, Refused, subject_of

SCHEMA = 1
"""Version of the record's layout; a record of another version is refused rather than guessed at."""
HEAD_SUFFIX = "run"
PART_SUFFIX = "inventory"
DOCUMENT = "record.json"
PART = "part"
KEY = "inventory-key"


LONGEST_LIST = 200
"""Entries of a list that the head keeps; a ConfigMap has to stay below 1 MiB, however many objects a plan has."""


def bounded(lines: Sequence[str]) -> list[str]:
    """The first entries, and how many more there are."""
    kept = list(lines[:LONGEST_LIST])
    return kept if len(lines) <= LONGEST_LIST else [*kept, f"... and {len(lines) - LONGEST_LIST} more"]


def head_name(migration: str) -> str:
    return f"{migration}-{HEAD_SUFFIX}"


class Record:
    """The head of one run. ``data`` is the document; ``save`` writes it when it has changed."""

    def __init__(
        self, *, cluster: Cluster, namespace: str, migration: str, owner: dict[str, Any], labels: dict[str, str]
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._migration = migration
        self._owner = owner
        self._labels = labels
        self._object: dict[str, Any] | None = None
        self._saved = ""
        self.data: dict[str, Any] = {"schema": SCHEMA}

    def load(self) -> bool:
        """Read the record; False when the run has none yet. A record of another layout is refused."""
        self._object = self._cluster.get("v1", "ConfigMap", head_name(self._migration), self._namespace)
        if self._object is None:
            return False
        self._saved = self._object.get("data", {}).get(DOCUMENT, "{}")
        self.data = json.loads(self._saved)
        if self.data.get("schema") != SCHEMA:
            raise Refused(
                subject=subject_of("ConfigMap", head_name(self._migration), self._namespace),
                attempt="the run's record cannot be read",
                reason=f"its layout is version {self.data.get('schema')!r}, this collection writes version {SCHEMA}",
                mend="Finish the run with the version of the collection that began it",
            )
        return True

    def save(self) -> None:
        """Write the document if it differs from what is stored. Raises Conflict when another process has written
        since."""
        document = json.dumps(self.data, sort_keys=True, separators=(",", ":"))
        if self._object is not None and document == self._saved:
            return
        if self._object is None:
            self._object = self._cluster.create(self._manifest(head_name(self._migration), data={DOCUMENT: document}))
        else:
            self._object = self._cluster.replace({**self._object, "data": {DOCUMENT: document}})
        self._saved = document

    def key(self) -> bytes:
        """The run's secret key for digests of what may hold secrets; made once, in a Secret that the run owns."""
        name = head_name(self._migration)
        found = self._cluster.get("v1", "Secret", name, self._namespace)
        if found is None:
            value = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
            metadata = self._manifest(name)["metadata"]
            manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {KEY: value}}
            found = self._cluster.create(manifest)
        return base64.b64decode(found["data"][KEY])

    def save_parts(self, parts: Sequence[bytes]) -> None:
        """Store the inventory's parts under numbered names; parts of an earlier attempt are replaced, surplus ones
        removed."""
        for number, part in enumerate(parts):
            name = f"{self._migration}-{PART_SUFFIX}-{number}"
            manifest = self._manifest(name, binary={PART: base64.b64encode(part).decode("ascii")})
            try:
                self._cluster.create(manifest)
            except AlreadyExists:
                self._cluster.replace(manifest)
        number = len(parts)
        while self._cluster.delete("v1", "ConfigMap", f"{self._migration}-{PART_SUFFIX}-{number}", self._namespace):
            number += 1

    def load_parts(self) -> list[bytes]:
        """The inventory's parts in order; empty when none was stored."""
        parts: list[bytes] = []
        while found := self._cluster.get(
            "v1", "ConfigMap", f"{self._migration}-{PART_SUFFIX}-{len(parts)}", self._namespace
        ):
            parts.append(base64.b64decode(found["binaryData"][PART]))
        return parts

    def _manifest(
        self, name: str, *, data: dict[str, str] | None = None, binary: dict[str, str] | None = None
    ) -> dict[str, Any]:
        manifest: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "namespace": self._namespace,
                "labels": dict(self._labels),
                "ownerReferences": [self._owner],
            },
        }
        if data is not None:
            manifest["data"] = data
        if binary is not None:
            manifest["binaryData"] = binary
        return manifest
