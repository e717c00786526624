# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A MigCluster that MTC's controller judges."""

from __future__ import annotations

from typing import Any

from ..cluster.api import Cluster
from ..resources import names
from ..resources.errors import MtcError, Unauthorized, subject_of
from . import awaiting
from .call import Call
from .ensure_resource import Situation, driven
from .reach import read_token

Manifest = dict[str, Any]


class Look:
    """The same questions as ensure_cluster asks the builtin engine, answered by the controller."""

    def __init__(
        self, this: Call, control: Cluster, *, remote: Cluster | None, spec: dict[str, Any], existing: Manifest | None
    ) -> None:
        self._remote = remote
        self._situation = Situation(
            call=this,
            control=control,
            subject=subject_of(names.MIG_CLUSTER, this.params["name"], this.namespace),
            spec=spec,
            stored=existing,
            installed=True,
            secrets={},
        )

    def token_is_rejected(self) -> bool:
        """Asked of the remote cluster: the controller's condition does not tell a rejected token from a broken way."""
        situation = self._situation
        if self._remote is None or not situation.spec.get("url"):
            return False
        try:
            token = read_token(situation.control, situation.spec, subject=situation.subject)
            found = situation.call.reach.with_token(situation.spec, token=token, name=self._remote.name)
            found.allowed("get", "", "namespaces")
        except Unauthorized:
            return True
        except MtcError:
            return False
        return False

    def store(self, changes: list[str]) -> Manifest:
        """The spec alone, and the controller's judgement of it. Raises NotReady."""
        return driven(self._situation, names.MIG_CLUSTER, awaiting.drive, changes)
