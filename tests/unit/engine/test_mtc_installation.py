# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What says that MTC is installed, and that it is ready."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine.mtc_installation import judge

AVAILABLE = {
    "spec": {"replicas": 1},
    "status": {"conditions": [{"type": "Available", "status": "True"}]},
}
UNAVAILABLE = {
    "spec": {"replicas": 1},
    "status": {"conditions": [{"type": "Available", "status": "False", "message": "no minimum availability"}]},
}
FAILED = {
    "spec": {"migration_controller": True},
    "status": {"conditions": [{"type": "Failure", "status": "True", "message": "cluster_name is undefined"}]},
}
REMOTE = {"spec": {"migration_controller": False}}


@pytest.mark.parametrize(
    ("found", "installed", "ready", "told"),
    [
        pytest.param({"served": False}, False, False, "there is no Deployment", id="nothing of MTC"),
        pytest.param({"served": False, "deployment": AVAILABLE}, True, True, "is available", id="without its operator"),
        pytest.param({"deployment": AVAILABLE}, True, True, "is available", id="as it should be"),
        pytest.param({"deployment": UNAVAILABLE}, True, False, "no minimum availability", id="without a pod"),
        pytest.param(
            {"deployment": {**AVAILABLE, "spec": {"replicas": 0}}}, True, False, "scaled to zero", id="scaled to zero"
        ),
        pytest.param({"deployment": {"spec": {}}}, True, False, "no ready pod yet", id="a moment ago"),
        pytest.param({}, True, False, "no MigrationController", id="operator alone"),
        pytest.param({"controllers": [REMOTE]}, False, False, "remote cluster", id="remote cluster"),
        pytest.param(
            {"controllers": [{"spec": {"migration_controller": "false"}}]}, False, False, "remote", id="text for false"
        ),
        pytest.param({"controllers": [{"spec": {}}]}, True, False, "not made", id="installing"),
        pytest.param({"controllers": [FAILED]}, True, False, "cluster_name is undefined", id="operator failed"),
        pytest.param(
            {"deployment": UNAVAILABLE, "controllers": [FAILED]}, True, False, "cluster_name", id="both are told"
        ),
        pytest.param({"controllers": "forbidden"}, True, False, "may not be read", id="may not read why"),
        pytest.param({"deployment": "forbidden"}, True, True, "will show", id="may not read the Deployment"),
        pytest.param(
            {"served": False, "deployment": "forbidden"}, False, False, "not installed", id="plain user, no MTC"
        ),
    ],
)
def test_verdict(found: dict[str, Any], installed: bool, ready: bool, told: str) -> None:
    verdict = judge(**{"served": True, "deployment": None, "controllers": (), **found})
    assert (verdict.installed, verdict.ready) == (installed, ready)
    assert told in verdict.reason
