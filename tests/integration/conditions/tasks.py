# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many calls of modules in one ansible-playbook, each with its result, whether it succeeds or fails."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from integration.migration import evidence
from integration.migration.playbooks import Run, play
from lab import audit
from lab.targets import targets

Result = dict[str, Any]
Call = tuple[str, dict[str, Any]]
"""A module's short name and its options."""


def perform(calls: Sequence[Call], *arguments: str, namespace: str) -> list[Result]:
    """The results of the calls in their order. ``arguments`` are ansible-playbook's, such as ``--check``.

    A task that fails is a result like any other; one whose module does not come to an end fails the test.
    """
    run = played(calls, *arguments, namespace=namespace)
    assert len(run.tasks) == len(calls), run.output
    results = [{**task["result"], "failed": task["outcome"] == "failed"} for task in run.tasks]
    broken = [result for result in results if result.get("module_stderr")]
    assert broken == [], run.output
    return results


def played(calls: Sequence[Call], *arguments: str, namespace: str) -> Run:
    """The calls in one playbook, each whatever the others come to.

    Every call goes to the control cluster, the destination, and to resources in ``namespace``; what a call says itself
    wins.
    """
    common = {"kubeconfig": str(targets().destination), "namespace": namespace}
    tasks = [
        {"name": f"Call {number}", f"openmig.mtc.{module}": options, "ignore_errors": True}
        for number, (module, options) in enumerate(calls)
    ]
    book = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "module_defaults": {"group/openmig.mtc.mtc": common},
        "tasks": tasks,
    }
    with tempfile.TemporaryDirectory(prefix="openmig-test-") as folder:
        playbook = Path(folder) / "calls.yml"
        playbook.write_text(yaml.safe_dump([book], sort_keys=False))
        return play({}, *arguments, playbook=str(playbook))


def by_type(result: Result) -> dict[str, tuple[str, str, str]]:
    """(category, status, reason) of the conditions that a call returned."""
    return {
        name: (item["category"], item["status"], item.get("reason", "")) for name, item in result["conditions"].items()
    }


def written(namespace: str, since: audit.Offset) -> list[str]:
    """What processes of ours have changed in a namespace of the control cluster; others may work beside this test."""
    events = evidence.our_writes("destination", since)
    return evidence.described(event for event in events if (event.get("objectRef") or {}).get("namespace") == namespace)
