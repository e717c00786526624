# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of a module whose resource is judged by one look: a storage, a hook, an analysis.

A kind is a ``Handler``: its pure room in resources/, what makes its status true, the secrets that its options hold, and
who would miss it. The order is the same for all: the options are checked, then engine and namespace are settled, then
what is stored is read; so bad input is told before anything is touched.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..cluster.api import Cluster
from ..resources import awaited, names, wait_condition
from ..resources.conditions import by_type, warnings
from ..resources.engines import CONTROLLER, secrets_namespace
from ..resources.errors import InvalidInput, MtcError, NotFound, NotReady, Problem, Refused, subject_of
from ..resources.spec_fields import alike, merge_patch, refers_to
from . import call, choice, condition_waits, owned_secrets
from .call import Call
from .clock import elapsed_clock
from .cluster_reconciler import with_status
from .owned_secrets import OwnedSecret

Manifest = dict[str, Any]


class Room(Protocol):
    """What the module of a kind in resources/ offers; see migcluster for what each gives."""

    def build_spec(self, params: Mapping[str, Any]) -> dict[str, Any]: ...
    def merge_spec(self, existing_spec: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> dict[str, Any]: ...
    def drift(self, existing_spec: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> dict[str, Any]: ...
    def validate(self, params: Mapping[str, Any]) -> list[Problem]: ...
    def incomplete(self, spec: Mapping[str, Any]) -> list[Problem]: ...


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What an evaluation looks at. ``installed``: the control cluster knows the kinds (False only in check mode)."""

    call: Call
    control: Cluster
    subject: str
    spec: Mapping[str, Any]
    stored: Manifest | None
    installed: bool
    secrets: Mapping[tuple[str, str], OwnedSecret]
    """The secrets that this call writes, by (namespace, name): in check mode they exist only here."""


def _none(_call: Call) -> list[OwnedSecret]:
    return []


def _nobody(_call: Call, _control: Cluster) -> list[str]:
    return []


@dataclass(frozen=True, kw_only=True)
class Handler:
    """How one kind is handled."""

    kind: str
    room: Room
    evaluate: Callable[[Situation], dict[str, Any]]
    """The status that is true now, with the builtin engine; writes nothing. Raises Refused for what that engine cannot
    do."""
    drive: Callable[[Situation, Manifest], Manifest]
    """With the controller engine: waits until the resource that was just written is judged; gives it as it then is."""
    secrets: Callable[[Call], list[OwnedSecret]] = _none
    """What the options hold that belongs into secrets; the spec refers to them by their ``reference``."""
    secret_names: Callable[[str], Sequence[str]] = lambda _name: ()
    """The names of the secrets that a resource of this name may have had from us."""
    referenced: Callable[[Mapping[str, Any]], Sequence[tuple[str, str]]] = lambda _spec: ()
    """(namespace, name) of the secrets that a spec refers to. What was made for the resource goes when its spec no
    longer refers to it."""
    users: Callable[[Call, Cluster], list[str]] = _nobody
    """The subjects of what uses the resource: it is not removed while there are any."""
    labels: Callable[[Mapping[str, Any]], Mapping[str, str]] = lambda _spec: {}
    """From the spec: what a finished pass of the builtin engine puts on the resource."""
    results: Callable[[Situation, Manifest], dict[str, Any]] = field(default=lambda _situation, _resource: {})
    """What the module returns besides what all return."""


def ensure(this: Call, handler: Handler) -> dict[str, Any]:
    """The module's result. Raises NotReady when the resource is not ready at the end."""
    started = elapsed_clock()
    name = str(this.params["name"])
    if problems := [*handler.room.validate(this.params), *wait_condition.problems(this.params, handler.kind)]:
        raise InvalidInput(subject=f"{handler.kind} {name}", problems=problems)
    control = this.reach.control()
    this = choice.settle(this, control)
    subject = subject_of(handler.kind, name, this.namespace)
    installed = call.require_resources(control, check=this.check)
    secrets = handler.secrets(this)
    stored = control.get(names.API_VERSION, handler.kind, name, this.namespace) if installed else None
    if this.params["state"] == "absent":
        return _remove(this, control, handler, subject=subject, stored=stored, started=started)
    wanted = _wanted(this, handler, secrets)
    spec = handler.room.merge_spec((stored or {}).get("spec"), wanted)
    # What somebody else has stored and this task leaves as it is, is judged by its conditions.
    if (stored is None or not alike(stored["spec"], spec)) and (missing := handler.room.incomplete(spec)):
        raise InvalidInput(subject=subject, problems=missing)
    changes: list[str] = []
    for secret in secrets:
        changes += owned_secrets.store(control, secret, check=this.check)
    situation = Situation(
        call=this,
        control=control,
        subject=subject,
        spec=spec,
        stored=stored,
        installed=installed,
        secrets={(secret.namespace, secret.name): secret for secret in secrets},
    )
    resource = (
        driven(situation, handler.kind, handler.drive, changes)
        if this.engine == CONTROLLER
        else _held(situation, handler, changes)
    )
    changes += _drop_secrets(situation, handler, (stored or {}).get("spec") or {}, spec)
    predicted = this.check and this.engine == CONTROLLER
    if not condition_waits.settled(this, resource) and not predicted:
        raise NotReady(subject=subject, resource=resource, changes=changes)
    return {
        "changed": bool(changes),
        "changes": condition_waits.named_once(changes),
        "resource": resource,
        "conditions": by_type(resource),
        "warnings_to_show": [f"{item['type']}: {item.get('message', '')}" for item in warnings(resource)],
        "engine": this.engine,
        "duration": round(elapsed_clock() - started, 2),
        "diff": handler.room.drift((stored or {}).get("spec"), wanted) or {"before": {}, "after": {}},
        **handler.results(situation, resource),
    }


def _drop_secrets(
    situation: Situation, handler: Handler, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[str]:
    """Removes what was made for the resource and is referred to no more; gives what was changed."""
    kept = [*handler.referenced(after), *situation.secrets]
    return [
        change
        for namespace, name in handler.referenced(before)
        if (namespace, name) not in kept
        for change in owned_secrets.remove(
            situation.control,
            name=name,
            namespace=namespace,
            made_for=situation.subject,
            check=situation.call.check,
        )
    ]


def _wanted(this: Call, handler: Handler, secrets: Sequence[OwnedSecret]) -> dict[str, Any]:
    namespace = secrets_namespace(this.engine, this.namespace)
    wanted = handler.room.build_spec({**this.params, "namespace": this.namespace, "secrets_namespace": namespace})
    for secret in secrets:
        *above, last = secret.reference
        part = wanted
        for key in above:
            part = part.setdefault(key, {})
        part.setdefault(last, {"name": secret.name, "namespace": secret.namespace})
    return wanted


def _new(situation: Situation, kind: str) -> Manifest:
    metadata = {"name": situation.call.params["name"], "namespace": situation.call.namespace}
    return {"apiVersion": names.API_VERSION, "kind": kind, "metadata": metadata, "spec": dict(situation.spec)}


def _held(situation: Situation, handler: Handler, changes: list[str]) -> Manifest:
    """The evaluated resource; with ``wait_condition`` evaluated again, as it then lies there, until that holds."""
    control, subject = situation.control, situation.subject

    def look() -> Manifest:
        stored = condition_waits.read_again(control, resource, kind=handler.kind, subject=subject)
        return _evaluated(dataclasses.replace(situation, stored=stored, spec=stored["spec"]), handler, changes)

    resource = _evaluated(situation, handler, changes)
    try:
        return condition_waits.until_it_holds(situation.call, resource, subject=subject, look=look)
    except NotReady as error:
        raise error.after(condition_waits.named_once(changes)) from error


def _evaluated(situation: Situation, handler: Handler, changes: list[str]) -> Manifest:
    """Spec and status in one write: the kinds have no status subresource."""
    status = handler.evaluate(situation)
    labels = dict(handler.labels(situation.spec))
    stored = situation.stored
    if stored is None:
        changes.append(f"{situation.subject} created")
        return _create(situation, {**_labelled(_new(situation, handler.kind), labels), "status": status})
    wanted = {**_labelled(stored, labels), "spec": dict(situation.spec)}
    if {**wanted, "status": status} == stored and not stored["spec"].get("refresh"):
        return stored
    changes.append(f"{situation.subject} {'has a new status' if wanted == stored else 'changed'}")
    if situation.call.check:
        situation.control.replace(wanted, dry_run=True)
        return {**wanted, "status": status}
    return situation.control.replace(with_status(wanted, status))


def _labelled(manifest: Manifest, labels: Mapping[str, str]) -> Manifest:
    if not labels:
        return manifest
    metadata = manifest["metadata"]
    return {**manifest, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), **labels}}}


