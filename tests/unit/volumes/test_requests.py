# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests to a client pod: each pass once, newer generations before older ones, the same answer for whoever asks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest

from .conftest import Bench

REFUSED, BUSY, DEAF = 3, 4, 5


@pytest.fixture
def slow(bench: Bench) -> Bench:
    """A volume that takes about four seconds at the limit of 1000 KiB/s."""
    (bench.source / "big").write_bytes(os.urandom(4 << 20))
    bench.ready()
    return bench


def test_a_pass_runs_once_and_always_gives_the_same_answer(bench: Bench) -> None:
    (bench.source / "a").write_text("1")
    bench.ready()
    first = bench.ask("precopy")
    (bench.source / "a").write_text("22")
    assert bench.ask("precopy") == first
    assert bench.ask("precopy", generation=7) == first
    assert (bench.target / "a").read_text() == "1"
    assert bench.ask("final", generation=7)["exit"] == 0
    assert (bench.target / "a").read_text() == "22"


def test_older_generation_is_refused_even_for_what_is_done(bench: Bench) -> None:
    bench.ready()
    bench.ask("precopy", generation=5)
    refused = bench.request("final", generation=4)
    assert refused.returncode == REFUSED
    assert refused.stdout == "refused 5\n"
    assert bench.request("precopy", generation=4).returncode == REFUSED
    assert [fact["current"] for fact in bench.facts("refused")] == [5, 5]


def test_newer_generation_stops_another_pass_of_an_older_one(slow: Bench) -> None:
    slow.request("precopy", generation=1, limit=500)
    slow.wait_for("progress")
    assert slow.ask("final", generation=2, flags="final")["exit"] == 0
    assert slow.facts("superseded")[0]["pass"] == "precopy"
    stopped = next(fact for fact in slow.facts("done") if fact["pass"] == "precopy")
    assert (stopped["exit"], stopped["why"]) == (20, "stopped")
    assert (slow.target / "big").read_bytes() == (slow.source / "big").read_bytes()
    again = slow.ask("precopy", generation=3)
    assert again["exit"] == 0
    end = time.monotonic() + 3
    while slow.processes_of("client", "rsync") and time.monotonic() < end:
        time.sleep(0.05)
    assert slow.processes_of("client", "rsync") == []


def test_newer_generation_goes_on_with_the_same_pass(slow: Bench) -> None:
    slow.request("precopy", generation=1, limit=1500)
    slow.wait_for("progress")
    outcome = slow.ask("precopy", generation=2, limit=1500)
    assert (outcome["exit"], outcome["attempts"], outcome["generation"]) == (0, 1, 1)
    assert slow.request("precopy", generation=1).returncode == REFUSED


def test_same_generation_waits_for_its_own_pass(slow: Bench) -> None:
    slow.request("precopy", limit=1000)
    slow.wait_for("progress")
    busy = slow.request("precopy.prove", "check", flags="prove")
    assert (busy.returncode, busy.stdout) == (BUSY, "busy precopy\n")
    running = slow.request("precopy")
    assert json.loads(running.stdout)["fact"] == "progress"
    assert slow.ask("precopy")["exit"] == 0
    assert slow.ask("precopy.prove", "check", flags="prove")["exit"] == 0


def test_failed_pass_is_tried_again_only_by_a_newer_generation(bench: Bench) -> None:
    (bench.source / "gone").write_text("x")
    bench.ready()
    bench.ask("precopy")
    (bench.source / "gone").unlink()
    failed = bench.ask("final", flags="final")
    assert failed["exit"] == 92
    (bench.source / "back").write_text("y")
    assert bench.ask("final", flags="final") == failed
    assert bench.ask("final", flags="final", generation=2)["exit"] == 0


def test_a_pass_that_dies_is_told_and_can_be_repeated(slow: Bench) -> None:
    slow.request("precopy", limit=500)
    slow.wait_for("progress")
    os.kill(int((slow.root / "client/state/passes/precopy/pid").read_text()), signal.SIGKILL)
    aborted = slow.wait_for("done")
    assert aborted["why"] == "aborted"
    assert slow.ask("precopy", generation=2)["exit"] == 0


@pytest.mark.parametrize(
    "words",
    [
        ["x", "1", "a/b", "copy", "0", "none", "0"],
        ["x", "1", "..", "copy", "0", "none", "0"],
        ["x", "1", "a b", "copy", "0", "none", "0"],
        ["x", "1", "a\nb", "copy", "0", "none", "0"],
        ["x", "1", "$(id)", "copy", "0", "none", "0"],
        ["x", "one", "a", "copy", "0", "none", "0"],
        ["x", "1", "a", "copy", "0", "", "0"],
    ],
)
def test_words_that_are_no_words_reach_nobody(bench: Bench, words: list[str]) -> None:
    bench.ready()
    answer = subprocess.run(
        ["dash", str(bench.root / "client/scripts/request.sh"), *words],
        env=bench.environment("client"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    assert list((bench.root / "client/state/passes").iterdir()) == []


def test_request_to_a_pod_that_is_not_there(bench: Bench) -> None:
    assert bench.request("precopy").returncode == DEAF
