# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a finished migration costs when its task is run again, counted where it cannot be hidden: in the audit logs."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from integration.migration.calls import migration
from integration.migration.conftest import World
from integration.migration.identities import administrator
from lab import audit
from lab.targets import targets

AT_MOST = 10
"""Requests to each cluster."""


def test_a_finished_migration_is_met_again_with_few_requests(world: World, tmp_path: Path) -> None:
    world.deploy(mebibytes=1, files=20)
    first = world.migrate()
    assert first.code == 0, first.output
    files = {"source": targets().source, "destination": targets().destination}
    clusters = {"source": world.source, "destination": world.destination}
    with ExitStack() as stack:
        identities = {
            side: stack.enter_context(
                administrator(cluster, like=files[side], namespace=f"{world.name}-admin", folder=tmp_path)
            )
            for side, cluster in clusters.items()
        }
        marks = {side: audit.mark(side) for side in clusters}
        again = migration(
            world,
            kubeconfig=str(identities["destination"].kubeconfig),
            source={"kubeconfig": str(identities["source"].kubeconfig)},
        )
        assert (again.code, again.changed) == (0, 0), again.output
        assert again.migration["phase"] == "Completed"
        asked = {
            side: [
                f"{event['verb']} {event['requestURI']}"
                for event in audit.events(side, marks[side])
                if event["user"]["username"] == identity.user
            ]
            for side, identity in identities.items()
        }
    assert asked["destination"], "the call has asked its control cluster nothing"
    for side, requests in asked.items():
        assert len(requests) <= AT_MOST, f"{side}: {requests}"
