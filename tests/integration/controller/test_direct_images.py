# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Image streams that MTC copies: watched to the end, and believed only as far as each stream has arrived.

No lab has image streams, so what the controller would write is made after the reference (custom-resources, sections 10
and 11); each test says what of it.
"""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.controller.conftest import Play, call, start, until
from lab.targets import targets
from unit.modules import documents

IMAGES = "direct_image_migration"
STREAM = "direct_image_stream_migration"
CLUSTERS = {"source_cluster": "src", "destination_cluster": "host"}
SHOP: dict[str, Any] = {"name": "shop", "namespaces": ["shop:shop-new"], **CLUSTERS}
FRONT: dict[str, Any] = {"name": "front", "image_stream_ref": {"name": "front", "namespace": "shop"}, **CLUSTERS}
THEN = "2026-01-01T00:00:00Z"
STREAMS = [{"name": name, "namespace": "shop", "destNamespace": "shop-new"} for name in ("back", "front")]


def condition(name: str, category: str, reason: str = "") -> dict[str, Any]:
    made = {
        "type": name,
        "status": "True",
        "category": category,
        "message": f"It is {name}.",
        "lastTransitionTime": THEN,
    }
    return {**made, "reason": reason} if reason else made


BEGUN = {
    "after": 0.2,
    "conditions": [condition("Running", "Advisory", "ListImageStreams"), condition("Ready", "Required")],
    "status": {"phase": "ListImageStreams", "itinerary": "PVC", "newISs": STREAMS},
}
"""Items start in newISs and move on completion."""


def ended(**lists: Any) -> dict[str, Any]:
    status = {"phase": "Completed", "newISs": [], "successfulISs": [], "failedISs": [], "deletedISs": [], **lists}
    return {"after": 0.5, "conditions": [condition("Succeeded", "Advisory", "Completed")], "status": status}


def stored(control: Cluster, kind: str, name: str) -> dict[str, Any] | None:
    return control.get(names.API_VERSION, kind, name, names.CONTROLLER_NAMESPACE)


def test_image_streams_are_copied_once_and_told_one_by_one(clean: Cluster, controller: Play) -> None:
    with controller(passes={names.DIRECT_IMAGE_MIGRATION: [[BEGUN, ended(successfulISs=STREAMS)]]}):
        done = call(IMAGES, **SHOP)
        assert done.code == 0, done.output
        result = done.result(IMAGES)
        assert (result["engine"], result["phase"], result["errors"]) == ("controller", "Completed", [])
        assert [(row["source"], row["target"], row["state"]) for row in result["image_streams"]] == [
            ("shop/back", "shop-new/back", "copied"),
            ("shop/front", "shop-new/front", "copied"),
        ]
        assert "ListImageStreams" in done.output
        again = call(IMAGES, **SHOP)
        assert (again.code, again.changed) == (0, 0), again.output
    gone, nothing = call(IMAGES, name="shop", state="absent"), call(IMAGES, name="shop", state="absent")
    assert [(run.code, run.changed) for run in (gone, nothing)] == [(0, 1), (0, 0)]
    assert stored(clean, names.DIRECT_IMAGE_MIGRATION, "shop") is None


def test_a_stream_that_failed_fails_the_task_and_the_next_run_replaces_it(clean: Cluster, controller: Play) -> None:
    """MTC's DirectImageMigration ends as Succeeded whatever became of its streams."""
    failed = [{**STREAMS[0], "errors": ["unauthorized: authentication required"]}]
    scripts = [[BEGUN, ended(successfulISs=STREAMS[1:], failedISs=failed)], [BEGUN, ended(successfulISs=STREAMS)]]
    with controller(passes={names.DIRECT_IMAGE_MIGRATION: scripts}):
        bad = call(IMAGES, **SHOP)
        assert bad.code != 0
        assert "image stream shop/back was not copied: unauthorized" in bad.failure
        assert bad.result(IMAGES)["image_streams"][0]["state"] == "failed"
        first = stored(clean, names.DIRECT_IMAGE_MIGRATION, "shop")
        predicted = call(IMAGES, "--check", **SHOP)
        assert (predicted.code, predicted.changed) == (0, 1), predicted.output
        assert stored(clean, names.DIRECT_IMAGE_MIGRATION, "shop") == first
        good = call(IMAGES, **SHOP)
        assert good.code == 0, good.output
    second = stored(clean, names.DIRECT_IMAGE_MIGRATION, "shop")
    assert first is not None
    assert second is not None
    assert first["metadata"]["uid"] != second["metadata"]["uid"]


