# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation reads, and what it shows works: examples and the README's playbook are taken by modules and Ansible."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.openmig.mtc.plugins.module_utils.engine.reach import VERSION, user_agent
from unit.modules import documents

COLLECTION = "openmig.mtc"
README = (documents.ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)]
PLAYBOOKS = [block for block in BLOCKS if isinstance(block, list)]
INVENTORIES = [block for block in BLOCKS if isinstance(block, dict)]


def calls(tasks: documents.Tasks) -> list[tuple[str, dict[str, Any]]]:
    """Which of the collection's modules the tasks call, with what."""
    return [
        (key.removeprefix(f"{COLLECTION}."), arguments)
        for task in tasks
        for key, arguments in task.items()
        if key.startswith(f"{COLLECTION}.")
    ]


def complaints(module: str, arguments: dict[str, Any]) -> list[str]:
    found: list[str] = ArgumentSpecValidator(documents.spec(module)).validate(arguments).error_messages
    return found


def syntax_complaints(plays: list[dict[str, Any]], folder: Path) -> str:
    playbook = folder / "playbook.yml"
    playbook.write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
    checked = documents.ansible("ansible-playbook", "--syntax-check", "-i", "localhost,", str(playbook))
    return checked.stderr if checked.returncode == 0 else checked.stderr + checked.stdout


@pytest.mark.parametrize("module", documents.MODULES)
def test_examples_are_accepted_by_the_module(module: str) -> None:
    shown = calls(documents.examples(module))
    assert {called for called, _task in shown} == {module}
    assert [complaint for called, arguments in shown for complaint in complaints(called, arguments)] == []


def test_the_spec_refuses_what_no_module_takes() -> None:
    """Otherwise the tests beside this one would show nothing."""
    assert complaints("mig_plan", {"name": "shop", "name_spaces": ["shop"]}) != []


def test_a_playbook_of_all_examples_is_accepted_by_ansible(tmp_path: Path) -> None:
    tasks = [task for module in documents.MODULES for task in documents.examples(module)]
    assert syntax_complaints([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}], tmp_path) == ""


def test_the_playbook_in_the_readme_is_accepted(tmp_path: Path) -> None:
    (plays,) = PLAYBOOKS
    (play,) = plays
    defaults = play["module_defaults"][f"group/{COLLECTION}.mtc"]
    shown = calls(play["tasks"])
    assert {module for module, _task in shown} >= {"mig_cluster", "mig_plan", "mig_migration"}
    found = [complaint for module, given in shown for complaint in complaints(module, {**defaults, **given})]
    assert found == []
    assert syntax_complaints(plays, tmp_path) == ""


def test_the_inventory_in_the_readme_sets_what_the_playbook_reads() -> None:
    (inventory,) = INVENTORIES
    playbook = (documents.ROOT / "playbooks" / "migrate.yml").read_text(encoding="utf-8")
    assert set(inventory["all"]["vars"]) <= set(re.findall(r"\bmtc_\w+", playbook))


@pytest.mark.parametrize(("kind", "names"), [("module", documents.MODULES), ("role", ["crds", "hook_runner"])])
def test_ansible_doc_reads_it_without_complaint(kind: str, names: list[str]) -> None:
    read = documents.ansible("ansible-doc", "--type", kind, *(f"{COLLECTION}.{name}" for name in names))
    assert (read.returncode, read.stderr) == (0, "")
    assert [name for name in names if f"{COLLECTION}.{name}" not in read.stdout] == []


def test_every_module_says_that_it_is_in_the_action_group_and_is() -> None:
    names = [f"{COLLECTION}.{module}" for module in documents.MODULES]
    read = json.loads(documents.ansible("ansible-doc", "--json", *names).stdout)
    said = {name: read[name]["doc"]["attributes"].get("action_group", {}).get("membership") for name in names}
    assert said == {name: [f"{COLLECTION}.mtc"] for name in names}
    runtime = yaml.safe_load((documents.ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert sorted(runtime["action_groups"]["mtc"]) == documents.MODULES


def test_api_servers_are_told_the_version_of_the_collection() -> None:
    version = yaml.safe_load((documents.ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert version == VERSION
    assert user_agent(None).startswith(f"openmig.mtc/{version} ")
