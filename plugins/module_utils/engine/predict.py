# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check mode of a whole migration: what would be created, copied, stopped and refused, in an order that does not
depend on chance.

Made by the same functions that carry the run out, from the same reads; nothing is written and no pod is started, so
what only a pod can show (that the mover image can be pulled, that the network lets it through) is named as not checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..objects import apply, predict
from ..resources import names, quantity
from ..resources.digest import observed_digest
from ..resources.errors import MtcError
from ..volumes import sizing
from . import quiesce
from .flags import flags_of
from .intent import Intent
from .itineraries import STAGE
from .itinerary import FINAL
from .preflight import Acceptance, Situation

NOT_CHECKED = (
    "whether the mover image can be pulled on both clusters",
    "whether the source's pods reach the destination's endpoint",
    "whether the movers may read every file",
)


def prediction(
    situation: Situation,
    *,
    plan: dict[str, Any],
    name: str,
    intent: Intent,
    blocking: Sequence[MtcError],
    accepted: Sequence[Acceptance],
) -> dict[str, Any]:
    """The module's result in check mode. ``diff`` shows it as text, ``digest`` changes when anything in it does."""
    used = sizing.usage(situation.source, [(move.source_namespace, move.source_claim) for move in situation.moves])
    read = situation.read
    findings = apply.preview(situation.destination, read.objects, migplan_uid=situation.plan_uid)
    objects = predict.predict(read.transformed, findings)
    volumes = [
        {
            "source": f"{move.source_namespace}/{move.source_claim}",
            "target": f"{move.target_namespace}/{move.target_claim}",
            "storage_class": move.storage_class,
            "size": quantity.to_text(move.size),
            "used_bytes": getattr(used.get((move.source_namespace, move.source_claim)), "used", None),
            "method": "rsync",
            "excludes": list(move.excludes),
        }
        for move in situation.moves
    ]
    flags = flags_of(plan, quiesce=intent.quiesce_pods, verify=intent.verify)
    phases = [row.name for row in (STAGE if situation.stage else FINAL).phases if row.name and row.included(flags)]
    stops = _stops(situation) if intent.quiesce_pods else []
    managed = quiesce.managed(situation.source, list(situation.namespaces)) if intent.quiesce_pods else []
    warnings = [str(item) for item in managed]
    told: dict[str, Any] = {
        "namespaces": dict(sorted(situation.namespaces.items())),
        "volumes": sorted(volumes, key=lambda row: str(row["source"])),
        "objects": objects,
        "stays": sorted(str(left) for left in read.left),
        "stops": stops,
        "warnings": warnings,
        "phases": phases,
        "blocking": [error.message for error in blocking],
        "accepted": [str(item) for item in accepted],
        "not_checked": list(NOT_CHECKED) if situation.moves else [],
    }
    text = "\n".join(_lines(told))
    return {
        "changed": True,
        "resource": {
            "apiVersion": names.API_VERSION,
            "kind": names.MIG_MIGRATION,
            "metadata": {"name": name, "namespace": plan["metadata"]["namespace"]},
        },
        "conditions": {},
        "prediction": told,
        "digest": observed_digest(told),
        "diff": {"before": "", "after": text + "\n"},
        **({"failed": True, "msg": " ".join(told["blocking"])} if blocking else {}),
    }


def _stops(situation: Situation) -> list[str]:
    """The workloads that quiescing would stop."""
    found: list[str] = []
    for row in quiesce.WORKLOADS:
        for namespace in situation.namespaces:
            found += [
                f"{row.kind} {namespace}/{obj['metadata']['name']}"
                for obj in quiesce.listed(situation.source, row, namespace)
                if row.stop(obj) is not None
            ]
    return sorted(found)


def _lines(told: dict[str, Any]) -> list[str]:
    lines = [f"namespace {source} -> {target}" for source, target in told["namespaces"].items()]
    for row in told["volumes"]:
        used = "unknown" if row["used_bytes"] is None else f"{row['used_bytes']} bytes"
        lines.append(
            f"volume {row['source']} -> {row['target']}, class {row['storage_class']}, "
            f"{row['size']}, in use {used}, by {row['method']}"
        )
        lines += [f"    exclude {pattern}" for pattern in row["excludes"]]
    lines += [f"stop {workload}" for workload in told["stops"]]
    for row in told["objects"]:
        lines.append(f"{row['action']} {row['reference']} (from {row['source']})")
        lines += [f"    {line}" for line in row["patch"]]
        lines += [f"    note: {note}" for note in row["notes"]]
    lines += [f"stays: {what}" for what in told["stays"]]
    lines += [f"warning: {text}" for text in told["warnings"]]
    lines += [f"blocked: {reason}" for reason in told["blocking"]]
    lines += [f"accepted: {what}" for what in told["accepted"]]
    lines += [f"not checked: {what}" for what in told["not_checked"]]
    return lines
