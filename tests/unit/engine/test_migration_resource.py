# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The warnings of a migration: with the reasons that MTC gives, and durable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.engine.migration_resource import MigrationResource
from ansible_collections.openmig.mtc.plugins.module_utils.resources import accepted
from ansible_collections.openmig.mtc.plugins.module_utils.resources.condition_names import Reason

REASONS = {
    accepted.VOLUMES: "",
    accepted.UNHEALTHY: Reason.ERRORS_DETECTED,
    accepted.UNSERVED: "",
    accepted.CAPACITY: Reason.NOT_DONE,
}


def test_every_warning_that_can_be_accepted_is_looked_at() -> None:
    assert set(REASONS) == set(accepted.BUILTIN)


@pytest.mark.parametrize(("name", "reason"), REASONS.items())
def test_a_warning_has_mtc_s_reason(name: str, reason: str) -> None:
    manifest = {"kind": "MigMigration", "metadata": {"name": "m", "namespace": "n", "uid": "u"}}
    # Nothing is written, so there is no cluster.
    resource = MigrationResource(cluster=cast(Cluster, None), manifest=manifest, generation=1)
    resource.warn(name, "what was accepted")
    (shown,) = resource.conditions.end(datetime.now(UTC))
    assert (shown["type"], shown["category"], shown["status"], shown.get("reason", "")) == (
        name,
        "Warn",
        "True",
        reason,
    )
