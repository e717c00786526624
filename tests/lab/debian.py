# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A Debian root file system as the base that the images are collected from."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.command import run
from lab.paths import Paths
from lab.report import step

SUITE = "bookworm"
_EXCLUDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIGURATION = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


def base(paths: Paths, packages: Sequence[str]) -> Path:
    """Return an OCI layout with a Debian that has these packages, making it if the cache has none."""
    key = hashlib.sha256(" ".join([SUITE, *_EXCLUDED, *packages]).encode()).hexdigest()[:16]
    directory = paths.cache / "debian"
    layout = directory / key
    if layout.exists():
        return layout
    directory.mkdir(parents=True, exist_ok=True)
    with (
        step(f"making a Debian {SUITE} base for the images"),
        tempfile.TemporaryDirectory(dir=directory, prefix=".building-") as scratch,
    ):
        tarball = Path(scratch, "root.tar")
        options = [f"--dpkgopt=path-exclude={pattern}" for pattern in _EXCLUDED]
        include = ",".join(packages)
        run(["mmdebstrap", "--variant=minbase", f"--include={include}", *options, SUITE, tarball])
        finished = Path(scratch, "layout")
        write_layout(tarball, finished)
        for older in directory.glob("[0-9a-f]*"):
            shutil.rmtree(older)
        finished.rename(layout)
    return layout


def write_layout(tarball: Path, layout: Path) -> None:
    """Make an OCI image layout whose only layer is the tarball (which is moved)."""
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    with tarball.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    size = tarball.stat().st_size
    tarball.rename(blobs / digest)

    def add(content: dict[str, Any], media_type: str) -> dict[str, Any]:
        data = json.dumps(content).encode()
        name = hashlib.sha256(data).hexdigest()
        (blobs / name).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(data)}

    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    layers = {"type": "layers", "diff_ids": [f"sha256:{digest}"]}
    configuration = add({"architecture": architecture, "os": "linux", "config": {}, "rootfs": layers}, _CONFIGURATION)
    layer = {"mediaType": _LAYER, "digest": f"sha256:{digest}", "size": size}
    manifest = add({"schemaVersion": 2, "mediaType": _MANIFEST, "config": configuration, "layers": [layer]}, _MANIFEST)
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}), encoding="utf-8")
