# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Jobs as AWX runs them: credentials injected, a fresh disk for each, and another machine in between."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.awx.injecting import FILE, credential_type, inject
from integration.migration import applications
from integration.migration.conftest import World
from integration.migration.playbooks import ROOT, Run, play
from lab.targets import targets

HERE = Path(__file__).parent
CONTROL, SIDES = "openmig control cluster", "openmig source and destination"
Job = Callable[..., Run]


def documented_variables() -> dict[str, Any]:
    """The inventory's variables as docs/awx.md shows them."""
    text = (ROOT / "docs" / "awx.md").read_text(encoding="utf-8")
    blocks = [
        yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    ]
    (variables,) = [block for block in blocks if isinstance(block, dict)]
    return dict(variables)


@pytest.fixture
def job(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """One job: a home, a directory of the job's own and the injected credentials are all that it has."""
    files = {"source": targets().source.read_text(), "destination": targets().destination.read_text()}
    for name in list(os.environ):
        if name.startswith(("K8S_AUTH_", "MTC_", "KUBECONFIG")):
            monkeypatch.delenv(name)
    plugins = str(HERE / "connections")
    number = iter(range(100))

    def run(playbook: str, *arguments: str, machine: str = "localhost", **variables: Any) -> Run:
        folder = tmp_path / f"job-{next(number)}"
        (folder / "env").mkdir(parents=True)
        (folder / "home").mkdir()
        sides = {"source_kubeconfig": files["source"], "destination_kubeconfig": files["destination"]}
        injected = {
            **inject(credential_type(CONTROL), {"kubeconfig": files["destination"]}, folder / "env"),
            **inject(credential_type(SIDES), sides, folder / "env"),
        }
        inventory = folder / "inventory.yml"
        local = {"ansible_connection": "local"}
        hosts = {"localhost": local, "bastion": {"ansible_connection": "elsewhere"}}
        documented = {name: value for name, value in documented_variables().items() if not name.startswith("mtc_plan")}
        groups = {"jobs": {"hosts": {"localhost": {}}, "vars": documented}}
        inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts, "children": groups}}))
        with monkeypatch.context() as patched:
            environment = {
                **injected,
                "HOME": str(folder / "home"),
                "ANSIBLE_CONNECTION_PLUGINS": plugins,
                "ELSEWHERE_LACKS": str(folder / "env"),
            }
            for name, value in environment.items():
                patched.setenv(name, value)
            told = {
                "job_namespace": world.resource_namespace,
                "job_namespaces": [f"{world.source_namespace}:{world.destination_namespace}"],
                "job_image": applications.IMAGE,
                "job_machine": machine,
                **variables,
            }
            ended = play(told, "-i", str(inventory), *arguments, playbook=playbook)
        # AWX throws a job's directory away; whoever runs next has none of it.
        shutil.rmtree(folder)
        return ended

    return run


def changed(run: Run) -> list[bool]:
    """Which of the collection's own tasks have changed something."""
    return [task["result"]["changed"] for task in run.tasks if task["action"].startswith("openmig.mtc.")]


def migration_variables(world: World) -> dict[str, Any]:
    """What a job template says beyond the inventory."""
    changes = {
        name: value for name, value in world.variables().items() if name not in ("mtc_source", "mtc_destination")
    }
    return {"mtc_hosts": "jobs", **changes}


def test_credentials_are_all_that_a_job_needs_and_nothing_on_its_disk_is_needed_again(world: World, job: Job) -> None:
    world.deploy(mebibytes=1, files=20)
    looked = job("openmig.mtc.migrate", "--check", **migration_variables(world))
    assert looked.code == 0, looked.output
    begun = job("openmig.mtc.migrate", **migration_variables(world), mtc_wait=False)
    assert begun.code == 0, begun.output
    assert begun.migration["waiting_for"]
    ended = job("openmig.mtc.migrate", **migration_variables(world))
    assert ended.code == 0, ended.output
    applications.await_ready(world.destination, world.destination_namespace)
    again = job("openmig.mtc.migrate", **migration_variables(world))
    assert (again.code, again.changed) == (0, 0), again.output


def test_kubeconfigs_are_the_control_nodes_when_a_module_runs_on_another_machine(world: World, job: Job) -> None:
    world.deploy(mebibytes=1, files=20)
    playbook = str(HERE / "job.yml")
    there = job(playbook, machine="bastion")
    assert there.code == 0, there.output
    assert changed(there) == [True, True, True, True]
    here = job(playbook)
    assert here.code == 0, here.output
    assert changed(here) == [False, False, False, True]
    assert here.migration["digest"] == there.migration["digest"]


def test_the_types_are_such_as_awx_takes() -> None:
    for kind in yaml.safe_load(FILE.read_text())["credential_types"]:
        assert set(kind) == {"name", "description", "kind", "natural_key", "inputs", "injectors"}
        assert kind["kind"] == "cloud"
        assert kind["natural_key"] == {"name": kind["name"], "kind": "cloud", "type": "credential_type"}
        fields = {field["id"]: field for field in kind["inputs"]["fields"]}
        assert all(fields[name]["secret"] for name in fields if name.endswith("kubeconfig"))
        known = {*fields, *(f"tower.filename.{name.partition('.')[2]}" for name in kind["injectors"]["file"])}
        for template in (*kind["injectors"]["env"].values(), *kind["injectors"]["file"].values()):
            (used,) = re.findall(r"\{\{ (\S+) \}\}", template)
            assert used in known
