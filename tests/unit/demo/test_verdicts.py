# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The demo's table is only worth its green rows if each of them can turn red: one planted difference for every row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from demo import measure, objects, record, table
from demo.cluster import ClusterError
from demo.facts import Facts
from demo.rows import Row

PROGRAMS = Path(__file__).resolve().parents[3] / "demo" / "pods"

DATABASE: dict[str, Any] = {
    "tables": {"public.orders": {"rows": 3, "checksum": "aa"}, "public.lines": {"rows": 9, "checksum": "bb"}},
    "sequences": {"public.orders_id_seq": "3"},
    "schema": "cc",
    "roles": "dd",
    "bytes": 1000,
    "stopped": "shut down",
}


def red(rows: list[Row]) -> set[str]:
    return {row.what for row in rows if not row.good}


# -- files ---------------------------------------------------------------------------------------------------------


def files_of(folder: Path) -> dict[str, Any]:
    """What the checkers' program says of a folder, with its own function, in a process of its own."""
    script = "import json, sys; from contents import files; print(json.dumps(files(sys.argv[1].encode())))"
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], cwd=PROGRAMS, capture_output=True, text=True, check=True
    )
    return {entry["path"]: entry for entry in json.loads(done.stdout)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "volume"
    root.mkdir()
    (root / "plain").write_bytes(b"content")
    os.link(root / "plain", root / "other name")
    (root / os.fsdecode(b"not-utf-8-\xff\n")).write_bytes(b"odd")
    (root / "link").symlink_to("/nowhere")
    with (root / "sparse").open("wb") as file:
        file.truncate(8 * 1024 * 1024)
    os.mkfifo(root / "pipe")
    return root


def still(path: Path, change: Callable[[], None]) -> None:
    """Change a file and give it, and the folder, their times back: only the difference itself may show."""
    before = [(each, each.lstat()) for each in (path, path.parent)]
    change()
    for each, stamp in before:
        if each.exists() or each.is_symlink():
            os.utime(each, ns=(stamp.st_atime_ns, stamp.st_mtime_ns), follow_symlinks=False)


def part(folder: Path) -> None:
    """Two files of equal content where one with two names was; owner, mode and time are the same."""
    (folder / "copy").write_bytes(b"content")
    stamp = (folder / "plain").stat()
    (folder / "copy").replace(folder / "other name")
    os.utime(folder / "other name", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def point_elsewhere(folder: Path) -> None:
    (folder / "link").unlink()
    (folder / "link").symlink_to("nowhere")


def fill(folder: Path) -> None:
    with (folder / "sparse").open("r+b") as file:
        file.write(bytes(1024 * 1024))


def spell_differently(folder: Path) -> None:
    (folder / "plain").write_bytes(b"Content")


PLANTED: list[tuple[str, str, Callable[[Path], None]]] = [
    ("plain", "files: names and content", spell_differently),
    ("plain", "files: owners, modes, times", lambda root: (root / "plain").chmod(0o601)),
    ("other name", "files: hard links", part),
    ("link", "files: folders, symlinks, pipes", point_elsewhere),
    ("sparse", "files: holes of sparse files", fill),
]


def test_equal_folders_are_green(folder: Path) -> None:
    here = files_of(folder)
    assert red(measure.file_rows(here, deepcopy(here))) == set()
    assert len(here) == 7


@pytest.mark.parametrize(("name", "row", "plant"), PLANTED, ids=[row for _name, row, _plant in PLANTED])
def test_planted_difference(folder: Path, name: str, row: str, plant: Callable[[Path], None]) -> None:
    before = files_of(folder)
    still(folder / name, lambda: plant(folder))
    assert red(measure.file_rows(before, files_of(folder))) == {row}


def test_missing_file_and_one_nanosecond(folder: Path) -> None:
    before = files_of(folder)
    after = deepcopy(before)
    del after["plain"]
    rows = measure.file_rows(before, after)
    assert "plain: missing on the destination" in rows[0].details
    after = deepcopy(before)
    after["sparse"]["mtime"] += 1
    assert red(measure.file_rows(before, after)) == {"files: owners, modes, times"}


def test_incomplete_output_is_no_measurement() -> None:
    lines = [json.dumps({"file": {"path": "a"}}), json.dumps({"database": DATABASE})]
    with pytest.raises(ClusterError, match="incomplete"):
        measure.parse(lines)
    with pytest.raises(ClusterError, match="incomplete"):
        measure.parse([*lines, '{"end": 2}'])
    assert measure.parse([*lines, '{"end": 1}']).database == DATABASE


# -- database ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        (lambda there: there["tables"]["public.orders"].update(rows=2), {"database: rows"}),
        (lambda there: there["tables"]["public.orders"].update(checksum="ab"), {"database: checksum of each table"}),
        (lambda there: there["sequences"].clear(), {"database: schema, roles, sequences"}),
        (lambda there: there.update(schema="x"), {"database: schema, roles, sequences"}),
        (lambda there: there["tables"].clear(), {"database: rows", "database: checksum of each table"}),
    ],
)
def test_planted_difference_in_the_database(plant: Callable[[dict[str, Any]], None], expected: set[str]) -> None:
    there = deepcopy(DATABASE)
    assert red(measure.database_rows(DATABASE, there)) == set()
    plant(there)
    assert red(measure.database_rows(DATABASE, there)) == expected


