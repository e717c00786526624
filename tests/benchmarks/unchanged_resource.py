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

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from integration.crds.conftest import role_on
from lab.s3 import storage
from lab.targets import targets

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
YARDSTICK = "kubernetes.core.k8s: a ConfigMap"
Task = dict[str, Any]


def tasks(namespace: str, application: str) -> list[Task]:
    """One task for each thing that is measured; all of them make what they are about in the first round."""
    files = targets()
    where = {"kubeconfig": str(files.destination), "namespace": namespace}
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": namespace}}
    store = storage()
    image = "quay.io/konveyor/hook-runner:latest"
    hook = {"name": "flush", "target_cluster": "source", "image": image, "playbook": "- hosts: localhost\n"}
    plan = {
        "name": "bench",
        "source_cluster": "source",
        "destination_cluster": "destination",
        "namespaces": [application],
    }

    def ours(module: str, **options: Any) -> Task:
        return {f"openmig.mtc.{module}": {**where, **options}}

    return [
        {
            "name": YARDSTICK,
            "kubernetes.core.k8s": {"kubeconfig": where["kubeconfig"], "definition": {**settings, "data": {"a": "b"}}},
        },
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
        {"name": "mig_migration: finished", **ours("mig_migration", plan="bench", wait_timeout=300)},
        {"name": "mig_plan_info", **ours("mig_plan_info")},
    ]


def measured(rounds: int, found: list[Task], *, pipelining: bool, folder: Path) -> dict[str, list[float]]:
    """Seconds of every task in every round but the first, in which things are made."""
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": sys.executable, "ansible_pipelining": pipelining},
        "tasks": found * (rounds + 1),
    }
    playbook, durations = folder / f"playbook-{pipelining}.yml", folder / f"durations-{pipelining}"
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
    lines = [json.loads(line) for line in durations.read_text().splitlines()]
    if changed := sorted({line["task"] for line in lines[len(found) :] if line["changed"]}):
        sys.exit(f"not unchanged: {', '.join(changed)}")
    seconds: dict[str, list[float]] = {task["name"]: [] for task in found}
    for line in lines[len(found) :]:
        seconds[line["task"]].append(line["seconds"])
    return seconds


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    name = f"unchanged-bench-{secrets.token_hex(3)}"
    source = connect({"kubeconfig": str(targets().source)}, name="source", environ={})
    destination = connect({"kubeconfig": str(targets().destination)}, name="destination", environ={})
    application = f"{name}-app"
    namespaces = {application: (source, destination), name: (destination,)}
    role_on(targets().destination)()
    try:
        for cluster, namespace in ((source, application), (destination, name)):
            cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        settings = {"name": "settings", "namespace": application}
        source.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": settings, "data": {"a": "b"}})
        with tempfile.TemporaryDirectory() as folder:
            for pipelining in (False, True):
                found = measured(rounds, tasks(name, application), pipelining=pipelining, folder=Path(folder))
                yardstick = statistics.median(found[YARDSTICK])
                print(f"\n{'with' if pipelining else 'without'} pipelining, medians of {rounds}")
                for task, seconds in found.items():
                    median = statistics.median(seconds)
                    print(f"  {task:45} {median:6.3f} s  {median / yardstick:5.2f} of k8s")
    finally:
        for namespace, clusters in namespaces.items():
            for cluster in clusters:
                cluster.delete("v1", "Namespace", namespace)


if __name__ == "__main__":
    main()
