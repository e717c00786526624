# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A rollback that takes the data along (``rollback_sync``): the stopped destination's volumes are copied into those of
the stopped source and proven equal, before anything is removed.

The same transfer as everywhere, with its sides exchanged. It is the only thing that ever writes to the source's
volumes, so nobody may use them meanwhile.
"""

from __future__ import annotations

import dataclasses

from ..volumes.model import VolumeMove
from ..volumes.transfer import Transfer
from . import copy_back_checks
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
    """Once, and never into a source that has handed nothing over; that is refused before a rollback begins."""
    return bool(context.record.data.get("took_over")) and copy_back_checks.DONE not in context.record.data


def _refuse_users(context: Context) -> None:
    """Nobody may use the volumes of either side, from before the first byte until the verdicts."""
    subject = context.migration.subject
    copied = [(move.target_namespace, move.target_claim) for move in context.moves]
    copy_back_checks.refuse_users(context.source, context.claims, whose="source", subject=subject)
    copy_back_checks.refuse_users(context.destination, copied, whose="destination", subject=subject)


def copy_back(context: Context) -> str | None:
    """CreateDirectVolumeMigrationRollback."""
    if not _wanted(context):
        return None
    _refuse_users(context)
    if not context.memory.get("looked_and_gone"):
        if waiting := context.transfer.remove(wait=True):
            return waiting
        context.memory["looked_and_gone"] = True
    transfer = _transfer(context)
    if waiting := transfer.ensure():
        return waiting
    if copy_back_checks.BEGAN not in context.record.data:
        context.record.data[copy_back_checks.BEGAN] = True
        context.record.save()
    return transfer.run_pass(BACK, final=True)


def prove(context: Context) -> str | None:
    """WaitForDirectVolumeMigrationToRollbackComplete."""
    if _wanted(context):
        transfer = _transfer(context)
        if waiting := transfer.ensure() or transfer.run_pass(BACK, final=True) or transfer.verify(BACK):
            return waiting
        verdicts, results = transfer.verdicts(), transfer.results(BACK)
        if bad := [verdict for verdict in verdicts if not verdict.ok]:
            raise failure_of(bad, mend="Nothing was removed. Look why these files differ, then roll back again")
        _refuse_users(context)
        context.record.data[copy_back_checks.DONE] = [
            verdict_row(verdict, results.get(verdict.move)) for verdict in verdicts
        ]
        context.record.save()
        context.tell(f"{len(verdicts)} volumes were copied back to the source and are equal")
    return context.transfer.remove(wait=True)
