# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The leases of runs that have ended: what a process leaves that is killed between its run's end and giving the lease
back. The end and the lease are two objects, so nothing can write the one and remove the other at once; the next call
that meets the ended run does it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from ..cluster.api import Cluster
from ..resources import migmigration, names
from ..resources.errors import Forbidden
from . import lease

Manifest = dict[str, Any]


def of(control: Cluster, namespace: str, ended: Iterable[Manifest]) -> list[Manifest]:
    """The leases of runs that have ``ended``; one request, none when there is no such run. Who may not read leases
    finds none."""
    uids = {str(run["metadata"]["uid"]) for run in ended}
    if not uids:
        return []
    with contextlib.suppress(Forbidden):
        found = list(control.list(lease.API, "Lease", namespace, label_selector=names.RUN_LABEL))
        return [each for each in found if each["metadata"]["labels"][names.RUN_LABEL] in uids]
    return []


def remove(control: Cluster, leases: Iterable[Manifest]) -> None:
    """A process that has just ended its run and still holds the lease misses nothing: it would remove it itself."""
    for found in leases:
        metadata = found["metadata"]
        control.delete(lease.API, "Lease", metadata["name"], metadata["namespace"], uid=metadata["uid"])


def clear(control: Cluster, namespace: str, migrations: Iterable[Manifest], *, check: bool) -> bool:
    """Whether there were leases of MigMigrations that have ended; in check mode they stay."""
    found = of(control, namespace, filter(migmigration.finished, migrations))
    if not check:
        remove(control, found)
    return bool(found)
