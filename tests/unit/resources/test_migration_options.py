# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options that contradict each other are told all at once, by their names."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import migration_options

LIMITS = {"start_timeout": 1, "quiesce_timeout": 1, "health_timeout": 1, "max_downtime": 0}


@pytest.mark.parametrize(
    ("params", "paths"),
    [
        ({}, []),
        ({"stage": True, "again": True}, []),
        ({"again": True}, ["again"]),
        ({"rollback": True, "rollback_sync": True}, []),
        ({"rollback_sync": True}, ["rollback_sync"]),
        ({"force": True}, ["force"]),
        ({"cancel": True, "stage": True}, ["stage"]),
        ({"cancel": True, "rollback": True}, ["rollback"]),
        ({"pause_before": "restore"}, []),
        ({"pause_before": "restore", "quiesce_pods": False}, []),
        ({"pause_before": "quiesce", "quiesce_pods": False}, ["pause_before"]),
        ({"pause_before": "quiesce", "stage": True}, ["pause_before"]),
        ({"pause_before": "restore", "rollback": True, "again": True}, ["again", "pause_before"]),
    ],
)
def test_what_does_not_go_together(params: dict[str, Any], paths: list[str]) -> None:
    assert [problem.path for problem in migration_options.together(params)] == paths


@pytest.mark.parametrize(
    ("params", "paths"),
    [
        ({}, ["plan"]),
        ({"plan": "app"}, []),
        ({"plan_definition": {"name": "app"}}, []),
        ({"plan_definition": {}}, ["plan"]),
        ({"state": "absent"}, ["name"]),
        ({"state": "absent", "plan": "app"}, ["name"]),
        ({"state": "absent", "name": "app-final"}, []),
    ],
)
def test_what_has_to_be_named(params: dict[str, Any], paths: list[str]) -> None:
    assert [problem.path for problem in migration_options.named(params)] == paths


def test_limits() -> None:
    assert migration_options.limits(LIMITS) == []
    wrong = {**dict.fromkeys(LIMITS, 0), "max_downtime": -1}
    assert [problem.path for problem in migration_options.limits(wrong)] == [*LIMITS]
