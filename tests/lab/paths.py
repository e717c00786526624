# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where the lab keeps what."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from lab.topology import Cluster

REPOSITORY = Path(__file__).resolve().parents[2]
GO_MODULE = Path(__file__).resolve().parent / "go"
VELERO_MODULE = Path(__file__).resolve().parent / "go-velero"


@dataclass(frozen=True)
class Paths:
    """The lab's directory: `cache` outlives `down`, `state` does not."""

    root: Path

    @classmethod
    def from_environment(cls) -> Paths:
        """Take OPENMIG_LAB_DIR, else /var/lib/openmig-lab."""
        return cls(Path(os.environ.get("OPENMIG_LAB_DIR", "/var/lib/openmig-lab")).absolute())

    @property
    def cache(self) -> Path:
        """Built programs, image archives, unpacked images."""
        return self.root / "cache"

    @property
    def state(self) -> Path:
        """Everything about the clusters that run now."""
        return self.root / "state"

    @property
    def lock(self) -> Path:
        """Held while `up`, `down` or `images` work."""
        return self.root / "lock"

    @property
    def record(self) -> Path:
        """What the last `up` started, written when it was complete."""
        return self.state / "lab.json"

    @property
    def pids(self) -> Path:
        """One file per process."""
        return self.state / "pids"

    @property
    def kubeconfigs(self) -> Path:
        """Kubeconfigs for users of the lab."""
        return self.state / "kubeconfig"

    @property
    def s3_credentials(self) -> Path:
        """JSON with endpoint, bucket and keys."""
        return self.state / "s3.json"

    def kubeconfig(self, cluster: Cluster, *, proxied: bool = False) -> Path:
        """Return the administrator's kubeconfig, directly or through the fault proxy."""
        return self.kubeconfigs / (f"{cluster.name}-proxied.yaml" if proxied else f"{cluster.name}.yaml")

    def of(self, cluster: Cluster) -> Path:
        """Return the directory of one cluster's state."""
        return self.state / cluster.name

    def log(self, owner: str, component: str) -> Path:
        """Return the log of a component (`owner` is a cluster's name or `host`)."""
        return self.state / "logs" / f"{owner}-{component}.log"

    def audit(self, cluster: Cluster) -> Path:
        """Return the API server's audit log."""
        return self.state / "logs" / f"{cluster.name}-audit.log"
