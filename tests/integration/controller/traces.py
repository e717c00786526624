# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The recorded runs, see tests/data/traces/README.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TRACES = Path(__file__).parents[2] / "data" / "traces"
Event = dict[str, Any]


def events(name: str) -> list[Event]:
    """What was written from the moment when the migration was created; each state once."""
    found: list[Event] = []
    for line in (TRACES / f"{name}.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event["t"] >= 0 and not (found and {**found[-1], "t": 0} == {**event, "t": 0}):
            found.append(event)
    return found


def last(name: str, kind: str) -> Event:
    """The last state of the one resource of a kind."""
    return [event for event in events(name) if event["kind"] == kind][-1]
