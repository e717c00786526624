# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may be accepted by name although it would fail a run: where MTC merely warns, a run here fails unless the user
has said beforehand that this is all right.

A name is the type of MTC's warning, or ``namespace/claim`` (either may be a pattern) for a volume whose copy need not
be proven.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from .condition_names import MigrationCondition, PlanCondition, Reason, VolumeCondition
from .errors import Problem

VOLUMES: Final = MigrationCondition.DIRECT_VOLUME_MIGRATION_FAILED
UNHEALTHY: Final = MigrationCondition.UNHEALTHY_NAMESPACES
EARLY: Final = "CopiedBeforeQuiesce"
"""No condition of MTC's: its only copy of a volume began before the application had stopped (D1)."""
LEFT: Final = "RollbackIncomplete"
"""No condition of MTC's: objects that a rolled back run had restored are still on the destination."""
UNSERVED: Final = PlanCondition.GVKS_INCOMPATIBLE
CAPACITY: Final = PlanCondition.CAPACITY_ADJUSTMENT_REQUIRED

BUILTIN: Final = {
    VOLUMES: "a volume was copied and is not equal to its source; the objects are created all the same",
    UNHEALTHY: "the migrated application is not healthy after health_timeout",
    UNSERVED: "objects whose kind the destination does not serve are left out",
    CAPACITY: "a destination volume is smaller than what its source uses (as when much of it is excluded)",
}
"""What the builtin engine can be told to accept, and what happens then."""

REASONS: Final[Mapping[str, str]] = {UNHEALTHY: Reason.ERRORS_DETECTED, CAPACITY: Reason.NOT_DONE}
"""The reasons that MTC gives for its warnings; the others have none."""

CONTROLLER: Final = (
    VOLUMES,
    UNHEALTHY,
    MigrationCondition.DIRECT_VOLUME_MIGRATION_BLOCKED,
    MigrationCondition.DIRECT_IMAGE_MIGRATION_FAILED,
    MigrationCondition.STAGE_NO_OP,
    MigrationCondition.INITIAL_BACKUP_PARTIAL,
    MigrationCondition.STAGE_BACKUP_PARTIAL,
    MigrationCondition.STAGE_RESTORE_PARTIAL,
    MigrationCondition.FINAL_RESTORE_PARTIAL,
    MigrationCondition.RESTIC_ERRORS,
    MigrationCondition.RESTIC_VERIFY_ERRORS,
    VolumeCondition.SERVER_PODS_NON_ROOT,
    VolumeCondition.NETWORK_ERROR,
    EARLY,
    LEFT,
)
"""What MTC's controller warns of and goes on, and what it does not even warn of."""

NAMES: Final = tuple(dict.fromkeys((*BUILTIN, *CONTROLLER)))


def names_volume(entry: str) -> bool:
    """Whether an entry is about a volume."""
    return "/" in entry


def accepts(entries: Sequence[str], name: str) -> bool:
    """Whether a warning of that type was accepted as a whole."""
    return name in entries


def accepts_volume(entries: Sequence[str], namespace: str, claim: str) -> bool:
    """Whether it was accepted that this claim of the source is not proven to have been copied."""
    return VOLUMES in entries or any(
        fnmatchcase(f"{namespace}/{claim}", entry) for entry in entries if names_volume(entry)
    )


def problems(entries: Sequence[str]) -> list[Problem]:
    """The entries that name nothing that could be accepted."""
    return [
        Problem(
            path=f"accept_warnings[{index}]",
            fault=f"{entry!r} is neither a warning nor namespace/claim",
            mend=f"Choose among {', '.join(NAMES)}, or name a volume",
        )
        for index, entry in enumerate(entries)
        if entry not in NAMES and not _well_formed_volume(entry)
    ]


def _well_formed_volume(entry: str) -> bool:
    namespace, slash, claim = entry.partition("/")
    return bool(slash and namespace and claim and "/" not in claim)