def test_a_server_that_was_not_stopped_cleanly() -> None:
    here = {**DATABASE, "stopped": "in production"}
    assert red(measure.database_rows(here, DATABASE)) == {"database: schema, roles, sequences"}


# -- objects -------------------------------------------------------------------------------------------------------


def test_what_the_mappings_explain_and_what_not() -> None:
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "a"}, "spec": {"storageClassName": "source-ssd"}}
    moved = {**claim, "spec": {"storageClassName": "destination-fast", "volumeName": "pv-1"}}
    assert [change.explained for change in objects.compare(claim, moved)] == [True]
    wrong = {**claim, "spec": {"storageClassName": "destination-slow"}}
    assert [change.explained for change in objects.compare(claim, wrong)] == [False]


def test_a_secret_that_differs_is_told_without_its_value() -> None:
    here = {"kind": "Secret", "metadata": {"name": "a"}, "data": {"key": "c2hvcA=="}}
    there = {**here, "data": {"key": "b3RoZXI="}}
    changes = objects.compare(here, there)
    assert [change.explained for change in changes] == [False]
    assert "c2hvcA" not in str(changes)


def test_a_quiesced_workload_equals_the_running_one() -> None:
    stopped = {
        "kind": "Deployment",
        "metadata": {"name": "a", "annotations": {objects.QUIESCED_REPLICAS: "2"}},
        "spec": {"replicas": 0, "paused": False},
    }
    runs: dict[str, Any] = {"kind": "Deployment", "metadata": {"name": "a"}, "spec": {"replicas": 2}}
    assert objects.compare(stopped, runs) == []
    assert objects.compare(stopped, {**runs, "spec": {"replicas": 1}}) != []


# -- record and table ----------------------------------------------------------------------------------------------

RECORD: dict[str, Any] = {
    "downtime_seconds": 9.0,
    "volumes": [{"ok": True, "bytes": 10, "move": {"source_namespace": "shop", "source_claim": "uploads"}}],
    "precopy": {"bytes": 10, "seconds": 1.0},
    "final_pass": {"bytes": 1, "seconds": 0.5},
    "phase_seconds": {"Verification": 2.0},
}
FACTS = Facts(began=100.0, ended=140.0, last_acknowledged=120.0, first_answer=128.5, acknowledged=[])


def rows_of(changed: dict[str, Any], *, facts: Facts | None = FACTS, succeeded: str = "Succeeded") -> list[Row]:
    migration = record.Migration(
        name="shop-final", uids=["1"], phase="Completed", conditions={succeeded: "True"}, record={**RECORD, **changed}
    )
    return record.rows(migration, facts)


def test_a_complete_record_is_green() -> None:
    assert red(rows_of({})) == set()
    assert FACTS.downtime == pytest.approx(8.5)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"downtime_seconds": None}, {"downtime"}),
        ({"volumes": []}, {"volumes: bytes, rate, proof"}),
        ({"volumes": [{"ok": False, "bytes": 10}]}, {"volumes: bytes, rate, proof"}),
        ({"precopy": None, "final_pass": None}, {"volumes: bytes, rate, proof"}),
        ({"precopy": {"bytes": 10}}, {"volumes: bytes, rate, proof"}),
        ({"phase_seconds": {}}, {"duration"}),
    ],
)
def test_a_missing_figure_is_never_green(changed: dict[str, Any], expected: set[str]) -> None:
    assert red(rows_of(changed)) == expected


def test_without_migration_or_facts_nothing_is_green() -> None:
    assert len(red(record.rows(None, None))) == 4
    assert red(rows_of({}, facts=None)) == {"downtime", "duration"}
    assert red(rows_of({}, succeeded="SucceededWithWarnings")) == {"the migration's own verdict"}


def test_the_table_is_narrow_and_tells_what_is_wrong() -> None:
    rows = [
        Row(what="a", source="s" * 50, destination="d", good=True),
        Row(what="b", source="", destination="\x1b[31m", good=False, details=["name\nwith\x1b"]),
    ]
    plain = table.render(rows, colour=False)
    assert max(len(line) for line in plain.splitlines()) <= 120
    assert plain.endswith("1 of 2 as they should be; not so: b")
    assert "\x1b" not in plain
    assert "\x1b[31m✘" in table.render(rows, colour=True)
