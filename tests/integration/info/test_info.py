# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The modules that look: they find what is asked for and nothing else, read no secret, and change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import NotFound
from integration.info.conftest import Inventory
from integration.migration.playbooks import Run, play_tasks
from integration.migration.waiting import until
from lab import audit
from lab.targets import targets

OF_THE_PLAN = {
    "mig_cluster_info": ["host", "src"],
    "mig_storage_info": ["s3"],
    "mig_hook_info": ["warm-up"],
    "mig_plan_info": ["shop"],
    "mig_analytic_info": ["analysis", "analysis-2"],
    "mig_migration_info": ["shop-again", "shop-final"],
    "direct_volume_migration_info": ["shop-final-x"],
    "direct_volume_migration_progress_info": ["digest"],
    "direct_image_migration_info": ["shop-final-i"],
    "direct_image_stream_migration_info": ["shop-final-s"],
}


def look(stored: Inventory, *asked: tuple[str, dict[str, Any]], arguments: tuple[str, ...] = ()) -> Run:
    """One task for each, in one play; tasks that fail do not end it."""
    common = {"kubeconfig": str(targets().destination), "namespace": stored.namespace}
    return play_tasks(
        [
            {"name": module, f"openmig.mtc.{module}": {**common, **options}, "ignore_errors": True}
            for module, options in asked
        ],
        *arguments,
    )


def found(result: dict[str, Any]) -> list[str]:
    assert "summaries" in result, result
    listed = [each["name"] for each in result["summaries"]]
    assert listed == [each["metadata"]["name"] for each in result["resources"]]
    return listed


@pytest.mark.sample
def test_every_kind_is_found_by_its_plan_and_nothing_is_written_and_no_secret_read(stored: Inventory) -> None:
    begin = audit.mark("destination")
    run = look(stored, *((module, {"plan": "shop"}) for module in OF_THE_PLAN))
    assert run.code == 0, run.output
    results = {module: run.result(module) for module in OF_THE_PLAN}
    assert {module: sorted(found(result)) for module, result in results.items()} == OF_THE_PLAN
    assert {result["changed"] for result in results.values()} == {False}
    assert "planted-token" not in run.output + str(run.tasks)
    asked = [event for event in audit.events("destination", begin) if event["userAgent"].startswith("openmig.mtc/")]
    assert asked
    assert {event["verb"] for event in asked} <= {"get", "list"}
    assert "secrets" not in {event.get("objectRef", {}).get("resource") for event in asked}


def test_all_filters(stored: Inventory) -> None:
    rows: list[tuple[str, dict[str, Any], list[str]]] = [
        ("mig_cluster_info", {}, ["host", "old", "src"]),
        ("mig_cluster_info", {"ready": True}, ["host", "src"]),
        ("mig_cluster_info", {"ready": False}, ["old"]),
        ("mig_cluster_info", {"name": "src"}, ["src"]),
        ("mig_cluster_info", {"name": "nobody"}, []),
        ("mig_cluster_info", {"label_selectors": ["team=shop"]}, ["old"]),
        ("mig_cluster_info", {"label_selectors": ["team", "team notin (shop)"]}, []),
        ("mig_storage_info", {"plan": "blog"}, []),
        ("mig_plan_info", {"plan": "nobody"}, []),
        ("mig_migration_info", {"finished": True}, ["shop-final"]),
        ("mig_migration_info", {"finished": False, "plan": "shop"}, ["shop-again"]),
        ("mig_migration_info", {"ready": True}, ["shop-again"]),
        ("direct_volume_migration_info", {"migration": "shop-final"}, ["shop-final-x"]),
        ("direct_volume_migration_info", {"migration": "shop-final", "plan": "blog"}, []),
        ("direct_volume_migration_progress_info", {"migration": "shop-final"}, ["digest"]),
        ("direct_image_stream_migration_info", {"migration": "shop-again"}, []),
    ]
    run = look(stored, *((module, options) for module, options, _names in rows))
    told = [found(task["result"]) for task in run.tasks]
    assert [(module, options, listed) for (module, options, _names), listed in zip(rows, told, strict=True)] == rows


def test_the_newest_is_the_one_created_last(stored: Inventory) -> None:
    """Times of creation have whole seconds: of those in the same second any may come."""
    run = look(stored, ("mig_migration_info", {}), ("mig_migration_info", {"newest": True}))
    every, newest = (task["result"]["summaries"] for task in run.tasks)
    created = [each["created"] for each in every]
    assert created == sorted(created, reverse=True)
    assert [each["created"] for each in newest] == created[:1]


def test_a_migration_is_told_with_all_that_belongs_to_it(stored: Inventory) -> None:
    run = look(stored, ("mig_migration_info", {"name": "shop-final"}), ("mig_migration_info", {"name": "shop-again"}))
    final, again = (task["result"]["summaries"][0] for task in run.tasks)
    assert (final["state"], final["phase"], final["plan"]) == ("succeeded_with_warnings", "Completed", "shop")
    assert final["pipeline"]
    assert [(each["claim"], each["state"], each["proven"]) for each in final["volumes"]] == [
        ("data", "failed", None),
        ("logs", "succeeded", True),
    ]
    assert final["downtime_seconds"] == 12.5
    assert [each["name"] for each in final["direct_volume_migrations"]] == ["shop-final-x"]
    assert [each["name"] for each in final["direct_image_migrations"]] == ["shop-final-i"]
    assert [each["image_stream"] for each in final["direct_image_stream_migrations"]] == ["web"]
    assert (again["state"], again["progress"]) == ("running", {"percent": 25, "text": "Step: 10/40"})
    assert (again["volumes"], again["direct_volume_migrations"], again["velero"]) == ([], [], [])


