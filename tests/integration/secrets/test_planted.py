# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets in every option of every module show nowhere: not at -vvvv, in no diff, result or error, in no object that is
not a Secret, in no argument of a process, and not in a plan's file. In success and in failure."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.migration import applications
from integration.migration.buckets import own_bucket
from integration.migration.conftest import World
from integration.migration.playbooks import Run, play
from integration.secrets.looking import found_in, public_objects, watched_processes
from integration.secrets.planting import SIDES, Garden, secret_options
from lab.s3 import storage
from lab.targets import targets
from unit.modules import documents

LOUD = ("-vvvv", "--diff")
PASSWORD = "not-for-logs-8431"
"""What the application keeps in its Secret."""
Tasks = list[dict[str, Any]]


def run(tasks: Tasks, folder: Path, *, defaults: dict[str, Any]) -> tuple[Run, set[bytes]]:
    """The tasks, each whatever became of the one before, as loud as can be; and what processes were called with.

    All options come from variables: Ansible shows the lines of a playbook around a task that fails.
    """
    variables: dict[str, Any] = {"planted_defaults": defaults}
    told = []
    for number, task in enumerate(tasks):
        (module,) = [key for key in task if key.startswith("openmig.mtc.")]
        variables[f"planted_{number}"] = task[module]
        told.append({**task, module: f"{{{{ planted_{number} }}}}", "ignore_errors": True})
    play_of = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}", "ansible_pipelining": True},
        "module_defaults": {"group/openmig.mtc.mtc": {key: f"{{{{ planted_defaults.{key} }}}}" for key in defaults}},
        "tasks": told,
    }
    playbook = folder / "planted.yml"
    playbook.write_text(yaml.safe_dump([play_of], sort_keys=False))
    with watched_processes() as seen:
        ended = play(variables, *LOUD, playbook=str(playbook))
    assert any(b"ansible-playbook" in each for each in seen)
    return ended, seen


def shown(ended: Run, seen: set[bytes]) -> list[tuple[str, str]]:
    """The places where a run shows something."""
    lines = [(f"output, line {number}", line) for number, line in enumerate(ended.output.splitlines(), 1)]
    results = [(f"result of {task['task']}", json.dumps(task["result"])) for task in ended.tasks]
    processes = [("the arguments of a process", each.decode(errors="replace")) for each in seen]
    return [*lines, *results, *processes]


def required(module: str) -> dict[str, Any]:
    return {name: "x" for name, option in documents.spec(module).items() if option.get("required")}


def test_failures_show_no_option(world: World, tmp_path: Path) -> None:
    garden = Garden()
    server = yaml.safe_load(targets().destination.read_text())["clusters"][0]["cluster"]["server"]
    real = {"kubeconfig": str(targets().destination), "namespace": world.resource_namespace}
    tasks: Tasks = []
    for module in documents.MODULES:
        spec, name = documents.spec(module), f"openmig.mtc.{module}"
        everything = {**required(module), **garden.options(spec, module)}
        # Refused by Ansible itself, before the module has looked at anything.
        tasks.append({"name": f"{module} refused", name: {**everything, "engine": "none"}})
        # Refused by the API server: nobody has that token. Modules that look at one cluster have one way in common.
        if set(SIDES) & set(spec) or not module.endswith("_info"):
            unknown = {key: value for key, value in everything.items() if key not in ("kubeconfig", "proxy")}
            tasks.append({"name": f"{module} unknown", name: {**unknown, "host": server, "validate_certs": False}})
        for side in set(SIDES) & set(spec):
            given = {**required(module), **real, side: garden.options(spec[side]["options"], f"{module}.{side}")}
            given[side] = {**given[side], "host": server, "proxy": ""}
            tasks.append({"name": f"{module} {side}", name: given})
        planted = [path.removeprefix(f"{module}.") for path in garden.planted if path.startswith(f"{module}.")]
        for path in secret_options(spec):
            assert any(known == path or known.startswith(f"{path}.") for known in planted), f"{module}: {path}"
    ended, seen = run(tasks, tmp_path, defaults={})
    assert len(ended.tasks) == len(tasks)
    # A module that has nothing to look at on a side need not notice that it cannot.
    passed = [task["task"] for task in ended.tasks if task["outcome"] != "failed"]
    assert [name for name in passed if not name.endswith(SIDES)] == []
    assert [task["task"] for task in ended.tasks if "Traceback" in json.dumps(task["result"])] == []
    assert found_in(shown(ended, seen), garden.texts()) == []


@pytest.fixture
def bucket(world: World) -> Iterator[str]:
    with own_bucket(world):
        yield world.name


