# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The two ends of a plan: closed, it stays as a record and can be opened again; removed, its migrations go with it.

Either way what its migrations have left on the clusters besides their records goes, and nothing that they have moved;
and neither happens while one of them is not finished, unless it may be cancelled for that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..cluster.api import Cluster
from ..resources import migmigration, names, spec_fields
from ..resources.conditions import condition, is_ready
from ..resources.errors import PermanentError, Refused, subject_of
from ..resources.migplan import namespace_mapping
from ..volumes import cleanup
from ..volumes.cleanup import Leftover
from . import gc, plan_reconciler, plan_storage
from .call import Call
from .plan_sides import SIDES

Manifest = dict[str, Any]

GONE_WITHIN = 120
"""Seconds that leftovers may take to go."""


@dataclass(frozen=True)
class Left:
    """What still lies on the clusters, and the sides that nobody could ask: their MigCluster is missing or unready."""

    found: list[Leftover]
    unasked: tuple[str, ...]


def finish(
    this: Call, plan: Manifest, migrations: list[Manifest], *, attempt: str, of_migration: Mapping[str, Any]
) -> None:
    """Every migration of the plan is finished afterwards: with ``force`` those that are not are cancelled (in check
    mode they would be). Raises Refused without, naming the first."""
    metadata = plan["metadata"]
    for migration in migrations:
        if migmigration.finished(migration):
            continue
        name = migration["metadata"]["name"]
        if not this.params.get("force"):
            raise Refused(
                subject=subject_of(names.MIG_PLAN, metadata["name"], metadata["namespace"]),
                attempt=attempt,
                reason=f"MigMigration {metadata['namespace']}/{name} is not finished",
                mend="Let it end, or cancel it, first; force: true cancels it here",
            )
        if not this.check:
            from . import migrate

            ours = {option: this.params[option] for option in of_migration if option in this.params}
            wanted = {"name": name, "plan": metadata["name"], "cancel": True, "state": "present", "force": False}
            wanted["wait_condition"] = None  # it is one of the plan's
            ended = migrate.migrate(dataclasses.replace(this, params={**of_migration, **ours, **wanted}))
            if ended.get("failed"):
                raise PermanentError(
                    subject=subject_of(names.MIG_MIGRATION, name, metadata["namespace"]),
                    attempt="it could not be cancelled well",
                    reason=str(ended.get("msg", "")),
                    mend="Mend that and run the task again",
                )


def left_by(this: Call, control: Cluster, plan: Manifest) -> Left:
    """The scaffolding of the plan's runs in the namespaces of the plan."""
    mapping = namespace_mapping(plan)
    selector = f"{names.RUN_LABEL},{names.MIGRATED_BY_MIGPLAN_LABEL}={plan['metadata'].get('uid', '')}"
    places: list[tuple[Cluster, str, str]] = []
    unasked = []
    for side, spaces in (("source", mapping.keys()), ("destination", mapping.values())):
        cluster = _side(this, control, plan, side)
        if cluster is None:
            unasked.append(side)
        else:
            places += [(cluster, space, kind) for space in spaces for kind in cleanup.KINDS]

    def look(place: tuple[Cluster, str, str]) -> list[Leftover]:
        cluster, space, kind = place
        listed = cluster.list("v1", kind, space, label_selector=selector)
        return [Leftover(cluster=cluster, manifest=manifest) for manifest in listed]

    found = [item for items in control.map(look, places, concurrency=16) for item in items]
    return Left(found, tuple(unasked))


def clear(this: Call, left: Left) -> None:
    """Remove it and wait until it is gone. Raises DeadlineExceeded when it does not go."""
    if left.found:
        cleanup.remove(left.found)
        gc.await_gone(this, left.found, timeout=GONE_WITHIN)


def close(this: Call, control: Cluster, plan: Manifest, *, stored: Manifest | None) -> tuple[Manifest, bool]:
    """The plan, closed, and whether that changed anything. The first write takes Ready away, so that nothing starts
    while what is left is removed; the last one says that it is gone."""
    told = condition(stored, "Closed") if stored is not None else None
    if stored is not None and told is not None:
        same = plan_reconciler.closed(plan, message=str(told.get("message", "")))
        changed = not plan_reconciler.same(stored, same)
        return (same if this.check else plan_reconciler.store(control, same, before=stored)), changed
    left = left_by(this, control, plan)
    message = "The plan is closed; what its migrations had left on the clusters is gone."
    if left.unasked:
        message = f"The plan is closed; nobody looked for leftovers on: {', '.join(left.unasked)}."
    if this.check:
        return plan_reconciler.closed(plan, message=message), True
    unready = plan_reconciler.store(control, plan_reconciler.closed(plan), before=stored)
    clear(this, left)
    return plan_reconciler.store(control, plan_reconciler.closed(unready, message=message), before=unready), True


def remove(this: Call, control: Cluster, plan: Manifest, migrations: list[Manifest]) -> None:
    """Remove what is left, then the migrations with their records, then the plan; where that is asked for, before both
    the repository of its volumes. Raises StoreError."""
    clear(this, left_by(this, control, plan) if migrations else Left([], ()))
    if this.params.get("delete_repository") and plan_storage.has_one(plan):
        from . import volume_repository

        removed = volume_repository.remove(control, plan)
        this.reporter.tell(str(plan["metadata"]["name"]), f"{removed} objects of the volumes' repository are deleted")
    for kind, item in [*((names.MIG_MIGRATION, migration) for migration in migrations), (names.MIG_PLAN, plan)]:
        metadata = item["metadata"]
        control.delete(names.API_VERSION, kind, metadata["name"], metadata["namespace"], uid=metadata["uid"])


def _side(this: Call, control: Cluster, plan: Manifest, side: str) -> Cluster | None:
    given = this.reach.given(side, name=side)
    if given is not None:
        return given
    target = spec_fields.refers_to(plan["spec"].get(SIDES[side]))
    found = control.get(names.API_VERSION, names.MIG_CLUSTER, target[1], target[0]) if target else None
    return this.reach.of_resource(control, found, name=side) if found is not None and is_ready(found) else None
