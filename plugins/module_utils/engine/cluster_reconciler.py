# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes a MigCluster's status true: is the cluster reached with what the resource says, and may its account do what
the engine has to do?

Checks, order, types and reasons are upstream's (MTC pkg/controller/migcluster/validation.go). Two differ because
there is no MTC on the cluster: the account must be able to list everything, instead of owning the groups of MTC and
Velero; and there is no operator whose version could differ. The connection test really asks the server, so an API
that does not answer is ``TestConnectFailed`` (Q11).
"""

from __future__ import annotations

import base64
import copy
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ..cluster.api import Cluster
from ..resources import names, urls
from ..resources.condition_names import Category, ClusterCondition, Reason
from ..resources.conditions import Conditions
from ..resources.digest import observed_digest
from ..resources.errors import MtcError

Connect = Callable[[Mapping[str, Any], str], Cluster]
"""From a MigCluster's spec and a token ("" for the host cluster) to the cluster; contacts nobody."""


def check_cluster(
    *,
    spec: Mapping[str, Any],
    status: Mapping[str, Any],
    secret: Callable[[], Mapping[str, str] | None],
    connect: Connect,
) -> dict[str, Any]:
    """The status that is true now. Nothing is written. ``secret`` gives what is in the secret that the spec names,
    None when there is none."""
    conditions = Conditions(status)
    conditions.begin()
    _check_url(spec, conditions)
    token = _check_secret(spec, conditions, secret)
    if not conditions.has_blocker():
        _check_connection(connect(spec, token), conditions, control=bool(spec.get("isHostCluster")))
    conditions.set_ready(not conditions.has_blocker(), "The cluster is ready.")
    return {
        **copy.deepcopy(dict(status)),
        "conditions": conditions.end(datetime.now(UTC)),
        "observedDigest": observed_digest(spec),
    }


def _check_url(spec: Mapping[str, Any], conditions: Conditions) -> None:
    if spec.get("isHostCluster"):
        return
    url = str(spec.get("url") or "")
    kind = ClusterCondition.INVALID_URL
    if not url:
        conditions.set(kind, Category.CRITICAL, Reason.NOT_SET, "The `url` must be set for a remote cluster.")
    elif (parts := urls.parsed(url)) is None:
        conditions.set(kind, Category.CRITICAL, Reason.MALFORMED, "The `url` is no URL.")
    elif parts.scheme not in ("http", "https"):
        conditions.set(kind, Category.CRITICAL, Reason.INVALID_SCHEME, "The `url` must begin with http:// or https://.")
    elif not parts.hostname:
        conditions.set(kind, Category.CRITICAL, Reason.MALFORMED, "The `url` names no host.")


def _check_secret(
    spec: Mapping[str, Any], conditions: Conditions, secret: Callable[[], Mapping[str, str] | None]
) -> str:
    """The token; "" where there is none or none is needed."""
    if spec.get("isHostCluster"):
        return ""
    reference = spec.get("serviceAccountSecretRef") or {}
    if not (reference.get("name") and reference.get("namespace")):
        message = "The `serviceAccountSecretRef` must name a secret and its namespace."
        conditions.set(ClusterCondition.INVALID_SECRET_REF, Category.CRITICAL, Reason.NOT_SET, message)
        return ""
    place, key = f"{reference['namespace']}/{reference['name']}", names.SERVICE_ACCOUNT_TOKEN_KEY
    data = secret()
    if data is None:
        message = f"The secret {place} that `serviceAccountSecretRef` names does not exist."
        conditions.set(ClusterCondition.INVALID_SECRET_REF, Category.CRITICAL, Reason.NOT_FOUND, message)
        return ""
    if key not in data:
        message = f"The secret {place} has no key {key}."
        conditions.set(ClusterCondition.INVALID_TOKEN, Category.CRITICAL, Reason.NOT_FOUND, message)
        return ""
    token = base64.b64decode(data[key] or "").decode("utf-8", errors="replace").strip()
    if not token:
        message = f"The token in key {key} of the secret {place} is empty."
        conditions.set(ClusterCondition.INVALID_TOKEN, Category.CRITICAL, Reason.NOT_SET, message)
    return token


def _check_connection(cluster: Cluster, conditions: Conditions, *, control: bool) -> None:
    """A version that is not supported counts as a cluster that cannot be reached: nothing can be done with it."""
    try:
        cluster.capabilities(control=control)
        allowed = cluster.allowed("list", "*", "*")
    except MtcError as error:
        conditions.set(ClusterCondition.CONNECT_FAILED, Category.CRITICAL, Reason.CONNECT_FAILED, error.message)
        return
    if not allowed:
        message = "The account may not list the cluster's objects."
        conditions.set(ClusterCondition.TOKEN_NOT_PRIVILEGED, Category.CRITICAL, Reason.UNAUTHORIZED, message)


def write_status(control: Cluster, resource: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    """Store the status if it says something new; returns the resource as it then is. An unchanged status costs no
    request."""
    if resource.get("status") == status and not resource["spec"].get("refresh"):
        return resource
    return control.replace(with_status(resource, status))


def with_status(resource: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    """The resource as a finished pass stores it: with the status, a new mark of the pass, and no refresh asked for."""
    metadata = resource["metadata"]
    annotations = {**(metadata.get("annotations") or {}), names.TOUCH_ANNOTATION: str(uuid.uuid1())}
    spec = {**resource["spec"], "refresh": False} if "refresh" in resource["spec"] else resource["spec"]
    return {**resource, "metadata": {**metadata, "annotations": annotations}, "spec": spec, "status": status}
