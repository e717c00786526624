# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a copy has to keep, and what is said of one that failed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import VolumeFailed
from ansible_collections.openmig.mtc.plugins.module_utils.volumes import facts, passes
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.model import SettledProfile, VolumeMove

MOVE = VolumeMove(
    source_namespace="shop",
    source_claim="data",
    target_namespace="shop",
    target_claim="data",
    storage_class="fast",
    access_modes=("ReadWriteOnce",),
    volume_mode="Filesystem",
    size=1 << 20,
)
ODD_NAMES = (
    b"with space",
    b"-leading-dash",
    b"#hash",
    b";semicolon",
    b"new\nline",
    b"tab\tand\\backslash",
    b"escape \\#012 in clear",
    b"percent %s %n",
    b"quote'\"`$(false)",
    b"not utf-8 \xff\xfe",
    "naïve ünïcode".encode(),
    b"*?[glob]",
    b'{"fact":"done"}',
)


def tree(root: Path) -> dict[bytes, tuple[object, ...]]:
    """Everything that must be kept, by path."""
    found: dict[bytes, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(os.fsencode(root)):
        for name in (*folders, *files, b"."):
            path = os.path.join(folder, name)
            info = os.lstat(path)
            content: object = None
            if stat.S_ISREG(info.st_mode):
                content = Path(os.fsdecode(path)).read_bytes()
            elif stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            kept = (info.st_mode, info.st_uid, info.st_gid, info.st_mtime_ns, content)
            found[os.path.relpath(path, os.fsencode(root))] = kept
    return found


def judged(outcome: dict[str, object], *, final: bool = True, profile: SettledProfile = "root") -> VolumeFailed:
    with pytest.raises(VolumeFailed) as raised:
        passes.result(MOVE, facts.outcome(outcome), final=final, profile=profile)
    return raised.value
