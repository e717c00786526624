# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say what a side really holds, in a pod: every file with content and metadata, every table with its rows and checksum.

The same program runs on both sides. Where the application is at zero, the database's files are copied from the
volume, which is mounted read-only, into scratch space, and PostgreSQL is started on the copy: what is counted are the
rows on the volume, and the volume is not written. Where the application runs, its database is asked.

    python3 contents.py --files DIRECTORY [--data DIRECTORY --scratch DIRECTORY]     (without --data: libpq's
    environment)

Prints JSON lines: one `file` each, one `database`, and `end` last, without which the output is not complete.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import stat
import subprocess
import sys
import threading
import time
from typing import Any
from urllib.parse import quote_from_bytes

POSTGRES = 999
"""User and group of PostgreSQL in the image; it refuses to run as root."""
PIECE = 1024 * 1024
KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}
OF_THE_FILE_SYSTEM = b"lost+found"
"""Made by mkfs in the root of the volume, and therefore of the volume rather than of the application."""

TABLES = """
SELECT format('SELECT %L, count(*), coalesce(md5(string_agg(h, '''' ORDER BY h COLLATE "C")), '''') '
              'FROM (SELECT md5(t::text) AS h FROM %I.%I t) AS hashes', nspname || '.' || relname, nspname, relname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
\\gexec
"""
SEQUENCES = (
    "SELECT schemaname || '.' || sequencename, coalesce(last_value::text, 'unused') FROM pg_sequences ORDER BY 1;"
)
ROLES = """
SELECT md5(string_agg(concat_ws(':', rolname, rolsuper, rolcanlogin, rolpassword), ',' ORDER BY rolname))
FROM pg_authid;
"""


def digest(path: bytes) -> str:
    """SHA-256 of what reading the file gives."""
    sha = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(PIECE):
            sha.update(piece)
    return sha.hexdigest()


def attributes(path: bytes) -> dict[str, str]:
    """Extended attributes, access control lists among them; none where the file system has none."""
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return {}
    kept = [name for name in names if not name.startswith("security.")]
    return {name: os.getxattr(path, name, follow_symlinks=False).hex() for name in sorted(kept)}


def entry(root: bytes, path: bytes) -> tuple[dict[str, Any], tuple[int, int]]:
    """One thing in the tree, and the identity by which hard links find each other."""
    found = os.lstat(path)
    kind = KINDS[stat.S_IFMT(found.st_mode)]
    told: dict[str, Any] = {
        "path": quote_from_bytes(os.path.relpath(path, root), safe="/ ,+@:="),
        "kind": kind,
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "uid": found.st_uid,
        "gid": found.st_gid,
        "mtime": found.st_mtime_ns,
    }
    if kind == "file":
        told |= {"size": found.st_size, "allocated": found.st_blocks * 512, "sha256": digest(path)}
    if kind == "symlink":
        told["target"] = quote_from_bytes(os.readlink(path))
    if extended := attributes(path):
        told["attributes"] = extended
    return told, (found.st_dev, found.st_ino)


def files(root: bytes) -> list[dict[str, Any]]:
    """The whole tree, the root included, sorted by path. Names of one inode carry the first of these as `linked`."""
    told: list[dict[str, Any]] = []
    names: dict[tuple[int, int], list[int]] = {}
    paths = [root]
    for folder, folders, leaves in os.walk(root, onerror=_raise):
        if folder == root and OF_THE_FILE_SYSTEM in folders:
            folders.remove(OF_THE_FILE_SYSTEM)
        paths += [os.path.join(folder, name) for name in folders + leaves]
    for path in sorted(paths):
        found, inode = entry(root, path)
        if found["kind"] != "directory":
            names.setdefault(inode, []).append(len(told))
        told.append(found)
    for group in names.values():
        if len(group) > 1:
            for index in group:
                told[index]["linked"] = told[group[0]]["path"]
    return told


def _raise(error: OSError) -> None:
    raise error


def psql(sql: str, environment: dict[str, str], database: str | None = None) -> list[list[str]]:
    """Rows as text; raises CalledProcessError, whose output says why."""
    command = [
        "psql",
        "-X",
        "-q",
        "-A",
        "-t",
        "-F",
        "\t",
        "-v",
        "ON_ERROR_STOP=1",
        *(["-d", database] if database else []),
    ]
    done = subprocess.run(command, input=sql, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines() if line]


def schema(environment: dict[str, str]) -> str:
    """Checksum of the definition of everything; the dump's random guard lines (`\\restrict`) are left out."""
    dump = subprocess.run(
        ["pg_dump", "--schema-only"], env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    kept = [line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()


def database(environment: dict[str, str]) -> dict[str, Any]:
    """Rows and checksum of every table, sequences, schema and roles, as the server that answers there has them."""
    return {
        "tables": {
            name: {"rows": int(rows), "checksum": checksum} for name, rows, checksum in psql(TABLES, environment)
        },
        "sequences": dict(psql(SEQUENCES, environment)),
        "schema": schema(environment),
        "roles": psql(ROLES, environment)[0][0],
        "bytes": int(psql("SELECT pg_database_size(current_database());", environment)[0][0]),
    }


def database_of_copy(data: str, scratch: str) -> dict[str, Any]:
    """Copy a data directory, start PostgreSQL on the copy, measure it, stop it."""
    copy = os.path.join(scratch, "data")
    subprocess.run(["cp", "-a", "--no-target-directory", data, copy], check=True)
    os.chmod(scratch, 0o777)
    control = subprocess.run(["pg_controldata", copy], stdout=subprocess.PIPE, text=True, check=True).stdout
    state = next(
        line.partition(":")[2].strip() for line in control.splitlines() if line.startswith("Database cluster state")
    )
    options = {
        "listen_addresses": "",
        "unix_socket_directories": scratch,
        "timezone": "UTC",
        "fsync": "off",
        "wal_level": "minimal",
    }
    command = ["postgres", "-D", copy, "-c", "max_wal_senders=0"]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    server = subprocess.Popen(command, user=POSTGRES, group=POSTGRES, extra_groups=[], stderr=subprocess.DEVNULL)
    try:
        environment = {**os.environ, "PGHOST": scratch}
        deadline = time.monotonic() + 60
        while subprocess.run(["pg_isready", "-q"], env=environment, check=False).returncode != 0:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL does not start on the copy of the data directory")
            time.sleep(0.05)
        return {**database(environment), "stopped": state}
    finally:
        server.terminate()
        server.wait()


def main() -> int:
    """Files and database at the same time; whatever fails is the exit status, and no `end` is printed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", required=True)
    parser.add_argument("--data")
    parser.add_argument("--scratch", default="/tmp")
    chosen = parser.parse_args()
    answer: dict[str, Any] = {}

    def ask() -> None:
        # Everything is rendered alike: dates in UTC, numbers in full.
        plain = {**os.environ, "PGTZ": "UTC", "PGDATESTYLE": "ISO, YMD"}
        os.environ.update(plain)
        answer["database"] = database_of_copy(chosen.data, chosen.scratch) if chosen.data else database(plain)

    asking = threading.Thread(target=ask)
    asking.start()
    tree = files(os.fsencode(chosen.files))
    asking.join()
    if "database" not in answer:
        return 1
    for found in tree:
        print(json.dumps({"file": found}, separators=(",", ":")))
    print(json.dumps({"database": answer["database"]}))
    print(json.dumps({"end": len(tree)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
