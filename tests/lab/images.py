# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Build the lab's images from Debian packages, without a registry."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from lab import debian, versions
from lab.command import run
from lab.paths import REPOSITORY, Paths
from lab.programs import Programs
from lab.report import say, step

MOVER = f"localhost/openmig/mover:{versions.IMAGES}"
APPLICATION = f"localhost/openmig/demo-app:{versions.IMAGES}"
HOOK_RUNNER = f"localhost/openmig/hook-runner:{versions.IMAGES}"
PAUSE = f"localhost/openmig/pause:{versions.IMAGES}"

_MOVER_DEFINITION = REPOSITORY / "images" / "mover"
_OWN_DEFINITIONS = Path(__file__).resolve().parent / "images"
_APPLICATION_CODE = REPOSITORY / "demo" / "app"
_HOOK_PROGRAMS = ("ansible-core", "kubernetes")
"""Python packages that hooks find in their image: those of the environment that the lab itself runs in."""
_HOOK_COLLECTION = "ansible_collections/kubernetes"


@dataclass(frozen=True)
class Image:
    """An image: its name, what it is made from, and how its build context is filled."""

    name: str
    inputs: tuple[Path, ...]
    fill: Callable[[Path], None]
    debian: bool

    def key(self) -> str:
        """Return a hash over every input, the same wherever the checkout is."""
        digest = hashlib.sha256(f"{self.name}\n{'debian' if self.debian else ''}\n".encode())
        for root in self.inputs:
            for file in _files(root):
                digest.update(f"{file.relative_to(root.parent).as_posix()} {file.stat().st_mode & 0o777:o}\n".encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
        return digest.hexdigest()[:16]


def images(programs: Programs) -> list[Image]:
    """Return all images of the lab."""
    return [
        Image(
            PAUSE,
            (_OWN_DEFINITIONS / "pause", programs.path("pause")),
            lambda to: _fill_pause(to, programs),
            debian=False,
        ),
        Image(MOVER, (_MOVER_DEFINITION,), _fill_mover, debian=True),
        Image(
            APPLICATION,
            (_OWN_DEFINITIONS / "application", _collector(), _APPLICATION_CODE),
            _fill_application,
            debian=True,
        ),
        Image(
            HOOK_RUNNER,
            (_OWN_DEFINITIONS / "hook-runner", _collector(), *_versions(_hook_distributions())),
            _fill_hook_runner,
            debian=True,
        ),
    ]


def archives(paths: Paths, programs: Programs) -> dict[str, Path]:
    """Return the archive of every image by its name, building those that the cache does not have."""
    directory = paths.cache / "images"
    directory.mkdir(parents=True, exist_ok=True)
    found: dict[str, Path] = {}
    for image in images(programs):
        short = image.name.rpartition("/")[2].partition(":")[0]
        archive = directory / f"{short}-{image.key()}.tar"
        if not archive.exists():
            _build(paths, image, archive)
            for older in directory.glob(f"{short}-*.tar"):
                if older != archive:
                    older.unlink()
        found[image.name] = archive
    return found


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    return sorted(each for each in root.rglob("*") if each.is_file() and "__pycache__" not in each.parts)


def _collector() -> Path:
    return _MOVER_DEFINITION / "collect-rootfs.sh"


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


def _fill_pause(context: Path, programs: Programs) -> None:
    _copy(_OWN_DEFINITIONS / "pause", context)
    shutil.copy2(programs.path("pause"), context / "pause")


def _fill_mover(context: Path) -> None:
    _copy(_MOVER_DEFINITION, context)


def _fill_application(context: Path) -> None:
    definition = context / "definition"
    _copy(_OWN_DEFINITIONS / "application", definition)
    (definition / "Containerfile").rename(context / "Containerfile")
    shutil.copy2(_collector(), definition)
    (context / "app").mkdir()
    if _APPLICATION_CODE.is_dir():
        _copy(_APPLICATION_CODE, context / "app")


def _fill_hook_runner(context: Path) -> None:
    definition = context / "definition"
    _copy(_OWN_DEFINITIONS / "hook-runner", definition)
    (definition / "Containerfile").rename(context / "Containerfile")
    (definition / "bin").rename(context / "bin")
    shutil.copy2(_collector(), definition)
    python = context / "python"
    for each in _hook_distributions():
        for file in each.files or ():
            # What a package puts elsewhere than beside itself are its programs, and those have this machine's paths.
            if ".." not in file.parts and "__pycache__" not in file.parts:
                (python / str(file)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(str(file.locate()), python / str(file))
    _copy(Path(str(distribution("ansible").locate_file(_HOOK_COLLECTION))), python / _HOOK_COLLECTION)


def _hook_distributions() -> list[Distribution]:
    """Return the hooks' packages with all that they need."""
    found: dict[str, Distribution] = {}
    waiting = list(_HOOK_PROGRAMS)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name not in found:
            found[name] = distribution(name)
            needs = [need for need in found[name].requires or () if ";" not in need]
            waiting += [re.split(r"[^\w.-]", need, maxsplit=1)[0] for need in needs]
    return list(found.values())


def _versions(distributions: list[Distribution]) -> list[Path]:
    """Return the files that say what versions are installed: the same in every environment that holds them."""
    files = [file.locate() for each in distributions for file in each.files or () if file.name == "METADATA"]
    manifest = distribution("ansible").locate_file(f"{_HOOK_COLLECTION}/core/MANIFEST.json")
    return [Path(str(file)) for file in (*files, manifest)]


def packages() -> list[str]:
    """Return every Debian package that one of the images takes something from."""
    wanted: set[str] = set()
    for directory in (_MOVER_DEFINITION, _OWN_DEFINITIONS / "application", _OWN_DEFINITIONS / "hook-runner"):
        for line in (directory / "packages").read_text(encoding="utf-8").splitlines():
            wanted.update(line.partition("#")[0].split())
    return sorted(wanted)


def _build(paths: Paths, image: Image, archive: Path) -> None:
    base = debian.base(paths, packages()) if image.debian else None
    with (
        step(f"building image {image.name}"),
        tempfile.TemporaryDirectory(dir=archive.parent, prefix=".building-") as scratch,
    ):
        work = Path(scratch)
        context = work / "context"
        context.mkdir()
        image.fill(context)
        buildah = ["buildah", "--storage-driver", "vfs", "--root", str(work / "store"), "--runroot", str(work / "run")]
        arguments = ["--build-arg", f"BASE=oci:{base}"] if base else []
        run([*buildah, "bud", "--isolation", "chroot", "--layers=false", *arguments, "-t", image.name, context])
        finished = work / "image.tar"
        run([*buildah, "push", image.name, f"docker-archive:{finished}:{image.name}"])
        finished.rename(archive)
    say(f"{image.name}: {archive.stat().st_size / 2**20:.0f} MiB")
