# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of ``mig_migration`` that say what a call is for, and what is wrong with them together.

The fields of the resource are checked in migmigration.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import Problem

PAUSES = ("quiesce", "restore")


def named(params: Mapping[str, Any]) -> list[Problem]:
    """Whether the plan, or with ``state: absent`` the migration, is named."""
    if params.get("state") == "absent":
        return (
            []
            if params.get("name")
            else [Problem(path="name", fault="is missing", mend="Name the migration to remove")]
        )
    if params.get("plan") or (params.get("plan_definition") or {}).get("name"):
        return []
    return [Problem(path="plan", fault="is missing", mend="Name the plan to run")]


def together(params: Mapping[str, Any]) -> list[Problem]:
    """Options that say different things about what is to be done."""
    problems = []
    if params.get("force") and params.get("state") != "absent":
        fault, mend = "has a meaning with state: absent only", "Drop it; cancel: true ends a run"
        problems.append(Problem(path="force", fault=fault, mend=mend))
    if params.get("again") and not _repeatable(params):
        fault = "has a meaning for runs that leave the application running only"
        mend = "Say stage: true as well, or migrate_state: true without quiesce_pods"
        problems.append(Problem(path="again", fault=fault, mend=mend))
    if params.get("rollback_sync") and not params.get("rollback"):
        fault = "has a meaning for rollbacks only"
        problems.append(Problem(path="rollback_sync", fault=fault, mend="Say rollback: true as well"))
    if params.get("cancel"):
        others = [option for option in ("stage", "migrate_state", "rollback") if params.get(option)]
        fault = "cannot be combined with cancel"
        problems += [Problem(path=option, fault=fault, mend="cancel ends a run of any kind") for option in others]
    return problems + _pause(params)


def _repeatable(params: Mapping[str, Any]) -> bool:
    return bool(params.get("stage") or (params.get("migrate_state") and not params.get("quiesce_pods")))


def _pause(params: Mapping[str, Any]) -> list[Problem]:
    before = params.get("pause_before")
    if before is None:
        return []
    kinds = [option for option in ("stage", "migrate_state", "rollback", "cancel") if params.get(option)]
    mend = "Only a final migration pauses"
    problems = [Problem(path="pause_before", fault=f"has no meaning with {option}", mend=mend) for option in kinds]
    if before == "quiesce" and params.get("quiesce_pods") is False:
        fault = "is quiesce, and quiesce_pods is false: the application is never stopped"
        problems.append(Problem(path="pause_before", fault=fault, mend="Drop one of them"))
    return problems


def limits(params: Mapping[str, Any]) -> list[Problem]:
    """Deadlines."""
    problems = [
        Problem(path=option, fault="must be at least 1 second")
        for option in ("start_timeout", "quiesce_timeout", "health_timeout")
        if params[option] < 1
    ]
    if params["max_downtime"] < 0:
        problems.append(Problem(path="max_downtime", fault="is negative", mend="0 means no limit"))
    return problems
