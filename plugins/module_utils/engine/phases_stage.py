# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The end of a stage run: what the pass has copied is told, the movers go, and an application that was stopped for it
runs again.

A stage run proves nothing by content: what it has copied is compared by the next final run, before the application is
stopped. Upstream leaves an application stopped that a stage run has quiesced; here that would be a downtime without an
end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resources.condition_names import Category, MigrationCondition
from ..volumes.model import PassResult, VolumeMove
from . import direct_volume
from .context import Context
from .phases_destination import remove_scaffolding
from .phases_failure import start_source
from .phases_volumes import PRECOPY, sums

NO_OP = "Nothing was copied: the plan has no volume that is copied."


def begin(context: Context) -> None:
    """Started: a stage run without volumes says so from the start (StageNoOp)."""
    if not context.moves:
        context.migration.conditions.set(MigrationCondition.STAGE_NO_OP, Category.WARN, message=NO_OP, durable=True)


def conclude_pass(context: Context) -> str | None:
    """WaitForDirectVolumeMigrationToComplete: what every volume has received goes into the record."""
    if "volumes" not in context.record.data:
        transfer = context.transfer
        if waiting := transfer.ensure():
            return waiting
        if waiting := transfer.run_pass(PRECOPY, final=False):
            return waiting
        results = transfer.results(PRECOPY)
        context.record.data["volumes"] = [row(move, result) for move, result in results.items()]
        context.record.data["stage_pass"] = sums(results)
        context.record.save()
    direct_volume.conclude(context, failed=False)
    for told in context.record.data["volumes"]:
        move = told["move"]
        context.tell(
            f"PersistentVolumeClaim {move['target_namespace']}/{move['target_claim']}: "
            f"{told['files_moved']} files, {told['bytes_moved']} bytes copied in this pass, of {told['bytes']} bytes"
        )
    context.transfer.remove(wait=False)
    return None


def row(move: VolumeMove, result: PassResult) -> Mapping[str, Any]:
    """What one pass has done to one volume."""
    return {
        "move": move.to_dict(),
        "ok": True,
        "proven": False,
        "files": result.files_total,
        "bytes": result.bytes_total,
        "files_moved": result.files_transferred,
        "bytes_moved": result.bytes_transferred,
        "files_deleted": result.files_deleted,
        "seconds": result.seconds,
        "downgrades": list(result.downgrades),
    }


def end(context: Context) -> str | None:
    """DeleteRegistries: the application first, the scaffolding then."""
    if context.application_is_down and (waiting := start_source(context)):
        return waiting
    return remove_scaffolding(context)
