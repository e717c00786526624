# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far each volume is, as one flat entry from which statuses and lines are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import itemize
from .facts import outcome
from .model import VolumeMove

_GOOD = (0, 24)


def entry(
    move: VolumeMove,
    pod: str,
    *,
    name: str,
    fact: Mapping[str, Any] | None,
    waiting: str,
    failure: str,
    connected: bool,
) -> dict[str, Any]:
    """One volume's progress.

    Keys: ``namespace``, ``claim``, ``target_namespace``, ``target_claim``, ``pod``, ``pass`` (its name), ``state``
    (pending, running, succeeded, failed), ``percent`` (0 to 100), ``bytes``, ``rate`` (bytes a second), ``rate_text``,
    ``files``, ``files_total``, ``seconds``, ``attempt``, ``waiting`` (why pending), ``failure`` (a sentence).
    """
    made: dict[str, Any] = {
        "namespace": move.source_namespace,
        "claim": move.source_claim,
        "target_namespace": move.target_namespace,
        "target_claim": move.target_claim,
        "pod": pod,
        "pass": name,
        "state": "running" if connected else "pending",
        "percent": 0,
        "bytes": 0,
        "rate": 0.0,
        "rate_text": "",
        "files": 0,
        "files_total": 0,
        "seconds": 0.0,
        "attempt": 1,
        "waiting": waiting,
        "failure": failure,
    }
    if fact is not None and fact.get("pass") == name:
        made.update(_of_fact(fact))
    if failure:
        made["state"] = "failed"
    return made


def _of_fact(fact: Mapping[str, Any]) -> dict[str, Any]:
    if fact["fact"] == "retry":
        return {"attempt": int(fact["attempt"]) + 1}
    if fact["fact"] == "progress":
        seen = itemize.progress(str(fact["line"]))
        if seen is None:
            return {}
        return {
            "percent": seen.percent,
            "bytes": seen.bytes,
            "rate": seen.rate,
            "rate_text": seen.rate_text,
            "files": seen.files,
            "files_total": seen.files_total,
            "attempt": int(fact["attempt"]),
            "seconds": _seconds(seen.elapsed),
        }
    ended = outcome(fact)
    figures = itemize.statistics(ended.text("stats"))
    made: dict[str, Any] = {
        "state": "succeeded" if ended.exit_code in _GOOD else "failed",
        "percent": 100 if ended.exit_code in _GOOD else 0,
        "seconds": ended.seconds,
        "attempt": ended.attempts,
    }
    if figures is not None:
        made.update(bytes=figures.bytes_transferred, files=figures.files_total, files_total=figures.files_total)
        if ended.seconds > 0 and figures.bytes_transferred:
            made["rate"] = figures.bytes_transferred / ended.seconds
            made["rate_text"] = f"{made['rate'] / 1e6:.2f}MB/s"
    return made


def _seconds(clock: str) -> float:
    total = 0
    for part in clock.split(":"):
        total = total * 60 + int(part)
    return float(total)


def duration(seconds: float) -> str:
    """``1h2m3s``, ``2m3s``, ``3s``: how MTC shows times."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"
