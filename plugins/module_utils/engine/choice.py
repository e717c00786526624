# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which engine makes a resource true, and in which namespace its resources live.

The namespace decides wherever it is given, because MTC's controllers reconcile one namespace only: there they are the
masters, and everywhere else nobody but the builtin engine is. Without one, ``auto`` takes MTC where it is installed. A
plan keeps the engine that it was made with: what is installed or removed later never makes it flip.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..cluster.api import Cluster
from ..resources import names
from ..resources.engines import AUTO, BUILTIN, CONTROLLER, NAMESPACES
from ..resources.errors import PermanentError, Refused, subject_of
from . import mtc_installation
from .call import Call

Manifest = Mapping[str, Any]


def settle(this: Call, control: Cluster, *, plan: str | None = None, to_read: bool = False) -> Call:
    """The call with its engine and namespace. ``plan`` names the plan that the call is about, if it is about one.
    ``to_read``: nothing is to be driven, so an MTC that is not ready, or gone, is no obstacle.

    Raises Refused when the namespace or the plan belongs to the other engine, PermanentError when MTC is to be driven
    and is not there or not ready. Costs no request when engine or namespace say enough and no plan is named.
    """
    given = this.params.get("namespace")
    asked = this.params.get("engine") or AUTO
    if given:
        return _settled(this, _of_namespace(asked, given), given, control, to_read=to_read)
    plans = _plans(control, plan) if plan else {}
    if asked == AUTO:
        return _automatic(this, control, plans, to_read=to_read)
    other = CONTROLLER if asked == BUILTIN else BUILTIN
    if other in plans and asked not in plans:
        raise Refused(
            subject=_subject(plans[other]),
            attempt=f"it is not carried out by the {asked} engine",
            reason=f"it was made with engine {other}, and a plan keeps its engine",
            mend=f"Say engine: {other}, or remove that plan first",
        )
    return _settled(this, asked, NAMESPACES[asked], control, to_read=to_read)


def builtin_only(this: Call) -> Call:
    """The call itself. Raises Refused when it was settled on an engine that this module does not drive yet."""
    if this.engine != BUILTIN:
        raise Refused(
            subject=f"Engine {this.engine}",
            attempt="it is not driven by this module",
            reason="the module carries out what it is asked for itself",
            mend="Say engine: builtin",
        )
    return this


def stored_plan(this: Call, control: Cluster, name: str) -> dict[str, Any] | None:
    """The plan as it is stored, None when there is none. Raises Refused for one that was made with the other engine:
    its runs, their records and its volumes are that one's."""
    plan = control.get(names.API_VERSION, names.MIG_PLAN, name, this.namespace)
    annotations = ((plan or {}).get("metadata") or {}).get("annotations") or {}
    made = str(annotations.get(names.ENGINE_ANNOTATION) or "")
    if plan is not None and made in NAMESPACES and made != this.engine:
        raise Refused(
            subject=_subject(plan),
            attempt=f"it is not given to engine {this.engine}",
            reason=f"it was made with engine {made}, and a plan keeps its engine",
            mend=f"Remove it and make it anew; plans of engine {made} live in namespace {NAMESPACES[made]}",
        )
    return plan


def foretold_plan(this: Call, name: str) -> dict[str, Any] | None:
    """The plan as an earlier task would have made it (check mode)."""
    return this.predictions.find(names.MIG_PLAN, (this.namespace, name))


def _settled(this: Call, engine: str, namespace: str, control: Cluster, *, to_read: bool) -> Call:
    if engine == CONTROLLER and not to_read:
        _require_mtc(control)
    return dataclasses.replace(this, engine=engine, namespace=namespace)


def _of_namespace(asked: str, namespace: str) -> str:
    """The engine of a namespace that the user gave. Raises Refused when it is not the one that was asked for."""
    master = CONTROLLER if namespace == names.CONTROLLER_NAMESPACE else BUILTIN
    if asked in (AUTO, master):
        return master
    if asked == BUILTIN:
        reason = "MTC's controllers reconcile that namespace, and one resource never has two masters"
        mend = f"Leave the namespace out, which means {NAMESPACES[BUILTIN]}, or choose another one"
    else:
        reason = f"MTC's controllers look at namespace {names.CONTROLLER_NAMESPACE} only"
        mend = "Leave the namespace out, or say engine: builtin"
    raise Refused(
        subject=f"Namespace {namespace}", attempt=f"it cannot be used with engine {asked}", reason=reason, mend=mend
    )


def _automatic(this: Call, control: Cluster, plans: Mapping[str, Manifest], *, to_read: bool) -> Call:
    if len(plans) > 1:
        raise Refused(
            subject=" and ".join(_subject(plan) for plan in plans.values()),
            attempt="it is not clear which of them is meant",
            reason="plans of this name were made with either engine",
            mend="Name the engine or the namespace",
        )
    if plans:
        (engine,) = plans
        return _settled(this, engine, NAMESPACES[engine], control, to_read=to_read)
    found = mtc_installation.installed(control)
    if found.installed:
        return _settled(this, CONTROLLER, NAMESPACES[CONTROLLER], control, to_read=to_read)
    return dataclasses.replace(this, engine=BUILTIN, namespace=NAMESPACES[BUILTIN])


def _plans(control: Cluster, name: str) -> dict[str, Manifest]:
    """The plans of that name by the engine that they were made with, in the namespaces that the engines default to."""

    def read(engine: str) -> dict[str, Any] | None:
        return control.get(names.API_VERSION, names.MIG_PLAN, name, NAMESPACES[engine])

    found = dict(zip(NAMESPACES, control.map(read, list(NAMESPACES)), strict=True))
    return {
        engine: plan
        for engine, plan in found.items()
        if plan is not None and (plan["metadata"].get("annotations") or {}).get(names.ENGINE_ANNOTATION) == engine
    }


def _require_mtc(control: Cluster) -> None:
    found = mtc_installation.installed(control)
    if found.ready:
        return
    raise PermanentError(
        subject=f"Namespace {names.CONTROLLER_NAMESPACE}",
        attempt="MTC cannot be driven" if found.installed else "MTC is not installed",
        reason=found.reason,
        mend=(
            "Mend the installation; the builtin engine is never taken instead"
            if found.installed
            else "Install it, or say engine: builtin"
        ),
    )


def _subject(plan: Manifest) -> str:
    return subject_of(names.MIG_PLAN, plan["metadata"]["name"], plan["metadata"]["namespace"])
