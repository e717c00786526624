# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""`--resume`: a long run that was stopped or failed goes on with what has not passed yet.

What has passed is written down as it passes, under a digest of every file of the checkout. One changed byte anywhere,
and all is to be shown again.

What hypothesis makes up is the same in each run of the same tests, so that a change is judged by what it changes.
`make unit ARGS=--hypothesis-profile=default` makes up something new each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from unit.form import tree

PASSED = pytest.StashKey[Path]()
CALLED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--resume", action="store_true", help="leave out what has passed before on these very files")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--hypothesis-profile"):
        settings.register_profile("repeatable", derandomize=True)
        settings.load_profile("repeatable")
    if config.getoption("--resume"):
        digest = hashlib.sha256()
        for name in tree.files():
            digest.update(f"{name}\0".encode())
            if (tree.ROOT / name).is_file():
                digest.update(hashlib.sha256((tree.ROOT / name).read_bytes()).digest())
        folder = tree.ROOT / ".build/passed"
        folder.mkdir(parents=True, exist_ok=True)
        config.stash[PASSED] = folder / digest.hexdigest()[:16]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    record = config.stash.get(PASSED, None)
    if record is None or not record.exists():
        return
    passed = set(record.read_text(encoding="utf-8").splitlines())
    rest = [item for item in items if item.nodeid not in passed]
    if not rest:
        # The last run came to its end: this one starts afresh.
        record.unlink()
        return
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in passed])
    items[:] = rest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and report.passed:
        item.stash[CALLED] = True
    # Only now is all of it done, its clearing up included.
    if report.when == "teardown" and report.passed and item.stash.get(CALLED, False):
        record = item.config.stash.get(PASSED, None)
        if record is not None:
            with record.open("a", encoding="utf-8") as file:
                file.write(f"{item.nodeid}\n")
    return report
