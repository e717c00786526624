# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Phases of step Prepare: look at the plan again and clear away what an earlier run of it has left."""

from __future__ import annotations

from ..cluster.api import Cluster
from ..resources import names
from . import plan_reconciler, stale_leases
from .context import Context
from .plan_runs import migrations_of
from .plan_sides import plan_findings

STALE_DEADLINE = 120
"""Seconds that leftovers of earlier runs may take to go."""


def begin(_context: Context) -> None:
    """Created and Started: nothing to do but to be seen."""


def refresh_plan(context: Context) -> None:
    """StartRefresh: the plan is reconciled once more, with what the clusters say now."""
    evaluated = plan_reconciler.evaluate(
        control=context.control,
        sides=lambda: (context.source, context.destination),
        plan=context.plan,
        refresh=True,
    )
    context.plan = plan_reconciler.store(context.control, evaluated, before=context.plan)


def require_ready_plan(context: Context) -> None:
    """WaitForRefresh: a plan that is not ready ends the run before anything was touched."""
    for finding in plan_findings(context.plan):
        raise finding


def _stale_selector(context: Context) -> str:
    of_another_run = f"{names.RUN_LABEL},{names.RUN_LABEL}!={context.migration.uid}"
    return f"{of_another_run},{names.MIGRATED_BY_MIGPLAN_LABEL}={context.plan_uid}"


def _places(context: Context) -> list[tuple[Cluster, str]]:
    elsewhere = {str(hook.get("executionNamespace")) for hook in context.plan["spec"].get("hooks") or ()}
    return [(context.source, name) for name in {*context.source_namespaces, *elsewhere}] + [
        (context.destination, name) for name in {*context.destination_namespaces, *elsewhere}
    ]


def remove_stale_scaffolding(context: Context) -> None:
    """CleanStaleStagePods: delete the anchors of this plan's earlier runs; what they own goes with them. So do leases
    of finished runs."""

    def remove(place: tuple[Cluster, str]) -> None:
        cluster, namespace = place
        for anchor in list(cluster.list("v1", "ConfigMap", namespace, label_selector=_stale_selector(context))):
            cluster.delete("v1", "ConfigMap", anchor["metadata"]["name"], namespace, uid=anchor["metadata"]["uid"])

    context.control.map(remove, _places(context))
    migrations = migrations_of(context.control, context.migration.namespace, str(context.plan["metadata"]["name"]))
    stale_leases.clear(context.control, context.migration.namespace, migrations, check=False)


def await_stale_scaffolding(context: Context) -> str | None:
    """WaitForStaleStagePodsTerminated: no pod of an earlier run of this plan is left."""

    def pods(place: tuple[Cluster, str]) -> list[str]:
        cluster, namespace = place
        found = cluster.list("v1", "Pod", namespace, label_selector=_stale_selector(context))
        return [f"{namespace}/{pod['metadata']['name']}" for pod in found]

    left = [pod for found in context.control.map(pods, _places(context)) for pod in found]
    if not left:
        return None
    waiting = f"pods of an earlier run are still going: {', '.join(left)}"
    context.must_end_within(
        STALE_DEADLINE, waiting_for=waiting, mend="Look why these pods do not end, then run the task again"
    )
    return waiting
