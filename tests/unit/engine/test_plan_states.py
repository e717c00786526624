# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan that is closed, or that could not be looked at, says so and nothing that is no longer known."""

from __future__ import annotations

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine import plan_reconciler
from ansible_collections.openmig.mtc.plugins.module_utils.engine.plan_sides import plan_findings
from ansible_collections.openmig.mtc.plugins.module_utils.resources.conditions import by_type
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import InvalidInput, PermanentError

REFERENCE = {"namespace": "openmig"}


def plan(*conditions: str, **spec: object) -> dict[str, object]:
    listed = [{"type": name, "status": "True", "category": "Advisory"} for name in conditions]
    return {
        "apiVersion": "migration.openshift.io/v1alpha1",
        "kind": "MigPlan",
        "metadata": {"name": "shop", "namespace": "openmig", "uid": "u"},
        "spec": {
            "srcMigClusterRef": {"name": "a", **REFERENCE},
            "destMigClusterRef": {"name": "b", **REFERENCE},
            "namespaces": ["shop"],
            "refresh": True,
            **spec,
        },
        "status": {"conditions": listed},
    }


def test_a_closed_plan_is_neither_ready_nor_suspended_and_starts_nothing() -> None:
    before = plan("Ready", "Suspended", "StorageEnsured", "PvsDiscovered", closed=True)
    going = plan_reconciler.closed(before)
    assert list(by_type(going)) == ["PvsDiscovered"]
    gone = plan_reconciler.closed(going, message="It is gone.")
    assert list(by_type(gone)) == ["PvsDiscovered", "Closed"]
    (finding,) = plan_findings(gone)
    assert finding.attempt == "it is closed"
    assert "refresh" not in gone["spec"]
    assert plan_reconciler.same(gone, plan_reconciler.closed(gone, message="It is gone."))


def test_what_could_not_be_looked_at_is_not_ready_and_keeps_what_was_known() -> None:
    error = PermanentError(subject="Cluster source", attempt="it is not reachable", reason="nobody answers")
    found = plan_reconciler.failed(plan("Ready", "PvsDiscovered"), error)
    conditions = by_type(found)
    assert list(conditions) == ["PvsDiscovered", "ReconcileFailed"]
    assert conditions["ReconcileFailed"]["message"] == error.message
    assert found["spec"]["refresh"] is True


def test_options_are_written_over_a_plan_and_its_limits_onto_it() -> None:
    wanted = plan_reconciler.with_options(plan(), {"namespaces": ["blog"], "pod_limit": 5}, engine="builtin")
    assert wanted["spec"]["namespaces"] == ["blog"]
    annotations = wanted["metadata"]["annotations"]
    assert annotations == {"openmig.io/engine": "builtin", "openmig.io/pod-limit": "5"}
    assert not plan_reconciler.same(plan(), wanted)
    with pytest.raises(InvalidInput, match="storage"):
        plan_reconciler.with_options(plan(), {"indirect_volume_migration": True}, engine="builtin")
