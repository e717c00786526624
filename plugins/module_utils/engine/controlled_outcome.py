# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a run of MTC's ended, as the result of the module: what MTC calls it, what it left behind, and our verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..cluster.api import Cluster
from ..resources import migmigration, migration_course, names, run_verdict
from ..resources.accepted import VOLUMES
from ..resources.condition_names import MigrationCondition
from ..resources.conditions import by_type, condition
from ..resources.errors import MtcError, PermanentError, Refused, subject_of
from ..resources.run_verdict import Finding
from . import info_migration, rollback_leftovers
from .call import Call
from .clock import elapsed_clock
from .following import QUIESCE, Followed
from .info_migration import Belongings
from .itinerary import FINAL
from .plan_runs import migrations_of

Manifest = dict[str, Any]


def told(
    this: Call,
    control: Cluster,
    followed: Followed,
    *,
    changed: bool,
    started: float,
    plan: Manifest | None = None,
    judge: bool = True,
) -> dict[str, Any]:
    """The module's result. With ``judge`` a run that ended is judged: ``failed`` and ``msg`` say what is wrong.
    ``plan`` as the run began with it, if it is known."""
    migration = followed.migration
    belongings = info_migration.belongings(this, control, [migration])
    status = migration.get("status") or {}
    details = info_migration.details(migration, belongings)
    result: dict[str, Any] = {
        **details,
        "changed": changed,
        "resource": migration,
        "conditions": by_type(migration),
        "engine": this.engine,
        "phase": str(status.get("phase") or ""),
        "itinerary": str(status.get("itinerary") or ""),
        "pipeline": status.get("pipeline") or [],
        "errors": status.get("errors") or [],
        "waiting_for": None if followed.ended else followed.standing.fact,
        "duration": round(elapsed_clock() - started, 2),
    }
    if not (judge and followed.ended):
        return result
    if error := _ended_badly(followed):
        return {**result, **error.as_result(), "failed": True, "failed_phase": _failed_phase(migration)}
    found = _findings(followed, belongings, details["volumes"], plan=plan)
    if changed and plan is not None and migmigration.is_rollback(migration):
        found += rollback_leftovers.findings(
            this, control, plan, migrations_of(control, this.namespace, plan["metadata"]["name"])
        )
    entries = this.params.get("accept_warnings") or ()
    wanting = [item for item in found if item.fatal and not run_verdict.accepted(item, entries)]
    excused = [item for item in found if item.fatal and item not in wanting]
    harmless = [item for item in found if not item.fatal]
    result |= {
        "findings": [item.as_row() for item in wanting],
        "accepted": [item.as_row() for item in excused],
        "warnings_to_show": [f"{item.name}: {item.message}" for item in (*excused, *harmless)],
    }
    if wanting:
        return {**result, **_wanting(migration, wanting).as_result(), "failed": True, "failed_phase": None}
    return result


def _ended_badly(followed: Followed) -> MtcError | None:
    migration = followed.migration
    subject = _subject(migration)
    if migmigration.canceled(migration):
        return Refused(
            subject=subject,
            attempt="it was canceled",
            reason=followed.canceled_for or "somebody asked for it",
            mend="Run the task again to start a new migration",
        )
    if migmigration.failed(migration):
        phase = _failed_phase(migration)
        return PermanentError(
            subject=subject,
            attempt=f"it failed in phase {phase}" if phase else "it failed",
            reason=migration_course.first_error(migration),
            mend=_after_failure(migration, phase),
        )
    return None


def _failed_phase(migration: Mapping[str, Any]) -> str:
    return str((condition(migration, MigrationCondition.FAILED) or {}).get("reason") or "")


def _after_failure(migration: Mapping[str, Any], phase: str) -> str:
    """What is left to do: MTC neither cleans up after a failure nor starts the source again (D5)."""
    quiesced = migmigration.is_final(migration) and migration["spec"].get("quiescePods")
    if quiesced and FINAL.index(phase.removesuffix("Failed")) >= FINAL.index(QUIESCE):
        return "MTC has left the application stopped: rollback: true starts it again, then mend the cause"
    return "Mend the cause and run the task again: it starts a new migration"


def _findings(
    followed: Followed, belongings: Belongings, rows: Sequence[Mapping[str, Any]], *, plan: Manifest | None
) -> list[Finding]:
    migration = followed.migration
    if migmigration.is_rollback(migration):
        return run_verdict.findings(migration, plan=None)
    uid = str(migration["metadata"]["uid"])
    direct = _labelled(belongings, names.DIRECT_VOLUME_MIGRATION, names.MIGMIGRATION_LABEL, {uid})
    progress = _labelled(
        belongings,
        names.DIRECT_VOLUME_MIGRATION_PROGRESS,
        names.DIRECT_VOLUME_MIGRATION_LABEL,
        {str(item["metadata"]["uid"]) for item in direct},
    )
    stopping = migmigration.is_final(migration) and bool(migration["spec"].get("quiescePods"))
    copied = [(str(row["namespace"]), str(row["claim"])) for row in rows if row["state"] == run_verdict.COPIED]
    return run_verdict.findings(
        migration,
        plan=plan,
        volumes=rows,
        direct_volumes=direct,
        direct_images=_labelled(belongings, names.DIRECT_IMAGE_MIGRATION, names.MIGMIGRATION_LABEL, {uid}),
        velero=[row for row in belongings.velero if row["migration_uid"] == uid],
        early=run_verdict.copied_early(progress, copied, _quiesced(followed)) if stopping else (),
    )


def _quiesced(followed: Followed) -> str | None:
    """When the application had stopped: as it was seen, else the latest moment that it can have been, which is when MTC
    began to wait for the copies."""
    steps = (followed.migration.get("status") or {}).get("pipeline") or []
    waiting: Mapping[str, Any] = next((step for step in steps if step.get("name") == "DirectVolume"), {})
    return followed.quiesced or waiting.get("started")


def _labelled(belongings: Belongings, kind: str, label: str, values: set[str]) -> list[Manifest]:
    return [item for item in belongings.direct[kind] if (item["metadata"].get("labels") or {}).get(label) in values]


def _wanting(migration: Mapping[str, Any], findings: Sequence[Finding]) -> MtcError:
    """One sentence for all of it. Where objects were restored over data that is not there, that comes first."""
    lost = [claim for item in findings if item.name == VOLUMES for claim in item.volumes]
    if migmigration.is_rollback(migration):
        return PermanentError(
            subject=_subject(migration),
            attempt="MTC calls the rollback a success, but not everything was undone",
            reason="; ".join(item.message.rstrip(".") for item in findings),
            mend="Remove what is named from the destination before the application is migrated again",
        )
    accept = "or name what may be missing in accept_warnings"
    reasons = "; ".join(item.message.rstrip(".") for item in findings)
    if lost and migmigration.is_final(migration):
        return PermanentError(
            subject=_subject(migration),
            attempt=(
                f"MTC calls it a success, but the application was restored and started on the destination without the "
                f"data of {', '.join(lost)}"
            ),
            reason=reasons,
            mend=(
                "Stop it there before anybody writes to it, undo the migration with rollback: true, mend the cause and "
                f"migrate again, {accept}"
            ),
        )
    return PermanentError(
        subject=_subject(migration),
        attempt="MTC calls it a success, but not everything arrived as it should",
        reason=reasons,
        mend=f"Look at what is named, undo the migration with rollback: true where it matters, {accept}",
    )


def _subject(migration: Mapping[str, Any]) -> str:
    return subject_of(names.MIG_MIGRATION, migration["metadata"]["name"], migration["metadata"]["namespace"])