def _create(situation: Situation, manifest: Manifest) -> Manifest:
    """The created resource; in check mode the manifest, judged by the server where it knows kind and namespace."""
    if not situation.call.check:
        return situation.control.create(manifest)
    if situation.installed:
        with contextlib.suppress(NotFound):  # the namespace: an earlier task would have made it
            situation.control.create(manifest, dry_run=True)
    return manifest


def driven(
    situation: Situation, kind: str, drive: Callable[[Situation, Manifest], Manifest], changes: list[str]
) -> Manifest:
    """The spec alone, by a patch that leaves the controller's status where it is; then the controller's judgement."""
    stored, check = situation.stored, situation.call.check
    # A secret that this call has changed is behind the same spec.
    again = bool(situation.call.params.get("refresh") or changes)
    settled = stored is not None and condition_waits.settled(situation.call, stored)
    if stored is not None and alike(stored["spec"], situation.spec) and settled and not again:
        return stored
    if stored is None:
        changes.append(f"{situation.subject} created")
        written = _create(situation, _new(situation, kind))
    else:
        if not alike(stored["spec"], situation.spec):
            changes.append(f"{situation.subject} changed")
        written = situation.control.patch(
            names.API_VERSION,
            kind,
            stored["metadata"]["name"],
            stored["metadata"]["namespace"],
            patch={"spec": awaited.asked(kind, merge_patch(stored["spec"], situation.spec))},
            dry_run=check,
        )
    if check:
        return written
    try:
        judged = drive(situation, written)
    except NotReady as error:
        raise error.after(changes) from error
    except MtcError as error:
        error.having({"changed": bool(changes), "changes": condition_waits.named_once(changes)})
        raise
    if stored is not None and not changes and by_type(judged) != by_type(stored):
        changes.append(f"{situation.subject} has a new status")
    return judged


