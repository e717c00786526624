# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Clusters that let no Service into a namespace: because a policy says so, or because nobody answers who was to be
asked. A namespace is known by its name, which may come into being with the migration only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import ApiError
from integration.migration.waiting import until
from integration.stores.servers import free_port
from lab.topology import HOST_IP

Manifest = dict[str, Any]
API = "admissionregistration.k8s.io/v1"
DENIAL = "no services here"
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["services"]}


@contextmanager
def denied(cluster: Cluster, namespace: str) -> Iterator[None]:
    """A policy of the cluster that lets no Service into a namespace, in force as long as the block runs."""
    with enforced(cluster, policy(f"no-services-in-{namespace}", namespace, RULE, message=DENIAL)):
        until(lambda: _refuses(cluster, namespace), "the policy is in force")
        yield


@contextmanager
def enforced(cluster: Cluster, manifests: Sequence[Manifest]) -> Iterator[None]:
    """These objects are on the cluster as long as the block runs."""
    with ExitStack() as removed:
        for manifest in manifests:
            made = cluster.create(manifest)["metadata"]["name"]
            removed.callback(cluster.delete, manifest["apiVersion"], manifest["kind"], made)
        yield


@contextmanager
def unanswered(cluster: Cluster, namespace: str) -> Iterator[None]:
    """A cluster that asks a webhook about Services of a namespace, which does not answer as long as the block runs."""
    webhook = {
        "name": "silent.tests.openmig.io",
        "clientConfig": {"url": f"https://{HOST_IP}:{free_port()}/"},
        "rules": [RULE],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 2,
    }
    kind, name = "ValidatingWebhookConfiguration", f"silent-{namespace}"
    cluster.create({"apiVersion": API, "kind": kind, "metadata": {"name": name}, "webhooks": [webhook]})
    try:
        yield
    finally:
        cluster.delete(API, kind, name)


def there(cluster: Cluster, namespace: str) -> bool:
    return cluster.get("v1", "Namespace", namespace) is not None


def policy(
    name: str, namespace: str, rule: Manifest, *, message: str, allowed: str = "false"
) -> tuple[Manifest, Manifest]:
    """Denies what the rule is about in a namespace, unless the expression ``allowed`` holds; with its binding."""
    made = {
        "apiVersion": API,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [{"name": "place", "expression": f"request.namespace == '{namespace}'"}],
            "validations": [{"expression": allowed, "message": message}],
        },
    }
    binding = {
        "apiVersion": API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    return made, binding


def _refuses(cluster: Cluster, namespace: str) -> bool:
    """Whether a Service would be refused; asked without making one, in a namespace that is there for the question."""
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": namespace}}
    try:
        cluster.create({**service, "spec": {"ports": [{"port": 80}]}}, dry_run=True)
    except ApiError as error:
        return DENIAL in str(error)
    finally:
        cluster.delete("v1", "Namespace", namespace)
        until(lambda: not there(cluster, namespace), f"{namespace} is gone")
    return False
