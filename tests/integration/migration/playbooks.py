# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs the collection's playbook as its users do: ``ansible-playbook openmig.mtc.migrate``, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
BIN = Path(sys.executable).parent
PLAYBOOK = "openmig.mtc.migrate"
LIMIT = 300
"""Seconds after which a playbook is a failure of the test."""


@dataclass(frozen=True)
class Run:
    """A playbook that has ended. ``tasks`` holds the results of its tasks in order."""

    code: int
    output: str
    seconds: float
    tasks: list[dict[str, Any]] = field(repr=False)

    @property
    def changed(self) -> int:
        """How many tasks changed something."""
        return sum(1 for task in self.tasks if task["result"].get("changed"))

    def result(self, action: str) -> dict[str, Any]:
        """The result of the last task with that module (``mig_migration``)."""
        found = [task["result"] for task in self.tasks if task["action"].rpartition(".")[2] == action]
        assert found, f"no task {action} has ended:\n{self.output}"
        return dict(found[-1])

    @property
    def migration(self) -> dict[str, Any]:
        return self.result("mig_migration")

    @property
    def failure(self) -> str:
        """The message of the task that failed."""
        failed = [task for task in self.tasks if task["outcome"] == "failed"]
        assert failed, f"no task has failed:\n{self.output}"
        return str(failed[-1]["result"].get("msg", ""))


class Started:
    """A playbook that runs. ``process`` leads a process group of its own."""

    def __init__(self, variables: Mapping[str, Any], arguments: Sequence[str] = (), playbook: str = PLAYBOOK) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="openmig-test-")
        folder = Path(self._folder.name)
        self._results = folder / "results.jsonl"
        self._output = folder / "output"
        (folder / "variables.json").write_text(json.dumps(variables))
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "live"),
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callbacks"),
            "ANSIBLE_CALLBACKS_ENABLED": "record_results",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "PYTHONUNBUFFERED": "1",
            "RECORD_RESULTS": str(self._results),
        }
        self._began = time.monotonic()
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [str(BIN / "ansible-playbook"), playbook, "-e", f"@{folder / 'variables.json'}", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    def output(self) -> str:
        """What it has printed so far."""
        return self._output.read_text(errors="replace")

    def wait_for(self, text: str, *, timeout: float = 120) -> None:
        """Wait until it has printed the text; fails when it ends without."""
        until = time.monotonic() + timeout
        while text not in self.output():
            ended = self.process.poll() is not None
            assert not ended or text in self.output(), f"ended without {text!r}:\n{self.output()}"
            assert time.monotonic() < until, f"no {text!r} within {timeout} s:\n{self.output()}"
            time.sleep(0.02)

    def end(self, *, timeout: float = LIMIT) -> Run:
        """Wait for its end."""
        code = self.process.wait(timeout=timeout)
        lines = self._results.read_text().splitlines() if self._results.exists() else []
        run = Run(code, self.output(), time.monotonic() - self._began, [json.loads(line) for line in lines])
        self._folder.cleanup()
        return run


def play(variables: Mapping[str, Any], *arguments: str, playbook: str = PLAYBOOK) -> Run:
    """Run it to its end, however that is."""
    return Started(variables, arguments, playbook).end()


def play_tasks(tasks: Sequence[Mapping[str, Any]], *arguments: str, **variables: Any) -> Run:
    """Tasks of a test's own, in one play on this machine; a task with ``ignore_errors`` may fail."""
    play_of_them = {
        "hosts": "localhost",
        "gather_facts": False,
        "connection": "local",
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "tasks": list(tasks),
    }
    with tempfile.TemporaryDirectory(prefix="openmig-test-") as folder:
        playbook = Path(folder) / "playbook.yml"
        playbook.write_text(json.dumps([play_of_them]))
        return play(variables, *arguments, playbook=str(playbook))
