# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of ``mig_gc``: the scaffolding of runs that nobody carries out any more is removed, and nothing else is.

A run cleans up after itself, also when it fails, and a re-run cleans up after a kill. What is left is the run that was
killed and that nobody repeats. Scaffolding holds no data of anybody, so removing it loses nothing: a later call for the
same migration makes it anew. Whether it is abandoned is asked of what the control cluster knows; what it does not know
may belong to another control cluster, so there only the deadline counts that the scaffolding itself bears.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..cluster.api import Cluster
from ..resources import directvolume_rules, migmigration, names, option_checks
from ..resources.errors import DeadlineExceeded, InvalidInput, NotFound, Problem, subject_of
from ..volumes import cleanup
from ..volumes.cleanup import Leftover
from . import call, choice, lease, stale_leases
from .call import Call
from .clock import elapsed_clock
from .direct_outcome import run_name

Manifest = dict[str, Any]
PAUSE = 0.3


@dataclass(frozen=True, kw_only=True)
class Run:
    """What lies on the clusters of one run, and its resource as far as the control cluster knows it: a MigMigration, or
    a DirectVolumeMigration that stands alone."""

    uid: str
    migration: Manifest | None
    found: list[Leftover]

    @property
    def subject(self) -> str:
        if self.migration is not None:
            metadata = self.migration["metadata"]
            return subject_of(str(self.migration["kind"]), metadata["name"], metadata["namespace"])
        told = {str((item.manifest.get("data") or {}).get("migration", "")) for item in self.found if item.anchor}
        return f"{names.MIG_MIGRATION} {' '.join(sorted(told - {''})) or self.uid}"

    @property
    def finished(self) -> bool:
        """Whether the resource says so."""
        return self.migration is not None and _finished(self.migration)

    @property
    def lease_name(self) -> str:
        """Of whoever carries it out."""
        name = str((self.migration or {})["metadata"]["name"])
        return run_name(name) if self._is_direct else name

    @property
    def _is_direct(self) -> bool:
        return (self.migration or {}).get("kind") == names.DIRECT_VOLUME_MIGRATION

    @property
    def expired(self) -> bool:
        """Whether every deadline that its anchors bear has passed; without any nobody can tell."""
        deadlines = [
            text
            for item in self.found
            if (text := (item.manifest["metadata"].get("annotations") or {}).get(names.DEADLINE_ANNOTATION))
        ]
        now = dt.datetime.now(dt.UTC)
        return bool(deadlines) and all(dt.datetime.fromisoformat(text) < now for text in deadlines)


def _finished(migration: Manifest) -> bool:
    if migration["kind"] == names.DIRECT_VOLUME_MIGRATION:
        return directvolume_rules.finished(migration)
    return migmigration.finished(migration)


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """What can be known from the task alone."""
    problems = option_checks.resource_name(params)
    if params["wait_timeout"] < 1:
        problems.append(Problem(path="wait_timeout", fault="must be at least 1 second"))
    return problems


def collect(this: Call) -> dict[str, Any]:
    """The module's result: what was removed and what was kept and why. Raises DeadlineExceeded when it does not go."""
    started = elapsed_clock()
    if problems := validate(this.params):
        raise InvalidInput(subject="mig_gc", problems=problems)
    control = this.reach.control()
    this = choice.builtin_only(choice.settle(this, control))
    installed = call.require_resources(control, check=this.check)
    migrations = {
        str(item["metadata"]["uid"]): {**item, "kind": kind}
        for kind in ((names.MIG_MIGRATION, names.DIRECT_VOLUME_MIGRATION) if installed else ())
        for item in control.list(names.API_VERSION, kind)
    }
    clusters = _clusters(this, control, installed=installed)
    removed: list[str] = []
    kept: list[dict[str, str]] = []
    doomed: list[Leftover] = []
    for run in _runs(control, clusters, migrations):
        why = _reason_to_keep(this, control, run)
        if why is None:
            doomed += run.found
            removed += [f"{item} of {run.subject}" for item in run.found]
            this.reporter.tell("gc", f"{run.subject}: {len(run.found)} objects are left and go")
        else:
            kept.append({"migration": run.subject, "run": run.uid, "objects": str(len(run.found)), "reason": why})
    leases = stale_leases.of(control, this.namespace, [run for run in migrations.values() if _finished(run)])
    removed += [f"{Leftover(cluster=control, manifest=item)} of a run that has ended" for item in leases]
    if leases and not this.check:
        stale_leases.remove(control, leases)
    if doomed and not this.check:
        cleanup.remove(doomed)
        await_gone(this, doomed, timeout=float(this.params["wait_timeout"]))
    return {
        "changed": bool(removed),
        "removed": sorted(removed),
        "kept": kept,
        "engine": this.engine,
        "duration": round(elapsed_clock() - started, 2),
        "diff": {"before": {"scaffolding": sorted(removed)}, "after": {"scaffolding": []}},
    }


