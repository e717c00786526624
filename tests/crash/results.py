# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The file of results, one line of JSON for each row, and the document that is made of it."""

from __future__ import annotations

import fcntl
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crash.playing import FAILED, Outcome
from crash.table import Row
from integration.migration.playbooks import ROOT

RESULTS = ROOT / "docs" / "crash-table.jsonl"
DOCUMENT = ROOT / "docs" / "crash-table.md"
Result = dict[str, Any]

HEAD = """# The crash table

Each row is a real migration on two real clusters that is disturbed once, in one place. The plan has two namespaces with
an application and a volume each, four hooks, and a verification at the end. `make crash-table` plays the rows that are
missing, `make crash-table ARGS=--again` all of them. The volumes are copied directly; of the runs named *indirect* they
go through the object storage. A run beside another of its kind has rows for the phases that the other does not walk.

* *killed*: every process of `ansible-playbook` gets `SIGKILL`, and the same command is given again.
* *same end*: the objects of both clusters, the content of the volumes, the state of the source, the resources and their
  records are those of a run that nobody disturbed, and nothing else is left.
* *clear failure*: the command fails and says why, nothing is left, and the source runs with all its files.
* *killed in*: where a process was found that had gone on by some milliseconds.
* *runs*: how often the command was given; *in a chain*: one migration was killed for all these rows, one after the
  other, and its end is that of the undisturbed one.
* *code*: git's name for the content of `plugins` that was tested (`git rev-parse HEAD:plugins`).

"""


def stored(file: Path = RESULTS) -> dict[str, Result]:
    """The newest result of each row, by its key."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {result["row"]: result for result in map(json.loads, lines)}


def store(row: Row, outcome: Outcome, revision: str, file: Path = RESULTS) -> None:
    """At once, in the place of what was known of the row."""
    result = {
        "row": row.key,
        "outcome": outcome.outcome,
        "seconds": outcome.seconds,
        "met_in": outcome.met_in,
        "runs": outcome.runs,
        "chained": outcome.chained,
        "revision": revision,
        "problems": outcome.problems,
    }
    with (Path(tempfile.gettempdir()) / "openmig-crash-table.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other shards write, too
        known = {**stored(file), row.key: result}
        text = "".join(f"{json.dumps(known[key])}\n" for key in sorted(known))
        fresh = file.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(file)


def document(rows: Sequence[Row], results: Mapping[str, Result]) -> str:
    """Markdown: a table for each kind of run, and what has failed or is missing, said first."""
    done = [results[row.key]["outcome"] for row in rows if row.key in results]
    counts = {what: done.count(what) for what in sorted(set(done))}
    told = ", ".join(f"{count} times {what}" for what, count in counts.items())
    lines = [f"{len(rows)} rows: {told}; {len(rows) - len(done)} not played yet.", ""]
    for run in dict.fromkeys(row.run for row in rows):
        lines += [
            f"## {run[0].upper()}{run[1:]}",
            "",
            "| phase | fault | outcome | killed in | runs | seconds | code |",
        ]
        lines.append("|---|---|---|---|---|---|---|")
        lines += [_line(row, results.get(row.key)) for row in rows if row.run == run]
        lines.append("")
    return HEAD + "\n".join(lines)


def _line(row: Row, result: Result | None) -> str:
    phase = row.phase or "Created"
    if result is None:
        return f"| {phase} | {row.fault} | *not played yet* | | | | |"
    outcome = f"**{FAILED}**" if result["outcome"] == FAILED else result["outcome"]
    met = result["met_in"] if result["met_in"] != phase else ""
    runs = "in a chain" if result.get("chained") else result["runs"]
    return f"| {phase} | {row.fault} | {outcome} | {met} | {runs} | {result['seconds']:.0f} | `{result['revision']}` |"


def write_document(rows: Sequence[Row], file: Path = DOCUMENT) -> None:
    file.write_text(document(rows, stored()), encoding="utf-8")
