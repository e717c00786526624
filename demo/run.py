# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python demo/run.py`, from anywhere: puts checkout and lab on Python's path and starts the package beside it."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    root = Path(__file__).resolve().parents[1]
    # In place of this folder, whose short file names would otherwise be found before other packages.
    sys.path[:1] = [str(root), str(root / "tests")]
    runpy.run_module("demo", run_name="__main__")
