# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How much memory, and how much of a processor, 50 000 ConfigMaps of 1.4 KB take from the first list to the last
answer.

The wish is less than 150 MB. Both clusters are one stand-in (stand_in/api_server.py) in a process of its own, so what
is measured is ours alone. Run by ``PYTHONPATH=tests:.build/live python tests/benchmarks/objects_memory.py [COUNT]``.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.engine.source_objects import read_objects
from ansible_collections.openmig.mtc.plugins.module_utils.objects import inventory
from ansible_collections.openmig.mtc.plugins.module_utils.objects.apply import apply_all, preview
from benchmarks.stand_in.api_server import NAMESPACE

SERVER = Path(__file__).parent / "stand_in" / "api_server.py"


def peak() -> float:
    """The most memory that the process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def run(source: Cluster, destination: Cluster, count: int) -> None:
    """What a migration does with objects, in its order."""
    plan: dict[str, Any] = {"spec": {"namespaces": [f"{NAMESPACE}:{NAMESPACE}-new"]}, "status": {}}
    begun, used = time.perf_counter(), time.process_time()

    def tell(what: str) -> None:
        nonlocal begun, used
        now, cpu = time.perf_counter(), time.process_time()
        print(
            f"{what:28}{now - begun:7.1f} s {(cpu - used) / count * 1e6:7.0f} us of CPU each, {peak():6.1f} MB",
            flush=True,
        )
        begun, used = now, cpu

    tell("libraries")
    read = read_objects(source, destination, plan=plan, plan_uid="plan", migration_uid="run")
    tell("read")
    entries = inventory.entries(read.objects, key=b"key")
    tell("transformed, digests")
    inventory.encode(entries)
    preview(destination, read.objects, migplan_uid="plan")
    tell("preview")
    report = apply_all(destination, read.objects, migplan_uid="plan", migmigration_uid="run")
    tell("created and compared")
    if len(report.created) != count or report.differences:
        raise SystemExit(f"{len(report.created)} created, {report.differences[:3]}")


def main() -> None:
    """Measure once and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    server = subprocess.Popen([sys.executable, str(SERVER), str(count)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        host = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        login = {"host": host, "api_key": "none"}
        source, destination = (connect(login, name=name, environ={}) for name in ("source", "destination"))
        run(source, destination, count)
        print(f"{count} objects, at most {peak():.1f} MB")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
