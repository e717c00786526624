# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether MTC itself runs on the control cluster, and whether it can be given work.

The definitions of its kinds say nothing, for this collection ships them too. What MTC alone has is the Deployment of
its controller and its operator's kind MigrationController. The Deployment decides; the MigrationController is read only
to explain why there is none, or none that is available.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..cluster.api import Cluster
from ..resources import names
from ..resources.errors import Forbidden, NotFound

MIGRATION_CONTROLLER = "MigrationController"
DEPLOYMENT = "migration-controller"
WHERE = f"Deployment {names.CONTROLLER_NAMESPACE}/{DEPLOYMENT}"

Manifest = Mapping[str, Any]
Hidden = Literal["forbidden"]
"""In place of something that this user may not read."""


@dataclass(frozen=True, kw_only=True)
class Installation:
    """``ready`` without ``installed`` does not occur. ``reason`` is the end of a sentence: why it is as it is."""

    installed: bool
    ready: bool
    reason: str


def installed(control: Cluster) -> Installation:
    """What the control cluster says, in two requests, of which the discovery is one that other calls need anyway; in
    a third when MTC is there and not ready."""
    served, deployment = _served(control), _deployment(control)
    controllers: Sequence[Manifest] | Hidden = ()
    if served and not isinstance(deployment, str) and not _available(deployment):
        try:
            controllers = tuple(control.list(names.API_VERSION, MIGRATION_CONTROLLER, names.CONTROLLER_NAMESPACE))
        except Forbidden:
            controllers = "forbidden"
    return judge(served=served, deployment=deployment, controllers=controllers)


def judge(
    *, served: bool, deployment: Manifest | Hidden | None, controllers: Sequence[Manifest] | Hidden
) -> Installation:
    """The verdict on what was read. ``served``: the cluster knows the kind MigrationController."""
    if deployment == "forbidden":
        if not served:
            return Installation(installed=False, ready=False, reason="MTC's operator is not installed")
        return Installation(
            installed=True,
            ready=True,
            reason=f"{WHERE} may not be read by this user, so whether it works will show by what it does",
        )
    if isinstance(deployment, Mapping):
        if _available(deployment):
            return Installation(installed=True, ready=True, reason=f"{WHERE} is available")
        found = f"{WHERE} is not available: {_why_unavailable(deployment)}"
        return Installation(installed=True, ready=False, reason=_with(found, _failure(controllers)))
    if not served:
        return Installation(installed=False, ready=False, reason=f"there is no {WHERE}")
    return _without_deployment(controllers)


def _without_deployment(controllers: Sequence[Manifest] | Hidden) -> Installation:
    """MTC's operator is there, its controller is not."""
    if not isinstance(controllers, str) and controllers and not any(_wants_controller(item) for item in controllers):
        found = "MTC is installed without its controller (migration_controller: false), to be a remote cluster"
        return Installation(installed=False, ready=False, reason=found)
    if isinstance(controllers, str):
        found = f"MTC's operator is installed, but there is no {WHERE}, and its MigrationController may not be read"
    elif not controllers:
        found = "MTC's operator is installed, but no MigrationController has been made"
    else:
        found = _with(f"MTC's operator has not made {WHERE} yet", _failure(controllers))
    return Installation(installed=True, ready=False, reason=found)


def _served(control: Cluster) -> bool:
    try:
        control.resource(names.API_VERSION, MIGRATION_CONTROLLER)
    except NotFound:
        return False
    return True


def _deployment(control: Cluster) -> Manifest | Hidden | None:
    try:
        return control.get("apps/v1", "Deployment", DEPLOYMENT, names.CONTROLLER_NAMESPACE)
    except Forbidden:
        return "forbidden"


def _condition(resource: Manifest, type: str) -> Mapping[str, Any]:
    listed = (resource.get("status") or {}).get("conditions") or []
    return next((item for item in listed if item.get("type") == type), {})


def _available(deployment: Manifest | None) -> bool:
    if not deployment or deployment.get("spec", {}).get("replicas") == 0:
        return False
    return _condition(deployment, "Available").get("status") == "True"


def _why_unavailable(deployment: Manifest) -> str:
    if deployment["spec"].get("replicas") == 0:
        return "it is scaled to zero"
    return str(_condition(deployment, "Available").get("message") or "it has no ready pod yet")


def _wants_controller(controller: Manifest) -> bool:
    """The operator takes real booleans and, mostly, their texts."""
    return str((controller.get("spec") or {}).get("migration_controller", True)).lower() != "false"


def _failure(controllers: Sequence[Manifest] | Hidden) -> str:
    """What the operator says that went wrong; empty when it says nothing."""
    if isinstance(controllers, str):
        return ""
    failures = (_condition(item, "Failure") for item in controllers)
    told = [str(item.get("message") or "").strip() for item in failures if item.get("status") == "True"]
    return "; ".join(text for text in told if text)


def _with(found: str, failure: str) -> str:
    return f"{found}; its operator says: {failure}" if failure else found
