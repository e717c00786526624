# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A cluster's image store borrows the unpacked images and cannot harm them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lab import containerd


@pytest.fixture
def store(tmp_path: Path) -> Path:
    root = tmp_path / "store"
    overlay = root / "io.containerd.snapshotter.v1.overlayfs"
    layer = overlay / "snapshots" / "1" / "fs" / "usr"
    layer.mkdir(parents=True)
    (layer / "tool").write_text("tool", encoding="utf-8")
    (overlay / "metadata.db").write_text("snapshots", encoding="utf-8")
    blobs = root / "io.containerd.content.v1.content" / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    (blobs / "abc").write_text("blob", encoding="utf-8")
    return root


def test_everything_can_be_read_through_the_copy(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    containerd.borrow(store, copy)
    found = sorted(each.relative_to(copy).as_posix() for each in copy.rglob("*") if each.is_file())
    assert found == [
        "io.containerd.content.v1.content/blobs/sha256/abc",
        "io.containerd.snapshotter.v1.overlayfs/metadata.db",
    ]
    layer = copy / "io.containerd.snapshotter.v1.overlayfs" / "snapshots" / "1"
    assert (layer / "fs" / "usr" / "tool").read_text(encoding="utf-8") == "tool"


def test_neither_writing_to_a_database_nor_removing_the_copy_reaches_the_store(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    containerd.borrow(store, copy)
    (copy / "io.containerd.snapshotter.v1.overlayfs" / "metadata.db").write_text("changed", encoding="utf-8")
    shutil.rmtree(copy)
    overlay = store / "io.containerd.snapshotter.v1.overlayfs"
    assert (overlay / "metadata.db").read_text(encoding="utf-8") == "snapshots"
    assert (overlay / "snapshots" / "1" / "fs" / "usr" / "tool").exists()
    assert (store / "io.containerd.content.v1.content" / "blobs" / "sha256" / "abc").exists()
