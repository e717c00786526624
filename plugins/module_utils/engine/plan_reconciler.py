# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes a MigPlan's status true, and its list of volumes: validate, discover, choose, check what was chosen.

The rules are pure and lie in resources/; here they are given what the clusters say, in upstream's order
(custom-resources 5.3), and what comes out is written at once, spec and status together, since the CRD has no status
subresource.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import secrets
import string
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..cluster.api import Cluster
from ..resources import (
    migplan,
    names,
    plan_exclusions,
    plan_limits,
    plan_pods,
    plan_resizing,
    plan_selections,
    plan_volumes,
)
from ..resources.condition_names import Category, PlanCondition, Reason
from ..resources.conditions import Conditions
from ..resources.digest import observed_digest
from ..resources.errors import AlreadyExists, Conflict, InvalidInput, MtcError, subject_of
from ..resources.plan_checks import SelectionFacts, check_selections
from ..resources.plan_facts import renames_claims
from ..resources.plan_selections import Selections
from ..resources.plan_validation import validate_plan
from .plan_reading import PlanReading, read_plan
from .predictions import Predictions

Manifest = dict[str, Any]
Sides = Callable[[], tuple[Cluster, Cluster]]

WRITES = 5
_KEEPS_FROM_DISCOVERY = (
    PlanCondition.INVALID_SOURCE_CLUSTER_REF,
    PlanCondition.SOURCE_CLUSTER_NOT_READY,
    PlanCondition.INVALID_DESTINATION_CLUSTER_REF,
    PlanCondition.DESTINATION_CLUSTER_NOT_READY,
    PlanCondition.SOURCE_NAMESPACE_NOT_FOUND,
    PlanCondition.NAMESPACE_LIMIT_EXCEEDED,
    PlanCondition.NAMESPACE_LIST_EMPTY,
)


