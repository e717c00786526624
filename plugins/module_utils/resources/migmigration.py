# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MigMigration: one run of a plan, and the rules that hold between the runs of one plan.

Source of the rules: MTC pkg/controller/migmigration. D6, D29: its defects, listed in docs/compatibility.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from . import option_checks as check, spec_fields
from .condition_names import MigrationCondition
from .conditions import is_true
from .errors import Problem
from .spec_fields import Field, ReferenceField

FIELDS = (
    ReferenceField("plan", "mig_plan_ref", "migPlanRef"),
    Field("stage", "stage"),
    Field("migrate_state", "migrateState"),
    Field("rollback", "rollback"),
    Field("canceled", "canceled"),
    Field("quiesce_pods", "quiescePods"),
    Field("keep_annotations", "keepAnnotations"),
    Field("verify", "verify"),
    Field("run_as_root", "runAsRoot"),
    Field("run_as_user", "runAsUser"),
    Field("run_as_group", "runAsGroup"),
)
REQUIRED_DEFAULTS: Mapping[str, Any] = {"stage": False}
COMPLETED = "Completed"
"""The phase from which nothing moves any more."""
SPEC = spec_fields.Spec(FIELDS, REQUIRED_DEFAULTS)
build_spec, merge_spec, drift = SPEC.build, SPEC.merge, SPEC.drift


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with the options themselves."""
    problems = check.resource_name(params)
    if params.get("state") == "absent":
        return problems
    problems += check.exclusive(params, ("plan", "mig_plan_ref"))
    problems += check.dns_subdomain(params.get("plan"), "plan")
    problems += check.reference(params.get("mig_plan_ref"), "mig_plan_ref")
    kinds = [option for option in ("stage", "migrate_state", "rollback") if params.get(option)]
    if len(kinds) > 1:
        fault = f"cannot be combined with {kinds[0]}"
        problems += [Problem(path=option, fault=fault, mend="A run is one of them") for option in kinds[1:]]
    for option in ("run_as_user", "run_as_group"):
        number = params.get(option)
        if number is not None and number < 0:
            problems.append(Problem(path=option, fault=f"{number} is no id", mend="Use 0 or a larger number"))
        if number is not None and params.get("run_as_root"):
            fault = "cannot be combined with run_as_root, which wins over it"
            problems.append(Problem(path=option, fault=fault, mend="Name one of them"))
    return problems


def incomplete(spec: Mapping[str, Any]) -> list[Problem]:
    """What a merged spec still lacks to be usable."""
    if spec_fields.refers_to(spec.get("migPlanRef")) is None:
        return [Problem(path="plan", fault="is missing", mend="Name the plan to run")]
    return []


def plan_of(migration: Mapping[str, Any]) -> tuple[str, str] | None:
    """(namespace, name) of the plan, or None when the reference is not complete."""
    return spec_fields.refers_to((migration.get("spec") or {}).get("migPlanRef"))


def is_stage(migration: Mapping[str, Any]) -> bool:
    return bool(_spec(migration).get("stage"))


def is_rollback(migration: Mapping[str, Any]) -> bool:
    return bool(_spec(migration).get("rollback"))


def is_state(migration: Mapping[str, Any]) -> bool:
    return bool(_spec(migration).get("migrateState"))


def quiesces(migration: Mapping[str, Any]) -> bool:
    """Whether it stops the application."""
    return bool(_spec(migration).get("quiescePods"))


def is_final(migration: Mapping[str, Any]) -> bool:
    return not (is_stage(migration) or is_rollback(migration) or is_state(migration))


def finished(migration: Mapping[str, Any]) -> bool:
    return bool((migration.get("status") or {}).get("phase") == COMPLETED)


def canceled(migration: Mapping[str, Any]) -> bool:
    """Whether it was or is to be canceled. Upstream adds Succeeded to a canceled run (D6), so ask this first; a wish
    that came after the end has canceled nothing."""
    return (
        (bool(_spec(migration).get("canceled")) and not finished(migration))
        or is_true(migration, MigrationCondition.CANCELED)
        or is_true(migration, MigrationCondition.CANCELING)
    )


def failed(migration: Mapping[str, Any]) -> bool:
    return bool((migration.get("status") or {}).get("errors")) or is_true(migration, MigrationCondition.FAILED)


def succeeded(migration: Mapping[str, Any]) -> bool:
    """With or without warnings (D29), and not canceled (D6)."""
    return (
        not canceled(migration)
        and not failed(migration)
        and (
            is_true(migration, MigrationCondition.SUCCEEDED)
            or is_true(migration, MigrationCondition.SUCCEEDED_WITH_WARNINGS)
        )
    )


def newest_first(migrations: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """By creation; of two in the same second the name decides (``app-stage-10`` after ``app-stage-9``), so that every
    reader sees the same order."""
    return sorted(migrations, key=_age, reverse=True)


def blocked_by_final(migration: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The other run of the plan that forbids this one (condition HasFinalMigration), or None.

    A final run that succeeded allows only a rollback; a stage run is also kept out by a final that runs or has failed.
    A successful rollback starts afresh. Unlike upstream, a run that ended with warnings counts as a success (D29).
    """
    if is_rollback(migration):
        return None
    uid = _metadata(migration).get("uid")
    for other in newest_first(others):
        if _metadata(other).get("uid") == uid or is_stage(other) or is_state(other) or canceled(other):
            continue
        if is_rollback(other):
            if succeeded(other):
                return None
            continue
        if succeeded(other):
            return other
        if is_stage(migration) and (failed(other) or is_true(other, MigrationCondition.RUNNING)):
            return other
    return None


def queue(migrations: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The plan's unfinished runs in the order in which they may work: stage runs by age, then the others by age.

    All but the first are Postponed.
    """
    waiting = [migration for migration in migrations if not finished(migration)]
    return sorted(waiting, key=lambda migration: (not is_stage(migration), *_age(migration)))


def pvc_conflicts(copies: Iterable[tuple[str, str]]) -> list[str]:
    """Claims that copies within one cluster would overwrite: targets that are also sources, or shared by two.

    ``copies`` are pairs of source and target, each ``namespace/name`` (condition ConflictingPVCMappings).
    """
    pairs = list(copies)
    sources = {source for source, _target in pairs}
    targets = Counter(target for _source, target in pairs)
    return sorted(target for target, count in targets.items() if target in sources or count > 1)


def _spec(migration: Mapping[str, Any]) -> Mapping[str, Any]:
    return migration.get("spec") or {}


def _metadata(migration: Mapping[str, Any]) -> Mapping[str, Any]:
    return migration.get("metadata") or {}


def _age(migration: Mapping[str, Any]) -> tuple[str, str, int]:
    metadata = _metadata(migration)
    stem, _dash, number = str(metadata.get("name", "")).rpartition("-")
    created = str(metadata.get("creationTimestamp", ""))
    return (created, stem, int(number)) if number.isdigit() else (created, f"{stem}-{number}", 0)
