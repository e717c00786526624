# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What both sides hold now, and whether it is the same: files with content and metadata, the database by rows and
checksums.

Nothing is taken from the migration's own word. `pods/contents.py` reads the volumes in a pod on each side; on the
source, where the application is at zero, PostgreSQL is started on a copy of the data directory to say which rows the
volume holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from demo.cluster import Cluster, ClusterError
from demo.errand import Errand, Mount, run
from demo.rows import Row, number, shown, size
from demo.settings import DATA_CLAIM, DEMO, UPLOADS_CLAIM

Entry = Mapping[str, Any]
SPARSE_SLACK = 64 * 1024
"""Blocks more than the source has that a sparse file may take: file systems align differently."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """One side's volume and database."""

    files: Mapping[str, Entry]
    database: Mapping[str, Any]


def read(cluster: Cluster, namespace: str, *, running: bool) -> Contents:
    """Read one side; `running` says whether its database can be asked, else its files are copied and asked."""
    script = (DEMO / "pods" / "contents.py").read_text(encoding="utf-8")
    command = ["python3", "-c", script, "--files", "/uploads", "--scratch", "/scratch"]
    mounts = [Mount(claim=UPLOADS_CLAIM, path="/uploads")]
    if not running:
        command += ["--data", "/data/main"]
        mounts.append(Mount(claim=DATA_CLAIM, path="/data"))
    node = _node(cluster, namespace) if running else None
    errand = Errand(name="demo-checker", namespace=namespace, command=command, mounts=mounts, node=node)
    return parse(run(cluster, errand))


def read_both(
    source: Cluster, source_namespace: str, destination: Cluster, destination_namespace: str
) -> tuple[Contents, Contents]:
    """Both sides at the same time."""
    with ThreadPoolExecutor() as pool:
        before = pool.submit(read, source, source_namespace, running=False)
        after = pool.submit(read, destination, destination_namespace, running=True)
        return before.result(), after.result()


def parse(lines: list[str]) -> Contents:
    """The program's output as a value; a ClusterError when its end is missing, for then entries may be missing too."""
    files: dict[str, Entry] = {}
    database: Mapping[str, Any] | None = None
    end: int | None = None
    for line in lines:
        if not line.startswith('{"'):
            continue
        told = json.loads(line)
        if "file" in told:
            files[told["file"]["path"]] = told["file"]
        database = told.get("database", database)
        end = told.get("end", end)
    if database is None or end != len(files):
        raise ClusterError(
            f"the checker's output is incomplete: {len(files)} of {end} entries: {lines[-1] if lines else ''}"
        )
    return Contents(files=files, database=database)


def compare(source: Contents, destination: Contents) -> list[Row]:
    """All rows about contents."""
    return [*database_rows(source.database, destination.database), *file_rows(source.files, destination.files)]


# -- database ------------------------------------------------------------------------------------------------------


def database_rows(source: Mapping[str, Any], destination: Mapping[str, Any]) -> list[Row]:
    """Rows, checksums, and everything that is not a row."""
    here, there = source["tables"], destination["tables"]
    counts = (
        {name: table["rows"] for name, table in here.items()},
        {name: table["rows"] for name, table in there.items()},
    )
    sums = (
        {name: table["checksum"] for name, table in here.items()},
        {name: table["checksum"] for name, table in there.items()},
    )
    rest = [
        f"{key}: {source[key]} | {destination[key]}"
        for key in ("schema", "roles", "sequences")
        if source[key] != destination[key]
    ]
    clean = source.get("stopped") == "shut down"
    details = rest if clean else [*rest, f"the source's server was not shut down cleanly: {source.get('stopped')}"]
    return [
        Row(
            what="database: rows",
            source=f"{number(sum(counts[0].values()))} in {len(here)} tables",
            destination=f"{number(sum(counts[1].values()))} in {len(there)} tables",
            good=counts[0] == counts[1] and bool(here),
            details=_differing(*counts),
        ),
        Row(
            what="database: checksum of each table",
            source=_digest_of(sums[0]),
            destination=_digest_of(sums[1]),
            good=sums[0] == sums[1] and bool(here),
            details=_differing(*sums),
        ),
        Row(
            what="database: schema, roles, sequences",
            source=f"{len(source['sequences'])} sequences, stopped cleanly" if clean else "not stopped cleanly",
            destination=f"{len(destination['sequences'])} sequences, {size(destination['bytes'])}",
            good=not details,
            details=details,
        ),
    ]


def _digest_of(sums: Mapping[str, str]) -> str:
    return f"{len(sums)} tables, first {next(iter(sorted(sums.items())), ('', ''))[1][:12]}"