def new_plan(*, name: str, namespace: str) -> Manifest:
    """A plan that is not stored yet."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.MIG_PLAN,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {},
    }


def with_options(plan: Manifest, params: Mapping[str, Any], *, engine: str) -> Manifest:
    """The plan as the options want it, as a new object; what they do not name stays. Raises InvalidInput when it
    lacks something."""
    metadata = plan["metadata"]
    spec = migplan.merge_spec(plan.get("spec"), migplan.build_spec(params))
    if missing := migplan.incomplete(spec):
        subject = subject_of(names.MIG_PLAN, metadata["name"], metadata["namespace"])
        raise InvalidInput(subject=subject, problems=missing)
    written = {names.ENGINE_ANNOTATION: engine, **(metadata.get("annotations") or {})}
    annotations = plan_exclusions.annotated(params, plan_limits.annotated(params, written))
    return {**plan, "metadata": {**metadata, "annotations": annotations}, "spec": spec}


def evaluate(
    *,
    control: Cluster,
    sides: Sides,
    plan: Manifest,
    installed: bool = True,
    refresh: bool = False,
    chosen: Selections = migplan.NO_SELECTIONS,
    predicted: Predictions | None = None,
) -> Manifest:
    """The plan with the status that is true now and the volumes that there are, as a new object; nothing is written.

    ``refresh`` looks at the clusters although the plan is suspended. Raises InvalidInput for choices that no volume
    can take.
    """
    plan = copy.deepcopy(plan)
    if plan["spec"].get("closed"):
        return closed(plan)
    if refresh:
        plan["spec"]["refresh"] = True
    status = plan.setdefault("status", {})
    status.setdefault("suffix", "".join(secrets.choice(string.ascii_lowercase + string.digits) for _digit in range(4)))
    status["excludedResources"] = plan_exclusions.excluded(plan)
    reading = read_plan(control=control, sides=sides, plan=plan, installed=installed, predicted=predicted)
    renamed = renames_claims(plan)
    conditions = _judge(plan, reading, chosen)
    if renames_claims(plan) != renamed:
        # Claims with other names are a state migration; the choices that this call has just made count, too.
        conditions = _judge(plan, reading, chosen)
    for field, found in (
        ("namespaces", plan_pods.unhealthy_namespaces(reading.facts)),
        ("incompatibleNamespaces", reading.facts.incompatible),
    ):
        _tell(status, field, found)
    discovered = conditions.has(PlanCondition.PVS_DISCOVERED)
    conditions.set_ready(discovered and not conditions.has_blocker(), "The migration plan is ready.")
    plan["spec"].pop("refresh", None)
    status["conditions"] = conditions.end(datetime.now(UTC))
    status["observedDigest"] = observed_digest(plan["spec"])
    return plan


def _judge(plan: Manifest, reading: PlanReading, chosen: Selections) -> Conditions:
    """One pass over what was read: the conditions of the plan as it stands, and then its list of volumes."""
    conditions = Conditions(plan["status"])
    conditions.begin()
    validate_plan(dataclasses.replace(reading.facts, plan=plan), conditions)
    _discover(plan, reading, conditions, chosen)
    return conditions


def _tell(status: dict[str, Any], field: str, found: Sequence[Mapping[str, Any]] | None) -> None:
    """A list of findings; nothing found leaves no field, and what was not looked at stays as it was."""
    if found:
        status[field] = list(found)
    elif found is not None:
        status.pop(field, None)


def closed(plan: Manifest, *, message: str = "") -> Manifest:
    """A closed plan as a new object: not ready, and nothing else of it is looked at any more. ``message`` says that
    what it had on the clusters is gone: then it carries the condition Closed."""
    plan = copy.deepcopy(plan)
    plan["spec"].pop("refresh", None)
    status = plan.setdefault("status", {})
    conditions = Conditions(status)
    conditions.delete(PlanCondition.READY, PlanCondition.SUSPENDED, PlanCondition.STORAGE_ENSURED)
    if message:
        conditions.set(PlanCondition.CLOSED, Category.ADVISORY, message=message)
    status["conditions"] = conditions.end(datetime.now(UTC))
    status["observedDigest"] = observed_digest(plan["spec"])
    return plan


def failed(plan: Manifest, error: MtcError) -> Manifest:
    """The plan as a new object, with what kept it from being looked at: not ready, everything else as it was."""
    plan = copy.deepcopy(plan)
    status = plan.setdefault("status", {})
    conditions = Conditions(status)
    conditions.delete(PlanCondition.READY)
    conditions.set(PlanCondition.RECONCILE_FAILED, Category.CRITICAL, message=error.message)
    status["conditions"] = conditions.end(datetime.now(UTC))
    return plan


_KEPT_WHILE_SUSPENDED = (
    PlanCondition.PVS_DISCOVERED,
    PlanCondition.PV_NO_SUPPORTED_ACTION,
    PlanCondition.PV_NO_STORAGE_CLASS,
    PlanCondition.PV_ACCESS_MODE_UNAVAILABLE,
    PlanCondition.PV_COPY_METHOD_SNAPSHOT,
    PlanCondition.PV_NO_CEPH,
    PlanCondition.PV_LIMIT_EXCEEDED,
    PlanCondition.USAGE_ANALYSIS_FAILED,
    PlanCondition.EXTENDED_ANALYSIS_FAILED,
)


def _discover(plan: Manifest, reading: PlanReading, conditions: Conditions, chosen: Selections) -> None:
    if reading.volumes is None:
        if conditions.has(PlanCondition.SUSPENDED):
            conditions.restage(*_KEPT_WHILE_SUSPENDED)
        return
    if conditions.has_any(_KEEPS_FROM_DISCOVERY):
        return
    kind = conditions.find(PlanCondition.MIGRATION_TYPE_IDENTIFIED) or {}
    conversion = kind.get("reason") == Reason.STORAGE_CONVERSION_PLAN
    volumes = dataclasses.replace(reading.volumes, storage_conversion=conversion)
    found = plan_volumes.discover(volumes, plan["spec"].get("persistentVolumes") or [])
    applied = plan_selections.apply(found.entries, chosen)
    if applied.problems:
        metadata = plan["metadata"]
        subject = subject_of(names.MIG_PLAN, metadata["name"], metadata["namespace"])
        raise InvalidInput(subject=subject, problems=applied.problems)
    entries = plan_resizing.resize(applied.entries, reading.facts.analytic, conditions)
    plan["spec"]["persistentVolumes"] = entries
    plan["status"]["srcStorageClasses"] = reading.source_classes
    plan["status"]["destStorageClasses"] = reading.destination_classes
    message = "The `persistentVolumes` list has been updated with discovered PVs."
    conditions.set(PlanCondition.PVS_DISCOVERED, Category.REQUIRED, Reason.DONE, message)
    limit = reading.facts.limits.pv_limit
    if len(entries) > limit:
        message = f"{len(entries)} volumes are more than the recommended {limit}."
        conditions.set(PlanCondition.PV_LIMIT_EXCEEDED, Category.WARN, Reason.LIMIT_EXCEEDED, message)
    if without_ceph := sorted({entry["name"] for entry in entries if _copied(entry)} & set(found.without_ceph)):
        message = "The destination has no Ceph; these volumes of Gluster get its default class instead: []."
        conditions.set(PlanCondition.PV_NO_CEPH, Category.WARN, message=message, items=without_ceph)
    facts = SelectionFacts(
        entries=entries,
        destination_classes=reading.destination_classes,
        storage_conversion=conversion,
        nfs=volumes.nfs,
    )
    check_selections(facts, conditions)


def _copied(entry: Mapping[str, Any]) -> bool:
    return bool((entry.get("selection") or {}).get("action") == plan_volumes.COPY)


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two forms of a plan say the same in spec, status and the annotations that are ours."""

    def told(plan: Mapping[str, Any]) -> tuple[Any, ...]:
        annotations = plan["metadata"].get("annotations") or {}
        engine = annotations.get(names.ENGINE_ANNOTATION)
        ours = (plan_limits.written(plan["metadata"]), plan_exclusions.own(plan))
        return plan.get("spec"), plan.get("status"), engine, ours

    return told(one) == told(other)


def store(control: Cluster, plan: Manifest, *, before: Manifest | None) -> Manifest:
    """Create or replace the plan unless it already says so; returns it as stored.

    A plan that somebody else wrote in the meantime is refused with Conflict: what was evaluated is then no longer true.
    """
    if before is not None and same(before, plan):
        return before
    metadata = plan["metadata"]
    annotations = {**(metadata.get("annotations") or {}), names.TOUCH_ANNOTATION: str(uuid.uuid1())}
    wanted = {**plan, "metadata": {**metadata, "annotations": annotations}}
    if before is not None:
        return control.replace(wanted)
    try:
        return control.create(wanted)
    except AlreadyExists as error:
        raise Conflict(
            subject=error.subject,
            attempt="another process created it at the same time",
            reason=error.reason,
            mend="Run the task again",
            status=409,
        ) from error


def settle(control: Cluster, stored: Manifest, *, sides: Sides) -> None:
    """The plan's status after a run of it: suspended when the run has moved everything, open again otherwise."""
    evaluated = evaluate(control=control, sides=sides, plan=stored)
    with contextlib.suppress(Conflict):  # somebody changed the plan just now; the next call for it looks again
        store(control, evaluated, before=stored)
