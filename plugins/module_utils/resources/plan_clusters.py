# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a plan asks of its two clusters beyond being ready: proxies that can be used, KubeVirt that can migrate live,
and one version of MTC.

Source of the rules: MTC pkg/controller/migplan, validation. Where upstream keeps one finding of two clusters, here the
condition names both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .condition_names import Category, ClusterCondition, PlanCondition, Reason
from .conditions import Conditions, is_true
from .plan_facts import ClusterFacts, PlanFacts

PROXY_KEYS = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
OLDEST_KUBEVIRT = (1, 3)
GATES_UNTIL = (1, 5)
"""From this version on the gates are open without being named."""
FEATURE_GATES = frozenset({"VolumesUpdateStrategy", "VolumeMigration", "VMLiveUpdateFeatures"})
LIVE_UPDATE = "LiveUpdate"

Sides = Sequence[tuple[str, ClusterFacts]]


def _sides(facts: PlanFacts) -> Sides:
    return (("source", facts.source), ("destination", facts.destination))


def check_proxies(facts: PlanFacts, conditions: Conditions) -> None:
    """At most one secret for each cluster, with something in it that says proxy."""
    types = (PlanCondition.SOURCE_PROXY_SECRET, PlanCondition.DESTINATION_PROXY_SECRET)
    for (side, cluster), kind in zip(_sides(facts), types, strict=True):
        secrets = cluster.proxy_secrets or ()
        named = sorted(_full_name(secret) for secret in secrets)
        if len(secrets) > 1:
            message = f"The {side} cluster has more than one secret for its proxy: []."
            conditions.set(kind, Category.CRITICAL, Reason.CONFLICT, message, items=named)
        elif secrets and not set(PROXY_KEYS) & set(secrets[0].get("data") or {}):
            message = f"The {side} cluster's secret for its proxy has none of {', '.join(PROXY_KEYS)}: []."
            conditions.set(kind, Category.CRITICAL, Reason.KEY_NOT_FOUND, message, items=named)


def check_operator_versions(facts: PlanFacts, conditions: Conditions) -> None:
    """Only MTC's own controller finds out about its versions, on the MigClusters; here it is passed on."""
    told = (ClusterCondition.OPERATOR_VERSION_MISMATCH, ClusterCondition.OPERATOR_VERSION_NOT_FOUND)
    differing = [side for side, cluster in _sides(facts) if any(is_true(cluster.resource, kind) for kind in told)]
    if differing:
        message = "The version of MTC is unknown or another one than on the control cluster: []."
        conditions.set(PlanCondition.CLUSTER_VERSION_MISMATCH, Category.WARN, Reason.CONFLICT, message, items=differing)


def check_kubevirt(facts: PlanFacts, conditions: Conditions) -> None:
    """Whether running virtual machines can move; asked for only where the plan says ``liveMigrate``."""
    if not facts.spec.get("liveMigrate"):
        return
    asked = [(side, cluster.kubevirts) for side, cluster in _sides(facts) if cluster.kubevirts is not None]
    absent = [side for side, found in asked if len(found) != 1]
    old, unable = [], []
    for side, found in asked:
        if len(found) != 1:
            continue
        version = _version(found[0])
        if version is None or version < OLDEST_KUBEVIRT:
            old.append(side)
        elif not _can_migrate_storage(found[0], version):
            unable.append(side)
    for sides, kind, category, reason, message in (
        (absent, *_NOT_INSTALLED),
        (old, *_TOO_OLD),
        (unable, *_NOT_SET_UP),
    ):
        if sides:
            conditions.set(kind, category, reason, message, items=sides)


_NOT_INSTALLED = (
    PlanCondition.KUBEVIRT_NOT_INSTALLED,
    Category.ADVISORY,
    Reason.NOT_FOUND,
    "There is not exactly one KubeVirt resource on: [].",
)
_TOO_OLD = (
    PlanCondition.KUBEVIRT_VERSION,
    Category.WARN,
    Reason.NOT_SUPPORTED,
    "KubeVirt is older than 1.3, or says no version, on: [].",
)
_NOT_SET_UP = (
    PlanCondition.KUBEVIRT_LIVE_MIGRATION,
    Category.WARN,
    Reason.NOT_SUPPORTED,
    "KubeVirt lacks rollout strategy LiveUpdate or feature gates, so running machines keep their storage, on: [].",
)


def _version(kubevirt: Mapping[str, Any]) -> tuple[int, int] | None:
    found = re.match(r"v?(\d+)\.(\d+)", str((kubevirt.get("status") or {}).get("operatorVersion") or ""))
    return (int(found[1]), int(found[2])) if found else None


def _can_migrate_storage(kubevirt: Mapping[str, Any], version: tuple[int, int]) -> bool:
    configuration = (kubevirt.get("spec") or {}).get("configuration") or {}
    developer = configuration.get("developerConfiguration")
    if configuration.get("vmRolloutStrategy") != LIVE_UPDATE or developer is None:
        return False
    return version >= GATES_UNTIL or set(developer.get("featureGates") or ()) >= FEATURE_GATES


def _full_name(resource: Mapping[str, Any]) -> str:
    metadata = resource.get("metadata") or {}
    return f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
