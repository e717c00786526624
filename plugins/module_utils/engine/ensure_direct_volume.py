# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of ``direct_volume_migration``: volumes are copied and proven without a plan.

Order: the options are checked, then what is stored decides what the call means, then what the clusters say is read; a
refusal leaves nothing behind but the conditions that MTC would write, too. Running again is the recovery:

======================================  ==============================================================
there is none, or it has not begun      start
it is unfinished                        go on; another spec is refused, field by field
it succeeded                            nothing; start with ``again``, or when the spec is another one
it failed                               start: what was copied stays, the difference is copied
======================================  ==============================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..cluster.api import Cluster
from ..resources import (
    directvolume,
    directvolume_rules as rules,
    excludes,
    mover_options,
    names,
    spec_fields,
    wait_condition,
)
from ..resources.conditions import Conditions, listed
from ..resources.digest import observed_digest
from ..resources.directvolume import claim_key
from ..resources.engines import CONTROLLER
from ..resources.errors import InvalidInput, NotReady, Problem, Refused, subject_of
from ..resources.spec_fields import refers_to
from ..volumes.model import VolumeMove
from . import call, choice, stale_leases
from .call import Call
from .clock import elapsed_clock
from .direct_options import DirectOptions
from .direct_outcome import read_record, result_of
from .findings import all_of
from .second_call import Step

Manifest = dict[str, Any]
SIDES = {"source": "srcMigClusterRef", "destination": "destMigClusterRef"}


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """What can be known from the task alone."""
    problems = [*directvolume.validate(params), *excludes.problems(params.get("excludes"))]
    problems += wait_condition.problems(params, names.DIRECT_VOLUME_MIGRATION)
    # No other engine carries these out.
    problems += wait_condition.at_the_end_only(params, names.DIRECT_VOLUME_MIGRATION)
    if params["start_timeout"] < 1:
        problems.append(Problem(path="start_timeout", fault="must be at least 1 second"))
    problems += mover_options.problems(params)
    for option in ("run_as_user", "run_as_group"):
        number = params.get(option)
        if number is not None and number < 0:
            problems.append(Problem(path=option, fault=f"{number} is no id", mend="Use 0 or a larger number"))
        if number is not None and params.get("run_as_root"):
            fault = "cannot be combined with run_as_root, which wins over it"
            problems.append(Problem(path=option, fault=fault, mend="Name one of them"))
    return problems


def ensure(this: Call) -> dict[str, Any]:
    """The module's result, ``failed`` and ``msg`` included when the copy ended badly."""
    started = elapsed_clock()
    name = str(this.params["name"])
    if problems := validate(this.params):
        raise InvalidInput(subject=f"{names.DIRECT_VOLUME_MIGRATION} {name}", problems=problems)
    control = this.reach.control(fence=this.guard.fence)
    this = choice.settle(this, control)
    subject = subject_of(names.DIRECT_VOLUME_MIGRATION, name, this.namespace)
    if this.engine == CONTROLLER and this.params["state"] != "absent":
        raise Refused(
            subject=subject,
            attempt="it is not given to MTC's controller",
            reason="that looks for the plan behind it, and where there is none it ends, again and again, for everybody",
            mend="Say engine: builtin, which works beside MTC, or move the application with mig_migration",
        )
    installed = call.require_resources(control, check=this.check)
    stored = control.get(names.API_VERSION, names.DIRECT_VOLUME_MIGRATION, name, this.namespace) if installed else None
    _refuse_a_migrations_own(stored, subject)
    if this.params["state"] == "absent":
        from . import direct_removal

        return direct_removal.remove(this, control, stored, subject=subject, started=started)
    spec = _spec(this, stored, subject)
    step = decide(stored, spec, again=bool(this.params["again"]), subject=subject)
    if stored is not None and (step is Step.NOTHING or (this.check and step is Step.GO_ON)):
        left = stale_leases.of(control, this.namespace, [stored] if step is Step.NOTHING else [])
        if not this.check:
            stale_leases.remove(control, left)
        changed = step is Step.GO_ON or bool(left)
        return result_of(stored, read_record(control, stored), changed=changed, engine=this.engine, started=started)
    return _begin(this, control, stored, spec, step=step, subject=subject, installed=installed, started=started)


