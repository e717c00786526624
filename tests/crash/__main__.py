# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command: plays what is missing, a few rows at a time, and writes results and document as it goes."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from crash import chains, results
from crash.moments import PhaseWatch
from crash.playing import FAILED, Outcome, play
from crash.stand import Stand
from crash.table import Row, rows
from integration.crds.conftest import role_on
from integration.leaks import at_work
from integration.migration.playbooks import ROOT
from lab.targets import targets

GONE_WITHIN = 180
"""Seconds in which what the rows have made goes after the last of them."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="crash", description=sys.modules["crash"].__doc__)
    parser.add_argument("--again", action="store_true", help="play all rows, whatever is known of them")
    parser.add_argument("--failed", action="store_true", help="play what has failed as well as what is missing")
    parser.add_argument("--only", default="", help="rows whose key this regular expression finds")
    parser.add_argument("--shard", default="1/1", help="the first of four parts of the rows: 1/4")
    parser.add_argument("--jobs", type=int, default=2, help="rows that are played at the same time")
    parser.add_argument(
        "--max-seconds",
        type=float,
        default=1e9,
        help="begin no row, and no further kill of a chain, after so many seconds",
    )
    parser.add_argument("--alone", action="store_true", help="also rows that disturb a whole cluster, one by one")
    parser.add_argument("--chained", action="store_true", help="only kills, many in one migration; much faster")
    parser.add_argument("--list", action="store_true", help="say which rows would be played, and end")
    parser.add_argument("--document", action="store_true", help="write the document anew, and end")
    return parser


def chosen(table: Sequence[Row], options: argparse.Namespace, known: dict[str, results.Result]) -> list[Row]:
    """The rows that are to be played."""
    part, parts = (int(word) for word in options.shard.split("/"))
    picked = []
    for number, row in enumerate(table):
        outcome = known.get(row.key, {}).get("outcome")
        wanted = options.again or outcome is None or (options.failed and outcome == FAILED)
        allowed = options.alone or not row.alone
        if wanted and allowed and number % parts == part - 1 and re.search(options.only, row.key):
            picked.append(row)
    return picked


def revision() -> str:
    """Of the code that is tested: git's name for the content of ``plugins``."""
    words = ["git", "rev-parse", "--short=10", "HEAD:plugins"]
    return subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def main(words: Sequence[str] | None = None) -> int:
    """The number of rows that came to another end than they should."""
    options = _parser().parse_args(words)
    table = rows()
    todo = chosen(table, options, results.stored())
    if options.document:
        results.write_document(table)
        return 0
    if options.list:
        print("\n".join(row.key for row in todo))
        return 0
    installed = role_on(targets().destination)()
    assert installed.code == 0, installed.output
    source = connect({"kubeconfig": str(targets().source)}, name="source", environ={})
    destination = connect({"kubeconfig": str(targets().destination)}, name="destination", environ={})
    stand = Stand(source, destination, PhaseWatch(destination), revision())
    with at_work():
        failed = _play_all(stand, table, todo, options)
        left = _await_removal(stand)
    if left:
        print(f"not gone within {GONE_WITHIN} s: {', '.join(left)}")
    return failed + len(left)


def _play_all(stand: Stand, table: Sequence[Row], todo: Sequence[Row], options: argparse.Namespace) -> int:
    until = time.monotonic() + options.max_seconds
    writing = threading.Lock()
    failed: list[str] = []

    def done(row: Row, outcome: Outcome) -> None:
        with writing:
            # A chain that went wrong says nothing of its rows: they are played alone.
            if not (outcome.chained and outcome.problems):
                results.store(row, outcome, stand.revision)
                results.write_document(table)
            print(f"{outcome.outcome:12} {row.key} {outcome.seconds} s {outcome.met_in}", flush=True)
            for problem in outcome.problems:
                print(f"    {problem}", flush=True)
            if outcome.problems:
                failed.append(row.key)

    def one(rows: Sequence[Row]) -> None:
        if time.monotonic() > until:
            return
        played = chains.play(stand, rows, until=until) if options.chained else [(row, play(stand, row)) for row in rows]
        for row, outcome in played:
            done(row, outcome)

    together = chains.chains(todo) if options.chained else [[row] for row in todo if not row.alone]
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(one, together))
    for row in todo:
        if row.alone and not options.chained:
            one([row])
    return len(failed)


def _await_removal(stand: Stand) -> list[str]:
    until = time.monotonic() + GONE_WITHIN
    while left := [line for scene in stand.scenes for line in scene.remains()]:
        if time.monotonic() > until:
            return left
        time.sleep(0.5)
    return []


if __name__ == "__main__":
    sys.exit(min(main(), 1))
