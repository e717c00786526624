# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options become specs; what the user did not name, and what an engine owns, is neither written nor called drift."""

from __future__ import annotations

import base64
from types import ModuleType
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import (
    argument_specs,
    migcluster,
    migmigration,
    migplan,
    plan_exclusions,
    plan_limits,
)
from ansible_collections.openmig.mtc.plugins.module_utils.resources.digest import observed_digest
from ansible_collections.openmig.mtc.plugins.module_utils.resources.migplan import validate as validate_plan
from ansible_collections.openmig.mtc.plugins.module_utils.resources.plan_selections import selections

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def paths(problems: list[Any]) -> list[str]:
    return [problem.path for problem in problems]


# -- what is written -----------------------------------------------------------------------------------------------


def test_a_cluster_gets_only_what_is_named() -> None:
    params = {
        "name": "src",
        "namespace": "openmig",
        "url": "https://api:6443",
        "service_account_secret": "src",
        "insecure": None,
    }
    wanted = migcluster.build_spec(params)
    assert wanted == {"url": "https://api:6443", "serviceAccountSecretRef": {"name": "src", "namespace": "openmig"}}
    assert migcluster.merge_spec(None, wanted) == {"isHostCluster": False, **wanted}


def test_certificates_are_stored_as_base64_whichever_way_they_come() -> None:
    encoded = base64.b64encode(PEM.encode()).decode()
    folded = f"{encoded[:20]}\n{encoded[20:]}\n"
    assert {migcluster.build_spec({"ca_bundle": form})["caBundle"] for form in (PEM, encoded, folded)} == {encoded}


def test_a_plan_in_its_users_words() -> None:
    params = {
        "name": "shop",
        "namespace": "team",
        "source_cluster": "src",
        "dest_mig_cluster_ref": {"name": "dst", "namespace": None},
        "namespaces": ["shop:shop-new"],
        "included_resources": [{"group": "", "kind": "ConfigMap"}],
        "label_selector": {
            "match_labels": {"app": "shop"},
            "match_expressions": [{"key": "a", "operator": "Exists", "values": None}],
        },
        "hooks": [
            {
                "reference": {"name": "h"},
                "phase": "PreBackup",
                "execution_namespace": "shop",
                "service_account": "sa",
            }
        ],
        "persistent_volumes": [{"pvc": "data", "action": "skip"}],
    }
    assert migplan.build_spec(params) == {
        "srcMigClusterRef": {"name": "src", "namespace": "team"},
        "destMigClusterRef": {"name": "dst", "namespace": "team"},
        "namespaces": ["shop:shop-new"],
        "includedResources": [{"group": "", "kind": "ConfigMap"}],
        "labelSelector": {"matchLabels": {"app": "shop"}, "matchExpressions": [{"key": "a", "operator": "Exists"}]},
        "hooks": [
            {
                "reference": {"name": "h", "namespace": "team"},
                "phase": "PreBackup",
                "executionNamespace": "shop",
                "serviceAccount": "sa",
            }
        ],
    }


def test_a_migration_always_has_the_field_that_the_api_demands() -> None:
    wanted = migmigration.build_spec({"plan": "shop", "rollback": True})
    assert wanted == {"migPlanRef": {"name": "shop", "namespace": "openmig"}, "rollback": True}
    assert migmigration.merge_spec({}, wanted)["stage"] is False


# -- drift ---------------------------------------------------------------------------------------------------------

VOLUME = {
    "name": "pv-1",
    "capacity": "1Gi",
    "storageClass": "slow",
    "supported": {"actions": ["skip", "copy"], "copyMethods": ["filesystem", "block", "snapshot"]},
    "selection": {"action": "copy", "copyMethod": "filesystem", "storageClass": "fast"},
    "pvc": {"namespace": "shop", "name": "data"},
    "proposedCapacity": "0",
}


def test_what_others_own_is_no_drift() -> None:
    wanted = migplan.build_spec({"source_cluster": "src", "namespaces": ["shop"]})
    existing = {**wanted, "refresh": True, "persistentVolumes": [VOLUME], "liveMigrate": False}
    existing["srcMigClusterRef"] = {**wanted["srcMigClusterRef"], "kind": "MigCluster", "uid": "1"}
    assert migplan.drift(existing, wanted) == {}
    assert migplan.merge_spec(existing, wanted) == existing


def test_drift_shows_what_changes_and_nothing_else() -> None:
    wanted = migplan.build_spec({"namespaces": ["shop", "web"]})
    assert migplan.drift({"namespaces": ["shop"], "closed": False}, wanted) == {
        "before": {"namespaces": ["shop"]},
        "after": {"namespaces": ["shop", "web"]},
    }


