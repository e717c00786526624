# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hands what a task in check mode foretells to the tasks after it, so that a whole playbook can be looked at before
anything of it is on a cluster.

Each task runs in a process of its own, so what they hand on lies in files in the directory of this ansible-playbook,
which nobody else may read and which goes with it. Resources name their secrets and do not hold them; a connection is
handed on only if no option of it is one. A task that really changes something ends the forecasts for its cluster.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.argument_spec import connection_spec

FOLDER = "openmig-foretold"
SECRET = frozenset({"api_key", "password", "proxy_headers"})
"""Options of a connection that hold secrets; a kubeconfig does when it is given as its content."""
PLAN = "MigPlan"


class Foretold:
    """What has been foretold for one control cluster, told apart by the options that lead to it."""

    def __init__(self, root: str, arguments: Mapping[str, Any]) -> None:
        given = {name: arguments.get(name) for name in _names() if arguments.get(name) is not None}
        kubeconfig = given.get("kubeconfig")
        if isinstance(kubeconfig, str):
            given["kubeconfig"] = os.path.expanduser(kubeconfig)
        key = hashlib.sha256(json.dumps(given, sort_keys=True, default=str).encode()).hexdigest()
        self._arguments = arguments
        self._folder = Path(root) / FOLDER / key

    def entries(self) -> list[dict[str, Any]]:
        """For a task of these arguments; of plans only its own, for there may be hundreds."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                entry = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue  # gone in this moment
            resource = entry["resource"]
            if resource["kind"] != PLAN or resource["metadata"]["name"] == self._plan():
                found.append(entry)
        return found

    def note(self, result: Mapping[str, Any]) -> None:
        """Keep what a task in check mode has foretold."""
        resource = result.get("resource") or {}
        metadata = resource.get("metadata") or {}
        if not (resource.get("kind") and metadata.get("namespace") and metadata.get("name")):
            return
        entry = {"resource": resource, "remote": harmless(self._arguments.get("remote"))}
        name = "\0".join((resource["kind"], metadata["namespace"], metadata["name"]))
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Others read at any moment: a file is there whole or not at all.
        with tempfile.NamedTemporaryFile("w", dir=self._folder, delete=False, encoding="utf-8") as file:
            json.dump(entry, file)
        os.replace(file.name, self._folder / f"{hashlib.sha256(name.encode()).hexdigest()}.json")

    def forget(self) -> None:
        """Something has really changed: what was foretold before may not be so any more."""
        for path in self._folder.glob("*.json"):
            path.unlink(missing_ok=True)

    def _plan(self) -> str | None:
        definition = self._arguments.get("plan_definition") or {}
        named = definition.get("name") if isinstance(definition, Mapping) else None
        return self._arguments.get("plan") or named


def harmless(connection: Any) -> dict[str, Any] | None:
    """The connection, or None when it holds a secret."""
    if not isinstance(connection, Mapping):
        return None
    given = {name: value for name, value in connection.items() if value is not None}
    secret = SECRET & set(given) or not isinstance(given.get("kubeconfig", ""), str)
    return None if secret else given


def _names() -> list[str]:
    return sorted({known for name, option in connection_spec().items() for known in (name, *option.get("aliases", ()))})
