# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which two clusters tests and demo work on: the user's own, or the lab's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from lab.command import LabError
from lab.paths import Paths
from lab.topology import DESTINATION, SOURCE, cluster as find

SOURCE_VARIABLE = "MTC_SOURCE_KUBECONFIG"
DESTINATION_VARIABLE = "MTC_DESTINATION_KUBECONFIG"


@dataclass(frozen=True)
class Targets:
    """Two kubeconfigs, and whether they are the lab's (`own` is false) or the user's."""

    source: Path
    destination: Path
    own: bool


def targets() -> Targets:
    """Return the user's clusters if both variables are set, else the lab's; starts nothing.

    Raises LabError if only one is set, or if a file that is named (or that the lab should have made) is missing.
    """
    source, destination = os.environ.get(SOURCE_VARIABLE), os.environ.get(DESTINATION_VARIABLE)
    if bool(source) != bool(destination):
        raise LabError(f"set both {SOURCE_VARIABLE} and {DESTINATION_VARIABLE}, or neither")
    if source and destination:
        chosen = Targets(Path(source).expanduser().absolute(), Path(destination).expanduser().absolute(), own=True)
        mend = "that is what the variable says"
    else:
        paths = Paths.from_environment()
        chosen = Targets(paths.kubeconfig(SOURCE), paths.kubeconfig(DESTINATION), own=False)
        mend = "`python -m lab up` makes it"
    for file in (chosen.source, chosen.destination):
        if not file.is_file():
            raise LabError(f"there is no {file}: {mend}")
    return chosen


def lab_kubeconfig(cluster: str, *, proxied: bool = False) -> Path:
    """Return the administrator's kubeconfig of a cluster of the lab, directly or through the fault proxy."""
    return Paths.from_environment().kubeconfig(find(cluster), proxied=proxied)
