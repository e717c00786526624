# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which MigMigrations are runs of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..cluster.api import Cluster
from ..resources import migmigration, names


@dataclass(frozen=True)
class Runs:
    """A plan's migrations, and the names that migrations of other plans have."""

    migrations: list[dict[str, Any]]
    taken: frozenset[str]


def runs_of(control: Cluster, namespace: str, plan: str) -> Runs:
    """One list. Told by their reference, since the label is written only once a run has begun."""
    migrations, taken = [], set()
    for migration in control.list(names.API_VERSION, names.MIG_MIGRATION, namespace):
        if migmigration.plan_of(migration) == (namespace, plan):
            migrations.append(migration)
        else:
            taken.add(str(migration["metadata"]["name"]))
    return Runs(migrations, frozenset(taken))


def migrations_of(control: Cluster, namespace: str, plan: str) -> list[dict[str, Any]]:
    """The runs of the plan."""
    return runs_of(control, namespace, plan).migrations