def test_a_choice_for_a_volume_is_shown_by_claim() -> None:
    chosen = selections({"persistent_volumes": [{"pvc": "shop/data", "storage_class": "faster"}]})
    change = migplan.drift({"persistentVolumes": [VOLUME]}, {}, chosen)
    assert change["before"]["persistentVolumes"]["shop/data"]["storageClass"] == "fast"
    assert change["after"]["persistentVolumes"]["shop/data"]["storageClass"] == "faster"
    settled = migplan.merge_spec({"persistentVolumes": [VOLUME]}, {}, chosen)
    assert migplan.drift(settled, {}, chosen) == {}


def test_merging_leaves_the_existing_spec_alone() -> None:
    existing = {"namespaces": ["shop"], "persistentVolumes": [VOLUME]}
    before = observed_digest(existing)
    merged = migplan.merge_spec(existing, {"closed": True}, selections({"storage_class_mapping": {"slow": "other"}}))
    merged["namespaces"].append("web")
    assert observed_digest(existing) == before


def test_the_digest_depends_on_content_alone() -> None:
    assert observed_digest({"a": 1, "b": [1, 2]}) == observed_digest({"b": [1, 2], "a": 1})
    assert observed_digest({"a": [1, 2]}) != observed_digest({"a": [2, 1]})
    assert len(observed_digest({})) == 64


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value", "path"),
    [
        ("name", "Not_A_Name", "name"),
        ("namespace", "a.b", "namespace"),
        ("url", "api:6443", "url"),
        ("url", "ftp://api", "url"),
        ("url", "https://", "url"),
        ("url", "https://api:99999", "url"),
        ("url", "https://user:secret@api", "url"),
        ("url", "https://[::1", "url"),
        ("ca_bundle", "nonsense", "ca_bundle"),
        ("ca_bundle", base64.b64encode(b"nonsense").decode(), "ca_bundle"),
        ("service_account_secret_ref", {"name": ""}, "service_account_secret_ref.name"),
        ("service_account_secret_ref", {"name": "a", "namespace": "B"}, "service_account_secret_ref.namespace"),
        ("exposed_registry_path", "https://registry", "exposed_registry_path"),
        ("exposed_registry_path", "registry/", "exposed_registry_path"),
    ],
)
def test_a_cluster_option_that_cannot_be(option: str, value: Any, path: str) -> None:
    assert paths(migcluster.validate({"name": "src", option: value})) == [path]


@pytest.mark.parametrize("url", ["https://api:6443", "http://10.0.0.1", "https://[fd00::1]:6443/prefix", "", None])
def test_a_url_that_can_be(url: str | None) -> None:
    assert migcluster.validate({"name": "src", "url": url, "ca_bundle": PEM}) == []


def test_an_error_never_repeats_credentials() -> None:
    (problem,) = migcluster.validate({"url": "https://user:secret@api"})
    assert "secret@" not in str(problem)
    assert "user" not in str(problem)


def test_a_host_cluster_has_no_connection_of_its_own() -> None:
    params = {"is_host_cluster": True, "url": "https://api", "insecure": True}
    assert paths(migcluster.validate(params)) == ["url", "insecure"]
    assert migcluster.incomplete({"isHostCluster": True}) == []
    assert paths(migcluster.incomplete({})) == ["url", "service_account_secret_ref"]


