# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long a module call on an unchanged resource takes, beside ``kubernetes.core.k8s`` on one unchanged object in the
same run of ansible-playbook.

Run by ``PYTHONPATH=tests:.build/live python tests/benchmarks/unchanged_resource.py [ROUNDS]`` on the running lab. Every
task comes once in every round; medians are told, with and without Ansible's pipelining.
"""

from __future__ import annotations

import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.controller.conftest import NAMESPACES, available, deployment, until
from integration.crds.conftest import role_on
from integration.migration import applications
from lab.s3 import storage
from lab.targets import targets

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
YARDSTICK = "kubernetes.core.k8s: a ConfigMap"
Task = dict[str, Any]


THEN = "2026-01-01T00:00:00Z"
COPIED: dict[str, Any] = {
    "phase": "Completed",
    "newISs": [],
    "successfulISs": [],
    "failedISs": [],
    "deletedISs": [],
    "conditions": [{"type": "Succeeded", "status": "True", "category": "Advisory", "lastTransitionTime": THEN}],
}
"""What MTC's controller leaves of a copy of image streams that has ended."""
SIDES = {"source_cluster": "source", "destination_cluster": "destination"}


def yardstick_task(namespace: str) -> Task:
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": namespace}}
    definition = {**settings, "data": {"a": "b"}}
    return {
        "name": YARDSTICK,
        "kubernetes.core.k8s": {"kubeconfig": str(targets().destination), "definition": definition},
    }


def tasks(namespace: str, application: str, data: str) -> list[Task]:
    """One task for each thing that is measured; all of them make what they are about in the first round."""
    files = targets()
    where = {"kubeconfig": str(files.destination), "namespace": namespace}
    store = storage()
    image = "quay.io/konveyor/hook-runner:latest"
    hook = {"name": "flush", "target_cluster": "source", "image": image, "playbook": "- hosts: localhost\n"}
    plan = {
        "name": "bench",
        **SIDES,
        "namespaces": [application],
    }

    def ours(module: str, **options: Any) -> Task:
        return {f"openmig.mtc.{module}": {**where, **options}}

    return [
        yardstick_task(namespace),
        {"name": "mig_hook", **ours("mig_hook", **hook)},
        {"name": "mig_cluster: the control cluster", **ours("mig_cluster", name="destination", is_host_cluster=True)},
        {
            "name": "mig_cluster: adopted, its token looked at",
            **ours("mig_cluster", name="source", remote={"kubeconfig": str(files.source)}),
        },
        {
            "name": "mig_storage: written, read and listed",
            **ours(
                "mig_storage",
                name="backups",
                backup_storage_provider="aws",
                backup_storage_config={
                    "aws_bucket_name": store.bucket,
                    "aws_region": store.region,
                    "aws_s3_url": store.endpoint,
                },
                credentials={"aws_access_key_id": store.access_key, "aws_secret_access_key": store.secret_key},
            ),
        },
        {"name": "mig_plan: both clusters looked at", **ours("mig_plan", **plan)},
        {"name": "mig_analytic: counted", **ours("mig_analytic", name="bench", plan="bench")},
        {
            "name": "direct_volume_migration: finished",
            **ours(
                "direct_volume_migration",
                name="bench",
                **SIDES,
                persistent_volume_claims=[
                    {"name": "data", "namespace": data, "target_storage_class": "destination-fast"}
                ],
                transfer_image=applications.IMAGE,
                wait_timeout=300,
            ),
        },
        {"name": "mig_migration: finished", **ours("mig_migration", plan="bench", wait_timeout=300)},
        {"name": "mig_plan_info", **ours("mig_plan_info")},
    ]


def tasks_of_mtc() -> list[Task]:
    """What only MTC's controller carries out, where it has ended."""
    where = {"kubeconfig": str(targets().destination), "name": "bench", **SIDES}
    stream = {"name": "front", "namespace": "shop"}
    return [
        yardstick_task(names.CONTROLLER_NAMESPACE),
        {
            "name": "direct_image_migration: finished",
            "openmig.mtc.direct_image_migration": {**where, "namespaces": ["shop"]},
        },
        {
            "name": "direct_image_stream_migration: finished",
            "openmig.mtc.direct_image_stream_migration": {**where, "image_stream_ref": stream},
        },
    ]


