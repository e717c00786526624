# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every EXAMPLES block runs as it is written, and its second run changes nothing.

How they are judged: a task changes nothing in the second run. One in check mode is told the same twice, whatever that
is. One that removes something removes it in the first run. A module that is added to the collection is tested here
without further ado; its examples live in the world that conftest.py makes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integration.examples.conftest import is_removal
from integration.migration.playbooks import Run
from unit.modules import documents

RunTwice = Callable[[list[dict[str, Any]]], tuple[Run, Run]]
LOOKING = [module for module in documents.MODULES if module.endswith("_info")]
ACTING = [module for module in documents.MODULES if not module.endswith("_info")]


def must_have_settled(tasks: list[dict[str, Any]], first: Run, second: Run) -> None:
    assert first.code == 0, first.output
    assert second.code == 0, second.output
    assert len(first.tasks) == len(second.tasks) == len(tasks)
    for task, before, after in zip(tasks, first.tasks, second.tasks, strict=True):
        changed = bool(before["result"].get("changed")), bool(after["result"].get("changed"))
        if task.get("check_mode"):
            assert changed[0] == changed[1], task
        else:
            assert not changed[1], task
        if is_removal(task):
            assert changed[0], task


@pytest.mark.parametrize("module", ACTING)
def test_its_examples_settle(run_twice: RunTwice, module: str) -> None:
    tasks = documents.examples(module)
    must_have_settled(tasks, *run_twice(tasks))


def test_the_examples_of_modules_that_look_run_and_change_nothing(run_twice: RunTwice) -> None:
    tasks = [task for module in LOOKING for task in documents.examples(module)]
    first, second = run_twice(tasks)
    must_have_settled(tasks, first, second)
    assert first.changed == 0
