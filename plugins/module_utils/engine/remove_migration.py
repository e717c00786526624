# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``state: absent`` of a migration: the resource goes, with its record, whatever engine carried it out. What it has
moved stays; only a rollback undoes that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from ..cluster.api import Cluster
from ..resources import migmigration, names
from ..resources.errors import DeadlineExceeded, Refused, subject_of
from .call import Call
from .clock import elapsed_clock
from .outcome import nothing
from .record import head_name

GONE_WITHIN = 60
PAUSE = 0.3
CANCELING = {"state": "present", "force": False, "cancel": True, "wait": True, "plan_definition": None}
"""The options of the call that ends an unfinished run before it is removed."""
Again = Callable[[Call], dict[str, Any]]


def remove(this: Call, control: Cluster, *, again: Again, started: float) -> dict[str, Any]:
    """The module's result. Refused for an unfinished run, unless ``force`` says that it is cancelled first; ``again``
    carries another call of the module out."""
    name = str(this.params["name"])
    found = control.get(names.API_VERSION, names.MIG_MIGRATION, name, this.namespace)
    if found is None:
        return nothing(changed=False, started=started, engine=this.engine)
    subject = subject_of(names.MIG_MIGRATION, name, this.namespace)
    if not migmigration.finished(found):
        if not this.params.get("force"):
            raise Refused(
                subject=subject,
                attempt="it is not removed",
                reason="it is not finished",
                mend="Let it end, cancel it with cancel: true, or say force: true, which cancels it first",
            )
        if not this.check and (plan := migmigration.plan_of(found)) is not None:
            again(dataclasses.replace(this, params={**this.params, **CANCELING, "plan": plan[1]}))
    if not this.check:
        control.delete(names.API_VERSION, names.MIG_MIGRATION, name, this.namespace, uid=found["metadata"]["uid"])
        _await_gone(this, control, name, subject)
        this.reporter.tell(name, "removed with its record")
    diff = {"before": found.get("spec") or {}, "after": {}}
    return {**nothing(changed=True, started=started, engine=this.engine), "diff": diff}


def _await_gone(this: Call, control: Cluster, name: str, subject: str) -> None:
    """The record has the migration for its owner; the cluster removes it after it."""
    until = elapsed_clock() + GONE_WITHIN
    while control.get("v1", "ConfigMap", head_name(name), this.namespace) is not None:
        if elapsed_clock() > until:
            raise DeadlineExceeded(
                subject=subject,
                attempt="its record is still there",
                reason=f"ConfigMap {head_name(name)} was not removed within {GONE_WITHIN} s after its owner",
                mend="Look whether the control cluster's garbage collection works",
            )
        this.guard.pause(PAUSE)
