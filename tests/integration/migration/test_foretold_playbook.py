# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A whole playbook in check mode on bare clusters: each task refers to what only an earlier one would have made, and no
task says how a cluster is reached but the one that would adopt it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from integration.migration import applications, evidence
from integration.migration.conftest import World
from integration.migration.identities import Identity, administrator
from integration.migration.playbooks import Run, play
from integration.migration.waiting import until
from lab import audit
from lab.s3 import storage
from lab.targets import targets

CLASSES = {"destination-fast": "source-hdd"}
Task = dict[str, Any]


@pytest.fixture
def identities(world: World, tmp_path: Path) -> Iterator[dict[str, Identity]]:
    """For each cluster an administrator whom nobody else uses."""
    sides = (("source", world.source, targets().source), ("destination", world.destination, targets().destination))
    with ExitStack() as stack:
        yield {
            side: stack.enter_context(
                administrator(cluster, like=file, namespace=f"{world.name}-admin", folder=tmp_path)
            )
            for side, cluster, file in sides
        }


def tasks(world: World, origin: Path) -> list[Task]:
    """From adopting to moving."""
    store = storage()
    credentials = {"aws_access_key_id": store.access_key, "aws_secret_access_key": store.secret_key}
    config = {"aws_bucket_name": "openmig", "aws_s3_url": store.endpoint}
    hook = {
        "reference": {"name": "settle"},
        "phase": "PreBackup",
        "execution_namespace": world.source_namespace,
        "service_account": "default",
    }
    claim = {
        "name": "data",
        "namespace": world.source_namespace,
        "target_namespace": world.destination_namespace,
        "target_storage_class": CLASSES["destination-fast"],
    }
    role = {"name": "openmig.mtc.crds"}
    variables = {"crds_kubeconfig": "{{ control }}", "crds_namespace": world.resource_namespace}
    return [
        {"ansible.builtin.import_role": role, "vars": variables},
        {"openmig.mtc.mig_cluster": {"name": "here", "is_host_cluster": True}},
        {"openmig.mtc.mig_cluster": {"name": "there", "remote": {"kubeconfig": str(origin)}}},
        {
            "openmig.mtc.mig_storage": {
                "name": "backups",
                "backup_storage_provider": "aws",
                "backup_storage_config": config,
                "credentials": credentials,
            }
        },
        {
            "openmig.mtc.mig_hook": {
                "name": "settle",
                "image": applications.IMAGE,
                "target_cluster": "source",
                "custom": True,
            }
        },
        {
            "openmig.mtc.mig_plan": {
                "name": "app",
                "source_cluster": "there",
                "destination_cluster": "here",
                "storage": "backups",
                "namespaces": [f"{world.source_namespace}:{world.destination_namespace}"],
                "storage_class_mapping": CLASSES,
                "hooks": [hook],
            }
        },
        {"openmig.mtc.mig_analytic": {"name": "app", "plan": "app"}},
        {
            "openmig.mtc.direct_volume_migration": {
                "name": "early",
                "source_cluster": "there",
                "destination_cluster": "here",
                "migration_type": "Stage",
                "persistent_volume_claims": [claim],
                "transfer_image": applications.IMAGE,
            }
        },
        {"openmig.mtc.mig_migration": {"plan": "app", "transfer_image": applications.IMAGE}},
    ]


def check(world: World, folder: Path, control: Path, wanted: list[Task]) -> Run:
    book = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}", "control": str(control)},
        "module_defaults": {
            "group/openmig.mtc.mtc": {"kubeconfig": str(control), "namespace": world.resource_namespace}
        },
        "tasks": wanted,
    }
    playbook = folder / "playbook.yml"
    playbook.write_text(json.dumps([book]))
    return play({}, "--check", "--diff", "-vvv", playbook=str(playbook))


@pytest.mark.sample
def test_later_tasks_see_what_earlier_ones_foretell(
    world: World, identities: dict[str, Identity], tmp_path: Path
) -> None:
    # From the destination to the source, which no test but the role's ever installs the definitions on.
    until(lambda: evidence.known_kinds(world.source) == [], "the source knows no resources")
    applications.deploy(
        world.destination,
        applications.manifests(world.source_namespace, mebibytes=1, files=20, storage_class="destination-fast"),
    )
    marks = {side: audit.mark(side) for side in identities}
    control, origin = identities["source"].kubeconfig, identities["destination"].kubeconfig

    run = check(world, tmp_path, control, tasks(world, origin))
    assert run.code == 0, run.output
    assert run.result("mig_plan")["conditions"]["Ready"]["status"] == "True"
    counted = run.result("mig_analytic")["analytics"]["namespaces"]
    assert [row["namespace"] for row in counted] == [world.source_namespace]
    assert run.result("direct_volume_migration")["changed"]
    prediction = run.migration["prediction"]
    assert [row["storage_class"] for row in prediction["volumes"]] == ["source-hdd"]
    assert f"Deployment.apps {world.destination_namespace}/web" in [row["reference"] for row in prediction["objects"]]
    assert any("settle" in str(row) for row in prediction["hooks"])
    assert prediction["blocking"] == []
    assert storage().secret_key not in run.output

    without = [task for task in tasks(world, origin) if "openmig.mtc.mig_storage" not in task]
    lacking = check(world, tmp_path, control, without)
    assert lacking.code != 0
    assert f"MigStorage {world.resource_namespace}/backups does not exist" in lacking.failure

    written = [
        line
        for side, identity in identities.items()
        for line in evidence.described(audit.writes(side, marks[side], user=identity.user))
    ]
    assert written == []
    assert evidence.known_kinds(world.source) == []
