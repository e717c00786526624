# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The audit row: every write of the migration is declared, or is told by name."""

from __future__ import annotations

from typing import Any

import pytest

from demo import auditlog
from demo.facts import Facts

FACTS = Facts(began=1_700_000_000.0, ended=1_700_000_100.0)
WITHIN, BEFORE = "2023-11-14T22:13:30.000000Z", "2023-11-14T22:13:10.000000Z"


def event(
    verb: str,
    resource: str,
    name: str = "",
    *,
    namespace: str = "shop",
    agent: str = "openmig.mtc/0.1.0 (1@here)",
    user: str = "system:serviceaccount:openmig:migration-controller",
    at: str = WITHIN,
) -> dict[str, Any]:
    resource, _slash, sub = resource.partition("/")
    reference = {"resource": resource, "subresource": sub, "namespace": namespace, "name": name}
    return {
        "verb": verb,
        "userAgent": agent,
        "user": {"username": user},
        "stageTimestamp": at,
        "objectRef": {key: value for key, value in reference.items() if value},
    }


QUIESCE = event("patch", "deployments", "front")


@pytest.mark.parametrize(
    "writes",
    [
        [QUIESCE],
        [event("create", "pods", "openmig-1-client"), event("delete", "pods", "openmig-1-client")],
        [event("delete", "configmaps", "openmig-0-anchor")],
        [event("get", "pods/exec", "openmig-1-client")],
        [
            event("create", "namespaces", "openmig", namespace=""),
            event("patch", "namespaces", "openmig", namespace="openmig"),
        ],
        [event("create", "serviceaccounts", "migration-controller", namespace="openmig")],
        [event("create", "clusterroles", "openmig-source", namespace="")],
    ],
)
def test_declared(writes: list[dict[str, Any]]) -> None:
    row = auditlog.row(writes, FACTS)
    assert row.good, row.details


@pytest.mark.parametrize(
    "writes",
    [
        [QUIESCE, event("delete", "deployments", "front")],
        [QUIESCE, event("delete", "persistentvolumeclaims", "uploads")],
        [QUIESCE, event("patch", "persistentvolumes", "pv-1", namespace="")],
        [QUIESCE, event("patch", "deployments", "other", namespace="default")],
        [QUIESCE, event("create", "clusterroles", "admin-for-all", namespace="")],
        [QUIESCE, event("create", "pods", "openmig-1-client")],
        [QUIESCE, event("patch", "secrets", "database")],
        [QUIESCE, event("delete", "secrets", "database")],
        [QUIESCE, event("deletecollection", "pods")],
        [QUIESCE, event("get", "pods/exec", "postgres-0")],
        [QUIESCE, event("patch", "configmaps", "front", agent="kubectl/v1.34", user="somebody")],
    ],
    ids=[
        "workload deleted",
        "claim",
        "volume",
        "elsewhere",
        "rights",
        "left behind",
        "not its own",
        "deletes a secret",
        "all pods",
        "enters the application",
        "somebody else",
    ],
)
def test_not_declared(writes: list[dict[str, Any]]) -> None:
    row = auditlog.row(writes, FACTS)
    assert not row.good
    assert len([line for line in row.details if " x " not in line]) == 1


def test_neither_components_nor_the_demo_nor_others_elsewhere_count() -> None:
    writes = [
        QUIESCE,
        event("delete", "pods", "front-1", agent="kube-controller-manager", user="system:kube-controller-manager"),
        event("create", "pods", "demo-checker", agent="openmig-demo/1", user="admin"),
        event("create", "configmaps", "x", namespace="default", agent="kubectl", user="admin"),
        event("delete", "persistentvolumeclaims", "uploads", at=BEFORE),
    ]
    row = auditlog.row(writes, FACTS)
    assert row.good, row.details
    assert row.source.startswith("1 write")


def test_nothing_seen_is_no_proof() -> None:
    assert not auditlog.row([], FACTS).good
    assert not auditlog.row([QUIESCE], None).good


def test_clusters_of_ones_own_have_no_log_at_hand() -> None:
    row = auditlog.row(None, FACTS)
    assert row.good
    assert "no audit log" in row.source
