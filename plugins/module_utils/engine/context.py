# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a phase function is given: the clusters, the plan, the frozen intent, the record, and how to tell and to wait.

A phase function takes the context and returns None when it is done or a text that says what it waits for, and is then
called again. It raises for what will not get better. It may be called again after any crash, so it looks before it
creates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..cluster.api import Cluster
from ..resources import names
from ..resources.errors import DeadlineExceeded
from ..volumes.model import RunIdentity, VolumeMove
from ..volumes.transfer import Transfer
from .clock import elapsed_clock, wall_seconds
from .guard import Guard
from .intent import Intent
from .itineraries import begins_with
from .itinerary import Itinerary
from .migration_resource import MigrationResource
from .moves import moves_of
from .record import Record
from .reporter import Reporter

SCAFFOLDING_DEADLINE = 24 * 3600
"""Seconds after which the pods of a run that nobody goes on with end by themselves."""


@dataclass(kw_only=True)
class Context:
    """One run in one process."""

    control: Cluster
    source: Cluster
    destination: Cluster
    plan: dict[str, Any]
    migration: MigrationResource
    intent: Intent
    record: Record
    guard: Guard
    reporter: Reporter
    namespaces: Mapping[str, str]
    """Source namespace to destination namespace."""
    generation: int
    """The lease's; what an older one asks for is refused."""
    make_transfer: Callable[[Context], Transfer]
    phase_began: float = field(default_factory=elapsed_clock)
    memory: dict[str, Any] = field(default_factory=dict)
    """What this process has worked out and may work out again: never the only copy of anything."""
    _transfer: Transfer | None = None

    @property
    def transfer(self) -> Transfer:
        if self._transfer is None:
            self._transfer = self.make_transfer(self)
        return self._transfer

    @property
    def moves(self) -> tuple[VolumeMove, ...]:
        """The volumes that are copied directly, as the plan says now."""
        return moves_of(self.plan, excludes=self.intent.excludes)

    @property
    def plan_uid(self) -> str:
        return str(self.plan["metadata"]["uid"])

    @property
    def source_namespaces(self) -> list[str]:
        return list(self.namespaces)

    @property
    def destination_namespaces(self) -> list[str]:
        return list(dict.fromkeys(self.namespaces.values()))

    @property
    def origins(self) -> dict[str, str]:
        """Destination namespace to the source namespace that it is made like: the first that is mapped to it."""
        return {destination: source for source, destination in reversed(list(self.namespaces.items()))}

    @property
    def claims(self) -> list[tuple[str, str]]:
        """(namespace, claim) of the volumes that are copied, on the source."""
        return [(move.source_namespace, move.source_claim) for move in self.moves]

    @property
    def itinerary(self) -> Itinerary:
        """With which the run begins: what it is for."""
        return begins_with(self.migration.manifest)

    @property
    def keeps_volumes(self) -> bool:
        """Whether a run that ends early leaves the destination's volumes to the next one: once something was copied
        into them. Without a pre-copy that begins when the application has stopped."""
        data = self.record.data
        return bool(self.moves) and ("stopped_at" in data or bool(data.get("copy_began")))

    def identity(self) -> RunIdentity:
        """How the volumes' scaffolding names this run."""
        return RunIdentity(
            migration=self.migration.name,
            uid=self.migration.uid,
            plan_uid=self.plan_uid,
            namespace=self.migration.namespace,
            generation=self.generation,
            deadline_seconds=SCAFFOLDING_DEADLINE,
            direct_volume_migration_uid=self.record.data.get("direct_volume_migration_uid", ""),
        )

    def ownership_labels(self) -> dict[str, str]:
        """On everything that this run creates on the destination for good."""
        return self.identity().ownership_labels

    def is_ours(self, found: Mapping[str, Any]) -> bool:
        """Whether a run of this plan has made the object."""
        labels = found["metadata"].get("labels") or {}
        return bool(labels.get(names.MIGRATED_BY_MIGPLAN_LABEL) == self.plan_uid)

    def is_of_this_run(self, found: Mapping[str, Any]) -> bool:
        """Whether this run has made the object."""
        labels = found["metadata"].get("labels") or {}
        return bool(labels.get(names.MIGRATED_BY_MIGMIGRATION_LABEL) == self.migration.uid)

    def accept(self, name: str, what: str) -> None:
        """Go on in spite of something that would fail the run, because the user has accepted it by name: told, kept
        in the record, and a warning on the resource, so that the run ends ``SucceededWithWarnings``."""
        entry = {"name": name, "what": what}
        accepted = self.record.data.setdefault("accepted", [])
        if entry not in accepted:
            accepted.append(entry)
            self.tell(f"accepted {name}: {what}")
        self.migration.warn(name, what)

    def warn(self, what: str) -> None:
        """Said now and once more, as a warning of the module, when the call ends."""
        self.memory.setdefault("warnings", []).append(what)
        self.tell(f"warning: {what}")

    def tell(self, fact: str) -> None:
        self.reporter.tell(self.migration.name, fact)

    def must_end_within(self, seconds: float, *, waiting_for: str, mend: str) -> None:
        """Raises DeadlineExceeded once the current phase has taken longer than that in this process."""
        if elapsed_clock() - self.phase_began > seconds:
            raise DeadlineExceeded(
                subject=self.migration.subject,
                attempt=f"phase {self.migration.phase or 'Created'} did not end within {seconds:.0f} s",
                reason=waiting_for,
                mend=mend,
            )

    # -- downtime ----------------------------------------------------------------------------------------------------

    @property
    def application_is_down(self) -> bool:
        """From the moment before the first workload is stopped until one side is known to run again."""
        return "stopped_at" in self.record.data and "running_at" not in self.record.data

    def application_stops(self) -> None:
        """Recorded before the first workload is touched, so that no crash can hide a downtime."""
        if "stopped_at" not in self.record.data:
            self.record.data["stopped_at"] = wall_seconds()
            self.record.save()

    def application_runs(self, where: str) -> None:
        """The destination (or, after a failure, the source) runs; ends the downtime once."""
        if self.application_is_down:
            self.record.data["running_at"] = wall_seconds()
            self.record.data["runs_on"] = where
            self.record.data.pop("stays_stopped", None)
            self.record.data["downtime_seconds"] = round(
                self.record.data["running_at"] - self.record.data["stopped_at"], 2
            )
            self.record.save()
            self.tell(f"the application runs on the {where}; downtime {self.record.data['downtime_seconds']} s")

    def downtime_so_far(self) -> float:
        """Seconds of the downtime that is going on; 0.0 when there is none."""
        return wall_seconds() - float(self.record.data["stopped_at"]) if self.application_is_down else 0.0
