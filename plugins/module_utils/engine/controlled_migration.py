# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of ``mig_migration`` where MTC's controller carries runs out: decide what the call means, write the
MigMigration, follow it, and judge what it left behind.

What a second call means is the same table as with the builtin engine. A run that MTC refuses before it began is
removed again if this call made it: MTC would keep it for ever, and later runs of the plan behind it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from ..cluster.api import Cluster
from ..resources import awaited, controlled_options, migmigration, migration_course, names
from ..resources.conditions import is_ready
from ..resources.directvolume import claims_of
from ..resources.errors import InvalidInput, MtcError, NotFound, PermanentError, Refused, subject_of
from ..resources.wait_condition import Wanted
from . import awaiting, controlled_outcome, controlled_plan, following, second_call
from .call import Call
from .clock import elapsed_clock
from .following import Followed
from .outcome import nothing
from .plan_runs import runs_of
from .second_call import Asked, Decision, Step

Manifest = dict[str, Any]


def migrate(this: Call, control: Cluster, *, plan_name: str) -> dict[str, Any]:
    """The module's result, ``failed`` and ``msg`` included when the run ended badly or not everything arrived."""
    started = elapsed_clock()
    asked = second_call.asked_for(this.params)
    if problems := controlled_options.problems(this.params):
        raise InvalidInput(subject=names.MIG_MIGRATION, problems=problems)
    runs = runs_of(control, this.namespace, plan_name)
    decision = second_call.decide(
        asked,
        runs.migrations,
        plan=plan_name,
        name=this.params.get("name"),
        again=bool(this.params.get("again")),
        quiesce=bool(this.params.get("quiesce_pods")),
        taken=runs.taken,
    )
    if decision.step is Step.NOTHING:
        if decision.migration is None:
            return nothing(changed=False, started=started, engine=this.engine)
        undone = asked is Asked.ROLLBACK
        return controlled_outcome.told(
            this,
            control,
            Followed.of(decision.migration),
            changed=False,
            started=started,
            # What volumes the plan had when an earlier run began is not known any more.
            plan=controlled_plan.defined(this, control, name=plan_name, stored_only=True) if undone else None,
            judge=asked is not Asked.CANCEL,
        )
    if decision.step is Step.CANCEL and decision.migration is not None:
        return _cancel(this, control, decision.migration, started=started)
    if this.check:
        return _predict(this, control, decision, asked, plan_name=plan_name, started=started)
    return _carried_out(this, control, decision, asked, plan_name=plan_name, started=started)


def _carried_out(
    this: Call, control: Cluster, decision: Decision, asked: Asked, *, plan_name: str, started: float
) -> dict[str, Any]:
    ours = decision.migration is None
    if decision.migration is None:
        plan = _ready(this, control, controlled_plan.defined(this, control, name=plan_name))
        migration = control.create(_manifest(this, asked, name=decision.name, plan_name=plan_name))
        this.reporter.tell(decision.name, f"created for plan {plan_name}")
    else:
        migration = decision.migration
        plan = controlled_plan.defined(this, control, name=plan_name, stored_only=True)
    if not this.params.get("wait", True):
        return controlled_outcome.told(this, control, Followed.of(migration), changed=ours, started=started)
    wanted = Wanted.of(this.params)
    changed = ours or wanted is None or not wanted.holds(migration)
    try:
        followed = following.follow(this, control, migration)
        if followed.standing.state == "refused":
            raise _refused(control, followed, ours=ours)
    except MtcError as error:
        return _given_up(this, control, error, migration, changed=ours, started=started)
    return controlled_outcome.told(this, control, followed, changed=changed, started=started, plan=plan)


def _given_up(
    this: Call, control: Cluster, error: MtcError, migration: Manifest, *, changed: bool, started: float
) -> dict[str, Any]:
    """Why the run is not followed any more, and how far it had come by then."""
    metadata = migration["metadata"]
    told: dict[str, Any] = {"changed": changed, "resource": migration}
    with contextlib.suppress(MtcError):
        found = control.get(names.API_VERSION, names.MIG_MIGRATION, metadata["name"], metadata["namespace"])
        of = Followed.of(found or migration)
        told = controlled_outcome.told(this, control, of, changed=changed, started=started, judge=False)
    return {**told, **error.as_result(), "failed": True}


