# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check mode of a whole migration: what would be created, copied, stopped and refused, in an order that does not
depend on chance.

Made by the same functions that carry the run out, from the same reads; nothing is written and no pod is started, so
what only a pod can show (that the mover image can be pulled, that the network lets it through) is named as not checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..objects import apply, definitions, predict
from ..resources import names, quantity
from ..resources.errors import MtcError
from ..resources.migplan import HOOK_PHASES
from ..volumes import sizing
from . import claim_swap, plan_text, quiesce, restarts
from .flags import flags_of
from .intent import Intent
from .itineraries import STAGE
from .itinerary import FINAL, Flag
from .preflight import Acceptance, Situation

NOT_CHECKED = (
    "whether the mover image can be pulled on both clusters",
    "whether the source's pods reach the destination's endpoint",
    "whether the movers may read every file",
)
NOT_CHECKED_INDIRECT = (
    NOT_CHECKED[0],
    "whether the pods of both clusters reach the replication repository",
    NOT_CHECKED[2],
)
HOOKS_NOT_CHECKED = "whether the images of the hooks can be pulled, and what the hooks do"


def foretell(
    situation: Situation,
    *,
    plan: Mapping[str, Any],
    intent: Intent,
    blocking: Sequence[MtcError],
    accepted: Sequence[Acceptance],
) -> dict[str, Any]:
    """All that a run would do now."""
    indirect = bool(plan["spec"].get("indirectVolumeMigration"))
    method = "restic" if indirect else "rsync"
    used = sizing.usage(situation.source, [(move.source_namespace, move.source_claim) for move in situation.moves])
    read = situation.read
    findings = apply.preview(situation.destination, read.objects, migplan_uid=situation.plan_uid)
    volumes = [
        {
            "source": f"{move.source_namespace}/{move.source_claim}",
            "target": f"{move.target_namespace}/{move.target_claim}",
            "storage_class": move.storage_class,
            "access_modes": list(move.access_modes),
            "size": quantity.to_text(move.size),
            "used_bytes": getattr(used.get((move.source_namespace, move.source_claim)), "used", None),
            "method": method,
            "excludes": list(move.excludes),
        }
        for move in situation.moves
    ]
    flags = flags_of(plan, quiesce=intent.quiesce_pods, verify=intent.verify, swaps=situation.state)
    itinerary = STAGE if situation.volumes_only else FINAL
    phases = [row.name for row in itinerary.phases if row.name and row.included(flags)]
    managed = restarts.may_start_again(situation.source, list(situation.namespaces)) if intent.quiesce_pods else []
    hooks, passed_over = _hooks(plan), []
    if situation.volumes_only:
        passed_over = [f"hook {row['phase']}: {row['name']} does not run: only volumes are copied" for row in hooks]
        hooks = []
    return {
        "namespaces": dict(sorted(situation.namespaces.items())),
        "options": dict(sorted(intent.to_record().items())),
        "volumes": sorted(volumes, key=lambda row: str(row["source"])),
        "hooks": hooks,
        "objects": predict.predict(read.transformed, findings),
        "stays": sorted(str(left) for left in read.left),
        "stops": _stops(situation) if intent.quiesce_pods else [],
        "repoints": _repoints(situation) if Flag.STORAGE_CONVERSION in flags and intent.quiesce_pods else [],
        "warnings": [*managed, *definitions.untended(read.objects), *passed_over],
        "phases": phases,
        "blocking": [error.message for error in blocking],
        "accepted": [str(item) for item in accepted],
        "not_checked": [
            *((NOT_CHECKED_INDIRECT if indirect else NOT_CHECKED) if situation.moves else ()),
            *([HOOKS_NOT_CHECKED] if hooks else ()),
        ],
    }


def result(told: Mapping[str, Any], *, plan: Mapping[str, Any], name: str, file: str | None) -> dict[str, Any]:
    """The module's result in check mode. ``diff`` shows all of it as text; where a file holds the whole, the objects
    are only counted in the result."""
    whole = {field: value for field, value in told.items() if file is None or field != "objects"}
    return {
        "changed": True,
        "resource": {
            "apiVersion": names.API_VERSION,
            "kind": names.MIG_MIGRATION,
            "metadata": {"name": name, "namespace": plan["metadata"]["namespace"]},
        },
        "conditions": {},
        "prediction": whole,
        "summary": plan_text.summary(told),
        "digest": plan_text.digest_of(told),
        "diff": {"before": "", "after": "\n".join(plan_text.lines(told)) + "\n"},
        **({"plan_file": file} if file else {}),
        **({"failed": True, "msg": " ".join(told["blocking"])} if told["blocking"] else {}),
    }


def _hooks(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The hooks in the order of their phases."""
    rows = [
        {
            "phase": str(hook.get("phase", "")),
            "name": str((hook.get("reference") or {}).get("name", "")),
            "namespace": str(hook.get("executionNamespace", "")),
            "service_account": str(hook.get("serviceAccount", "")),
        }
        for hook in plan["spec"].get("hooks") or ()
    ]
    return sorted(rows, key=lambda row: (HOOK_PHASES.index(row["phase"]) if row["phase"] in HOOK_PHASES else 9, *row))


def _repoints(situation: Situation) -> list[str]:
    """The workloads that a storage conversion points to the new claims."""
    to = claim_swap.pointed(situation.moves, back=False)
    return sorted(claim_swap.reference(obj) for _row, obj in claim_swap.users(situation.destination, to))


def _stops(situation: Situation) -> list[str]:
    """The workloads that quiescing would stop; what a CronJob starts now and then goes with it."""

    def stopped(place: tuple[quiesce.Workload, str]) -> list[str]:
        row, namespace = place
        return [
            f"{row.kind} {namespace}/{obj['metadata']['name']}"
            for obj in quiesce.listed(situation.source, row, namespace)
            if row.stop(obj) is not None
            and not any(owner["kind"] == "CronJob" for owner in obj["metadata"].get("ownerReferences") or ())
        ]

    places = [(row, namespace) for row in quiesce.WORKLOADS for namespace in situation.namespaces]
    return sorted(name for found in situation.source.map(stopped, places) for name in found)
