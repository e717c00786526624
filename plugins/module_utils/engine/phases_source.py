# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Phases that read and stop the source: the inventory of its objects, quiescing, and the proof that no writer is
left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..cluster.api import Cluster
from ..objects import apply, collect, inventory
from ..objects.context import TransformContext
from ..objects.transforms import Transformed, transform
from ..volumes.model import VolumeMove
from . import preflight, quiesce
from .context import Context


def objects_to_send(
    source: Cluster,
    *,
    plan: Mapping[str, Any],
    namespaces: Mapping[str, str],
    moves: Sequence[VolumeMove],
    plan_uid: str,
    migration_uid: str,
) -> list[Transformed]:
    """The source's objects as they will be sent; left-out ones have no object, but notes.

    The same before and after quiescing, so that digests can be compared.
    """
    spec = plan["spec"]
    found = collect.collect(
        source,
        namespaces=list(namespaces),
        label_selector=_selector(spec.get("labelSelector")),
        included=spec.get("includedResources"),
        excluded=tuple((plan.get("status") or {}).get("excludedResources") or ()),
    )
    settings = TransformContext(
        namespace_mapping=dict(namespaces),
        claim_mapping={(move.source_namespace, move.source_claim): move.target_claim for move in moves},
        migplan_uid=plan_uid,
        migmigration_uid=migration_uid,
    )
    return [transform(obj, settings) for obj in found]


def read_objects(context: Context) -> list[Transformed]:
    """What this run would send now."""
    return objects_to_send(
        context.source,
        plan=context.plan,
        namespaces=context.namespaces,
        moves=context.moves,
        plan_uid=context.plan_uid,
        migration_uid=context.migration.uid,
    )


def _selector(selector: dict[str, Any] | None) -> str | None:
    """A LabelSelector as the text that a list request takes; None selects everything."""
    if not selector:
        return None
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    operators = {"In": "in", "NotIn": "notin"}
    for row in selector.get("matchExpressions") or ():
        key, operator = row["key"], row["operator"]
        if operator in operators:
            parts.append(f"{key} {operators[operator]} ({','.join(row.get('values') or ())})")
        else:
            parts.append(key if operator == "Exists" else f"!{key}")
    return ",".join(parts) or None


def _sendable(read: list[Transformed]) -> list[dict[str, Any]]:
    return [item.object for item in read if item.object is not None]


def take_inventory(context: Context) -> None:
    """EnsureInitialBackup: what would be sent now, by reference and digest, is frozen in the record. Taken once."""
    if context.record.data.get("inventory"):
        return
    objects = _sendable(read_objects(context))
    context.memory["objects"] = objects
    entries = {inventory.reference(obj): inventory.digest(obj) for obj in objects}
    context.record.save_parts(inventory.encode(entries))
    context.record.data["inventory"] = {"objects": len(entries)}
    context.record.save()
    context.tell(f"{len(entries)} objects will be moved")


def check_destination(context: Context) -> None:
    """InitialBackupCreated: nothing foreign stands where an object has to go (unless the user chose otherwise)."""
    objects = context.memory.get("objects") or _sendable(read_objects(context))
    refuse_foreign(context, objects)


def refuse_foreign(context: Context, objects: list[dict[str, Any]]) -> None:
    """Raises Refused, naming every object of the destination that is not ours and in the way."""
    if context.intent.existing_objects != "fail":
        return
    found = apply.preview(context.destination, objects, migplan_uid=context.plan_uid)
    foreign = sorted(finding.reference for finding in found if finding.state == "foreign")
    if foreign:
        raise preflight.foreign_objects(context.migration.subject, foreign)


def quiesce_source(context: Context) -> None:
    """QuiesceSourceApplications: stop every workload of the plan's namespaces; its state before stays in its
    annotations."""
    context.application_stops()
    stopped = quiesce.quiesce(context.source, context.source_namespaces)
    if stopped:
        context.record.data["stopped"] = sorted({*context.record.data.get("stopped", []), *stopped})
        context.record.save()
        context.tell(f"stopped {', '.join(stopped)}")


def prove_quiesced(context: Context) -> str | None:
    """EnsureSrcQuiesced: no pod that mounts a volume of the plan can write any more, or the run fails and names it."""
    left = quiesce.writers(context.source, context.claims)
    if not left:
        context.record.data["quiesced"] = True
        context.record.save()
        return None
    waiting = f"still able to write: {', '.join(str(writer) for writer in left)}"
    context.must_end_within(
        context.intent.quiesce_timeout,
        waiting_for=waiting,
        mend=(
            "Stop these pods (a bare pod has to be deleted, an operator paused) and run the task again, "
            "or raise quiesce_timeout"
        ),
    )
    return waiting
