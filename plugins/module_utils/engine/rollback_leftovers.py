# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a rollback of MTC's has left on the destination.

MTC deletes what carries its own label, and that label is given by its plugin for Velero. Where the plugin is missing,
or did not handle a kind, a rollback ends as a success while the application still stands on the destination. Velero's
own label, on everything that it restored, tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..cluster.api import Cluster
from ..objects.collect import movable_types
from ..resources.accepted import LEFT
from ..resources.errors import MtcError, subject_of
from ..resources.migplan import namespace_mapping
from ..resources.run_verdict import Finding
from .call import Call

RESTORE_LABEL = "velero.io/restore-name"
LONGEST = 55
"""To how much MTC cuts a migration's name and the restore's type together."""
TOLD = 10
"""How many objects are named."""


def findings(
    this: Call, control: Cluster, plan: Mapping[str, Any], migrations: Iterable[Mapping[str, Any]]
) -> list[Finding]:
    """What is left of the plan's runs; a destination that cannot be asked is told, and fails nothing."""
    prefixes = restores_of([str(item["metadata"]["name"]) for item in migrations])
    try:
        destination = this.reach.side(control, plan, side="destination")
        namespaces = list(namespace_mapping(plan).values())
        left = sorted(
            subject_of(item["kind"], item["metadata"]["name"], namespace)
            for _kind, namespace, item in destination.list_types(
                movable_types(destination), namespaces, label_selector=RESTORE_LABEL
            )
            if str(item["metadata"]["labels"][RESTORE_LABEL]).startswith(prefixes)
        )
    except MtcError as error:
        return [Finding(name=LEFT, message=f"the destination could not be looked at: {error.message}", fatal=False)]
    if not left:
        return []
    more = f" and {len(left) - TOLD} more" if len(left) > TOLD else ""
    return [Finding(name=LEFT, message=f"still on the destination: {', '.join(left[:TOLD])}{more}")]


def restores_of(migrations: Sequence[str]) -> tuple[str, ...]:
    """How the names of Velero's restores begin that MTC makes for these migrations."""
    return tuple(f"{name[: LONGEST - len(kind)]}-{kind}-" for name in migrations for kind in ("final", "stage"))
