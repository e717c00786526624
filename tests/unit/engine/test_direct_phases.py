# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Phases of a copy without a plan where time or bad luck decides, which real clusters show too seldom or too slowly."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine import direct_phases, volume_rows
from ansible_collections.openmig.mtc.plugins.module_utils.engine.clock import elapsed_clock
from ansible_collections.openmig.mtc.plugins.module_utils.engine.direct_itinerary import (
    ITINERARIES,
    VOLUME_MIGRATION,
    VOLUME_MIGRATION_FAILED,
)
from ansible_collections.openmig.mtc.plugins.module_utils.engine.direct_resource import DirectResource
from ansible_collections.openmig.mtc.plugins.module_utils.engine.itinerary import COMPLETED
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import DeadlineExceeded
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.model import PassResult, Verdict, VolumeMove

MOVE = VolumeMove(
    source_namespace="archive",
    source_claim="letters",
    target_namespace="archive",
    target_claim="letters",
    storage_class="fast",
    access_modes=("ReadWriteOnce",),
    volume_mode="Filesystem",
    size=1,
)


class Stuck:
    """Stands for a transfer with a pod that does not go."""

    def remove(self, *, wait: bool) -> str | None:
        return f"1 objects of the transfer are being removed ({wait})"

    def leftovers(self) -> list[str]:
        return ["Pod archive/stuck (source)"]


class Run:
    """Stands for a run whose phase began so many seconds ago."""

    def __init__(self, *, ago: float) -> None:
        manifest = {
            "kind": "DirectVolumeMigration",
            "metadata": {"name": "a", "namespace": "b", "uid": "c"},
            "spec": {},
        }
        cluster: Any = None
        self.direct = DirectResource(cluster=cluster, manifest=manifest, generation=1)
        self.direct.enter(VOLUME_MIGRATION, "WaitForRsyncResourcesTerminated")
        self.transfer = Stuck()
        self.phase_began = elapsed_clock() - ago

    def must_end_within(self, seconds: float, *, waiting_for: str, mend: str) -> None:
        if elapsed_clock() - self.phase_began > seconds:
            raise DeadlineExceeded(subject="it", attempt="too long", reason=waiting_for, mend=mend)


def test_what_does_not_go_is_waited_for_then_warned_of_and_named() -> None:
    phase: Any = direct_phases.PHASES["WaitForRsyncResourcesTerminated"]
    early = Run(ago=5)
    assert "being removed" in phase(early)
    assert early.direct.conditions.find("FailedDeletingRsyncPods") is None
    late = Run(ago=direct_phases.CLEAN_UP_DEADLINE + 1)
    with pytest.raises(DeadlineExceeded) as given_up:
        phase(late)
    assert "Pod archive/stuck" in given_up.value.message
    warned = late.direct.conditions.find("FailedDeletingRsyncPods")
    assert warned is not None
    assert (warned["category"], warned["reason"]) == ("Warn", "Failed")


def test_every_phase_that_is_walked_has_a_function_and_no_other() -> None:
    walked = {
        row.name
        for itinerary in ITINERARIES.values()
        for row in itinerary.phases
        if row.included(frozenset()) and row.name != COMPLETED
    }
    assert walked == set(direct_phases.PHASES)


def test_the_itineraries_are_mtcs() -> None:
    assert (VOLUME_MIGRATION.total, VOLUME_MIGRATION.index("RunRsyncOperations")) == (22, 18)
    assert [row.name for row in VOLUME_MIGRATION_FAILED.phases] == ["MigrationFailed", "Completed"]


# -- rows ------------------------------------------------------------------------------------------------------------

RESULT = PassResult(
    files_total=9,
    files_transferred=2,
    bytes_total=900,
    bytes_transferred=200,
    files_deleted=1,
    seconds=3.0,
    exit_code=0,
    vanished=False,
)


def verdict(**changes: Any) -> Verdict:
    return Verdict(
        **{"move": MOVE, "ok": True, "files": 9, "bytes": 900, "proven_earlier": 0, "checked_now": 9, **changes}
    )


def test_a_compared_volume_is_told_by_its_verdict() -> None:
    row = volume_rows.row(verdict(), RESULT, [])
    assert (row["proven"], row["files"], row["bytes_copied"], row["files_deleted"]) == (True, 9, 200, 1)
    assert volume_rows.describe(row) == "equal; 9 files, 900 bytes, of these 2 files and 200 bytes copied"


def test_a_volume_that_is_written_to_is_never_proven() -> None:
    for compared in (None, verdict(), verdict(ok=False, reason="2 entries differ")):
        row = volume_rows.staged_row(MOVE, RESULT, ["archive/app"], compared)
        assert row["proven"] is False
        assert row["reason"].startswith("not proven while written: archive/app had it mounted")
        assert volume_rows.is_good(row, stage=True)
        assert not volume_rows.is_good(row, stage=False)


def test_a_volume_that_differs_though_nobody_writes_is_bad_in_a_stage_too() -> None:
    row = volume_rows.row(verdict(ok=False, reason="2 entries differ", differing=("a", "b")), RESULT, [])
    assert not volume_rows.is_good(row, stage=True)
    error = volume_rows.failure([row])
    assert error.files == ("archive/letters:a", "archive/letters:b")
    assert "PersistentVolumeClaim archive/letters: the copy is not equal to the source (1 volume(s))" in error.message
