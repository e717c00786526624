# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Calls that wait for a condition that they name, while a second process writes as MTC's controller does."""

from __future__ import annotations

from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.controller import traces
from integration.controller.conftest import Play, call
from integration.controller.test_direct_images import BEGUN, IMAGES, SHOP, STREAMS, ended
from integration.controller.test_made_sequences import CLUSTERS, DISCOVERED, HOOK, NOT_READY, READY, volumes
from integration.controller.test_recorded_runs import EMPTY_VOLUME

QUIESCED = {"type": "Running", "reason": "EnsureSrcQuiesced"}
INVALID = {"type": "InvalidImage", "status": "True", "category": "Critical", "reason": "NotSet", "message": "No image."}


def test_a_run_is_left_where_the_condition_holds_and_followed_later(
    plan: dict[str, Any], clean: Cluster, controller: Play
) -> None:
    """The recorded success; the first call wants to know when the application has stopped."""
    with controller(events=traces.events("final-succeeded"), scale=0.2):
        left = call("mig_migration", plan="shop", wait_condition=QUIESCED)
        assert left.code == 0, left.output
        assert left.migration["phase"] == "EnsureSrcQuiesced"
        assert left.migration["conditions"]["Running"]["reason"] == "EnsureSrcQuiesced"
        assert left.migration["waiting_for"].startswith("EnsureSrcQuiesced")
        assert left.migration["changed"] is True
        done = call("mig_migration", plan="shop", wait_condition={"type": "Succeeded"})
        assert (done.code, done.migration["phase"]) == (0, "Completed"), done.output
    # What was waited for in passing is behind the run: asking again tells its end.
    again = call("mig_migration", plan="shop", wait_condition=QUIESCED)
    assert (again.code, again.changed) == (0, 0), again.output
    assert again.migration["phase"] == "Completed"
    other = call("mig_migration", plan="shop", wait_condition={"type": "SucceededWithWarnings"})
    assert other.code != 0
    assert "it has ended without SucceededWithWarnings=True" in other.failure


def test_a_condition_excuses_no_run(plan: dict[str, Any], clean: Cluster, controller: Play) -> None:
    """The recorded run that ended with warnings, on an empty volume."""
    with controller(events=traces.events(EMPTY_VOLUME), scale=0.02):
        run = call("mig_migration", plan="shop", wait_condition={"type": "SucceededWithWarnings"})
    assert run.code != 0
    assert "without the data of shop/data" in run.failure


def test_a_blocked_resource_is_waited_for(clean: Cluster, controller: Play) -> None:
    """First it is found wrong, then somebody mends what it needs and a later pass finds it right; a call that names
    what is wrong ends at the first."""
    wrong, right = {"after": 0.2, "conditions": [INVALID]}, {"after": 4.0, "conditions": [READY]}
    with controller(passes={names.MIG_HOOK: [[wrong, right]]}):
        run = call("mig_hook", **HOOK, wait_condition={"type": "Ready"})
        assert run.code == 0, run.output
        again = call("mig_hook", **HOOK, wait_condition={"type": "Ready"})
        assert (again.code, again.changed) == (0, 0), again.output
    with controller(passes={names.MIG_HOOK: [[wrong]]}):
        found = call("mig_hook", **{**HOOK, "name": "other"}, wait_condition={"type": "InvalidImage"})
        assert found.code == 0, found.output
        vain = call("mig_hook", **{**HOOK, "name": "third"}, wait_condition={"type": "Ready"}, wait_timeout=4)
    assert vain.code != 0
    assert "Ready=True does not hold within 4 s: InvalidImage: No image" in vain.failure
    assert vain.result("mig_hook")["conditions"].keys() == {"InvalidImage"}


def test_a_plan_s_condition_and_choices(clean: Cluster, controller: Play) -> None:
    """The volumes are discovered while the source is not ready; with the choices written, its next pass is ready."""
    found = {"after": 0.2, "conditions": [NOT_READY, DISCOVERED], "spec": {"persistentVolumes": [volumes()]}}
    judged = {"after": 0.2, "conditions": [NOT_READY, DISCOVERED]}
    ready = {"after": 4.0, "conditions": [READY, DISCOVERED]}
    choice = [{"pvc": "shop/data", "verify": True}]
    with controller(passes={names.MIG_PLAN: [[found], [judged, ready]]}):
        run = call("mig_plan", name="shop", persistent_volumes=choice, **CLUSTERS, wait_condition={"type": "Ready"})
        assert run.code == 0, run.output
        assert run.result("mig_plan")["conditions"].keys() == {"Ready", "PvsDiscovered"}
        assert run.result("mig_plan")["resource"]["spec"]["persistentVolumes"][0]["selection"]["verify"] is True


def test_a_copy_of_image_streams_is_left_where_the_condition_holds(clean: Cluster, controller: Play) -> None:
    later = {**ended(successfulISs=STREAMS), "after": 6.0}
    with controller(passes={names.DIRECT_IMAGE_MIGRATION: [[BEGUN, later]]}):
        left = call(IMAGES, **SHOP, wait_condition={"type": "Running", "reason": "ListImageStreams"})
        assert left.code == 0, left.output
        assert (left.result(IMAGES)["phase"], left.changed) == ("ListImageStreams", 1)
        done = call(IMAGES, **SHOP)
        assert (done.code, done.result(IMAGES)["phase"]) == (0, "Completed"), done.output
