# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Programs that the lab has built, where they are then."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

NAMES = ("kubernetes", "coredns", "toxiproxy", "pause")


@dataclass(frozen=True)
class Programs:
    """A directory with every program of the Go module, for one state of its sources."""

    directory: Path
    names: tuple[str, ...] = NAMES

    @property
    def key(self) -> str:
        """What the sources and versions hash to."""
        return self.directory.name

    def path(self, name: str) -> Path:
        """Return the file of one program."""
        return self.directory / name

    def component(self, name: str) -> list[str | Path]:
        """Return the words that start a Kubernetes component, etcd or the provisioner."""
        return [self.path("kubernetes"), name]

    @property
    def complete(self) -> bool:
        """Whether every program is there."""
        return all(self.path(name).is_file() for name in self.names)