def test_one_that_is_blocked_says_by_what(clean: Cluster, controller: Play) -> None:
    """A Critical condition keeps any phase from running and is looked at again every few seconds."""
    blocked = {"after": 0.2, "conditions": [condition("MissingSourceClusterRegistryPath", "Critical")]}
    with controller(passes={names.DIRECT_IMAGE_STREAM_MIGRATION: [[blocked]]}):
        run = call(STREAM, **FRONT)
    assert run.code != 0
    assert "MissingSourceClusterRegistryPath" in run.failure
    assert set(run.result(STREAM)["conditions"]) == {"MissingSourceClusterRegistryPath"}


def test_a_second_call_watches_what_is_under_way_and_asks_for_nothing_else(clean: Cluster, controller: Play) -> None:
    running = {**BEGUN, "status": {"phase": "MigrateImageStream"}}
    done = {"conditions": [condition("Succeeded", "Advisory")], "phase": "Completed"}
    with controller(passes={names.DIRECT_IMAGE_STREAM_MIGRATION: [[running]]}):
        begun = call(STREAM, wait=False, **FRONT)
        assert begun.code == 0, begun.output
        assert begun.result(STREAM)["waiting_for"] == "MigrateImageStream"
    other = call(STREAM, **FRONT, dest_namespace="elsewhere")
    assert other.code != 0
    assert "spec.destNamespace: is not what the unfinished copy began with" in other.failure
    watching = start(STREAM, **FRONT, wait_timeout=120)
    until(lambda: "TASK [An image stream]" in watching.output(), what="the copy is watched")
    kind = names.DIRECT_IMAGE_STREAM_MIGRATION
    clean.patch(names.API_VERSION, kind, "front", names.CONTROLLER_NAMESPACE, patch={"status": done})
    watched = watching.end()
    assert watched.code == 0, watched.output
    assert watched.result(STREAM)["phase"] == "Completed"


def test_the_builtin_engine_and_mtc_refuse_what_they_cannot_do_before_anything_starts(clean: Cluster) -> None:
    for module, given in ((IMAGES, SHOP), (STREAM, FRONT)):
        run = call(module, engine="builtin", **given)
        assert run.code != 0
        assert "image streams cannot be copied by the builtin engine yet" in run.failure
        assert "engine: controller" in run.failure
    claims = [{"name": "data", "namespace": "shop"}]
    alone = call("direct_volume_migration", name="data", persistent_volume_claims=claims, **CLUSTERS)
    assert alone.code != 0
    assert "Say engine: builtin, which works beside MTC" in alone.failure
    for kind, name in ((names.DIRECT_IMAGE_MIGRATION, "shop"), (names.DIRECT_VOLUME_MIGRATION, "data")):
        for namespace in (names.CONTROLLER_NAMESPACE, names.BUILTIN_NAMESPACE):
            assert clean.get(names.API_VERSION, kind, name, namespace) is None


@pytest.mark.parametrize("module", [IMAGES, STREAM])
def test_what_lacks_is_told_at_once(mtc: Cluster, module: str) -> None:
    run = call(module, name="empty")
    assert run.code != 0
    for words in ("source_cluster: is missing", "destination_cluster: is missing"):
        assert words in run.failure


@pytest.mark.parametrize(
    ("module", "kind"),
    [(IMAGES, names.DIRECT_IMAGE_MIGRATION), (STREAM, names.DIRECT_IMAGE_STREAM_MIGRATION)],
)
def test_its_examples_settle(clean: Cluster, controller: Play, module: str, kind: str) -> None:
    """As those of the other modules in integration/examples: the second time changes nothing."""
    with controller(passes={kind: [[ended(successfulISs=STREAMS)]]}):
        for task in documents.examples(module):
            given = {**task[f"openmig.mtc.{module}"], "kubeconfig": str(targets().destination)}
            runs = [call(module, **given), call(module, **given)]
            assert [(run.code, run.changed) for run in runs] == [(0, 1), (0, 0)], runs[-1].output


def test_one_that_is_deleted_while_it_is_watched(clean: Cluster, controller: Play) -> None:
    with controller(passes={names.DIRECT_IMAGE_MIGRATION: [[BEGUN]]}):
        run = start(IMAGES, **SHOP)
        until(lambda: "ListImageStreams" in run.output(), what="the copy is watched")
        clean.delete(names.API_VERSION, names.DIRECT_IMAGE_MIGRATION, "shop", names.CONTROLLER_NAMESPACE)
        end = run.end(timeout=30)
    assert end.code != 0
    assert "it was deleted while it ran" in end.failure
