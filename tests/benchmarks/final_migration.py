# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long a whole final migration of a small application takes, phase by phase, and the playbook's second run.

One Deployment, one Service, one volume with 10 MiB in one file and a few small ones. Upstream's controller needed 56 s
for such a one on a lab of this kind, with the application down for about 50 s.
"""

from __future__ import annotations

import secrets

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from integration.migration.conftest import World
from lab.targets import targets

MEBIBYTES = 10
FILES = 20


def main() -> None:
    """Measure once and print."""
    chosen = targets()
    source = connect({"kubeconfig": str(chosen.source)}, name="source", environ={})
    destination = connect({"kubeconfig": str(chosen.destination)}, name="destination", environ={})
    world = World(source, destination, f"bench-{secrets.token_hex(3)}")
    try:
        world.deploy(mebibytes=MEBIBYTES, files=FILES)
        first = world.migrate()
        if first.code != 0:
            raise SystemExit(first.output)
        result = first.migration
        print(f"whole playbook            {first.seconds:6.1f} s")
        print(f"mig_migration             {result['duration']:6.1f} s")
        print(f"downtime                  {result['downtime_seconds']:6.1f} s")
        for phase, seconds in sorted(result["phase_seconds"].items(), key=lambda item: -item[1]):
            if seconds >= 0.05:
                print(f"  {phase:<40} {seconds:5.2f} s")
        second = world.migrate()
        print(f"second run of the playbook{second.seconds:6.1f} s, {second.changed} tasks changed something")
    finally:
        for cluster in (source, destination):
            for namespace in world.namespaces:
                cluster.delete("v1", "Namespace", namespace)


if __name__ == "__main__":
    main()
