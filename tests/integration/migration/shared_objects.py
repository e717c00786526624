# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An application without volumes that lives in more than its namespace: a definition with an object of its kind,
cluster roles, and bindings that it shares with others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import NotFound
from integration.migration.conftest import World
from integration.migration.waiting import until

Manifest = dict[str, Any]
CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
RBAC = "rbac.authorization.k8s.io"
OPEN = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}


def named(api_version: str, kind: str, name: str, namespace: str | None = None, **body: Any) -> Manifest:
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **place}, **body}


def group(world: World) -> str:
    """Of the custom resources of one test."""
    return f"{world.name}.example.com"


CONSTRAINTS = "SecurityContextConstraints"
SECURITY = "security.openshift.io"


def constraints_definition() -> Manifest:
    """Stands in for OpenShift, which serves its constraints by a definition of that name, too."""
    plural = CONSTRAINTS.lower()
    names = {"kind": CONSTRAINTS, "plural": plural, "singular": plural, "listKind": f"{CONSTRAINTS}List"}
    version = {"name": "v1", "served": True, "storage": True, "schema": OPEN}
    spec = {"group": SECURITY, "scope": "Cluster", "names": names, "versions": [version]}
    return named(*CRD, f"{plural}.{SECURITY}", spec=spec)


def definition(world: World, *versions: str) -> Manifest:
    """Of kind Gadget; the first version is the one that is stored."""
    listed = [
        {"name": version, "served": True, "storage": version == versions[0], "schema": OPEN} for version in versions
    ]
    names = {"kind": "Gadget", "plural": "gadgets", "singular": "gadget", "listKind": "GadgetList"}
    spec = {"group": group(world), "scope": "Namespaced", "names": names, "versions": listed}
    return named(*CRD, f"gadgets.{group(world)}", spec=spec)


def gadget(world: World, name: str, namespace: str, version: str = "v1") -> Manifest:
    return named(f"{group(world)}/{version}", "Gadget", name, namespace, spec={"size": 3})


def owned_by(owner: Manifest) -> Manifest:
    """A reference to an object that a server has stored."""
    metadata = owner["metadata"]
    return {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": metadata["name"], "uid": metadata["uid"]}


def define(cluster: Cluster, manifest: Manifest) -> None:
    """Install a definition and wait until every version of it is served."""
    cluster.create(manifest)
    spec = manifest["spec"]

    def served() -> bool:
        cluster.types(refresh=True)
        kinds = [(f"{spec['group']}/{version['name']}", spec["names"]["kind"]) for version in spec["versions"]]
        try:
            return all(cluster.serves(*kind) and list(cluster.list(*kind)) == [] for kind in kinds)
        except NotFound:
            return False

    until(served, f"{manifest['metadata']['name']} is served")


def reader(world: World, name: str) -> str:
    """The name of a cluster role of one test."""
    return f"{world.name}-{name}"


def rights(world: World) -> list[Manifest]:
    """Roles and bindings: one that is shared with an account of another namespace, one that the namespace has alone."""
    rules = [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}]
    runner = {"kind": "ServiceAccount", "name": "runner", "namespace": world.source_namespace}
    other = {"kind": "ServiceAccount", "name": "runner", "namespace": "kube-public"}

    def refers(name: str) -> Manifest:
        return {"apiGroup": RBAC, "kind": "ClusterRole", "name": reader(world, name)}

    return [
        named(f"{RBAC}/v1", "ClusterRole", reader(world, "bound"), rules=rules),
        named(f"{RBAC}/v1", "ClusterRole", reader(world, "local"), rules=rules),
        named(f"{RBAC}/v1", "ClusterRole", reader(world, "unrelated"), rules=rules),
        named(
            f"{RBAC}/v1",
            "ClusterRoleBinding",
            reader(world, "shared"),
            roleRef=refers("bound"),
            subjects=[runner, other],
        ),
        named(
            f"{RBAC}/v1", "ClusterRoleBinding", reader(world, "others"), roleRef=refers("unrelated"), subjects=[other]
        ),
        named(
            f"{RBAC}/v1",
            "RoleBinding",
            "local",
            world.source_namespace,
            roleRef=refers("local"),
            subjects=[{"kind": "ServiceAccount", "name": "runner", "namespace": world.source_namespace}],
        ),
    ]


@contextmanager
def standing(world: World, *versions: str) -> Iterator[None]:
    """The application on the source; all that it and its migration have put outside of namespaces goes at the end."""
    source, space = world.source, world.source_namespace
    try:
        source.create(named("v1", "Namespace", space))
        define(source, definition(world, *(versions or ("v1",))))
        source.create(named("v1", "ServiceAccount", "runner", space))
        owner = source.create(gadget(world, "one", space, (versions or ("v1",))[-1]))
        settings = named("v1", "ConfigMap", "settings", space, data={"colour": "blue"})
        settings["metadata"]["ownerReferences"] = [owned_by(owner)]
        source.create(settings)
        for manifest in rights(world):
            source.create(manifest)
        yield
    finally:
        for cluster in (world.source, world.destination):
            cluster.delete(*CRD, f"gadgets.{group(world)}")
            for kind in ("ClusterRoleBinding", "ClusterRole"):
                for name in mine(world, cluster, kind):
                    cluster.delete(f"{RBAC}/v1", kind, name)


def mine(world: World, cluster: Cluster, kind: str) -> list[str]:
    """The cluster roles or bindings of one test, but for those of its identities."""
    listed = cluster.list(f"{RBAC}/v1", kind)
    return sorted(
        found["metadata"]["name"]
        for found in listed
        if found["metadata"]["name"].startswith(f"{world.name}-") and found["metadata"]["name"] != f"{world.name}-admin"
    )
