# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all rows share, and what every kind of run begins with."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import MtcError
from crash import ends
from crash.faults import ARRANGED, Fault
from crash.moments import Moment, PhaseWatch
from crash.scene import Scene
from integration.migration import processes
from integration.migration.playbooks import Started
from lab.command import LabError

STOPPED_AT = {
    "cancel": ("Final", "WaitForDirectVolumeMigrationToComplete"),
    "cancel indirect": ("Final", "StageBackupCreated"),
}
"""Where the migration is killed that a row then cancels: the application is down, its volumes are being copied."""

WRONG = (AssertionError, OSError, RuntimeError, MtcError, LabError, subprocess.SubprocessError)
"""What may go wrong with a row; it says so, and the other rows go on."""


@dataclass(frozen=True)
class Stand:
    """The two clusters and whoever listens to their migrations; all scenes, for the end."""

    source: Cluster
    destination: Cluster
    watch: PhaseWatch
    revision: str
    scenes: list[Scene] = field(default_factory=list)
    baselines: dict[str, threading.Lock] = field(default_factory=dict)

    @contextmanager
    def scene(
        self, run: str, options: Mapping[str, Any], fault: Fault | None = None
    ) -> Iterator[tuple[Scene, ends.Files]]:
        """A scene of one's own in which the command can be given, and the files that the applications had; its removal
        is asked for at the end."""
        made = Scene(self.source, self.destination, run, options)
        self.scenes.append(made)
        with ExitStack() as stack:
            try:
                for arrange in (ARRANGED.get(run), fault.arrange if fault is not None else None):
                    if arrange is not None:
                        arrange(stack, made)
                made.build()
                files = ends.files_of_source(made)
                made.go_to_the_start(lambda started: self._interrupt(made, started))
                if fault is not None and fault.furnish is not None:
                    fault.furnish(stack, made)
                yield made, files
            finally:
                self.watch.unsubscribe(made.resource_namespace)
                for started in made.commands:
                    kill(started)
                made.remove()

    def _interrupt(self, scene: Scene, started: Started) -> None:
        walk, phase = STOPPED_AT[scene.run]
        moment = self.at(scene, Moment(walk=walk, phase=phase, seconds=0, act=lambda: kill(started)))
        ended = started.end()
        assert moment.came.is_set(), ended.output

    def at(self, scene: Scene, moment: Moment) -> Moment:
        """The moment is told of the scene's phases."""
        self.watch.subscribe(scene.resource_namespace, moment.heard)
        return moment


def kill(started: Started) -> None:
    """Every process of the playbook, at once; none when it has ended."""
    if started.process.poll() is None:
        processes.send(processes.tree(started.process.pid), signal.SIGKILL)


def collected(act: Callable[[], None], errors: list[BaseException]) -> None:
    """Do it; what goes wrong is for the thread that waits."""
    try:
        act()
    except WRONG as error:
        errors.append(error)
