# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Symbolic links: which arrive as they are, and which stop a copy that has no root."""

from __future__ import annotations

import os
from collections.abc import Callable

from .conftest import Bench
from .copied import judged, tree

KEPT_LINKS = ("plain", "dangling/deep", "../up", "..", "../other/x", ".hidden", "..odd", "a..b", "new\nline", ".")
LOST_LINKS = (
    "/absolute",
    "/",
    "../../out",
    "../..",
    "../../../etc/passwd",
    "a//b",
    "./here",
    "a/./b",
    "a/.",
    "a/",
    "a/../b",
    "../a/../b",
    "a/..",
    "../",
)


def linked(bench: Bench, targets: tuple[str, ...]) -> None:
    (bench.source / "folder").mkdir()
    for number, target in enumerate(targets):
        os.symlink(target, bench.source / f"folder/{number}")


def test_root_keeps_every_link(bench: Bench) -> None:
    linked(bench, KEPT_LINKS + LOST_LINKS)
    bench.ready()
    assert bench.ask("final", flags="final")["exit"] == 0
    assert tree(bench.target) == tree(bench.source)
    assert bench.ask("verify", "check")["exit"] == 0


def test_links_that_need_no_root_are_kept_without_it(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(profile="restricted")
    bench.own(65534)
    linked(bench, KEPT_LINKS)
    os.symlink("folder", bench.source / "top")
    bench.ready()
    outcome = bench.ask("final", flags="final")
    assert outcome["why"] != "links"
    for number, target in enumerate(KEPT_LINKS):
        assert os.readlink(bench.target / f"folder/{number}") == target


def test_links_that_would_be_rewritten_stop_a_user_before_the_first_byte(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(profile="restricted")
    bench.own(65534)
    linked(bench, LOST_LINKS)
    os.symlink("../out", bench.source / "top")
    bench.ready()
    error = judged(bench.ask("final", flags="final"), profile="restricted")
    assert set(error.files) == {"top", *(f"folder/{number}" for number in range(len(LOST_LINKS)))}
    assert "root profile" in error.mend
    assert list(bench.target.iterdir()) == []