def decide(stored: Mapping[str, Any] | None, spec: Mapping[str, Any], *, again: bool, subject: str) -> Step:
    """What the call means. Raises InvalidInput when an unfinished one is asked for something else."""
    if stored is None or not (rules.begun(stored) or rules.finished(stored)):
        return Step.START
    differing = spec_fields.differences(stored["spec"], spec)
    if rules.begun(stored):
        if differing:
            raise InvalidInput(subject=subject, problems=[_frozen(field) for field in _fields(differing)])
        return Step.GO_ON
    return Step.NOTHING if rules.succeeded(stored) and not differing and not again else Step.START


def _fields(differing: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return sorted({*differing["before"], *differing["after"]})


def _frozen(field: str) -> Problem:
    fault = "is not what the unfinished run began with"
    return Problem(path=f"spec.{field}", fault=fault, mend="Give what it began with, or remove it with force")


def _refuse_a_migrations_own(stored: Mapping[str, Any] | None, subject: str) -> None:
    migration = rules.of_a_migration(stored or {})
    if migration is not None:
        raise Refused(
            subject=subject,
            attempt="it cannot be managed by itself",
            reason=f"it is part of MigMigration {migration}",
            mend="Manage that migration with mig_migration, or give another name",
        )


def _spec(this: Call, stored: Mapping[str, Any] | None, subject: str) -> dict[str, Any]:
    wanted = directvolume.build_spec({**this.params, "namespace": this.namespace})
    spec = directvolume.merge_spec((stored or {}).get("spec"), wanted)
    problems: list[Problem] = []
    if stored is None and not spec.get("persistentVolumeClaims"):
        problems.append(Problem(path="persistent_volume_claims", fault="is missing", mend="Name the claims to copy"))
    if not this.params.get("transfer_image"):
        mend = "Build the mover image (images/mover in the collection says how) and name it here"
        problems.append(Problem(path="transfer_image", fault="is missing", mend=mend))
    if problems:
        raise InvalidInput(subject=subject, problems=problems)
    if spec.get("liveMigrate"):
        raise Refused(
            subject=subject,
            attempt="live_migrate cannot be carried out by the builtin engine yet",
            reason="volumes of running virtual machines are not moved live",
            mend="Stop the virtual machine and leave live_migrate out",
        )
    if spec.get("migrationType") == directvolume.ROLLBACK:
        raise Refused(
            subject=subject,
            attempt="migration_type Rollback cannot be carried out by the builtin engine yet",
            reason="it undoes live migrations of virtual machines, which that engine does not make",
            mend="To bring data back, copy with source and destination exchanged",
        )
    return spec


def _begin(
    this: Call,
    control: Cluster,
    stored: Manifest | None,
    spec: dict[str, Any],
    *,
    step: Step,
    subject: str,
    installed: bool,
    started: float,
) -> dict[str, Any]:
    # What carries a run out is read only when there is something to carry out: a finished one is told in a moment.
    from . import direct_prediction, direct_situation
    from .direct_carry_out import carry_out

    halt = _Halt(this=this, control=control, stored=stored, spec=spec, subject=subject, installed=installed)
    source, destination = _clusters(halt)
    options = DirectOptions.from_params(this.params)

    def carried_out(direct: Manifest, moves: Sequence[VolumeMove] | None, spec: Mapping[str, Any]) -> dict[str, Any]:
        return carry_out(
            this,
            control=control,
            source=source,
            destination=destination,
            direct=direct,
            spec=spec,
            moves=moves,
            options=options,
            created=stored is None,
            started=started,
        )

    if stored is not None and step is Step.GO_ON:
        return carried_out(stored, None, spec)
    sources = direct_situation.source_claims(source, spec)
    missing = [key for claim in spec["persistentVolumeClaims"] if (key := claim_key(claim)) not in sources]
    if missing:
        raise halt.because(rules.validate_claims(Conditions(None), missing))
    situation = direct_situation.look(
        source=source,
        destination=destination,
        subject=subject,
        uid=str(((stored or {}).get("metadata") or {}).get("uid", "")),
        spec=spec,
        options=options,
        sources=sources,
    )
    blocking = direct_situation.findings(situation)
    if this.check:
        return direct_prediction.prediction(
            situation,
            stored=stored,
            name=str(this.params["name"]),
            namespace=this.namespace,
            blocking=blocking,
            engine=this.engine,
            started=started,
        )
    if blocking:
        raise all_of(blocking, attempt="nothing was copied")
    direct = stored or control.create(_manifest(this, situation.spec))
    return carried_out(direct, situation.moves, situation.spec)


def _manifest(this: Call, spec: Mapping[str, Any]) -> Manifest:
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.DIRECT_VOLUME_MIGRATION,
        "metadata": {"name": this.params["name"], "namespace": this.namespace},
        "spec": dict(spec),
    }


