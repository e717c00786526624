# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every example of every module runs as it is written, and the same again changes nothing.

How they are judged: each is run twice in a row, for a block may hold opposite wishes (move, and undo it). The second
time it changes nothing. One in check mode is told the same twice, whatever that is. One that removes something removes
it the first time. A module that is added to the collection is tested here without further ado; its examples live in the
world that conftest.py makes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integration.examples.conftest import is_removal
from integration.migration.playbooks import Run
from unit.modules import documents

RunTwice = Callable[[list[dict[str, Any]]], Run]
LOOKING = [module for module in documents.MODULES if module.endswith("_info")]
ELSEWHERE = {
    "direct_image_migration": "needs MTC; integration/controller/test_direct_images.py",
    "direct_image_stream_migration": "needs MTC; integration/controller/test_direct_images.py",
}
"""What their examples need is not in this world, and where they run."""
ACTING = [module for module in documents.MODULES if not module.endswith("_info") and module not in ELSEWHERE]


def must_have_settled(tasks: list[dict[str, Any]], run: Run) -> None:
    assert run.code == 0, run.output
    changed = [bool(task["result"].get("changed")) for task in run.tasks]
    assert len(changed) == 2 * len(tasks)
    for number, task in enumerate(tasks):
        first, second = changed[2 * number : 2 * number + 2]
        if task.get("check_mode"):
            assert first == second, task
        else:
            assert not second, task
        if is_removal(task):
            assert first, task


@pytest.mark.parametrize("module", ACTING)
def test_its_examples_settle(run_twice: RunTwice, module: str) -> None:
    tasks = documents.examples(module)
    must_have_settled(tasks, run_twice(tasks))


def test_the_examples_of_modules_that_look_run_and_change_nothing(run_twice: RunTwice) -> None:
    tasks = [task for module in LOOKING for task in documents.examples(module)]
    run = run_twice(tasks)
    must_have_settled(tasks, run)
    assert run.changed == 0
