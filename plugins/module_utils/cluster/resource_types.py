# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a kind is called in URLs, and the kinds that every supported Kubernetes has under the same name.

The table spares a discovery request for the kinds that a migration touches most. It holds only kinds whose group
version is served by every Kubernetes from 1.11 to the newest; all others are discovered.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

STANDARD_VERBS = frozenset({"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"})


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """One kind of one group version, as a server serves it."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str] = STANDARD_VERBS

    @property
    def api_version(self) -> str:
        """``v1`` for the core group, else ``group/version``: what ``apiVersion`` of an object says."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def base_path(self) -> str:
        """Where the group version is served: ``/api/v1`` or ``/apis/apps/v1``."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The path of an object, of a collection, or of the collection in all namespaces.

        A namespace given for a cluster-scoped kind is ignored, so that callers need not tell the two apart.
        """
        path = self.base_path
        if self.namespaced and namespace:
            path = f"{path}/namespaces/{quote(namespace, safe='')}"
        path = f"{path}/{self.plural}"
        if name:
            path = f"{path}/{quote(name, safe='')}"
        return f"{path}/{subresource}" if subresource else path


def split_api_version(api_version: str) -> tuple[str, str]:
    """``("apps", "v1")`` of ``apps/v1``, ``("", "v1")`` of ``v1``."""
    group, _slash, version = api_version.rpartition("/")
    return group, version


_NAMESPACED = {
    "v1": "ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController "
    "ResourceQuota Secret Service ServiceAccount",
    "apps/v1": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling/v1": "HorizontalPodAutoscaler",
    "batch/v1": "Job",
    "networking.k8s.io/v1": "NetworkPolicy",
    "rbac.authorization.k8s.io/v1": "Role RoleBinding",
}

_CLUSTER_SCOPED = {
    "v1": "Namespace Node PersistentVolume",
    "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding",
    "storage.k8s.io/v1": "StorageClass",
}

_IRREGULAR_PLURALS = {"Endpoints": "endpoints", "NetworkPolicy": "networkpolicies", "StorageClass": "storageclasses"}


def _table() -> dict[tuple[str, str], ResourceType]:
    table: dict[tuple[str, str], ResourceType] = {}
    for namespaced, rows in ((True, _NAMESPACED), (False, _CLUSTER_SCOPED)):
        for api_version, kinds in rows.items():
            group, version = split_api_version(api_version)
            for kind in kinds.split():
                plural = _IRREGULAR_PLURALS.get(kind, f"{kind.lower()}s")
                table[api_version, kind] = ResourceType(
                    group=group, version=version, kind=kind, plural=plural, namespaced=namespaced
                )
    return table


BUILT_IN: dict[tuple[str, str], ResourceType] = _table()
