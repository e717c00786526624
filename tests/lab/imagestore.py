# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The store that every cluster's containerd starts from: all images, imported and unpacked once."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from lab import containerd, process
from lab.paths import Paths
from lab.report import step


def key(archives: Mapping[str, Path]) -> str:
    """Return a hash over the images' names and the archives' names, which carry the hash of what they hold."""
    lines = sorted(f"{name} {archive.name}" for name, archive in archives.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def prepare(paths: Paths, archives: Mapping[str, Path], *, keep: str | None) -> Path:
    """Return the root of a store with these images, importing them if the cache has none.

    Other stores are removed, but for the one whose key is `keep` (running clusters read from it).
    """
    directory = paths.cache / "containerd"
    store = directory / key(archives)
    if (store / "complete").exists():
        return store / "root"
    if directory.exists():
        for older in directory.iterdir():
            if older.name != keep:
                shutil.rmtree(older)
    with step("importing the images"):
        _import(paths, archives, store)
    (store / "complete").touch()
    return store / "root"


def _import(paths: Paths, archives: Mapping[str, Path], store: Path) -> None:
    configuration = containerd.configure(store, "none", cri=False)
    log = store / "containerd.log"
    worker = process.start(paths, "import-containerd", ["containerd", "--config", configuration], log=log)
    try:
        containerd.wait_ready(containerd.socket(store), log)
        containerd.import_archives(containerd.socket(store), archives)
    finally:
        process.stop([worker.pid], grace=10)
        (paths.pids / f"{worker.name}.json").unlink(missing_ok=True)
