# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a phase of a DirectVolumeMigration that stands alone is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..cluster.api import Cluster
from ..resources import directvolume, names
from ..resources.errors import DeadlineExceeded
from ..volumes.model import RunIdentity, VolumeMove
from ..volumes.transfer import Transfer
from .clock import elapsed_clock
from .context import SCAFFOLDING_DEADLINE
from .direct_options import USE, DirectOptions
from .direct_resource import DirectResource
from .guard import Guard
from .record import Record
from .reporter import Reporter


@dataclass(kw_only=True)
class DirectContext:
    """One run in one process."""

    control: Cluster
    source: Cluster
    destination: Cluster
    direct: DirectResource
    options: DirectOptions
    record: Record
    guard: Guard
    reporter: Reporter
    moves: tuple[VolumeMove, ...]
    generation: int
    phase_began: float = field(default_factory=elapsed_clock)
    memory: dict[str, Any] = field(default_factory=dict)
    """What this process has worked out and may work out again: never the only copy of anything."""
    _transfer: Transfer | None = None

    @property
    def transfer(self) -> Transfer:
        if self._transfer is None:
            self._transfer = Transfer(
                source=self.source,
                destination=self.destination,
                moves=self.moves,
                identity=self.identity(),
                options=self.options.transfer(attempts=directvolume.attempts_of(self.direct.spec)),
                report=self.tell,
            )
        return self._transfer

    @property
    def origins(self) -> dict[str, str]:
        """Destination namespace to the source namespace that it is made like: that of its first claim."""
        return {move.target_namespace: move.source_namespace for move in reversed(self.moves)}

    @property
    def is_stage(self) -> bool:
        """Whether the source is expected to be in use."""
        return self.direct.spec.get("migrationType") == directvolume.STAGE

    @property
    def pass_name(self) -> str:
        """Of this attempt; an earlier attempt's result never stands for it."""
        return f"copy{self.record.data['attempt']}"

    def identity(self) -> RunIdentity:
        return RunIdentity(
            kind=names.DIRECT_VOLUME_MIGRATION,
            migration=self.direct.name,
            uid=self.direct.uid,
            plan_uid="",
            namespace=self.direct.namespace,
            generation=self.generation,
            deadline_seconds=SCAFFOLDING_DEADLINE,
        )

    def ownership_labels(self) -> dict[str, str]:
        return self.identity().ownership_labels

    def is_ours(self, found: Mapping[str, Any]) -> bool:
        """Whether a claim may be copied into."""
        return self.options.existing_claims == USE or self.is_of_this_run(found)

    def is_of_this_run(self, found: Mapping[str, Any]) -> bool:
        labels = found["metadata"].get("labels") or {}
        return bool(labels.get(names.MIGRATED_BY_DIRECT_VOLUME_MIGRATION_LABEL) == self.direct.uid)

    def tell(self, fact: str) -> None:
        self.reporter.tell(self.direct.name, fact)

    def must_end_within(self, seconds: float, *, waiting_for: str, mend: str) -> None:
        """Raises DeadlineExceeded once the current phase has taken longer than that in this process."""
        if elapsed_clock() - self.phase_began > seconds:
            raise DeadlineExceeded(
                subject=self.direct.subject,
                attempt=f"phase {self.direct.phase} did not end within {seconds:.0f} s",
                reason=waiting_for,
                mend=mend,
            )
