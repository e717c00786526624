# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Print what this Python has installed and lock.txt does not name: it came in unpinned, or is no longer asked for."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

LOCK = Path(__file__).parent / "lock.txt"
# What a fresh virtual environment holds of itself.
OWN = {"pip", "setuptools"}


def unpinned() -> list[str]:
    found = re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    pinned = {(_canonical(name), version) for name, version in found}
    installed = {(_canonical(each.metadata["Name"]), each.version) for each in metadata.distributions()}
    return sorted(f"{name}=={version}" for name, version in installed - pinned if name not in OWN)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    print(*unpinned(), sep="\n")
