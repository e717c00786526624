# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of a module, by ansible-playbook, on the resources of a world."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration import applications
from integration.migration.conftest import World
from integration.migration.playbooks import Run, play
from lab.targets import targets

CALL = str(Path(__file__).parent / "call.yml")
PLAN_TASK = ("--start-at-task", "Plan the migration")
"""Arguments for a second run of the playbook: the definitions and the clusters are known already."""


def call(world: World, module: str, **options: Any) -> Run:
    """One module, once, on the world's resources."""
    where = {"kubeconfig": str(targets().destination), "namespace": world.resource_namespace}
    return play({"call_module": module, "call_options": {**where, **options}}, playbook=CALL)


def migration(world: World, **options: Any) -> Run:
    return call(world, "mig_migration", **{"plan": "app", "transfer_image": applications.IMAGE, **options})


def definition(world: World) -> dict[str, Any]:
    """The plan as an option of the migration."""
    return {
        "source_cluster": "source",
        "destination_cluster": "destination",
        "namespaces": [f"{world.source_namespace}:{world.destination_namespace}"],
        "storage_class_mapping": {"source-ssd": "destination-fast"},
    }


def stored(world: World) -> dict[str, str]:
    """The phase of each migration, by name."""
    found = world.destination.list(names.API_VERSION, names.MIG_MIGRATION, world.resource_namespace)
    return {item["metadata"]["name"]: (item.get("status") or {}).get("phase", "") for item in found}


def record(world: World, name: str = "app-final") -> dict[str, Any]:
    """What a run has written down."""
    found = world.destination.get("v1", "ConfigMap", f"{name}-run", world.resource_namespace)
    assert found is not None
    return dict(json.loads(found["data"]["record.json"]))
