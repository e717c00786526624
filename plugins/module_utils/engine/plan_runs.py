# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which MigMigrations are runs of a plan."""

from __future__ import annotations

from typing import Any

from ..cluster.api import Cluster
from ..resources import migmigration, names


def migrations_of(control: Cluster, namespace: str, plan: str) -> list[dict[str, Any]]:
    """The runs of the plan. Told by their reference, since the label is written only once a run has begun."""
    return [
        migration
        for migration in control.list(names.API_VERSION, names.MIG_MIGRATION, namespace)
        if migmigration.plan_of(migration) == (namespace, plan)
    ]
