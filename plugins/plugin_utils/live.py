# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What runs on the control node for every module: its lines are printed while it runs, and the files by which clusters
are reached are the control node's, wherever the module itself runs.

A module cannot speak before it ends, so it appends its lines to a file that is named to it, and a thread here prints
what arrives. The run does not depend on it: without this, on another machine or in the background (async), the same
lines come with the result. Nothing is printed for a task with ``no_log``.
"""

from __future__ import annotations

import codecs
import os
import tempfile
import threading
from typing import Any

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.openmig.mtc.plugins.module_utils.engine.process import ProcessName
from ansible_collections.openmig.mtc.plugins.plugin_utils import elsewhere
from ansible_collections.openmig.mtc.plugins.plugin_utils.foretold import Foretold

LOCAL_CONNECTIONS = frozenset({"local", "ansible.builtin.local"})
POLL = 0.2
"""Seconds between two looks at the module's file."""


class LiveAction(ActionBase):  # type: ignore[misc]  # ansible ships no types
    """The module in one piece, its lines live, and the name of the process that must be alive for it to go on."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        foretold = Foretold(constants.DEFAULT_LOCAL_TMP, self._task.args)
        result.update(self._run_told(foretold.entries() if self._task.check_mode else [], task_vars))
        if self._task.check_mode:
            foretold.note(result)
        elif result.get("changed"):
            foretold.forget()
        return result

    def _run_told(self, entries: list[dict[str, Any]], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """The module's result, wherever it runs. ``entries`` is what was foretold to it."""
        arguments = dict(self._task.args)
        in_background = bool(self._task.async_val)
        here = self._connection.transport in LOCAL_CONNECTIONS
        if entries:
            # Files by which a cluster is reached are this machine's.
            told = entries if here else [{"resource": entry["resource"]} for entry in entries]
            arguments["reporter"] = {"foretold": told}
        if not here:
            arguments = self._from_here(arguments)
        elif not in_background:
            return self._run_live(arguments, task_vars)
        found: dict[str, Any] = self._execute_module(
            module_args=arguments, task_vars=task_vars, wrap_async=in_background
        )
        return found

    def _run_live(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="openmig-") as folder:
            path = os.path.join(folder, "lines")
            with open(path, "wb"):
                pass
            # The worker that runs this is a child of ansible-playbook, which is the process that somebody looks at.
            parent = ProcessName.of(os.getppid())
            listening = {"file": path, "parent": str(parent) if parent else None}
            reporter = {**(arguments.get("reporter") or {}), **listening}
            printer = Printer(path, silent=bool(self._task.no_log))
            printer.start()
            try:
                found: dict[str, Any] = self._execute_module(
                    module_args={**arguments, "reporter": reporter}, task_vars=task_vars
                )
            finally:
                printer.finish()
        return found

    def _from_here(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The same with this machine's kubeconfigs, certificates and connection variables."""
        told: dict[str, str] = {}
        for block in self._task.environment or ():
            told.update(self._templar.template(block) or {})
        environ = {name: value for name, value in os.environ.items() if name not in told}
        return elsewhere.carried(arguments, environ, send=self._send)

    def _send(self, path: str) -> str:
        """Copy a file into the task's directory over there, which goes with the task; gives its path there."""
        if not self._connection._shell.tmpdir:  # noqa: SLF001 - as every action plugin does
            self._make_tmp_path()
        there = self._connection._shell.join_path(self._connection._shell.tmpdir, os.path.basename(path))  # noqa: SLF001
        self._transfer_file(path, there)
        self._fixup_perms2((self._connection._shell.tmpdir, there))  # noqa: SLF001
        return str(there)


class Printer(threading.Thread):
    """Prints the lines that are appended to a file, until told to finish."""

    def __init__(self, path: str, *, silent: bool) -> None:
        super().__init__(name="openmig-lines", daemon=True)
        self._path = path
        self._silent = silent
        self._ended = threading.Event()
        self._display = Display()

    def run(self) -> None:
        # A look may come in the middle of a line, and of a character.
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        with open(self._path, "rb") as lines:
            rest = ""
            ending = False
            while not ending:
                ending = self._ended.wait(POLL)
                rest += decoder.decode(lines.read())
                *whole, rest = rest.split("\n")
                if not self._silent:
                    for line in whole:
                        self._display.display(line)

    def finish(self) -> None:
        """Print what is left and end."""
        self._ended.set()
        self.join(timeout=5)
