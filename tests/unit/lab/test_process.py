# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Processes of the lab are known again, and all of them end."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from lab import process
from lab.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path)


def test_a_process_and_its_children_are_found_by_their_mark_and_stopped(paths: Paths) -> None:
    log = paths.log("host", "sleeper")
    started = process.start(paths, "sleeper", ["sh", "-c", "sleep 60 & sleep 60"], log=log)
    deadline = time.monotonic() + 10
    while len(process.marked(paths)) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.recorded(paths)["sleeper"] == started
    assert started.alive
    assert started.pid in process.marked(paths)
    process.stop(process.marked(paths), grace=1)
    assert not started.alive
    assert process.marked(paths) == set()


def test_one_that_ignores_the_request_is_killed(paths: Paths) -> None:
    log = paths.log("host", "stubborn")
    command = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"]
    started = process.start(paths, "stubborn", command, log=log)
    while "ready" not in log.read_text(encoding="utf-8"):
        time.sleep(0.01)
    process.stop([started.pid], grace=0.1)
    assert not started.alive
    process.stop(process.marked(paths), grace=0)


def test_a_reused_pid_is_not_taken_for_the_process() -> None:
    begun = process.start_time(os.getpid())
    assert begun is not None
    assert process.Process("me", os.getpid(), begun).alive
    assert not process.Process("me", os.getpid(), begun - 1).alive


def test_a_process_that_is_gone_has_no_start_time() -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    assert process.start_time(child.pid) is None