def test_success_shows_no_secret_anywhere(world: World, bucket: str, tmp_path: Path) -> None:
    """A stage run through the store first, then everything from cluster to cluster."""
    world.deploy(mebibytes=1, files=20)
    files = {"source": targets().source, "destination": targets().destination}
    clusters = {side: yaml.safe_load(path.read_text()) for side, path in files.items()}
    store = storage()
    world.destination.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.resource_namespace}})
    wrong = Garden()
    place = {
        "backup_storage_provider": "aws",
        "backup_storage_config": {"aws_bucket_name": bucket, "aws_s3_url": store.endpoint},
    }
    right = {"aws_access_key_id": store.access_key, "aws_secret_access_key": store.secret_key}
    plan = {"source_cluster": "source", "destination_cluster": "destination"}
    spaces = [f"{world.source_namespace}:{world.destination_namespace}"]
    defined = {"name": "app", "namespaces": spaces, "storage_class_mapping": {"source-ssd": "destination-fast"}, **plan}
    move = {"plan": "app", "transfer_image": applications.IMAGE}
    sides = {side: {"kubeconfig": content} for side, content in clusters.items()}
    unknown_token = {"host": clusters["source"]["clusters"][0]["cluster"]["server"], "validate_certs": False}

    def ours(module: str, **options: Any) -> dict[str, Any]:
        return {"name": module, f"openmig.mtc.{module}": options}

    def failing(module: str, **options: Any) -> dict[str, Any]:
        return {"name": "failing", f"openmig.mtc.{module}": options}

    tasks: Tasks = [
        ours("mig_cluster", name="destination", is_host_cluster=True),
        ours("mig_cluster", name="source", remote={"kubeconfig": clusters["source"]}),
        failing("mig_cluster", name="other", remote={**unknown_token, "api_key": wrong.seed("remote.api_key")}),
        failing(
            "mig_storage",
            name="backups",
            credentials={**right, "aws_secret_access_key": wrong.seed("credentials.aws_secret_access_key")},
            **place,
        ),
        ours("mig_storage", name="backups", credentials=right, **place),
        ours("mig_plan", **defined, storage="backups", indirect_volume_migration=True),
        ours("mig_migration", **move, stage=True),
        ours("mig_plan", **defined, indirect_volume_migration=False),
        {**ours("mig_migration", **move, **sides, plan_file=str(tmp_path / "plan.json")), "check_mode": True},
        {**ours("mig_migration", **move, plan_file=str(tmp_path / "plan.txt")), "check_mode": True},
        failing("mig_migration", **move, verification="full", plan_digest="sha256:" + "0" * 64),
        ours("mig_migration", **move),
        ours("mig_migration_info", plan="app"),
        ours("mig_cluster_info"),
        ours("mig_storage_info"),
    ]
    defaults = {"kubeconfig": clusters["destination"], "namespace": world.resource_namespace}
    ended, seen = run(tasks, tmp_path, defaults=defaults)
    outcomes = {task["outcome"] for task in ended.tasks if task["task"] == "failing"}
    assert outcomes == {"failed"}
    assert [task["task"] for task in ended.tasks if task["outcome"] == "failed" and task["task"] != "failing"] == []

    texts = wrong.texts()
    texts |= {store.secret_key: "the storage's key", PASSWORD: "the application's password"}
    texts[base64.b64encode(PASSWORD.encode()).decode().rstrip("=")] = "the application's password, as base64"
    for side, content in clusters.items():
        key = content["users"][0]["user"]["client-key-data"]
        texts |= {key: f"the key of the {side}", key[200:280]: f"a part of the key of the {side}"}
    for secret in world.destination.list("v1", "Secret", world.resource_namespace):
        for name, value in (secret.get("data") or {}).items():
            clear = base64.b64decode(value).decode(errors="replace")
            if name in ("token", "saToken", "aws-secret-access-key", "password") and len(clear) > 8:
                texts |= {clear: f"Secret {secret['metadata']['name']}", value: "the same as base64"}
    assert {"Secret app-repository", "Secret migstorage-backups"} <= set(texts.values())
    assert any("Secret source" in what for what in texts.values())
    assert any(b"restic" in each for each in seen)

    plans = [(f"file {path.name}", path.read_text()) for path in tmp_path.glob("plan.*")]
    assert len(plans) == 2
    assert found_in([*shown(ended, seen), *plans], texts) == []
    # The migrated application is the user's own, and may hold its password wherever it likes; it holds it in a Secret.
    for cluster in (world.source, world.destination):
        assert found_in(public_objects(cluster, world.namespaces), texts) == []
