# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who a process is, whether it lives, and that an engine stops when nobody waits for it."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import time
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine.guard import Abandoned, Guard
from ansible_collections.openmig.mtc.plugins.module_utils.engine.process import ProcessName


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"])


def test_a_name_survives_being_written_down() -> None:
    own = ProcessName.of(os.getpid())
    assert own is not None
    assert ProcessName.parse(str(own)) == own
    assert not own.is_gone()


@pytest.mark.parametrize("text", ["", "some-controller-7d9f", "host_boot_ns_12_x", "a_b_c"])
def test_the_holder_of_another_tool_is_nobody(text: str) -> None:
    assert ProcessName.parse(text) is None


def test_a_host_name_may_hold_the_separator() -> None:
    name = ProcessName("my_host", "b", "4", 7, 9)
    assert ProcessName.parse(str(name)) == name


def test_a_process_that_ended_is_gone_also_as_a_zombie() -> None:
    process = sleeper()
    name = ProcessName.of(process.pid)
    assert name is not None
    process.kill()
    until = time.monotonic() + 5
    while not name.is_gone():
        assert time.monotonic() < until
        time.sleep(0.01)
    process.wait()
    assert name.is_gone()


def test_another_process_with_the_same_pid_is_not_the_one_that_was_named() -> None:
    process = sleeper()
    name = ProcessName.of(process.pid)
    assert name is not None
    assert dataclasses.replace(name, start=name.start - 1).is_gone()
    process.kill()
    process.wait()


@pytest.mark.parametrize("other", [{"boot": "another-boot"}, {"namespace": "1"}])
def test_nothing_is_said_about_a_process_that_cannot_be_seen(other: dict[str, Any]) -> None:
    name = ProcessName.of(os.getpid())
    assert name is not None
    elsewhere = dataclasses.replace(name, pid=2**22 + 1, **other)
    assert not elsewhere.is_gone()


def test_an_engine_whose_playbook_is_gone_stops_and_says_why() -> None:
    process = sleeper()
    guard = Guard(parent=ProcessName.of(process.pid), subject="MigMigration openmig/app")
    guard.fence()
    guard.pause(0.01)
    process.kill()
    process.wait()
    with pytest.raises(Abandoned, match=rf"ansible-playbook \(pid {process.pid}\) has ended.*Run the same task again"):
        guard.pause(5)


def test_a_lost_lease_ends_every_wait() -> None:
    class Lost(Exception):
        pass

    def check() -> None:
        raise Lost

    guard = Guard(parent=None, subject="MigMigration openmig/app")
    guard.lease_check = check
    with pytest.raises(Lost):
        guard.fence()
    with pytest.raises(Lost):
        guard.pause(5)