def _clusters(this: Call, control: Cluster, *, installed: bool) -> list[Cluster]:
    """The clusters that the call names, else all that the namespace's MigClusters stand for; each once."""
    given = [this.reach.given(side, name=side) for side in ("source", "destination")]
    found = [cluster for cluster in given if cluster is not None]
    if not found and installed:
        found = [
            this.reach.of_resource(control, item, name=str(item["metadata"]["name"]))
            for item in control.list(names.API_VERSION, names.MIG_CLUSTER, this.namespace)
        ]
    # Two connections may lead to one cluster.
    identities = control.map(lambda cluster: cluster.identity(), found)
    return list(dict(zip(identities, found, strict=True)).values())


def _runs(control: Cluster, clusters: list[Cluster], migrations: Mapping[str, Manifest]) -> list[Run]:
    places = [(cluster, kind) for cluster in clusters for kind in cleanup.KINDS]

    def look(place: tuple[Cluster, str]) -> list[Leftover]:
        cluster, kind = place
        listed = cluster.list("v1", kind, label_selector=names.RUN_LABEL)
        return [Leftover(cluster=cluster, manifest=manifest) for manifest in listed]

    by_run: dict[str, list[Leftover]] = {}
    for items in control.map(look, places, concurrency=8):
        for item in items:
            by_run.setdefault(item.manifest["metadata"]["labels"][names.RUN_LABEL], []).append(item)
    return [Run(uid=uid, migration=migrations.get(uid), found=found) for uid, found in sorted(by_run.items())]


def _reason_to_keep(this: Call, control: Cluster, run: Run) -> str | None:
    """Why a run's scaffolding stays; None when it may go."""
    if run.migration is None:
        if run.expired:
            return None
        return "this control cluster does not know the migration, and the scaffolding's deadline has not passed"
    if run.finished:
        return None
    metadata = run.migration["metadata"]
    holder = lease.holder_of(control, metadata["namespace"], run.lease_name, pause=this.guard.pause)
    if holder is not None:
        return f"it is being carried out by {holder}"
    if run.expired or this.params["unfinished"]:
        return None
    return "it is not finished: run its task again to go on, cancel it, or say unfinished: true"


def await_gone(this: Call, doomed: list[Leftover], *, timeout: float) -> None:
    """Raises DeadlineExceeded when something still exists after so many seconds."""
    until = elapsed_clock() + timeout
    left = doomed
    while left := [item for item in left if _exists(item)]:
        if elapsed_clock() > until:
            raise DeadlineExceeded(
                subject=str(left[0]),
                attempt=f"{len(left)} objects do not go",
                reason=f"they still exist {timeout:.0f} s after their removal was asked for",
                mend="Look at their finalizers and at the node of the pods, then run the task again",
            )
        this.guard.pause(PAUSE)


def _exists(item: Leftover) -> bool:
    metadata = item.manifest["metadata"]
    try:
        found = item.cluster.get("v1", item.manifest["kind"], metadata["name"], metadata["namespace"])
    except NotFound:
        return False
    return found is not None and found["metadata"]["uid"] == metadata["uid"]