def like_mtc(cluster: Cluster) -> None:
    """The cluster as if MTC were installed, and copies of image streams that it has ended. Its Deployment is a stand-in
    that does nothing: of what is finished it would leave everything as it is."""
    for name in NAMESPACES:
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    cluster.create(deployment())
    until(lambda: available(cluster), what="the stand-in for the controller")
    sides = {
        field: {"name": name, "namespace": names.CONTROLLER_NAMESPACE}
        for field, name in (("srcMigClusterRef", "source"), ("destMigClusterRef", "destination"))
    }
    for kind, spec in (
        (names.DIRECT_IMAGE_MIGRATION, {"namespaces": ["shop"]}),
        (names.DIRECT_IMAGE_STREAM_MIGRATION, {"imageStreamRef": {"name": "front", "namespace": "shop"}}),
    ):
        metadata = {"name": "bench", "namespace": names.CONTROLLER_NAMESPACE}
        resource = {"apiVersion": names.API_VERSION, "kind": kind, "metadata": metadata, "spec": {**sides, **spec}}
        cluster.create({**resource, "status": COPIED})


def with_data(cluster: Cluster, namespace: str) -> None:
    """A claim with something in it, which nobody uses any more."""
    applications.deploy(cluster, applications.manifests(namespace, mebibytes=1, files=5))
    cluster.patch("apps/v1", "Deployment", "web", namespace, patch={"spec": {"replicas": 0}})
    until(lambda: not list(cluster.list("v1", "Pod", namespace)), what="the application's end")


def show(rounds: int, found: list[Task]) -> None:
    """Measures and tells the medians."""
    with tempfile.TemporaryDirectory() as folder:
        for pipelining in (False, True):
            durations = measured(rounds, found, pipelining=pipelining, folder=Path(folder))
            yardstick = statistics.median(durations[YARDSTICK])
            print(f"\n{'with' if pipelining else 'without'} pipelining, medians of {rounds}")
            for task, seconds in durations.items():
                median = statistics.median(seconds)
                print(f"  {task:45} {median:6.3f} s  {median / yardstick:5.2f} of k8s")


def measured(rounds: int, found: list[Task], *, pipelining: bool, folder: Path) -> dict[str, list[float]]:
    """Seconds of every task in every round but the first, in which things are made."""
    durations = folder / f"durations-{pipelining}"
    carry_out(found * (rounds + 1), folder, durations, pipelining=pipelining)
    lines = [json.loads(line) for line in durations.read_text().splitlines()]
    if changed := sorted({line["task"] for line in lines[len(found) :] if line["changed"]}):
        sys.exit(f"not unchanged: {', '.join(changed)}")
    seconds: dict[str, list[float]] = {task["name"]: [] for task in found}
    for line in lines[len(found) :]:
        seconds[line["task"]].append(line["seconds"])
    return seconds


def carry_out(found: list[Task], folder: Path, durations: Path, *, pipelining: bool) -> None:
    """Runs the tasks in one play; a line for each goes into the file ``durations``."""
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": sys.executable, "ansible_pipelining": pipelining},
        "tasks": found,
    }
    playbook = folder / "playbook.yml"
    playbook.write_text(yaml.safe_dump([play], sort_keys=False))
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "live"),
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "durations",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "DURATIONS": str(durations),
    }
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(playbook)]
    ended = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(ended.stdout + ended.stderr)


def give_back(namespace: str) -> None:
    """The account with which the source was adopted goes, with all its rights; first what refers to that cluster."""
    where = {"kubeconfig": str(targets().destination), "namespace": namespace, "state": "absent"}
    remote = {"kubeconfig": str(targets().source)}
    found: list[Task] = [
        {"name": "the plan", "openmig.mtc.mig_plan": {**where, "name": "bench"}},
        {"name": "the copy", "openmig.mtc.direct_volume_migration": {**where, "name": "bench"}},
        {"name": "the source", "openmig.mtc.mig_cluster": {**where, "name": "source", "remote": remote}},
    ]
    with tempfile.TemporaryDirectory() as folder:
        carry_out(found, Path(folder), Path(folder) / "durations", pipelining=True)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    name = f"unchanged-bench-{secrets.token_hex(3)}"
    source = connect({"kubeconfig": str(targets().source)}, name="source", environ={})
    destination = connect({"kubeconfig": str(targets().destination)}, name="destination", environ={})
    application, data = f"{name}-app", f"{name}-data"
    made = {name: (destination,), application: (source, destination), data: (source, destination)}
    role_on(targets().destination)()
    try:
        for cluster, namespace in ((source, application), (destination, name)):
            cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        settings = {"name": "settings", "namespace": application}
        source.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": settings, "data": {"a": "b"}})
        with_data(source, data)
        show(rounds, tasks(name, application, data))
        made.update(dict.fromkeys(NAMESPACES, (destination,)))
        like_mtc(destination)
        print("\nbeside a stand-in for MTC's controller")
        show(rounds, tasks_of_mtc())
    finally:
        try:
            give_back(name)
        finally:
            for namespace, clusters in made.items():
                for cluster in clusters:
                    cluster.delete("v1", "Namespace", namespace)


if __name__ == "__main__":
    main()
