# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to hold before a rollback copies data back (``rollback_sync``), and before one may do without. Read before
anything is touched: a wish that could not be met would lose data in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..cluster.api import Cluster
from ..resources.errors import Refused
from ..resources.plan_facts import converts_storage
from . import phases_conversion, quiesce
from .moves import moves_of

Record = Mapping[str, Any]
RECEIVING = tuple(
    (verb, resource) for resource in ("pods", "services", "secrets", "configmaps") for verb in ("create", "delete")
)
"""What a cluster is asked to do that receives volumes."""
BEGAN, DONE = "copy_back_began", "copied_back"
WITHOUT = "Roll back without rollback_sync"


def took_over(record: Record) -> bool:
    """Whether the application may have written to the destination's volumes since they were proven: it has run there,
    or a state migration has left it to others to start it there."""
    return record.get("runs_on") == "destination" or "stays_stopped" in record or phases_conversion.taken_over(record)


def refuse_idle(record: Record, *, subject: str) -> None:
    """Raises Refused when the run that is undone has handed nothing over: the source's own data is the newer one."""
    if took_over(record):
        return
    reason = "it has not handed the application over, so what counts is what the source holds"
    if not record:
        reason = "nobody knows whether it has handed the application over, for its record is not there"
    raise Refused(subject=subject, attempt="nothing is copied back (rollback_sync)", reason=reason, mend=WITHOUT)


def refuse_other_wish(own: Record, *, asked: bool, subject: str) -> None:
    """Raises Refused when an unfinished rollback goes on that does not copy back, and this call asks for it."""
    if not asked or not own or own["intent"].get("rollback_sync"):
        return
    mend = "Cancel it (cancel: true), then roll back with rollback_sync: true"
    if "removed" in own:
        mend = "Leave rollback_sync out: what the destination's volumes held is being removed"
    raise Refused(
        subject=subject,
        attempt="nothing is copied back (rollback_sync)",
        reason="this rollback began without it and is not finished",
        mend=mend,
    )


def refuse_parted(tried: Sequence[tuple[str, Record]], *, undone: str) -> None:
    """Raises Refused when an earlier rollback, of these with their records, has begun to copy back and did not come to
    the end of it: the source must not start on what its volumes hold now."""
    for subject, record in tried:
        if BEGAN in record and DONE not in record:
            raise Refused(
                subject=undone,
                attempt="it is not rolled back without rollback_sync",
                reason=(
                    f"{subject} has begun to copy back and did not finish, so the source's volumes hold neither what "
                    "they held nor all that came since"
                ),
                mend=(
                    "Say rollback_sync: true, which goes on with it; where the data is of no matter, remove that "
                    "rollback with state: absent first"
                ),
            )
        if DONE in record:
            return


def refuse_unfit(source: Cluster, plan: Mapping[str, Any], *, subject: str) -> None:
    """Raises Refused for volumes that go through a repository, and while pods use those of the source."""
    if plan["spec"].get("indirectVolumeMigration"):
        raise Refused(
            subject=subject,
            attempt="nothing is copied back (rollback_sync)",
            reason="its volumes go through a replication repository, one way only",
            mend=f"{WITHOUT}, or copy the data back by other means first",
        )
    # Where claims are swapped in place the rollback itself stops whatever uses them.
    if not converts_storage(plan):
        claims = [(move.source_namespace, move.source_claim) for move in moves_of(plan)]
        refuse_users(source, claims, whose="source", subject=subject)


def refuse_powerless(source: Cluster, namespaces: Iterable[str]) -> None:
    """Raises Refused when the connection to the source may not make, or take away, what receives volumes there."""
    lacking = [
        f"{verb} {resource} in {namespace}"
        for namespace in namespaces
        for verb, resource in RECEIVING
        if not source.allowed(verb, "", resource, namespace=namespace)
    ]
    if lacking:
        raise Refused(
            subject=f"Cluster {source.name}",
            attempt="what copies data back to it cannot be made or removed there",
            reason=f"the connection may not {', '.join(lacking)}",
            mend="Give a connection with these rights in option source, or adopt the cluster with rights: destination",
        )


def refuse_users(cluster: Cluster, claims: Sequence[tuple[str, str]], *, whose: str, subject: str) -> None:
    """Raises Refused while pods could write to these (namespace, claim)."""
    if used := quiesce.writers(cluster, claims):
        raise Refused(
            subject=subject,
            attempt=f"the volumes of the {whose} are in use, so nothing is copied back",
            reason=", ".join(str(writer) for writer in used),
            mend="Stop these pods and run the task again",
        )
