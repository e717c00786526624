# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a test has left: all objects of both clusters and of the bucket, before and after it.

What may be there afterwards that was not there before is a table: the records of docs/records.md that outlive a plan,
and what a cluster makes for itself. Everything else is a leak.
"""

from __future__ import annotations

import fcntl
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import botocore.config

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from lab import s3
from lab.paths import Paths

GONE_WITHIN = 60
"""Seconds that what a test has asked to be removed may take to go."""
PAUSE = 0.3
FOLLOWS = ("PersistentVolume", "VolumeAttachment")
"""Goes some time after what it belongs to; looked at when everything else is gone."""


@dataclass(frozen=True)
class Thing:
    """An object of a cluster, or of the bucket (``kind`` Key then)."""

    place: str
    kind: str
    namespace: str
    name: str
    scaffolding: bool = False
    going: bool = False
    """Its removal has begun."""

    def __str__(self) -> str:
        return f"{self.place}: {self.kind} {self.namespace}{'/' if self.namespace else ''}{self.name}"


@dataclass(frozen=True)
class Allowed:
    """What may come into being beside the plan's objects, as patterns that have to match the whole."""

    why: str
    kind: str
    name: str = ".*"
    namespace: str = ".*"
    place: str = ".*"

    def covers(self, thing: Thing) -> bool:
        pairs = ((self.kind, thing.kind), (self.name, thing.name), (self.namespace, thing.namespace))
        return all(re.fullmatch(pattern, text) for pattern, text in (*pairs, (self.place, thing.place)))


ALLOWED = (
    Allowed("record: the definitions stay", "CustomResourceDefinition", r".*\.migration\.openshift\.io"),
    Allowed("the cluster's own, for each group of definitions", "APIService", r".*\.migration\.openshift\.io"),
    Allowed("record: namespace of the resources, and of the account of adopted clusters", "Namespace", "openmig"),
    Allowed("record: the account of adopted clusters", "ServiceAccount", "migration-controller", "openmig"),
    Allowed("record: its rights", "ClusterRole", "openmig-(source|destination|controller)"),
    Allowed("record: its rights", "ClusterRoleBinding", "openmig-(source|destination|controller)-.*"),
    Allowed("the cluster's own, in every namespace", "ServiceAccount", "default", "openmig"),
    Allowed("the cluster's own, in every namespace", "ConfigMap", r"kube-root-ca\.crt", "openmig"),
    Allowed("the cluster's own components tell that they live", "Lease", namespace="kube-.*"),
    Allowed("the cluster's own bookkeeping of addresses", "IPAddress"),
    Allowed("record: a plan's copies of volumes", "Key", r"velero/restic/[^/]+/.*", place="bucket"),
    Allowed("record: backups of a run", "Key", r"velero/backups/[^/]+-(initial|stage)-[a-z0-9]{5}/.*", place="bucket"),
    Allowed("record: restores of a run", "Key", r"velero/restores/[^/]+-(stage|final)-[a-z0-9]{5}/.*", place="bucket"),
)
"""One row for each reason."""


def leaked(things: Iterable[Thing]) -> list[Thing]:
    """Those that no row of the table covers."""
    return [thing for thing in things if not any(row.covers(thing) for row in ALLOWED)]


@dataclass
class Inventory:
    """Everything there is, by UID."""

    clusters: tuple[Cluster, ...]
    keys: Callable[[], list[str]]
    seconds: list[float] = field(default_factory=list)

    def take(self) -> dict[str, Thing]:
        """Of all kinds that can be listed but the cluster's own diary, in all namespaces; only the metadata travels."""
        began = time.monotonic()
        found: dict[str, Thing] = {}
        for part in self.clusters[0].map(_objects, self.clusters, concurrency=len(self.clusters)):
            found.update(part)
        found.update({f"bucket {key}": Thing("bucket", "Key", "", key) for key in self.keys()})
        self.seconds.append(time.monotonic() - began)
        return found


def _objects(cluster: Cluster) -> dict[str, Thing]:
    types = [kind for kind in cluster.types(refresh=True) if {"list", "get"} <= kind.verbs and kind.kind != "Event"]
    return {
        item["metadata"]["uid"]: Thing(
            cluster.name,
            kind.kind,
            item["metadata"].get("namespace", ""),
            item["metadata"]["name"],
            names.RUN_LABEL in (item["metadata"].get("labels") or {}),
            "deletionTimestamp" in item["metadata"],
        )
        for kind, _namespace, item in cluster.list_types(types, [], concurrency=8, page=2000, metadata_only=True)
        if item["metadata"].get("uid")
    }


def bucket_keys() -> list[str]:
    """Every key of the lab's bucket."""
    storage = s3.storage()
    client = boto3.client(
        "s3",
        endpoint_url=storage.endpoint,
        aws_access_key_id=storage.access_key,
        aws_secret_access_key=storage.secret_key,
        region_name=storage.region,
        config=botocore.config.Config(connect_timeout=5, read_timeout=20),
    )
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=storage.bucket)
    return [item["Key"] for page in pages for item in page.get("Contents", ())]


def new(before: Mapping[str, Thing], after: Mapping[str, Thing]) -> list[Thing]:
    """What was not there before and may not be there now."""
    return leaked(thing for uid, thing in after.items() if uid not in before)


def stays(things: Iterable[Thing]) -> list[Thing]:
    """Those that nobody is about to remove: not going themselves, nor with their namespace, nor a volume whose claim
    does."""
    everything = list(things)
    going = {(thing.place, thing.name) for thing in everything if thing.kind == "Namespace" and thing.going}
    return [
        thing
        for thing in everything
        if not thing.going and (thing.place, thing.namespace) not in going and thing.kind not in FOLLOWS
    ]


def settled(
    inventory: Inventory, before: Mapping[str, Thing], leaks: Callable[[list[Thing]], list[Thing]]
) -> tuple[list[Thing], dict[str, Thing]]:
    """What remains, when it is waited for, of what ``leaks`` calls a leak; and everything that was there then."""
    until = time.monotonic() + GONE_WITHIN
    while left := leaks(new(before, now := inventory.take())):
        if time.monotonic() > until:
            return left, now
        time.sleep(PAUSE)
    return [], now


@contextmanager
def at_work(*, own: bool = False) -> Iterator[Callable[[], bool]]:
    """Says to others that somebody works on the clusters while the block runs, and tells whether others do: what they
    make cannot be told from a leak. Of clusters that are the user's ``own`` only processes of this machine know."""
    folder = Path(tempfile.gettempdir()) if own else Paths.from_environment().root
    file = folder / "openmig-at-work.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_SH)

        def alone() -> bool:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # The attempt has let go of the shared lock.
                fcntl.flock(stream, fcntl.LOCK_SH)
                return False
            fcntl.flock(stream, fcntl.LOCK_SH)
            return True

        yield alone
