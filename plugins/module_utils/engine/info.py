# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of a ``*_info`` module: a kind is listed once, filtered, and each resource told in a few words.

Secrets are never read: no resource of MTC holds one, and what a resource refers to is not followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from ..cluster.api import Cluster
from ..resources import engines, info_options, migmigration, names, spec_fields, summaries
from ..resources.errors import InvalidInput, NotFound
from . import choice
from .call import Call
from .clock import elapsed_clock

Manifest = dict[str, Any]
Belongs = Callable[[Manifest], bool]

REFERRED_BY = {
    names.MIG_CLUSTER: ("srcMigClusterRef", "destMigClusterRef"),
    names.MIG_STORAGE: ("migStorageRef",),
    names.MIG_HOOK: (),
}
"""The fields of a plan that refer to kinds which do not know their plans; hooks are referred to in a list."""


def read(this: Call, *, kind: str) -> dict[str, Any]:
    """The result of the kind's info module."""
    started = elapsed_clock()
    if problems := info_options.validate(this.params):
        raise InvalidInput(subject=kind, problems=problems)
    control = this.reach.control()
    this = choice.settle(this, control, plan=_plan(this.params, kind), to_read=True)
    found = listed(this, control, kind)
    resources = found or []
    told = [summaries.summary(resource) for resource in resources]
    result = {
        "changed": False,
        "api_found": found is not None,
        "resources": resources,
        "summaries": told,
        "engine": this.engine,
    }
    if kind == names.MIG_MIGRATION and resources:
        from . import info_migration

        result.update(info_migration.completed(this, control, resources, told))
    return {**result, "duration": round(elapsed_clock() - started, 2)}


def listed(this: Call, control: Cluster, kind: str) -> list[Manifest] | None:
    """The resources that all filters let through, without ``managedFields``; None when the cluster does not know the
    kind."""
    try:
        control.resource(names.API_VERSION, kind)
    except NotFound:
        return None
    found, belongs = _read(this, control, kind)
    resources = sorted(
        (resource for resource in found if belongs(resource) and _passes(this.params, resource)),
        key=lambda resource: str(resource["metadata"]["name"]),
    )
    if summaries.ROWS[kind].runs or kind == names.MIG_ANALYTIC:
        resources = sorted(resources, key=_created, reverse=True)
    for resource in resources:
        resource["metadata"].pop("managedFields", None)
    return resources[:1] if this.params.get("newest") else resources


def _plan(params: Mapping[str, Any], kind: str) -> str | None:
    """The plan whose engine decides where to look, unless the user has said which."""
    if (params.get("engine") or engines.AUTO) != engines.AUTO:
        return None
    return params.get("plan") or (params.get("name") if kind == names.MIG_PLAN else None)


def _created(resource: Mapping[str, Any]) -> str:
    return str(resource["metadata"].get("creationTimestamp", ""))


def _passes(params: Mapping[str, Any], resource: Manifest) -> bool:
    ready, finished = params.get("ready"), params.get("finished")
    return (ready is None or summaries.summary(resource)["ready"] is ready) and (
        finished is None or summaries.finished(resource) is finished
    )


def _read(this: Call, control: Cluster, kind: str) -> tuple[list[Manifest], Belongs]:
    """The list itself and, read beside it, what tells to which plan and migration a resource belongs."""
    params = this.params
    plan, migration = params.get("plan"), params.get("migration")
    name = params.get("name")
    requests: list[Callable[[], list[Manifest]]] = [
        lambda: _list(
            control,
            kind,
            this.namespace,
            label_selector=",".join(params.get("label_selectors") or ()) or None,
            field_selector=f"metadata.name={name}" if name else None,
        )
    ]
    parents = summaries.ROWS[kind].parents
    chain = [each for each in parents if each != names.MIG_MIGRATION] if plan or migration else []
    if parents and plan:
        chain.append(names.MIG_MIGRATION)
    requests += [partial(_list, control, each, this.namespace) for each in chain]
    if plan and kind in REFERRED_BY:
        requests.append(lambda: [control.get(names.API_VERSION, names.MIG_PLAN, plan, this.namespace) or {}])
    found, *others = control.map(lambda request: request(), requests)
    if kind in REFERRED_BY:
        return found, _is_referred_to(others[0][0], kind) if plan else _everything
    if not parents:
        return found, partial(_is_of_plan, kind, this.namespace, plan) if plan else _everything
    if not (plan or migration):
        return found, _everything
    wanted = None if migration is None else {migration}
    if plan:
        of_plan = {
            str(each["metadata"]["name"]) for each in others[-1] if migmigration.plan_of(each) == (this.namespace, plan)
        }
        wanted = of_plan if wanted is None else wanted & of_plan
    known = {str(each["metadata"]["uid"]): each for items in others for each in items}
    return found, lambda resource: _migration_of(resource, parents, known) in (wanted or ())


def _list(
    control: Cluster, kind: str, namespace: str, label_selector: str | None = None, field_selector: str | None = None
) -> list[Manifest]:
    return list(
        control.list(names.API_VERSION, kind, namespace, label_selector=label_selector, field_selector=field_selector)
    )


def _everything(_resource: Manifest) -> bool:
    return True


def _is_of_plan(kind: str, namespace: str, plan: str, resource: Manifest) -> bool:
    if kind == names.MIG_PLAN:
        return bool(resource["metadata"]["name"] == plan)
    return spec_fields.refers_to((resource.get("spec") or {}).get("migPlanRef")) == (namespace, plan)


def _is_referred_to(plan: Manifest, kind: str) -> Belongs:
    spec = plan.get("spec") or {}
    references: Iterable[Mapping[str, Any] | None] = [spec.get(field) for field in REFERRED_BY[kind]]
    if kind == names.MIG_HOOK:
        references = [hook.get("reference") for hook in spec.get("hooks") or []]
    targets = {spec_fields.refers_to(reference) for reference in references} - {None}
    return lambda resource: (resource["metadata"]["namespace"], resource["metadata"]["name"]) in targets


def _migration_of(resource: Mapping[str, Any], parents: Sequence[str], known: Mapping[str, Manifest]) -> str | None:
    """The name of the migration at the end of the chain of owners."""
    current: Mapping[str, Any] | None = resource
    for kind in parents:
        found = summaries.owner(current or {}, kind)
        if found is None:
            return None
        if kind == names.MIG_MIGRATION:
            return found[0]
        current = known.get(found[1])
    return None