def _remove(
    this: Call, control: Cluster, handler: Handler, *, subject: str, stored: Manifest | None, started: float
) -> dict[str, Any]:
    """Removes the resource and the secrets that its options once filled; refused while somebody uses it."""
    changes: list[str] = []
    if stored is not None:
        if users := handler.users(this, control):
            raise Refused(
                subject=subject,
                attempt="it is not removed",
                reason=f"it is used by {', '.join(sorted(users))}",
                mend="Remove these first",
            )
        changes.append(f"{subject} removed")
        if not this.check:
            control.delete(names.API_VERSION, handler.kind, str(this.params["name"]), this.namespace)
    home = secrets_namespace(this.engine, this.namespace)
    own = [(home, name) for name in handler.secret_names(str(this.params["name"]))]
    for namespace, name in dict.fromkeys([*own, *handler.referenced((stored or {}).get("spec") or {})]):
        changes += owned_secrets.remove(control, name=name, namespace=namespace, made_for=subject, check=this.check)
    return {
        "changed": bool(changes),
        "changes": changes,
        "resource": {},
        "conditions": {},
        "engine": this.engine,
        "duration": round(elapsed_clock() - started, 2),
        "diff": {"before": (stored or {}).get("spec") or {}, "after": {}},
    }


def plans_that_refer(this: Call, control: Cluster, *, fields: Sequence[str]) -> list[str]:
    """The plans whose references in ``fields`` of their spec name this call's resource."""
    me = (this.namespace, str(this.params["name"]))
    return [
        subject_of(names.MIG_PLAN, plan["metadata"]["name"], plan["metadata"]["namespace"])
        for plan in control.list(names.API_VERSION, names.MIG_PLAN, this.namespace)
        if me in [refers_to(plan["spec"].get(name)) for name in fields]
    ]
