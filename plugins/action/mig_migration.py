# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs the module ``mig_migration`` and prints what it reports while it runs; see the module for its documentation.

A module cannot speak before it ends, so it appends its lines to a file that is named to it, and a thread here prints
what arrives. The run does not depend on it: without this plugin, or on another machine, the same lines come with the
result. Nothing is printed for a task with ``no_log``.
"""

from __future__ import annotations

import os
import tempfile
import threading
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.openmig.mtc.plugins.module_utils.engine.process import ProcessName

LOCAL_CONNECTIONS = frozenset({"local", "ansible.builtin.local"})
POLL = 0.2
"""Seconds between two looks at the module's file."""


class ActionModule(ActionBase):
    """The module in one piece, its lines live, and the name of the process that must be alive for it to go on."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        local = self._connection.transport in LOCAL_CONNECTIONS
        if not local:
            result.update(self._execute_module(module_args=arguments, task_vars=task_vars))
            return result
        with tempfile.TemporaryDirectory(prefix="openmig-") as folder:
            path = os.path.join(folder, "lines")
            with open(path, "w", encoding="utf-8"):
                pass
            # The worker that runs this is a child of ansible-playbook, which is the process that somebody looks at.
            parent = ProcessName.of(os.getppid())
            arguments["reporter"] = {"file": path, "parent": str(parent) if parent else None}
            printer = _Printer(path, silent=bool(self._task.no_log))
            printer.start()
            try:
                result.update(self._execute_module(module_args=arguments, task_vars=task_vars))
            finally:
                printer.finish()
        return result


class _Printer(threading.Thread):
    """Prints the lines that are appended to a file, until told to finish."""

    def __init__(self, path: str, *, silent: bool) -> None:
        super().__init__(name="openmig-lines", daemon=True)
        self._path = path
        self._silent = silent
        self._ended = threading.Event()
        self._display = Display()

    def run(self) -> None:
        with open(self._path, encoding="utf-8", errors="replace") as lines:
            rest = ""
            ending = False
            while not ending:
                ending = self._ended.wait(POLL)
                rest += lines.read()
                *whole, rest = rest.split("\n")
                if not self._silent:
                    for line in whole:
                        self._display.display(line)

    def finish(self) -> None:
        """Print what is left and end."""
        self._ended.set()
        self.join(timeout=5)
