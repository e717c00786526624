# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The move itself: `ansible-playbook openmig.mtc.migrate`, as a user runs it, with its output shown as it comes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from demo.settings import INVENTORY, LIVE_TREE, ROOT

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
RECAP = re.compile(r"^\S+\s*: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How the playbook ended, and what its recap counted."""

    exit_code: int
    changed: int | None
    """None when there was no recap."""


def run(playbook: str, *, source: Path, destination: Path) -> Outcome:
    """Run a playbook of the collection from the checkout; the kubeconfigs go where the inventory looks for them."""
    environment = {
        **os.environ,
        "MTC_SOURCE_KUBECONFIG": str(source),
        "MTC_DESTINATION_KUBECONFIG": str(destination),
        "ANSIBLE_COLLECTIONS_PATH": str(LIVE_TREE),
        "PYTHONUNBUFFERED": "1",
    }
    if sys.stdout.isatty():
        environment["ANSIBLE_FORCE_COLOR"] = "1"
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(INVENTORY), f"openmig.mtc.{playbook}"]
    changed: int | None = None
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            if found := RECAP.match(COLOUR.sub("", line)):
                changed = (changed or 0) + int(found[1])
    return Outcome(exit_code=process.returncode, changed=changed)
