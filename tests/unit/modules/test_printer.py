# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a module appends to its file shows on the terminal: every line once, no part of a line, nothing when silent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.openmig.mtc.plugins.plugin_utils.live import POLL, Printer

Append = Callable[[str], None]
Start = Callable[..., Printer]
Shown = Callable[[], str]


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "lines"
    path.touch()
    return path


@pytest.fixture
def append(lines: Path) -> Append:
    def write(text: str) -> None:
        with lines.open("a", encoding="utf-8") as file:
            file.write(text)

    return write


@pytest.fixture
def start(lines: Path) -> Iterator[Start]:
    started: list[Printer] = []

    def begin(*, silent: bool = False) -> Printer:
        printer = Printer(str(lines), silent=silent)
        printer.start()
        started.append(printer)
        return printer

    yield begin
    for printer in started:
        printer.finish()


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Shown:
    """What the terminal has shown since the start of the test."""
    so_far: list[str] = []

    def read() -> str:
        so_far.append(capsys.readouterr().out)
        return "".join(so_far)

    return read


def wait_for(shown: Shown, text: str) -> None:
    until = time.monotonic() + 30
    while text not in shown():
        assert time.monotonic() < until, f"{text!r} is not shown: {shown()!r}"
        time.sleep(POLL / 4)


def test_lines_show_while_the_module_still_runs_and_once(start: Start, append: Append, shown: Shown) -> None:
    printer = start()
    append("one\n")
    wait_for(shown, "one\n")
    append("two\nthree\n")
    wait_for(shown, "three\n")
    assert printer.is_alive()
    printer.finish()
    assert not printer.is_alive()
    assert shown() == "one\ntwo\nthree\n"


def test_a_line_shows_when_it_is_whole(start: Start, append: Append, shown: Shown) -> None:
    printer = start()
    append("one\ntw")
    wait_for(shown, "one\n")
    time.sleep(3 * POLL)
    assert shown() == "one\n"
    append("o\n")
    wait_for(shown, "two\n")
    append("cut")
    printer.finish()
    assert shown() == "one\ntwo\n"


def test_the_last_lines_before_the_end_are_not_lost(start: Start, append: Append, shown: Shown) -> None:
    printer = start()
    text = "".join(f"line {number}\n" for number in range(500))
    append(text)
    printer.finish()
    assert shown() == text


def test_a_silent_one_shows_nothing(start: Start, append: Append, shown: Shown) -> None:
    printer = start(silent=True)
    append("secret\n")
    time.sleep(3 * POLL)
    append("secret\n")
    printer.finish()
    assert shown() == ""


def test_a_character_that_is_written_in_two_halves_shows_whole(start: Start, lines: Path, shown: Shown) -> None:
    printer = start()
    first, second = "grün\n".encode()[:3], "grün\n".encode()[3:]
    with lines.open("ab", buffering=0) as file:
        file.write(b"one\n" + first)
        wait_for(shown, "one\n")
        time.sleep(3 * POLL)
        file.write(second)
    wait_for(shown, "grün\n")
    printer.finish()
    assert shown() == "one\ngrün\n"
