# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The two clusters: the user's own when both kubeconfigs are named, else the lab's, started when it is not up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from demo.cluster import Cluster
from demo.settings import ROOT
from lab import audit, targets as lab_targets
from lab.command import LabError

STARTED = ROOT / ".build" / "demo-started-the-lab"
"""Says that `--clean` stops the lab too."""


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Both clusters, and whether they are the user's own."""

    source: Cluster
    destination: Cluster
    own: bool

    def audit_mark(self) -> int:
        """Where the source's audit log ends now; 0 for clusters whose log is not at hand."""
        return 0 if self.own else audit.mark("source")

    def writes_on_source(self, since: int) -> Iterator[dict[str, Any]] | None:
        """Every write since a mark; None for clusters whose audit log is not at hand."""
        if self.own:
            return None
        return (event for event in audit.events("source", since) if audit.is_write(event) or _is_command(event))


def _is_command(event: dict[str, Any]) -> bool:
    """`exec` over a web socket is a `get` that may write all the same."""
    return bool((event.get("objectRef") or {}).get("subresource") == "exec")


def find() -> Targets:
    """The clusters as they are; starts nothing. Raises LabError when there are none."""
    files = lab_targets.targets()
    return Targets(
        source=Cluster(name="source", kubeconfig=files.source),
        destination=Cluster(name="destination", kubeconfig=files.destination),
        own=files.own,
    )


def ready() -> Targets:
    """The clusters, the lab started first unless they are the user's own."""
    if not (os.environ.get(lab_targets.SOURCE_VARIABLE) or os.environ.get(lab_targets.DESTINATION_VARIABLE)):
        fresh = not _is_up()
        _lab("up")
        if fresh:
            STARTED.parent.mkdir(parents=True, exist_ok=True)
            STARTED.touch()
    return find()


def stop_if_started() -> bool:
    """Stop the lab if the demo has started it."""
    if not STARTED.exists():
        return False
    _lab("down")
    forget_the_lab()
    return True


def forget_the_lab() -> None:
    """Whoever starts a lab after this one, it is not the demo's to stop."""
    STARTED.unlink(missing_ok=True)


def _is_up() -> bool:
    return subprocess.run(_command("status"), env=_environment(), capture_output=True, check=False).returncode == 0


def _lab(word: str) -> None:
    if subprocess.run(_command(word), env=_environment(), check=False).returncode != 0:
        raise LabError(f"`python -m lab {word}` failed; it has said why above")


def _command(word: str) -> list[str]:
    return [sys.executable, "-m", "lab", word]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
