# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``status.pipeline`` of a MigMigration: how the steps start, advance, complete, fail and are skipped.

Pure functions over the list of entries, with upstream's rules (MTC pkg/apis/migration/v1alpha1/migmigration_types.go
and migmigration/task.go): an entry has ``name``, ``phase`` (empty once completed), ``message``, ``progress``,
``started``, ``completed``, ``failed`` and ``skipped``; empty fields are left out.
"""

from __future__ import annotations

from typing import Any

from .itinerary import COMPLETED, Flag, Itinerary

NOT_STARTED = "Not started"
DONE = "Completed"
FAILED = "Failed"
SKIPPED = "Skipped"

Step = dict[str, Any]


def _entry(pipeline: list[Step], name: str) -> Step | None:
    return next((step for step in pipeline if step["name"] == name), None)


def append_missing(pipeline: list[Step], itinerary: Itinerary, flags: frozenset[Flag]) -> list[Step]:
    """The pipeline with the itinerary's steps appended where they are absent; existing entries stay as they are."""
    present = {step["name"] for step in pipeline}
    return pipeline + [{"name": name, "message": NOT_STARTED} for name in itinerary.steps(flags) if name not in present]


def enter(pipeline: list[Step], itinerary: Itinerary, phase: str, *, now: str) -> list[Step]:
    """The pipeline as it stands once ``phase`` begins: its step has started, started steps before it are completed,
    the others skipped."""
    row = itinerary.row(phase)
    if row is None:
        return pipeline
    steps = [dict(step) for step in pipeline]
    before = True
    for step in steps:
        if step["name"] == row.step:
            before = False
            _start(step, phase=phase, description=row.description, now=now)
        elif step.get("started") and not step.get("completed"):
            _complete(step, now=now)
        elif before and not step.get("started") and not step.get("skipped"):
            step["skipped"] = True
            step["message"] = SKIPPED
    if phase == COMPLETED and (last := _entry(steps, row.step)) is not None:
        _complete(last, now=now)
    return steps


def _start(step: Step, *, phase: str, description: str, now: str) -> None:
    step.setdefault("started", now)
    for stale in ("completed", "skipped"):
        step.pop(stale, None)
    step["phase"] = phase
    step["message"] = description
    if not phase:
        step.pop("phase")


def _complete(step: Step, *, now: str) -> None:
    step.setdefault("completed", now)
    step.pop("phase", None)
    step["message"] = FAILED if step.get("failed") else DONE


def fail(pipeline: list[Step], itinerary: Itinerary, phase: str, *, now: str) -> list[Step]:
    """The pipeline with the step of ``phase`` marked failed."""
    row = itinerary.row(phase)
    steps = [dict(step) for step in pipeline]
    if row is not None and (step := _entry(steps, row.step)) is not None:
        step["failed"] = True
        step.setdefault("started", now)
        _complete(step, now=now)
    return steps


def tell_progress(pipeline: list[Step], step_name: str, lines: list[str]) -> list[Step]:
    """The pipeline with ``lines`` as the progress of one step; no lines leave the old ones standing."""
    return [{**step, "progress": lines} if lines and step["name"] == step_name else step for step in pipeline]
