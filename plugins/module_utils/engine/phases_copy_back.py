# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A rollback that takes the data along (``rollback_sync``): the stopped destination's volumes are copied into those of
the stopped source and proven equal, before anything is removed.

The same transfer as everywhere, with its sides exchanged. It is the only thing that ever writes to the source's
volumes, so nobody may use them meanwhile.
"""

from __future__ import annotations

import dataclasses

from ..resources.errors import Refused
from ..volumes.model import VolumeMove
from ..volumes.transfer import Transfer
from . import quiesce
from .context import Context
from .phases_volumes import failure_of, verdict_row

BACK = "back"


def _backwards(move: VolumeMove) -> VolumeMove:
    return dataclasses.replace(
        move,
        source_namespace=move.target_namespace,
        source_claim=move.target_claim,
        target_namespace=move.source_namespace,
        target_claim=move.source_claim,
        storage_class=None,
    )


def _transfer(context: Context) -> Transfer:
    found = context.memory.get("transfer_back")
    if isinstance(found, Transfer):
        return found
    # The address that was given is the destination's; of the source's nodes one is found.
    options = dataclasses.replace(context.intent.transfer_options(), endpoint_address=None)
    made = Transfer(
        source=context.destination,
        destination=context.source,
        moves=[_backwards(move) for move in context.moves],
        identity=context.identity(),
        options=options,
        report=context.tell,
    )
    context.memory["transfer_back"] = made
    return made


def _wanted(context: Context) -> bool:
    """Only an application that has run on the destination has written there."""
    return bool(context.record.data.get("took_over")) and "copied_back" not in context.record.data


def copy_back(context: Context) -> str | None:
    """CreateDirectVolumeMigrationRollback."""
    if not _wanted(context):
        return None
    if used := quiesce.writers(context.source, context.claims):
        raise Refused(
            subject=context.migration.subject,
            attempt="the volumes of the source are in use, so nothing is copied back into them",
            reason=", ".join(str(writer) for writer in used),
            mend="Stop these pods and run the task again, or roll back without rollback_sync",
        )
    if not context.memory.get("looked_and_gone"):
        if waiting := context.transfer.remove(wait=True):
            return waiting
        context.memory["looked_and_gone"] = True
    transfer = _transfer(context)
    return transfer.ensure() or transfer.run_pass(BACK, final=True)


def prove(context: Context) -> str | None:
    """WaitForDirectVolumeMigrationToRollbackComplete."""
    if _wanted(context):
        transfer = _transfer(context)
        if waiting := transfer.ensure() or transfer.run_pass(BACK, final=True) or transfer.verify(BACK):
            return waiting
        verdicts, results = transfer.verdicts(), transfer.results(BACK)
        if bad := [verdict for verdict in verdicts if not verdict.ok]:
            raise failure_of(bad, mend="Nothing was removed. Look why these files differ, then roll back again")
        context.record.data["copied_back"] = [verdict_row(verdict, results.get(verdict.move)) for verdict in verdicts]
        context.record.save()
        context.tell(f"{len(verdicts)} volumes were copied back to the source and are equal")
    return context.transfer.remove(wait=True)
