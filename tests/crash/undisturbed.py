# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The run that nobody disturbs: its end, which all disturbed ones have to come to, and how long each phase takes.

Made once for each kind of run and set of options, and kept below ``.build`` for the code that it was made with.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from crash import ends
from crash.stand import Stand
from integration.migration.playbooks import ROOT

KEPT = ROOT / ".build" / "crash"
_LOCK = threading.Lock()


def state_of(stand: Stand, run: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """``end`` and ``seconds`` (by ``itinerary/phase``) of the undisturbed run."""
    content = json.dumps([stand.revision, run, dict(options)], sort_keys=True)
    file = KEPT / f"{hashlib.sha256(content.encode()).hexdigest()[:16]}.json"
    with _LOCK:
        lock = stand.baselines.setdefault(file.name, threading.Lock())
    with lock:
        if not file.exists():
            KEPT.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(_made(stand, run, options)), encoding="utf-8")
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found


def _made(stand: Stand, run: str, options: Mapping[str, Any]) -> dict[str, Any]:
    told: list[tuple[float, str]] = []
    with stand.scene(run, options) as (scene, files):
        stand.watch.subscribe(
            scene.resource_namespace, lambda walk, phase: told.append((time.monotonic(), f"{walk}/{phase}"))
        )
        done = scene.play()
        told.append((time.monotonic(), ""))
        assert (done.code != 0) == (run == "failing final"), done.output
        end = ends.end_of(scene, files)
        assert end.left == [], end.left
        return {"end": end.as_json(), "seconds": _seconds(told)}


def _seconds(told: list[tuple[float, str]]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for (began, what), (ended, _next) in itertools.pairwise(told):
        seconds[what] = round(seconds.get(what, 0.0) + ended - began, 3)
    return seconds
