# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Proofs and verdicts, run for real: every way in which a destination can differ makes the verdict bad."""

from __future__ import annotations

import mmap
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import VolumeFailed
from ansible_collections.openmig.mtc.plugins.module_utils.volumes import facts, verdicts
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.model import SettledProfile, Verdict

from .conftest import Bench
from .copied import MOVE, ODD_NAMES


def age() -> None:
    """Wait until nothing counts as just changed."""
    time.sleep(3.1)


def verify(bench: Bench, name: str = "verify", *, flags: str = "changed", profile: SettledProfile = "root") -> Verdict:
    return verdicts.verdict(MOVE, facts.outcome(bench.ask(name, "check", flags=flags)), profile)


@pytest.fixture
def copied(bench: Bench) -> Bench:
    for number in range(30):
        (bench.source / f"file {number}").write_text(f"{number} " * 100)
    for number, name in enumerate(ODD_NAMES):
        Path(os.fsdecode(os.fsencode(bench.source) + b"/" + name)).write_text(f"content {number}")
    (bench.source / "folder").mkdir()
    os.symlink("target", bench.source / "folder/link")
    bench.ready()
    bench.ask("final", flags="final")
    return bench


def test_equal_volumes(copied: Bench) -> None:
    verdict = verify(copied)
    assert verdict.ok
    assert verdict.files == 30 + len(ODD_NAMES) + 3
    assert (verdict.checked_now, verdict.proven_earlier) == (30 + len(ODD_NAMES), 0)
    assert verdict.reason == ""


def test_a_glance_names_what_the_destination_has_received_and_changes_nothing(copied: Bench) -> None:
    assert verify(copied, "glance-1", flags="glance").ok
    (copied.target / "received").write_text("new")
    (copied.target / "file 3").write_text("longer than before")
    (copied.target / "file 4").unlink()
    seen = verify(copied, "glance-2", flags="glance")
    assert not seen.ok
    assert {"received", "file 3", "file 4"} <= set(seen.differing)
    assert (seen.checked_now, seen.mended) == (0, 0)
    assert (copied.target / "received").read_text() == "new"
    assert (copied.target / "file 3").read_text() == "longer than before"
    assert not (copied.target / "file 4").exists()


def test_silent_corruption_is_mended_and_counted(copied: Bench) -> None:
    """Same size, same times, other content: no quick check sees it."""
    for name in ("file 3", "new\nline"):
        path = copied.target / name
        info = path.stat()
        path.write_bytes(b"X" + path.read_bytes()[1:])
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
    verdict = verify(copied)
    assert verdict.ok
    assert verdict.mended == 2
    assert (copied.target / "new\nline").read_bytes() == (copied.source / "new\nline").read_bytes()


def _extra(root: Path) -> None:
    (root / "extra").write_text("x")
    _same_times(root)


def _same_times(root: Path) -> None:
    source = root.parent / "source"
    info = source.stat()
    os.utime(root, ns=(info.st_atime_ns, info.st_mtime_ns))


def _missing(root: Path) -> None:
    (root / "file 7").unlink()
    _same_times(root)


def _mode(root: Path) -> None:
    (root / "file 8").chmod(0o600)


def _owner(root: Path) -> None:
    os.chown(root / "file 9", 1, 1)


def _link(root: Path) -> None:
    (root / "folder/link").unlink()
    os.symlink("elsewhere", root / "folder/link")


def _time(root: Path) -> None:
    os.utime(root / "file 10", ns=(1, (root / "file 10").stat().st_mtime_ns + 1))


def _kind(root: Path) -> None:
    (root / "file 11").unlink()
    os.mkfifo(root / "file 11")


def _attribute(root: Path) -> None:
    os.setxattr(root / "file 12", "user.colour", b"blue")


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (_extra, "extra"),
        (_mode, "file 8"),
        (_owner, "file 9"),
        (_attribute, "file 12"),
        (_missing, "file 7"),
        (_kind, "file 11"),
        (_time, "file 10"),
    ],
)
def test_what_only_a_new_pass_could_mend_makes_the_verdict_bad(
    copied: Bench, spoil: Callable[[Path], None], name: str
) -> None:
    spoil(copied.target)
    verdict = verify(copied)
    assert not verdict.ok
    assert name in verdict.differing
    assert verdict.reason


def test_targets_of_links_count(copied: Bench) -> None:
    _link(copied.target)
    verdict = verify(copied)
    assert not verdict.ok
    assert "folder/link" in [each.split(" -> ")[0] for each in verdict.differing]


def test_a_link_that_the_daemon_rewrites_in_both_eyes_is_named(make_bench: Callable[..., Bench]) -> None:
    """Only the counts of both sides tell; the verdict must still say which entry it is."""
    bench = make_bench()
    configuration = bench.root / "server/config/rsyncd.conf"
    configuration.write_text(configuration.read_text().replace("use chroot = yes", "use chroot = no"))
    (bench.source / "folder").mkdir()
    os.symlink("/absolute", bench.source / "folder/link")
    bench.ready()
    bench.ask("final", flags="final")
    verdict = verify(bench)
    assert not verdict.ok
    assert verdict.differing == ("folder/link",)


