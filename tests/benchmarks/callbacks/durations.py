# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes how long each task took, and whether it changed something, as a line of JSON into the file that DURATIONS
names."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: durations
type: aggregate
short_description: Write the durations of tasks as JSON lines
description: For the benchmarks only.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible ships no types
    """One line per finished task."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "durations"
    CALLBACK_NEEDS_ENABLED = True
    _began = 0.0

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002 - Ansible calls it so
        self._began = time.perf_counter()

    def v2_runner_on_ok(self, result: Any) -> None:
        seconds = time.perf_counter() - self._began
        line = {"task": str(result.task_name).strip(), "seconds": seconds, "changed": result.is_changed()}
        with open(os.environ["DURATIONS"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
