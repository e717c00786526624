# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a plan asks of its clusters besides being ready, and how much of everything it may hold."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import plan_limits
from ansible_collections.openmig.mtc.plugins.module_utils.resources.plan_limits import Limits
from unit.resources.test_plan_validation import cluster, facts, of, raised


def secret(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "openmig"}, "data": data}


def kubevirt(
    version: str | None = "v1.4.0", strategy: str = "LiveUpdate", gates: list[str] | None = None
) -> dict[str, Any]:
    developer = {} if gates is None else {"developerConfiguration": {"featureGates": gates}}
    return {
        "spec": {"configuration": {"vmRolloutStrategy": strategy, **developer}},
        "status": {} if version is None else {"operatorVersion": version},
    }


BOTH = ("source", "destination")
ABSENT, UNABLE = ("Advisory", "NotFound"), ("Warn", "NotSupported")
NOT_SET_UP = "KubeVirtStorageLiveMigrationNotEnabled"
GATES = ["VolumesUpdateStrategy", "VolumeMigration", "VMLiveUpdateFeatures"]


@pytest.mark.parametrize(
    ("secrets", "expected"),
    [
        (None, None),
        ([], None),
        ([secret("a", NO_PROXY="x")], None),
        ([secret("a", http_proxy="x")], ("Critical", "KeyNotFound", ("openmig/a",))),
        ([secret("b", NO_PROXY="x"), secret("a", NO_PROXY="x")], ("Critical", "Conflict", ("openmig/a", "openmig/b"))),
    ],
)
def test_a_proxy_is_said_once_and_so_that_it_can_be_used(secrets: Any, expected: Any) -> None:
    for side, prefix, name in (("source", "Source", "src"), ("destination", "Destination", "dst")):
        found = raised(facts(None, **{side: cluster(name, proxy_secrets=secrets)}))
        condition = f"{prefix}ClusterProxySecretMisconfigured"
        assert list(found) == ([condition] if expected else [])
        if expected:
            assert of(found, condition) == expected


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [
        (None, None, {}),
        ([], None, {"KubeVirtNotInstalledSourceCluster": (*ABSENT, BOTH[:1])}),
        ([kubevirt(), kubevirt()], [], {"KubeVirtNotInstalledSourceCluster": (*ABSENT, BOTH)}),
        ([kubevirt("v1.2.9")], [kubevirt(None)], {"KubeVirtVersionNotSupported": (*UNABLE, BOTH)}),
        ([kubevirt(gates=GATES)], [kubevirt("v1.5.1", gates=[])], {}),
        ([kubevirt(gates=GATES[:2])], [kubevirt("v1.5.1")], {NOT_SET_UP: (*UNABLE, BOTH)}),
        ([kubevirt(strategy="Stage", gates=GATES)], None, {NOT_SET_UP: (*UNABLE, BOTH[:1])}),
    ],
)
def test_running_machines_move_only_with_a_kubevirt_that_can(
    source: Any, destination: Any, expected: dict[str, Any]
) -> None:
    sides = {
        "source": cluster("src", kubevirts=source),
        "destination": cluster("dst", namespaces={}, kubevirts=destination),
    }
    found = raised(facts({"liveMigrate": True}, **sides))
    assert {name: of(found, name) for name in found} == expected
    assert raised(facts(None, **sides)) == {}


def test_versions_that_a_controller_found_to_differ_are_passed_on() -> None:
    marked = cluster("src")
    assert marked.resource is not None
    marked.resource["status"]["conditions"] = [
        *marked.resource["status"]["conditions"],
        {"type": "OperatorVersionMismatch", "status": "True", "category": "Warn"},
    ]
    found = raised(facts(None, source=marked))
    assert of(found, "ClusterVersionMismatch") == ("Warn", "Conflict", ("source",))


def test_limits_stand_on_the_plan_unless_they_are_the_usual_ones() -> None:
    written = plan_limits.annotated({"namespace_limit": 20, "pod_limit": 100, "pv_limit": None}, {"other": "stays"})
    assert written == {"other": "stays", "openmig.io/namespace-limit": "20"}
    assert plan_limits.limits_of({"metadata": {"annotations": written}}) == Limits(namespace_limit=20)
    assert plan_limits.annotated({"namespace_limit": 10}, written) == {"other": "stays"}
    assert plan_limits.annotated({}, written) == written


@pytest.mark.parametrize("text", ["", "many", "-1", "0", "1.5", "²"])
def test_a_limit_that_somebody_else_wrote_wrongly_counts_as_none(text: str) -> None:
    plan = {"metadata": {"annotations": {"openmig.io/pv-limit": text}}}
    assert plan_limits.limits_of(plan) == Limits()
