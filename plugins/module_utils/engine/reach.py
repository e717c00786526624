# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How this process reaches the clusters of a plan.

The control cluster is what the module's flat options say. Source and destination are what the plan's MigClusters say,
unless the call names a connection of its own for them (before the MigClusters exist, in check mode, or where a CR
cannot say it: a proxy, an exec plugin, another address).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from ..cluster.api import Cluster
from ..cluster.connect import connect, connect_with_token
from ..cluster.options import connection_options
from ..resources import names
from ..resources.conditions import is_ready
from ..resources.errors import NotFound, PermanentError, subject_of
from .predictions import Predictions
from .process import ProcessName

VERSION = "0.1.0"
"""The collection's version, as it shows in the user agent; held equal to galaxy.yml by a test."""

Fence = Callable[[], None]


def user_agent(process: ProcessName | None) -> str:
    """Names the collection and the process, so that an audit log tells two engines apart."""
    return f"openmig.mtc/{VERSION} ({process or 'unknown process'})"


class Reach:
    """Opens connections for one call of a module; opening contacts nobody."""

    def __init__(
        self,
        *,
        params: Mapping[str, Any],
        environ: Mapping[str, str],
        process: ProcessName | None,
        fence: Fence | None,
        predictions: Predictions,
    ) -> None:
        self._params = params
        self._predictions = predictions
        self._environ = environ
        self._agent = user_agent(process)
        self._fence = fence

    def control(self, *, fence: Fence | None = None, name: str = "control") -> Cluster:
        options = connection_options(self._params, self._environ)
        return connect(options, name=name, user_agent=self._agent, fence=fence or self._fence)

    def given(self, option: str, *, name: str) -> Cluster | None:
        """The connection in a dict option (``source``, ``destination``, ``remote``); None when the user gave none."""
        if not self._params.get(option):
            return None
        options = connection_options(self._params[option], {}, within=option)
        return connect(options, name=name, user_agent=self._agent, fence=self._fence)

    def of_resource(self, control: Cluster, cluster: Mapping[str, Any], *, name: str) -> Cluster:
        """The cluster that a MigCluster stands for. Raises NotFound when its secret or the token in it is missing."""
        spec, metadata = cluster["spec"], cluster["metadata"]
        if spec.get("isHostCluster"):
            return self.control(name=name)
        subject = subject_of(names.MIG_CLUSTER, metadata["name"], metadata["namespace"])

        def token() -> str:
            return read_token(control, spec, subject=subject)

        # A run may outlive its token; mig_cluster lays a new one into the secret.
        return self.with_token(spec, token=token(), name=name, renewed=token)

    def with_token(
        self, spec: Mapping[str, Any], *, token: str, name: str, renewed: Callable[[], str] | None = None
    ) -> Cluster:
        bundle = spec.get("caBundle")
        return connect_with_token(
            url=spec["url"],
            token=token,
            ca_data=base64.b64decode(bundle) if bundle else None,
            insecure=bool(spec.get("insecure")),
            name=name,
            user_agent=self._agent,
            fence=self._fence,
            renewed=renewed,
        )

    def side(self, control: Cluster, plan: Mapping[str, Any], *, side: str) -> Cluster:
        """``side`` is source or destination: the connection given for it, else the plan's MigCluster."""
        given = self.given(side, name=side)
        if given is not None:
            return given
        field = "srcMigClusterRef" if side == "source" else "destMigClusterRef"
        reference = plan["spec"].get(field) or {}
        target = str(reference.get("namespace") or ""), str(reference.get("name") or "")
        found = control.get(names.API_VERSION, names.MIG_CLUSTER, target[1], target[0])
        foretold = self._foretold(target, name=side) if found is None or not is_ready(found) else None
        if foretold is not None:
            return foretold
        if found is None:
            raise NotFound(
                subject=subject_of(names.MIG_CLUSTER, str(reference.get("name")), str(reference.get("namespace"))),
                attempt=f"the plan's {side} cluster is unknown",
                reason="there is no such resource on the control cluster",
                mend=f"Create it with mig_cluster, or say with the option {side} how to reach it",
                status=404,
            )
        return self.of_resource(control, found, name=side)

    def _foretold(self, target: tuple[str, str], *, name: str) -> Cluster | None:
        """A cluster that an earlier task in check mode would have made known, reached as that task has reached it."""
        resource = self._predictions.find(names.MIG_CLUSTER, target)
        if resource is None:
            return None
        if resource["spec"].get("isHostCluster"):
            return self.control(name=name)
        remote = self._predictions.way_to(names.MIG_CLUSTER, target)
        if remote is None:
            return None
        options = connection_options(remote, {}, within="remote")
        return connect(options, name=name, user_agent=self._agent, fence=self._fence)


def read_token(control: Cluster, spec: Mapping[str, Any], *, subject: str) -> str:
    """The token in the secret that the MigCluster refers to."""
    reference = spec.get("serviceAccountSecretRef") or {}
    secret = (
        control.get("v1", "Secret", reference.get("name", ""), reference.get("namespace"))
        if reference.get("name")
        else None
    )
    token = ((secret or {}).get("data") or {}).get(names.SERVICE_ACCOUNT_TOKEN_KEY)
    if not token:
        raise PermanentError(
            subject=subject,
            attempt="its token cannot be read",
            reason=(
                f"Secret {reference.get('namespace')}/{reference.get('name')} "
                f"or its key {names.SERVICE_ACCOUNT_TOKEN_KEY} is missing"
            ),
            mend="Let mig_cluster adopt the cluster again, or store the token there",
        )
    return base64.b64decode(token).decode("utf-8").strip()