def test_everything_wrong_with_a_plan_is_told_at_once() -> None:
    params = {
        "name": "Shop",
        "source_cluster": "one",
        "destination_cluster": "one",
        "namespaces": ["shop", "shop:Web", *(f"n{index}" for index in range(9))],
        "namespace_limit": 10,
        "pod_limit": 0,
        "excluded_resources": ["routes.route.openshift.io", "No Kind", "persistentvolumeclaims"],
        "indirect_volume_migration": True,
        "included_resources": [
            {"group": "", "kind": "Secret"},
            {"group": "a_b", "kind": "no kind"},
            {"kind": "secret"},
        ],
        "storage": "s3",
        "mig_storage_ref": {"name": "s3"},
        "persistent_volumes": [
            {"pvc": "other/data", "size": "-1Gi"},
            {"pvc": "shop/*", "target_name": "new", "access_mode": "ReadSometimes"},
            {"pvc": "n1/logs", "action": "skip", "storage_class": "fast"},
            {"action": "skip"},
            {"pvc": "n1/other", "pv": "pv-1", "action": "skip"},
            {"pv": "", "action": "skip"},
        ],
        "hooks": [
            {"reference": {"name": "h"}, "phase": "PreBackup", "execution_namespace": "A", "service_account": "s"},
            {"reference": {"name": "h"}, "phase": "PreBackup", "execution_namespace": "a", "service_account": "s"},
        ],
        "label_selector": {
            "match_labels": {"a b": "c", "tier": 1},
            "match_expressions": [{"key": "a", "operator": "In"}, {"key": "/a", "operator": "In", "values": ["-"]}],
        },
    }
    assert paths(validate_plan(params)) == [
        "name",
        "mig_storage_ref",
        "pod_limit",
        "excluded_resources[1]",
        "excluded_resources[2]",
        "namespaces[1]",
        "namespaces",
        "indirect_volume_migration",
        "namespaces",
        "hooks[0].execution_namespace",
        "hooks",
        "label_selector.match_labels[a b]",
        "label_selector.match_labels[tier]",
        "label_selector.match_expressions[0].values",
        "label_selector.match_expressions[1].key",
        "label_selector.match_expressions[1].values[0]",
        "included_resources[1].kind",
        "included_resources[1].group",
        "included_resources",
        "persistent_volumes[0].pvc",
        "persistent_volumes[0].size",
        "persistent_volumes[1].target_name",
        "persistent_volumes[1].access_mode",
        "persistent_volumes[2].storage_class",
        "persistent_volumes[3]",
        "persistent_volumes[4]",
        "persistent_volumes[5].pv",
    ]


@pytest.mark.parametrize(
    ("namespaces", "engine", "refused"),
    [
        (["a:b"], None, False),
        (["a"], None, True),
        (["a"], "builtin", True),
        (["a"], "auto", False),
        (["a"], "controller", False),
        (["a", "b:c"], "controller", True),
        (["a:b", "b:c"], None, True),
    ],
)
def test_one_cluster_cannot_hold_source_and_destination_under_one_name(
    namespaces: list[str], engine: str | None, refused: bool
) -> None:
    params = {
        "source_cluster": "one",
        "dest_mig_cluster_ref": {"name": "one"},
        "namespaces": namespaces,
        "engine": engine,
    }
    assert bool(validate_plan(params)) is refused
    assert validate_plan({**params, "dest_mig_cluster_ref": {"name": "two"}}) == []


def test_what_is_to_go_needs_only_its_name() -> None:
    assert validate_plan({"name": "shop", "state": "absent", "namespaces": ["Bad"]}) == []
    assert paths(migplan.incomplete({})) == ["source_cluster", "destination_cluster", "namespaces"]


def test_what_goes_through_the_repository_needs_one() -> None:
    references = {
        name: {"name": name.lower(), "namespace": "openmig"} for name in ("srcMigClusterRef", "destMigClusterRef")
    }
    spec = {**references, "namespaces": ["shop"], "indirectVolumeMigration": True}
    assert paths(migplan.incomplete(spec)) == ["storage"]
    assert migplan.incomplete({**spec, "migStorageRef": {"name": "s3", "namespace": "openmig"}}) == []
    assert migplan.incomplete({**spec, "indirectVolumeMigration": False}) == []


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"stage": True, "rollback": False}, []),
        ({"stage": True, "rollback": True}, ["rollback"]),
        ({"stage": True, "migrate_state": True, "rollback": True}, ["migrate_state", "rollback"]),
        ({"run_as_root": True, "run_as_user": 0}, ["run_as_user"]),
        ({"run_as_user": -1, "run_as_group": 7}, ["run_as_user"]),
        ({"plan": "shop", "mig_plan_ref": {"name": "shop"}}, ["mig_plan_ref"]),
    ],
)
def test_flags_that_exclude_each_other(params: dict[str, Any], expected: list[str]) -> None:
    assert paths(migmigration.validate(params)) == expected


# -- options and fields agree --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "kind", "elsewhere"),
    [
        (argument_specs.cluster_spec, migcluster, set()),
        (
            argument_specs.plan_spec,
            migplan,
            {"persistent_volumes", "storage_class_mapping", *plan_limits.OPTIONS, plan_exclusions.OPTION},
        ),
        (argument_specs.migration_spec, migmigration, set()),
    ],
    ids=["cluster", "plan", "migration"],
)
def test_every_option_sets_a_field_and_every_field_has_an_option(
    spec: Any, kind: ModuleType, elsewhere: set[str]
) -> None:
    options = set()
    for field in kind.FIELDS:
        options |= {field.option} if hasattr(field, "option") else {field.name_option, field.reference_option}
    assert set(spec()) == options | elsewhere


def test_specs_are_fresh() -> None:
    argument_specs.plan_spec()["hooks"]["options"]["reference"]["options"].clear()
    assert argument_specs.plan_spec()["hooks"]["options"]["reference"]["options"]
