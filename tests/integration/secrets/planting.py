# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets for every option of every module that takes one, found in the argument specs, so that a new option is planted
by itself."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

SIDES = ("source", "destination", "remote")


@dataclass
class Garden:
    """Makes secrets and remembers them. ``planted`` holds each under the options that got one."""

    planted: dict[str, list[str]] = field(default_factory=dict)

    def seed(self, path: str) -> str:
        """A text that is nowhere else."""
        made = f"planted{secrets.token_hex(12)}"
        self.planted.setdefault(path, []).append(made)
        return made

    def options(self, spec: dict[str, Any], path: str, *, without: Iterable[str] = ()) -> dict[str, Any]:
        """A value for every option below ``path`` that is secret or has something secret in it."""
        found = {}
        for name, option in spec.items():
            if name in without:
                continue
            if option.get("no_log"):
                found[name] = self._value(name, f"{path}.{name}")
            elif option.get("options") and (inside := self.options(option["options"], f"{path}.{name}")):
                required = {key: "x" for key, inner in option["options"].items() if inner.get("required")}
                whole = {**required, **inside}
                found[name] = [whole] if option["type"] == "list" else whole
        return found

    def _value(self, name: str, path: str) -> Any:
        if name == "proxy":
            return f"http://user:{self.seed(path)}@127.0.0.1:9"
        if name in ("proxy_basic_auth", "basic_auth"):
            return f"user:{self.seed(path)}"
        if name == "kubeconfig":
            return self.kubeconfig(path)
        return self.seed(path)

    def kubeconfig(self, path: str) -> dict[str, Any]:
        """One that is complete, with every kind of secret that a kubeconfig can hold."""
        key = base64.b64encode(self.seed(f"{path}.client-key-data").encode()).decode()
        self.planted[f"{path}.client-key-data"].append(key)
        user = {
            "token": self.seed(f"{path}.token"),
            "password": self.seed(f"{path}.password"),
            "username": "name-of-user",
            "client-key-data": key,
        }
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "cluster-of-it", "cluster": {"server": "https://127.0.0.1:9"}}],
            "users": [{"name": "user-of-it", "user": user}],
            "contexts": [{"name": "context-of-it", "context": {"cluster": "cluster-of-it", "user": "user-of-it"}}],
            "current-context": "context-of-it",
        }

    def texts(self) -> dict[str, str]:
        """Every secret and the option it was planted in, also as base64, as Kubernetes would show it."""
        found = {}
        for path, values in self.planted.items():
            for value in values:
                found[value] = path
                found[base64.b64encode(value.encode()).decode().rstrip("=")] = f"{path}, as base64"
        return found


def secret_options(spec: dict[str, Any], path: str = "") -> set[str]:
    """The paths of all options that are marked as secret."""
    found = set()
    for name, option in spec.items():
        if option.get("no_log"):
            found.add(f"{path}{name}")
        found |= secret_options(option.get("options") or {}, f"{path}{name}.")
    return found
