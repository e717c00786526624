# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Run other programs to their end."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

Words = Sequence[str] | Sequence[Path] | Sequence[str | Path]
"""A program and its arguments."""


class LabError(Exception):
    """Something the lab cannot go on from; the text says what and where to look."""


def run(
    arguments: Words,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    text: str | None = None,
    check: bool = True,
    timeout: float | None = 1800,
) -> subprocess.CompletedProcess[str]:
    """Run a program and return its output; raises LabError with that output if it fails.

    `env` is added to the environment; `text` is its standard input.
    """
    words = [str(word) for word in arguments]
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        raise LabError(
            f"{words[0]} is not installed; tests/setup/system-packages.sh installs what the lab needs"
        ) from None
    except subprocess.TimeoutExpired:
        raise LabError(f"{' '.join(words)}: no end after {timeout:.0f}s") from None
    if check and done.returncode != 0:
        tail = "\n".join((done.stderr + done.stdout).strip().splitlines()[-25:])
        raise LabError(f"{' '.join(words)}: exit status {done.returncode}\n{tail}")
    return done


def require(programs: Sequence[str]) -> None:
    """Raise LabError that names every program of the list which is not installed."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [program for program in programs if shutil.which(program, path=path) is None]
    if missing:
        raise LabError(
            f"not installed: {', '.join(missing)}; tests/setup/system-packages.sh installs what the lab needs"
        )
