# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All benchmarks, one after the other, each in a process of its own: ``make benchmark``. Figures are not judged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def main() -> int:
    """The number of benchmarks that could not be run."""
    paths = [str(ROOT / "tests"), str(ROOT / ".build" / "live")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    failed = 0
    for file in sorted(HERE.glob("*.py")):
        if file.name == Path(__file__).name:
            continue
        print(f"\n=== {file.stem}", flush=True)
        failed += subprocess.run([sys.executable, str(file)], env=environment, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
