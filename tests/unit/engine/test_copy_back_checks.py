# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A wish to take data back is met or refused in words, and a copy that broke off is not forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine import copy_back_checks
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import Refused

RUN, UNDONE = "MigMigration openmig/app-rollback", "MigMigration openmig/app-final"
BEGAN: dict[str, Any] = {"copy_back_began": True}
DONE: dict[str, Any] = {"copy_back_began": True, "copied_back": []}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({}, False),
        ({"volumes": [], "stopped_at": 1.0, "running_at": 2.0, "runs_on": "source"}, False),
        ({"runs_on": "destination"}, True),
        ({"stopped_at": 1.0, "stays_stopped": []}, True),
        ({"swap_began": True, "stopped_at": 1.0}, False),
        ({"swap_began": True, "swap_done": True, "stopped_at": 1.0}, True),
    ],
)
def test_who_has_handed_the_application_over(record: dict[str, Any], expected: bool) -> None:
    assert copy_back_checks.took_over(record) is expected
    if expected:
        copy_back_checks.refuse_idle(record, subject=UNDONE)
        return
    with pytest.raises(Refused, match=r"app-final: nothing is copied back \(rollback_sync\): ") as refused:
        copy_back_checks.refuse_idle(record, subject=UNDONE)
    assert ("its record is not there" in refused.value.message) is (record == {})


def test_a_rollback_that_began_without_the_wish_does_not_get_it_on_the_way() -> None:
    without: dict[str, Any] = {"intent": {"rollback_sync": False}}
    copy_back_checks.refuse_other_wish({}, asked=True, subject=RUN)
    copy_back_checks.refuse_other_wish(without, asked=False, subject=RUN)
    copy_back_checks.refuse_other_wish({"intent": {"rollback_sync": True}}, asked=True, subject=RUN)
    with pytest.raises(Refused, match="this rollback began without it") as refused:
        copy_back_checks.refuse_other_wish(without, asked=True, subject=RUN)
    assert "Cancel it" in refused.value.mend
    with pytest.raises(Refused) as late:
        copy_back_checks.refuse_other_wish({**without, "removed": {}}, asked=True, subject=RUN)
    assert "Leave rollback_sync out" in late.value.mend


@pytest.mark.parametrize(
    ("newest_first", "parted"),
    [([], False), ([{}], False), ([BEGAN], True), ([{}, BEGAN], True), ([DONE, BEGAN], False), ([BEGAN, DONE], True)],
)
def test_the_last_copy_that_was_begun_counts(newest_first: list[dict[str, Any]], parted: bool) -> None:
    tried = [(RUN, record) for record in newest_first]
    if not parted:
        copy_back_checks.refuse_parted(tried, undone=UNDONE)
        return
    with pytest.raises(Refused, match=f"{RUN} has begun to copy back and did not finish") as refused:
        copy_back_checks.refuse_parted(tried, undone=UNDONE)
    assert "rollback_sync: true" in refused.value.mend