# -- files ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Aspect:
    """One row about files: which entries it concerns, what of them has to be equal, and how a side is summed up."""

    what: str
    concerns: Callable[[Entry], bool]
    value: Callable[[Entry], Any]
    summary: Callable[[list[Entry]], str]


def _owners(entries: list[Entry]) -> str:
    owners, modes = {(entry["uid"], entry["gid"]) for entry in entries}, {entry["mode"] for entry in entries}
    return f"{len(owners)} owners, {len(modes)} modes, times to 1 ns"


def _contents(entries: list[Entry]) -> str:
    return f"{number(len(entries))} files, {size(sum(entry['size'] for entry in entries))}"


def _links(entries: list[Entry]) -> str:
    return f"{number(len(entries))} names of {number(len({entry['linked'] for entry in entries}))} files"


ASPECTS = (
    Aspect(
        what="files: names and content",
        concerns=lambda entry: entry["kind"] == "file",
        value=lambda entry: (entry["size"], entry["sha256"]),
        summary=_contents,
    ),
    Aspect(
        what="files: owners, modes, times",
        concerns=lambda _entry: True,
        value=lambda entry: (
            f"mode {entry['mode']}, owner {entry['uid']}:{entry['gid']}, changed at {entry['mtime']} ns"
        ),
        summary=_owners,
    ),
    Aspect(
        what="files: folders, symlinks, pipes",
        concerns=lambda entry: entry["kind"] != "file",
        value=lambda entry: (entry["kind"], entry.get("target")),
        summary=lambda entries: ", ".join(
            f"{number(sum(e['kind'] == kind for e in entries))} {kind}" for kind in ("directory", "symlink", "pipe")
        ),
    ),
    Aspect(
        what="files: hard links",
        concerns=lambda entry: "linked" in entry,
        value=lambda entry: entry["linked"],
        summary=_links,
    ),
    Aspect(
        what="files: attributes, access lists",
        concerns=lambda entry: "attributes" in entry,
        value=lambda entry: entry["attributes"],
        summary=lambda entries: f"on {len(entries)} files",
    ),
)


def file_rows(source: Mapping[str, Entry], destination: Mapping[str, Entry]) -> list[Row]:
    """One row for each aspect, and one for holes, which have to be kept but not to the block."""
    rows = []
    for aspect in ASPECTS:
        here = {path: aspect.value(entry) for path, entry in source.items() if aspect.concerns(entry)}
        there = {path: aspect.value(entry) for path, entry in destination.items() if aspect.concerns(entry)}
        rows.append(
            Row(
                what=aspect.what,
                source=aspect.summary([source[path] for path in here]),
                destination=aspect.summary([destination[path] for path in there]),
                good=here == there,
                details=_differing(here, there),
            )
        )
    return [*rows, _sparse_row(source, destination)]


def _sparse_row(source: Mapping[str, Entry], destination: Mapping[str, Entry]) -> Row:
    sparse = [
        path for path, entry in source.items() if entry["kind"] == "file" and entry["allocated"] < entry["size"] // 2
    ]
    taken = {path: destination[path].get("allocated", 0) if path in destination else None for path in sparse}
    grown = [
        f"{path}: takes {source[path]['allocated']} bytes on the source, {there} on the destination"
        for path, there in taken.items()
        if there is None or there > source[path]["allocated"] + SPARSE_SLACK
    ]
    apparent = size(sum(source[path]["size"] for path in sparse))
    before, after = (sum(source[path]["allocated"] for path in sparse), sum(there or 0 for there in taken.values()))
    return Row(
        what="files: holes of sparse files",
        source=f"{len(sparse)} files, {apparent} in {size(before)}",
        destination=f"{len(sparse) - len(grown)} files, {apparent} in {size(after)}",
        good=not grown and bool(sparse),
        details=shown(grown),
    )


def _differing(here: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """What is missing, what is too much, what differs: by name, the first few."""
    lines = [f"{name}: missing on the destination" for name in here if name not in there]
    lines += [f"{name}: only on the destination" for name in there if name not in here]
    lines += [
        f"{name}: {value} | {there[name]}" for name, value in here.items() if name in there and there[name] != value
    ]
    return shown(lines)


def _node(cluster: Cluster, namespace: str) -> str | None:
    """Where the front runs, and with it the volume."""
    pods = cluster.list("Pod", namespace, selector="app.kubernetes.io/name=front")
    return next((pod["spec"]["nodeName"] for pod in pods if pod["spec"].get("nodeName")), None)
