# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every call of a module has: its parameters, who carries it out, how the clusters are reached, whom to tell.

Also the one question that all of them ask first: are the resources known to the control cluster?
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..cluster.api import Cluster
from ..resources import names
from ..resources.engines import BUILTIN, NAMESPACES
from ..resources.errors import NotFound, PermanentError
from .guard import Guard
from .predictions import Predictions
from .process import ProcessName
from .reach import Reach
from .reporter import Reporter


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a module. ``check`` means that nothing may be written on any cluster.

    Engine and namespace are what the options say until choice.settle() has looked at the control cluster.
    """

    params: Mapping[str, Any]
    check: bool
    engine: str
    namespace: str
    process: ProcessName
    guard: Guard
    reach: Reach
    reporter: Reporter
    predictions: Predictions


def begin(params: Mapping[str, Any], *, check: bool, subject: str, signals: bool) -> Call:
    """A call from a module's parameters. ``signals``: stop between two steps on TERM, HUP and INT (main thread
    only)."""
    process = ProcessName.of(os.getpid())
    if process is None:
        raise PermanentError(
            subject=subject,
            attempt="this machine cannot run the builtin engine",
            reason="it has no /proc to tell processes apart",
            mend="Run the task on Linux",
        )
    listener = params.get("reporter") or {}
    parent = ProcessName.parse(listener.get("parent") or "")
    guard = Guard(parent=parent, subject=subject)
    predictions = Predictions((listener.get("foretold") or ()) if check else ())
    if signals:
        guard.catch_signals()
    return Call(
        params=params,
        check=check,
        engine=BUILTIN,
        namespace=params.get("namespace") or NAMESPACES[BUILTIN],
        process=process,
        guard=guard,
        reach=Reach(params=params, environ=os.environ, process=process, fence=guard.fence, predictions=predictions),
        reporter=Reporter(path=listener.get("file")),
        predictions=predictions,
    )


def require_resources(control: Cluster, *, check: bool) -> bool:
    """Whether the control cluster serves MigMigrations and their kin. False only in check mode: an earlier task would
    install them. Otherwise a missing kind is an error.
    """
    try:
        control.resource(names.API_VERSION, names.MIG_MIGRATION)
    except NotFound as error:
        if check:
            return False
        raise PermanentError(
            subject=f"CustomResourceDefinition {names.KINDS[names.MIG_MIGRATION].crd_name}",
            attempt=f"the control cluster {control.server} does not know it",
            reason=f"the API {names.API_VERSION} is not served there",
            mend="Apply the role openmig.mtc.crds to the control cluster first",
        ) from error
    return True
