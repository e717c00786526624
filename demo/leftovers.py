# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is on a cluster and should not be: scaffolding that outlived the migration.

Three looks that do not depend on each other: everything in the application's namespace that is not the application;
everything anywhere that carries the label of a run; and in the migration's own namespace everything that is not one
of its declared records.
"""

from __future__ import annotations

from collections.abc import Mapping

from demo.cluster import Cluster, Manifest
from demo.objects import Key, expected, present
from demo.rows import Row
from demo.settings import ENGINE_NAMESPACE, MOVED, SHOP

RUN_LABEL = "openmig.io/run"
SCAFFOLDING = (
    "Pod",
    "Service",
    "Secret",
    "ConfigMap",
    "Job",
    "NetworkPolicy",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "Lease",
    "PersistentVolumeClaim",
)
TRANSIENT = ("Pod", "Service", "Job", "NetworkPolicy", "Lease", "PersistentVolumeClaim", "Deployment", "ReplicaSet")
"""Whatever of these is in the migration's namespace, and belongs to none of its resources, was left behind."""

RECORDED = frozenset({"MigMigration", "MigPlan", "MigCluster", "DirectVolumeMigration"})


def row(source: Cluster, here: Mapping[Key, Manifest], destination: Cluster, there: Mapping[Key, Manifest]) -> Row:
    """No scaffolding on either cluster. `here` and `there` are what `present` found in the application's namespaces."""
    left = {
        "source": _left(source, SHOP, here),
        "destination": _left(destination, MOVED, there),
    }
    return Row(
        what="scaffolding left behind",
        source=f"{len(left['source'])} objects",
        destination=f"{len(left['destination'])} objects",
        good=not any(left.values()),
        details=[f"{side}: {name}" for side, names in left.items() for name in names],
    )


def _left(cluster: Cluster, namespace: str, found: Mapping[Key, Manifest]) -> list[str]:
    names = {f"{kind} {namespace}/{name}" for kind, name in found.keys() - expected()}
    for kind in SCAFFOLDING:
        for item in cluster.list(kind, selector=RUN_LABEL):
            if not _is_record(item):
                names.add(_name(kind, item))
    for (kind, name), item in present(cluster, ENGINE_NAMESPACE).items():
        if kind in TRANSIENT and not _is_record(item):
            names.add(f"{kind} {ENGINE_NAMESPACE}/{name}")
    return sorted(names)


def _is_record(item: Manifest) -> bool:
    """What a resource of the migration owns beside it (head, inventory, key, lease); `docs/records.md` lists them."""
    metadata = item["metadata"]
    owners = metadata.get("ownerReferences") or ()
    return metadata.get("namespace") == ENGINE_NAMESPACE and any(owner["kind"] in RECORDED for owner in owners)


def _name(kind: str, item: Manifest) -> str:
    return f"{kind} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
