# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting for the condition that ``wait_condition`` names, where the builtin engine judges a resource.

Nobody else looks at such a resource, so the call itself looks again and again, and stores what has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..cluster.api import Cluster
from ..resources import names
from ..resources.conditions import is_ready
from ..resources.errors import NotFound, NotReady, PermanentError
from ..resources.wait_condition import Wanted, ended_without
from .call import Call
from .clock import elapsed_clock

Manifest = dict[str, Any]
PAUSE = 2.0
"""Seconds between two looks."""


def settled(this: Call, resource: Mapping[str, Any]) -> bool:
    """Whether the resource is as the call wants it in the end: it has the condition that is waited for, else Ready."""
    wanted = Wanted.of(this.params)
    return is_ready(resource) if wanted is None else wanted.holds(resource)


def absent(this: Call, wanted: Wanted, resource: Mapping[str, Any], *, subject: str) -> NotReady:
    """The error of a wait that came to nothing."""
    within = "now; check mode does not wait" if this.check else f"within {round(timeout_of(this))} s"
    mend = "Mend what the conditions say, or allow more time with wait_timeout, and run the task again"
    return NotReady(subject=subject, resource=resource, attempt=f"{wanted} does not hold {within}", where=mend)


def timeout_of(this: Call) -> float:
    """Seconds for the whole wait."""
    return float(this.params["wait_timeout"])


def until_it_holds(this: Call, resource: Manifest, *, subject: str, look: Callable[[], Manifest]) -> Manifest:
    """The resource once it has the condition that is waited for; as it is when none is. ``look`` judges and stores it
    anew. Raises NotReady after ``wait_timeout``, and at once in check mode, which looks only once."""
    wanted = Wanted.of(this.params)
    if wanted is None:
        return resource
    until = elapsed_clock() + timeout_of(this)
    while not wanted.holds(resource):
        if this.check or elapsed_clock() + PAUSE > until:
            raise absent(this, wanted, resource, subject=subject)
        this.reporter.tell(subject, f"waits for {wanted}")
        this.guard.pause(PAUSE)
        resource = look()
    return resource


def read_again(control: Cluster, resource: Mapping[str, Any], *, kind: str, subject: str) -> Manifest:
    """As it lies there by now: somebody may have mended it. Raises NotFound when it is gone."""
    metadata = resource["metadata"]
    stored = control.get(names.API_VERSION, kind, metadata["name"], metadata["namespace"])
    if stored is None:
        raise NotFound(
            subject=subject,
            attempt="it was deleted while its condition was waited for",
            mend="Run the task again to make it anew",
            status=404,
        )
    return stored


def judged_end(this: Call, result: dict[str, Any], *, subject: str) -> dict[str, Any]:
    """The result of a run, failed when it has ended otherwise than the call waited for."""
    resource = result.get("resource") or {}
    ended = result.get("phase") == "Completed" and not result.get("failed")
    wanted = ended_without(this.params, resource) if ended else None
    if wanted is None:
        return result
    error = PermanentError(
        subject=subject,
        attempt=f"it has ended without {wanted}",
        reason=f"its conditions are {', '.join(result.get('conditions') or {})}",
        mend="Look at its warnings, or wait for another condition",
    )
    return {**result, **error.as_result(), "failed": True}


def named_once(changes: Sequence[str]) -> list[str]:
    """What was changed, each thing once."""
    return list(dict.fromkeys(changes))
