# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is on a cluster and should not be: scaffolding that outlived the migration.

Three looks that do not depend on each other: everything in the application's namespace that is not the application;
everything anywhere that carries the label of one of the plan's runs; and in the migration's own namespace everything
that is not one of its declared records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from demo.cluster import Cluster, Manifest
from demo.objects import Key, expected, present
from demo.rows import Row, shown
from demo.settings import ENGINE_NAMESPACE

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


@dataclass(frozen=True, kw_only=True)
class Side:
    """A cluster, the application's namespace on it, and everything that `present` found there."""

    cluster: Cluster
    namespace: str
    found: Mapping[Key, Manifest]


def row(sides: Sequence[Side], runs: Sequence[str]) -> Row:
    """No scaffolding on either cluster (source first). `runs` are the UIDs of the plan's migrations."""
    left = {side.cluster.name: _left(side, runs) for side in sides}
    here, there = (f"{len(names) or 'no'} objects" for names in left.values())
    return Row(
        what="scaffolding left behind",
        source=here,
        destination=there,
        good=not any(left.values()),
        details=shown([f"{side}: {name}" for side, names in left.items() for name in names]),
    )


def _left(side: Side, runs: Sequence[str]) -> list[str]:
    names = {f"{kind} {side.namespace}/{name}" for kind, name in side.found.keys() - expected()}
    for kind in SCAFFOLDING if runs else ():
        for item in side.cluster.list(kind, selector=f"{RUN_LABEL} in ({','.join(runs)})"):
            if not _is_record(item):
                names.add(_name(kind, item))
    for (kind, name), item in present(side.cluster, ENGINE_NAMESPACE).items():
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
