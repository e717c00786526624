# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The demo's own way to an API server.

The demo judges the collection, so it does not ask the collection's code what is on a cluster. `kubernetes` reads the
kubeconfig and authenticates; the requests are a dozen lines over urllib3, under a user agent by which the audit log
tells them from the migration's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import urllib3
from kubernetes import client, config
from urllib3.util import Retry, Timeout

from demo.settings import FIELD_MANAGER, USER_AGENT

Manifest = dict[str, Any]

KINDS: Mapping[str, tuple[str, str]] = {
    "Namespace": ("api/v1", "namespaces"),
    "Node": ("api/v1", "nodes"),
    "PersistentVolume": ("api/v1", "persistentvolumes"),
    "Pod": ("api/v1", "pods"),
    "Service": ("api/v1", "services"),
    "Secret": ("api/v1", "secrets"),
    "ConfigMap": ("api/v1", "configmaps"),
    "ServiceAccount": ("api/v1", "serviceaccounts"),
    "PersistentVolumeClaim": ("api/v1", "persistentvolumeclaims"),
    "ResourceQuota": ("api/v1", "resourcequotas"),
    "LimitRange": ("api/v1", "limitranges"),
    "Deployment": ("apis/apps/v1", "deployments"),
    "StatefulSet": ("apis/apps/v1", "statefulsets"),
    "DaemonSet": ("apis/apps/v1", "daemonsets"),
    "ReplicaSet": ("apis/apps/v1", "replicasets"),
    "Job": ("apis/batch/v1", "jobs"),
    "CronJob": ("apis/batch/v1", "cronjobs"),
    "PodDisruptionBudget": ("apis/policy/v1", "poddisruptionbudgets"),
    "NetworkPolicy": ("apis/networking.k8s.io/v1", "networkpolicies"),
    "Ingress": ("apis/networking.k8s.io/v1", "ingresses"),
    "Role": ("apis/rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": ("apis/rbac.authorization.k8s.io/v1", "rolebindings"),
    "ClusterRole": ("apis/rbac.authorization.k8s.io/v1", "clusterroles"),
    "ClusterRoleBinding": ("apis/rbac.authorization.k8s.io/v1", "clusterrolebindings"),
    "Lease": ("apis/coordination.k8s.io/v1", "leases"),
    "CustomResourceDefinition": ("apis/apiextensions.k8s.io/v1", "customresourcedefinitions"),
    "MigPlan": ("apis/migration.openshift.io/v1alpha1", "migplans"),
    "MigMigration": ("apis/migration.openshift.io/v1alpha1", "migmigrations"),
}
CLUSTER_WIDE = frozenset(
    {"Namespace", "Node", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"}
)


class ClusterError(Exception):
    """The API server refused, or something did not come about in time."""

    def __init__(self, sentence: str, *, status: int = 0) -> None:
        self.status = status
        super().__init__(sentence)


class Cluster:
    """One cluster, reached as the kubeconfig says."""

    def __init__(self, *, name: str, kubeconfig: Path, context: str | None = None) -> None:
        self.name = name
        self.kubeconfig = kubeconfig
        self.context = context
        self._settings = client.Configuration()
        config.load_kube_config(config_file=str(kubeconfig), context=context, client_configuration=self._settings)
        options: dict[str, Any] = {
            "cert_reqs": "CERT_REQUIRED" if self._settings.verify_ssl else "CERT_NONE",
            "ca_certs": self._settings.ssl_ca_cert,
            "cert_file": self._settings.cert_file,
            "key_file": self._settings.key_file,
            "maxsize": 8,
        }
        proxy = self._settings.proxy
        self._pool = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        timeout: float = 30,
    ) -> bytes:
        """One request; raises ClusterError with the server's own message and status, or when there is no answer."""
        headers = {"User-Agent": USER_AGENT, "Content-Type": content_type, "Accept": "application/json, */*"}
        ways = cast("dict[str, dict[str, str]]", self._settings.auth_settings())
        for way in ways.values():
            headers[way["key"]] = way["value"]
        url = f"{self._settings.host}/{path}"
        if query:
            url += f"?{urlencode(query)}"
        data = None if body is None else json.dumps(body)
        # A read may be sent again; a write is sent once, so that what is counted as acknowledged was sent once too.
        retry = Retry(total=3, backoff_factor=0.2, redirect=0) if method == "GET" else Retry(total=0, redirect=0)
        try:
            answer = self._pool.request(
                method, url, body=data, headers=headers, timeout=Timeout(connect=5, read=timeout), retries=retry
            )
        except urllib3.exceptions.HTTPError as error:
            raise ClusterError(f"{self.name}: {method} {path}: {error}") from error
        if answer.status >= 400:
            raise ClusterError(
                f"{self.name}: {method} {path}: {answer.status} {_message(answer.data)}", status=answer.status
            )
        return bytes(answer.data)

    def get(self, kind: str, name: str, namespace: str | None = None) -> Manifest | None:
        """The object, or None where there is none (or no such kind)."""
        try:
            found: Manifest = _parsed(self.request("GET", _path(kind, namespace, name)))
        except ClusterError as error:
            if error.status == 404:
                return None
            raise
        return found

    def list(self, kind: str, namespace: str | None = None, *, selector: str | None = None) -> list[Manifest]:
        """Every object of a kind (told in it), in one namespace or in all; empty where the kind is not known."""
        try:
            query = {"labelSelector": selector} if selector else None
            items: list[Manifest] = _parsed(self.request("GET", _path(kind, namespace), query=query))["items"]
        except ClusterError as error:
            if error.status == 404:
                return []
            raise
        return [{"kind": kind, **item} for item in items]

    def apply(self, manifest: Manifest) -> None:
        """Server-side apply: creates what is absent, corrects what differs."""
        metadata = manifest["metadata"]
        path = _path(manifest["kind"], metadata.get("namespace"), metadata["name"])
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        self.request("PATCH", path, manifest, query=query, content_type="application/apply-patch+yaml")

    def create(self, manifest: Manifest) -> None:
        """Create; raises ClusterError (status 409) when it exists."""
        self.request("POST", _path(manifest["kind"], manifest["metadata"].get("namespace")), manifest)

    def delete(self, kind: str, name: str, namespace: str | None = None, *, grace: int | None = None) -> bool:
        """Delete; False when there was nothing."""
        body: Manifest = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if grace is not None:
            body["gracePeriodSeconds"] = grace
        try:
            self.request("DELETE", _path(kind, namespace, name), body)
        except ClusterError as error:
            if error.status == 404:
                return False
            raise
        return True

    def log(self, namespace: str, pod: str) -> Iterator[str]:
        """The lines that a finished pod has printed."""
        text = self.request("GET", f"{_path('Pod', namespace, pod)}/log", timeout=120)
        return iter(text.decode().splitlines())

    def service(
        self, method: str, namespace: str, service: str, path: str, body: Any = None, *, timeout: float = 30
    ) -> Any:
        """Ask a web service in the cluster through the API server, which works wherever the API server does."""
        return json.loads(
            self.request(method, f"{_path('Service', namespace)}/{service}/proxy{path}", body, timeout=timeout)
        )

    def wait(self, what: str, condition: Callable[[], bool], *, seconds: float, interval: float = 0.2) -> None:
        """Poll until the condition holds; raises ClusterError naming `what` after so many seconds."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise ClusterError(f"{self.name}: {what}: not so after {seconds:.0f} s")
            time.sleep(interval)


def _path(kind: str, namespace: str | None, name: str | None = None) -> str:
    version, plural = KINDS[kind]
    scope = f"/namespaces/{namespace}" if namespace and kind not in CLUSTER_WIDE else ""
    return f"{version}{scope}/{plural}" + (f"/{name}" if name else "")


def _parsed(answer: bytes) -> Any:
    return json.loads(answer)


def _message(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        return answer[:300].decode(errors="replace")
