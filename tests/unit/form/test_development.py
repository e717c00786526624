# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What docs/development.md shows works as it stands there: a transform and a phase are a function and a row each."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine import phases
from ansible_collections.openmig.mtc.plugins.module_utils.engine.itinerary import FINAL, Flag, Phase
from ansible_collections.openmig.mtc.plugins.module_utils.objects import transforms
from ansible_collections.openmig.mtc.plugins.module_utils.objects.context import TransformContext
from unit.form import tree

BLOCKS = re.findall(
    r"^```python\n(.*?)^```", (tree.ROOT / "docs/development.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)


def defined(block: str) -> dict[str, Any]:
    """What the block defines."""
    names: dict[str, Any] = {}
    exec(compile(block, "docs/development.md", "exec"), names)
    return names


def test_there_is_a_block_for_each() -> None:
    assert len(BLOCKS) == 2


def test_a_transform_is_one_function_and_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = defined(BLOCKS[0])
    monkeypatch.setattr(transforms, "TRANSFORMS", (shown["TRANSFORM"], *transforms.TRANSFORMS))
    context = TransformContext(namespace_mapping={"shop": "shop-new"}, migplan_uid="plan", migmigration_uid="run")
    annotations = {shown["BUILD"]: "builder-7", "example.com/team": "shop"}
    metadata = {"name": "settings", "namespace": "shop", "annotations": annotations}
    told = transforms.transform({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}, context)
    assert told.object is not None
    assert told.object["metadata"]["annotations"] == {"example.com/team": "shop"}
    assert [(note.kind, note.subject) for note in told.notes] == [("dropped", "ConfigMap shop/settings")]
    assert annotations[shown["BUILD"]] == "builder-7"


def test_a_phase_is_one_function_and_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = defined(BLOCKS[1])
    phase: Phase = shown["PHASE"]
    before = FINAL.index("QuiesceSourceApplications") - 1
    grown = dataclasses.replace(FINAL, phases=(*FINAL.phases[:before], phase, *FINAL.phases[before:]))
    monkeypatch.setattr(phases, "PHASES", {**phases.PHASES, **shown["FUNCTION"]})

    quiesced = frozenset({Flag.QUIESCE})
    assert grown.following(FINAL.phases[before - 1].name, quiesced) == phase.name
    assert grown.following(phase.name, quiesced) == "QuiesceSourceApplications"
    assert phase.name not in [row.name for row in grown.phases if row.included(frozenset())]
    assert grown.total == FINAL.total + 1
    assert phases.function_of(grown, phase.name) is shown["await_approval"]