def _ready(this: Call, control: Cluster, plan: Manifest) -> Manifest:
    """The plan, looked at again by the controller when it is not ready. Raises NotReady when it stays so."""
    if is_ready(plan):
        return plan
    metadata = plan["metadata"]
    patched = control.patch(
        names.API_VERSION,
        names.MIG_PLAN,
        metadata["name"],
        metadata["namespace"],
        patch={"spec": awaited.asked(names.MIG_PLAN, {})},
    )
    return awaiting.judged(this, control, patched)


def _manifest(this: Call, asked: Asked, *, name: str, plan_name: str) -> Manifest:
    """A final run stops the application and checks its health unless told not to."""
    wanted = migmigration.build_spec({**this.params, "plan": plan_name, "namespace": this.namespace})
    if asked is Asked.FINAL:
        wanted = {"quiescePods": True, "verify": True, **wanted}
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.MIG_MIGRATION,
        "metadata": {"name": name, "namespace": this.namespace, "labels": {names.MIGPLAN_NAME_LABEL: plan_name}},
        "spec": {**migmigration.REQUIRED_DEFAULTS, **wanted},
    }


def _refused(control: Cluster, followed: Followed, *, ours: bool) -> PermanentError:
    metadata = followed.migration["metadata"]
    subject = subject_of(names.MIG_MIGRATION, metadata["name"], metadata["namespace"])
    mend = "Mend what the condition says; cancel: true removes this migration, which has not begun"
    if ours:
        _delete(control, followed.migration)
        mend = "Mend what the condition says. The migration, which had not begun, was removed again"
    return Refused(subject=subject, attempt="MTC refuses it", reason=followed.standing.blocked, mend=mend)


def _delete(control: Cluster, migration: Mapping[str, Any]) -> None:
    metadata = migration["metadata"]
    control.delete(names.API_VERSION, names.MIG_MIGRATION, metadata["name"], metadata["namespace"], uid=metadata["uid"])


def _cancel(this: Call, control: Cluster, migration: Manifest, *, started: float) -> dict[str, Any]:
    """Asks MTC to cancel the run and waits for its end. A run that has not begun is removed: MTC would ignore the
    request for as long as something blocks it."""
    name = str(migration["metadata"]["name"])
    followed = Followed.of(migration)
    asked_before = bool(migration["spec"].get("canceled"))
    if this.check:
        return controlled_outcome.told(this, control, followed, changed=not asked_before, started=started, judge=False)
    if not migration_course.begun(migration):
        _delete(control, migration)
        this.reporter.tell(name, "removed: it had not begun")
        return nothing(changed=True, started=started, engine=this.engine)
    if not asked_before:
        migration = following.cancel(control, migration)
        this.reporter.tell(name, "asked to cancel")
    if this.params.get("wait", True):
        followed = following.follow(this, control, migration)
        if followed.ended and not migmigration.canceled(followed.migration):
            raise Refused(
                subject=subject_of(names.MIG_MIGRATION, name, this.namespace),
                attempt="it could not be canceled",
                reason=f"it had ended before: {followed.standing.fact}",
                mend="Roll it back with rollback: true if it is to be undone",
            )
    return controlled_outcome.told(this, control, followed, changed=not asked_before, started=started, judge=False)


def _predict(
    this: Call, control: Cluster, decision: Decision, asked: Asked, *, plan_name: str, started: float
) -> dict[str, Any]:
    """What the call would start or follow; MTC itself has no way to say what a run would do."""
    if decision.migration is not None:
        return controlled_outcome.told(
            this, control, Followed.of(decision.migration), changed=True, started=started, judge=False
        )
    plan = controlled_plan.defined(this, control, name=plan_name)
    manifest = _manifest(this, asked, name=decision.name, plan_name=plan_name)
    with contextlib.suppress(NotFound):
        control.create(manifest, dry_run=True)
    waiting = [] if is_ready(plan) else [f"MigPlan {this.namespace}/{plan_name} is not ready yet"]
    return {
        **nothing(changed=True, started=started, engine=this.engine),
        "resource": manifest,
        "prediction": {
            "migration": decision.name,
            "kind": asked.value,
            "namespaces": list(plan["spec"].get("namespaces") or []),
            "volumes": [
                f"{claim['namespace']}/{claim['name']} -> {claim['targetNamespace']}/{claim['targetName']}"
                for claim in claims_of(plan)
            ],
            "blocking": waiting,
        },
    }
