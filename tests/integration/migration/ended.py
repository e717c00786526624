# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A run whose process was killed in the moment after its end, as it lies there then."""

from __future__ import annotations

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration.conftest import World
from integration.migration.playbooks import Run


def leave_lease(world: World, ended: Run) -> None:
    """The lease as a process leaves it that is killed between the end of its run and giving the lease back."""
    metadata = ended.migration["resource"]["metadata"]
    owner = {"apiVersion": names.API_VERSION, "kind": names.MIG_MIGRATION, **{k: metadata[k] for k in ("name", "uid")}}
    world.destination.create(
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": metadata["name"],
                "namespace": world.resource_namespace,
                "labels": {names.RUN_LABEL: metadata["uid"]},
                "ownerReferences": [owner],
            },
            "spec": {"holderIdentity": "gone", "leaseDurationSeconds": 15, "leaseTransitions": 1},
        }
    )
