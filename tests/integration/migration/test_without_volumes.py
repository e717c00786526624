# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An application that keeps nothing in volumes: nothing is copied, and all the rest is as with any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import ApiError
from integration.migration import applications
from integration.migration.applications import Manifest
from integration.migration.conftest import World
from integration.migration.playbooks import play
from integration.migration.waiting import until

POLICIES = "admissionregistration.k8s.io/v1"
DENIAL = "no services here"


def stateless(namespace: str) -> list[Manifest]:
    """The usual application; what it writes is gone with its pod."""
    objects = [each for each in applications.manifests(namespace) if each["kind"] != "PersistentVolumeClaim"]
    workload = next(each for each in objects if each["kind"] == "Deployment")
    workload["spec"]["template"]["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
    return objects


def policy_against_services(namespace: str) -> tuple[Manifest, Manifest]:
    """By the namespace's name, which only comes into being with the migration."""
    name = f"no-services-in-{namespace}"
    policy = {
        "apiVersion": POLICIES,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["services"]}
                ]
            },
            "matchConditions": [{"name": "place", "expression": f"request.namespace == '{namespace}'"}],
            "validations": [{"expression": "false", "message": DENIAL}],
        },
    }
    binding = {
        "apiVersion": POLICIES,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    return policy, binding


def refuses(cluster: Cluster, namespace: str) -> bool:
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


def there(cluster: Cluster, namespace: str) -> bool:
    return cluster.get("v1", "Namespace", namespace) is not None


@pytest.fixture
def denied() -> Iterator[Callable[[Cluster, str], None]]:
    """A policy of the cluster that lets no Service into a namespace, in force when the call returns."""
    with ExitStack() as removed:

        def deny(cluster: Cluster, namespace: str) -> None:
            policy, binding = policy_against_services(namespace)
            for manifest in (policy, binding):
                made = cluster.create(manifest)["metadata"]["name"]
                removed.callback(cluster.delete, manifest["apiVersion"], manifest["kind"], made)
            until(lambda: refuses(cluster, namespace), "the policy is in force")

        yield deny


@pytest.mark.sample
def test_it_moves_and_can_be_rolled_back(world: World) -> None:
    world.deploy(stateless(world.source_namespace))
    first = world.migrate()
    assert first.code == 0, first.output
    assert first.migration["volumes"] == []
    assert applications.replicas_ready(world.destination, world.destination_namespace) == (1, 1)
    assert applications.replicas_ready(world.source, world.source_namespace) == (0, 0)
    assert world.migrate().changed == 0

    undone = play(world.variables(), playbook="openmig.mtc.rollback")
    assert undone.code == 0, undone.output
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    assert not there(world.destination, world.destination_namespace)


def test_a_run_that_fails_at_its_objects_leaves_no_namespace(
    world: World, denied: Callable[[Cluster, str], None]
) -> None:
    world.deploy(stateless(world.source_namespace))
    denied(world.destination, world.destination_namespace)
    failed = world.migrate()
    assert failed.code != 0
    assert f"Service {world.destination_namespace}/web" in failed.failure
    assert DENIAL in failed.failure
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    assert not there(world.destination, world.destination_namespace)