@dataclass(frozen=True, kw_only=True)
class _Halt:
    """How a call ends that may not begin: with MTC's conditions, written as MTC does."""

    this: Call
    control: Cluster
    stored: Manifest | None
    spec: Mapping[str, Any]
    subject: str
    installed: bool

    def because(self, conditions: Conditions) -> NotReady:
        """The error to raise. A run that has begun keeps its status: what it lacks now may come back."""
        status: dict[str, Any] = {
            "phaseDescription": "",
            "conditions": conditions.end(datetime.now(UTC)),
            "observedDigest": observed_digest(dict(self.spec)),
        }
        resource = {**(self.stored or _manifest(self.this, self.spec)), "spec": dict(self.spec), "status": status}
        if self._may_be_written():
            if self.stored is None:
                resource = self.control.create(resource)
            elif not _same(self.stored, resource):
                resource = self.control.replace(resource)
        return NotReady(subject=self.subject, resource=resource)

    def _may_be_written(self) -> bool:
        """Not an entry that lacks what the API demands and what only the clusters could have told."""
        complete = all(
            {"targetStorageClass", "targetAccessModes"} <= claim.keys()
            for claim in self.spec.get("persistentVolumeClaims") or []
        )
        begun = self.stored is not None and rules.begun(self.stored)
        return self.installed and complete and not begun and not self.this.check


def _same(stored: Manifest, wanted: Manifest) -> bool:
    def seen(resource: Manifest) -> list[tuple[Any, ...]]:
        return [(item["type"], item.get("reason"), item.get("message")) for item in listed(resource)]

    return bool(stored["spec"] == wanted["spec"] and seen(stored) == seen(wanted))


def _clusters(halt: _Halt) -> tuple[Cluster, Cluster]:
    """Source and destination, as the call or the MigClusters say. Raises NotReady where they do not."""
    this = halt.this

    def read(side: str) -> Manifest | None:
        target = refers_to(halt.spec.get(SIDES[side]))
        foretold = this.predictions.find(names.MIG_CLUSTER, target)
        if target is None or foretold is not None or not halt.installed:
            return foretold
        return halt.control.get(names.API_VERSION, names.MIG_CLUSTER, target[1], target[0])

    wanted = [side for side in SIDES if not this.params.get(side)]
    found = dict(zip(wanted, halt.control.map(read, wanted), strict=True))
    known = {side: rules.Side(given=side not in wanted, resource=found.get(side)) for side in SIDES}
    conditions = rules.validate_references(Conditions(None), halt.spec, **known)
    if conditions.has_blocker():
        raise halt.because(conditions)

    def opened(side: str) -> Cluster:
        if side not in wanted or this.predictions.find(names.MIG_CLUSTER, refers_to(halt.spec.get(SIDES[side]))):
            return this.reach.side(halt.control, {"spec": halt.spec}, side=side)
        return this.reach.of_resource(halt.control, found[side] or {}, name=side)

    return opened("source"), opened("destination")
