# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When MTC's controller has judged what was written: against what it really wrote, and where it deceives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names, spec_fields
from ansible_collections.openmig.mtc.plugins.module_utils.resources.awaited import (
    Written,
    asked,
    judge,
    untouched,
)

TRACES = Path(__file__).parents[2] / "data" / "traces"
READY = {"type": "Ready", "status": "True", "category": "Required"}
CRITICAL = {"type": "InvalidURL", "status": "True", "category": "Critical", "message": "The URL is not set."}
FAILED = {"type": "ReconcileFailed", "status": "True", "category": "Critical", "message": "Reconcile failed: [boom]."}


def resource(
    kind: str = names.MIG_PLAN,
    *,
    version: str = "7",
    touch: str = "",
    conditions: tuple[dict[str, str], ...] = (),
    spec: dict[str, Any] | None = None,
    generation: int = 1,
    **status: Any,
) -> dict[str, Any]:
    return {
        "kind": kind,
        "metadata": {
            "name": "shop",
            "resourceVersion": version,
            "generation": generation,
            "annotations": {names.TOUCH_ANNOTATION: touch},
        },
        "spec": spec or {},
        "status": {"conditions": list(conditions), **status},
    }


def recorded(name: str, kind: str) -> list[dict[str, Any]]:
    """The recorded states of the one resource of a kind, as an API server would have given them."""
    events = [json.loads(line) for line in (TRACES / name).read_text().splitlines()]
    return [
        {
            "kind": kind,
            "metadata": {
                "name": event["name"],
                "resourceVersion": str(number),
                "generation": event["generation"],
                "annotations": event.get("annotations", {}),
            },
            "spec": event["spec"],
            "status": event.get("status", {}),
        }
        for number, event in enumerate(events)
        if event["kind"] == kind
    ]


@pytest.mark.parametrize("trace", ["final-succeeded.jsonl", "stage-succeeded.jsonl", "final-canceled.jsonl"])
def test_a_recorded_refresh_of_a_plan(trace: str) -> None:
    states = recorded(trace, names.MIG_PLAN)
    begun = next(index for index, state in enumerate(states) if state["spec"].get("refresh"))
    written = Written.of(states[begun])
    # The old status still says Ready, and is not believed.
    assert READY.items() <= states[begun]["status"]["conditions"][-2].items()
    assert judge(states[begun], written).state == "waiting"
    assert judge(states[begun + 1], written).state == "ready"


WRITTEN = Written.of(resource(touch="one"))


@pytest.mark.parametrize(
    ("found", "state"),
    [
        pytest.param(resource(touch="one", conditions=(READY,)), "waiting", id="the old status"),
        pytest.param(
            resource(version="8", touch="two", spec={"refresh": True}, conditions=(READY,)),
            "waiting",
            id="a pass that began before the write",
        ),
        pytest.param(
            resource(version="8", touch="one", conditions=(READY,)), "waiting", id="refresh taken back by somebody else"
        ),
        pytest.param(resource(version="8", touch="two", conditions=(READY,)), "ready", id="ready"),
        pytest.param(
            resource(version="8", touch="two", conditions=(READY, CRITICAL)), "failed", id="ready and blocked"
        ),
        pytest.param(resource(version="8", touch="two", conditions=(CRITICAL,)), "failed", id="blocked"),
        pytest.param(resource(version="8", touch="two"), "waiting", id="neither"),
        pytest.param(
            resource(version="8", touch="one", spec={"refresh": True}, conditions=(FAILED,)),
            "failed",
            id="a failed pass leaves refresh as it is",
        ),
        pytest.param(resource(touch="one", conditions=(FAILED,)), "waiting", id="an earlier failure is no verdict"),
        pytest.param(resource(version="8", touch="two", spec={"closed": True}), "waiting", id="closing"),
        pytest.param(
            resource(
                version="8",
                touch="two",
                spec={"closed": True},
                conditions=({"type": "Closed", "status": "True", "category": "Advisory"},),
            ),
            "ready",
            id="closed",
        ),
    ],
)
def test_one_look(found: dict[str, Any], state: str) -> None:
    assert judge(found, WRITTEN).state == state


def test_a_hook_is_judged_when_its_generations_are_equal() -> None:
    hook = resource(names.MIG_HOOK, generation=2, observedGeneration=1, conditions=(READY,))
    written = Written.of(hook)
    assert judge(hook, written).state == "waiting"
    judged = resource(names.MIG_HOOK, version="8", generation=3, observedGeneration=3, conditions=(READY,))
    assert judge(judged, written).state == "ready"


def test_an_analysis_needs_both_marks() -> None:
    found = resource(
        names.MIG_ANALYTIC, generation=3, observedGeneration=3, conditions=(READY,), spec={"refresh": True}
    )
    assert judge(found, Written()).state == "waiting"
    assert judge({**found, "spec": {}}, Written()).state == "ready"


def test_refresh_is_asked_of_the_kinds_that_have_it() -> None:
    assert asked(names.MIG_STORAGE, {"a": 1}) == {"a": 1, "refresh": True}
    assert asked(names.MIG_HOOK, {"a": 1}) == {"a": 1}


def test_nobody_has_written_it_since() -> None:
    assert untouched(WRITTEN, resource(touch="one"))
    assert not untouched(WRITTEN, resource(version="8", touch="one"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"verify": False}, {}, True),
        ({"url": "", "namespaces": []}, {}, True),
        ({"config": {"insecure": False}}, {"config": {}}, True),
        ({"config": {"insecure": True}}, {"config": {}}, False),
        ({"restartRestic": False}, {}, False),
        ({"runAsUser": 0}, {}, False),
        ({"url": "a"}, {"url": "b"}, False),
    ],
)
def test_what_mtc_drops_when_it_writes_is_no_difference(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    assert spec_fields.alike(one, other) is same
    assert bool(spec_fields.differences(one, other)) is not same


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ({"a": 1}, {"a": 1, "b": False}, {}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"s": {"m": {"a": "1"}}}, {"s": {"m": {"b": "2"}}}, {"s": {"m": {"a": None, "b": "2"}}}),
        ({"s": {"x": 1}, "gone": 1}, {"s": {"x": 1}}, {"gone": None}),
        ({"l": [1]}, {"l": [1, 2]}, {"l": [1, 2]}),
    ],
)
def test_a_patch_says_what_differs_and_removes_what_is_gone(
    before: dict[str, Any], after: dict[str, Any], patch: dict[str, Any]
) -> None:
    assert spec_fields.merge_patch(before, after) == patch