def test_a_failed_verdict_stays_failed_until_a_newer_run(copied: Bench) -> None:
    (copied.target / "extra").write_text("x")
    first = copied.ask("verify", "check")
    assert first["exit"] == facts.DIFFERS
    (copied.target / "extra").unlink()
    _same_times(copied.target)
    assert copied.ask("verify", "check") == first
    assert copied.ask("verify", "check", generation=2)["exit"] == 0


def test_unreadable_files_are_named(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(profile="restricted")
    bench.own(65534)
    (bench.source / "file").write_text("x")
    bench.ready()
    bench.ask("final", flags="final")
    (bench.source / "file").chmod(0o600)
    with pytest.raises(VolumeFailed, match="cannot read 1 file") as raised:
        verify(bench, profile="restricted")
    assert raised.value.files == ("file",)


def test_what_was_proven_and_has_not_changed_is_not_read_again(copied: Bench) -> None:
    age()
    proof = copied.ask("final.prove", "check", flags="prove")
    assert (proof["exit"], proof["content_count"]) == (0, 0)
    (copied.source / "file 1").write_text("changed")
    (copied.source / "added").write_text("new")
    (copied.source / "new\nline").rename(copied.source / "renamed \\ \n")
    copied.ask("second", flags="final")
    # Spoil a proven file over there: a verdict that does not read it cannot see it, one that reads all must.
    spoiled = copied.target / "file 2"
    info = spoiled.stat()
    spoiled.write_bytes(b"X" + spoiled.read_bytes()[1:])
    os.utime(spoiled, ns=(info.st_atime_ns, info.st_mtime_ns))
    verdict = verify(copied)
    assert (verdict.checked_now, verdict.mended) == (3, 0)
    assert verdict.proven_earlier == 30 + len(ODD_NAMES) + 1 - 3
    full = verify(copied, "full", flags="full")
    assert (full.ok, full.mended, full.proven_earlier) == (True, 1, 0)


def test_what_differed_in_the_proof_is_read_again(copied: Bench) -> None:
    age()
    for name in ("file 5", "tab\tand\\backslash", "escape \\#012 in clear"):
        path = copied.target / name
        info = path.stat()
        path.write_bytes(b"X" + path.read_bytes()[1:])
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
    proof = copied.ask("final.prove", "check", flags="prove")
    assert (proof["exit"], proof["content_count"]) == (0, 3)
    verdict = verify(copied)
    assert (verdict.ok, verdict.checked_now, verdict.mended) == (True, 3, 3)


def test_what_changed_during_the_look_is_read_again(copied: Bench) -> None:
    (copied.source / "file 6").write_text("a moment ago")
    copied.ask("second")
    copied.ask("second.prove", "check", flags="prove")
    verdict = verify(copied)
    assert verdict.ok
    assert verdict.checked_now >= 1


def test_writes_through_a_mapping_after_the_proof_are_seen(copied: Bench) -> None:
    with (copied.source / "mapped").open("w+b") as file:
        file.write(b"A" * 4096)
        file.flush()
        with mmap.mmap(file.fileno(), 4096) as memory:
            memory[0] = ord("B")
            time.sleep(3.1)
            copied.ask("second")
            copied.ask("second.prove", "check", flags="prove")
            before = os.stat(copied.source / "mapped").st_mtime_ns
            memory[1] = ord("C")
    assert os.stat(copied.source / "mapped").st_mtime_ns != before
    copied.ask("third", flags="final")
    assert verify(copied).ok
    assert (copied.target / "mapped").read_bytes() == (copied.source / "mapped").read_bytes()


def test_proof_of_a_tree_whose_files_come_and_go(bench: Bench) -> None:
    for number in range(200):
        (bench.source / f"{number}").write_text("x" * 100)
    bench.ready()
    bench.ask("precopy")
    writer = subprocess.Popen(
        ["dash", "-c", 'while :; do : > "$1/t$$"; rm "$1/t$$"; mkdir "$1/d"; rmdir "$1/d"; done', "dash", bench.source]
    )
    try:
        proofs = [bench.ask(f"precopy.prove{number}", "check", flags="prove") for number in range(5)]
    finally:
        writer.kill()
        writer.wait()
    assert [proof["exit"] for proof in proofs] == [0] * 5


def test_file_system_with_whole_seconds_is_a_downgrade(bench: Bench) -> None:
    image = bench.root / "image"
    with image.open("wb") as file:
        file.truncate(8 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-I", "128", image], check=True, stderr=subprocess.DEVNULL)
    bench.mount("-o", "loop", image, bench.target)
    (bench.source / "file").write_text("x")
    os.utime(bench.source / "file", ns=(1, 1_111_111_111_123_456_789))
    bench.ready()
    bench.ask("final", flags="final")
    verdict = verify(bench)
    assert verdict.ok
    assert any("second" in text for text in verdict.downgrades)
