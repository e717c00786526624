# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of modules and fragments as data, and Ansible's programs run on this checkout."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.openmig.mtc.plugins.module_utils import module_specs

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = "ansible_collections.openmig.mtc.plugins"
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))

Tasks = list[dict[str, Any]]


def fragment(name: str) -> dict[str, Any]:
    """The options that a documentation fragment brings, by name."""
    found = importlib.import_module(f"{PLUGINS}.doc_fragments.{name}").ModuleDocFragment.DOCUMENTATION
    options: dict[str, Any] = yaml.safe_load(found)["options"]
    return options


def examples(module: str) -> Tasks:
    """The tasks in the EXAMPLES of a module."""
    tasks: Tasks = yaml.safe_load(importlib.import_module(f"{PLUGINS}.modules.{module}").EXAMPLES)
    return tasks


def spec(module: str) -> dict[str, Any]:
    """The argument spec of a module, made as the module makes it."""
    make: Callable[[], dict[str, Any]] = getattr(module_specs, f"{module}_spec")
    return make()


def ansible(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of Ansible's programs; the collection is the checkout."""
    return subprocess.run(
        [str(Path(sys.executable).parent / program), *arguments],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "live"), "ANSIBLE_NOCOLOR": "true"},
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