def test_check_mode_tells_the_same(stored: Inventory) -> None:
    asked = ("mig_plan_info", {"name": "shop"})
    plain, checked = (look(stored, asked, arguments=flags).result("mig_plan_info") for flags in ((), ("--check",)))
    assert plain["resources"] == checked["resources"]
    assert plain["summaries"] == checked["summaries"]


@pytest.mark.sample
def test_all_that_is_wrong_with_the_options_is_told_at_once(stored: Inventory) -> None:
    begin = audit.mark("destination")
    wrong = {"name": "A B", "plan": "", "label_selectors": ["a=b", "a in b"]}
    (task,) = look(stored, ("mig_migration_info", wrong)).tasks
    assert task["outcome"] == "failed"
    assert [each["path"] for each in task["result"]["problems"]] == ["name", "plan", "label_selectors[1]"]
    assert not [event for event in audit.events("destination", begin) if event["userAgent"].startswith("openmig.mtc/")]


def test_a_cluster_that_does_not_know_the_kind_is_no_error(control: Cluster) -> None:
    without = {"kubeconfig": str(targets().source), "namespace": None}
    run = look(Inventory(control, "openmig"), ("mig_plan_info", without), ("mig_plan_info", {**without, "plan": "a"}))
    assert run.code == 0, run.output
    for task in run.tasks:
        assert (task["result"]["api_found"], task["result"]["resources"]) == (False, [])
        assert task["result"]["engine"] == "builtin"


def test_to_look_where_mtc_keeps_its_resources_it_need_not_be_there(control: Cluster) -> None:
    run = look(
        Inventory(control, "openmig"),
        ("mig_plan_info", {"namespace": None, "engine": "controller"}),
        ("mig_plan_info", {"namespace": "openshift-migration"}),
    )
    assert [task["result"]["engine"] for task in run.tasks] == ["controller", "controller"]
    assert [task["result"]["api_found"] for task in run.tasks] == [True, True]


# -- Velero --------------------------------------------------------------------------------------------------------

CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
VELERO = ("Backup", "Restore", "PodVolumeBackup", "PodVolumeRestore")


@pytest.fixture
def velero(control: Cluster) -> Iterator[Cluster]:
    """The kinds of Velero, open to any content, and MTC's namespace: this test plays Velero, of which only the objects
    matter here."""
    for kind in VELERO:
        control.create(definition(kind))
    lacking = control.get("v1", "Namespace", names.CONTROLLER_NAMESPACE) is None
    if lacking:
        control.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": names.CONTROLLER_NAMESPACE}})
    yield control
    for kind in VELERO:
        control.delete(*CRD, f"{kind.lower()}s.velero.io")
    if lacking:
        control.delete("v1", "Namespace", names.CONTROLLER_NAMESPACE)


def definition(kind: str) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": CRD[0],
        "kind": CRD[1],
        "metadata": {"name": f"{plural}.velero.io"},
        "spec": {
            "group": "velero.io",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def make(velero: Cluster, kind: str, name: str, labels: dict[str, str], status: dict[str, Any]) -> dict[str, Any]:
    """As soon as the server serves the kind, which is a moment after its definition."""
    metadata = {"name": name, "namespace": names.CONTROLLER_NAMESPACE, "labels": labels}
    manifest = {"apiVersion": "velero.io/v1", "kind": kind, "metadata": metadata, "status": status}
    made: list[dict[str, Any]] = []

    def created() -> bool:
        try:
            made.append(velero.create(manifest))
        except NotFound:
            return False
        return True

    until(created, f"{kind} is served")
    return made[0]


def test_velero_s_objects_are_told_with_their_migration(stored: Inventory, velero: Cluster) -> None:
    (migration,) = velero.list(
        names.API_VERSION, names.MIG_MIGRATION, stored.namespace, field_selector="metadata.name=shop-final"
    )
    correlated = names.correlation_labels(names.MIG_MIGRATION, migration["metadata"]["uid"])
    counted = {"phase": "PartiallyFailed", "errors": 2, "progress": {"itemsBackedUp": 14, "totalItems": 16}}
    backup = make(velero, "Backup", "shop-final-initial", correlated, counted)
    make(velero, "Backup", "of-another", names.correlation_labels(names.MIG_MIGRATION, "elsewhere"), {})
    copied = {"phase": "Completed", "progress": {"bytesDone": 5, "totalBytes": 5}}
    of_backup = {"velero.io/backup-uid": backup["metadata"]["uid"]}
    make(velero, "PodVolumeBackup", "volume", of_backup, copied)
    make(velero, "PodVolumeBackup", "of-another", {"velero.io/backup-uid": "elsewhere"}, copied)
    make(velero, "Restore", "shop-final-final", correlated, {"phase": "Completed"})

    both = {"destination": {"kubeconfig": str(targets().destination)}, "source": {"kubeconfig": str(targets().source)}}
    result = look(stored, ("mig_migration_info", {"plan": "shop", **both})).result("mig_migration_info")
    told = {each["name"]: each["velero"] for each in result["summaries"]}
    assert told["shop-again"] == []
    rows = {(row["kind"], row["name"], row["phase"], row["done"], row["total"]) for row in told["shop-final"]}
    assert rows == {
        ("Backup", "shop-final-initial", "PartiallyFailed", 14, 16),
        ("PodVolumeBackup", "volume", "Completed", 5, 5),
        ("Restore", "shop-final-final", "Completed", None, None),
    }
    assert len(told["shop-final"]) == 3
    assert result["velero_clusters"] == ["control", "destination"]
