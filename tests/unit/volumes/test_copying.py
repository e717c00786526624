# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The copying pass, run for real: what is kept, what is refused, what survives a broken connection."""

from __future__ import annotations

import os
import signal
import stat
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import excludes
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import VolumeFailed
from ansible_collections.openmig.mtc.plugins.module_utils.volumes import facts, passes, verdicts

from .conftest import MODULE, ON_DISK, PASSWORD, Bench
from .copied import MOVE, ODD_NAMES, judged, tree

# Mode 0640 with a further user 4711 who may read (linux/posix_acl_xattr.h, version 2).
ACL = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", tag, rights, who)
    for tag, rights, who in ((1, 6, 2**32 - 1), (2, 4, 4711), (4, 4, 2**32 - 1), (16, 4, 2**32 - 1), (32, 0, 2**32 - 1))
)


def test_root_keeps_everything(bench: Bench) -> None:
    source = bench.source
    for number, name in enumerate(ODD_NAMES):
        Path(os.fsdecode(os.fsencode(source) + b"/" + name)).write_text(f"content {number}")
    nested = source / "deep/er"
    nested.mkdir(parents=True)
    (nested / "owned").write_text("owned")
    os.chown(nested / "owned", 4711, 4712)
    (nested / "owned").chmod(0o4750)
    (nested / "closed").write_text("closed")
    (nested / "closed").chmod(0)
    os.symlink("../nowhere \n", nested / "link")
    os.symlink(".", nested / "loop")
    os.mkfifo(nested / "pipe", 0o620)
    (nested / "old").write_text("old")
    os.utime(nested / "old", ns=(1, 1_111_111_111_123_456_789))
    (nested / "attributes").write_text("with attributes")
    os.setxattr(nested / "attributes", "user.colour", b"\x00blue")
    os.setxattr(nested / "attributes", "system.posix_acl_access", ACL)
    os.link(nested / "owned", source / "second name")
    (source / "user/lost+found").mkdir(parents=True)
    (source / "user/lost+found/kept").write_text("a user's own folder of that name")
    os.utime(nested, ns=(1, 1_222_222_222_000_000_001))
    bench.ready()
    result = passes.result(MOVE, facts.outcome(bench.ask("final", flags="final")), final=True, profile="root")
    assert tree(bench.target) == tree(source)
    assert os.stat(bench.target / "second name").st_ino == os.stat(bench.target / "deep/er/owned").st_ino
    assert os.getxattr(bench.target / "deep/er/attributes", "user.colour") == b"\x00blue"
    assert os.getxattr(bench.target / "deep/er/attributes", "system.posix_acl_access") == ACL
    assert result.files_transferred == len(ODD_NAMES) + 5
    assert result.downgrades == ()


def test_holes_stay_holes(bench: Bench) -> None:
    with (bench.source / "disk").open("wb") as file:
        file.truncate(64 << 20)
        file.seek(32 << 20)
        file.write(b"data")
    bench.ready()
    bench.ask("precopy")
    assert (bench.target / "disk").read_bytes() == (bench.source / "disk").read_bytes()
    assert os.stat(bench.target / "disk").st_blocks * 512 < 4 << 20


def test_second_pass_moves_only_what_changed_and_removes_what_went(bench: Bench) -> None:
    for number in range(20):
        (bench.source / str(number)).write_text("x" * 1000)
    (bench.source / "lost+found").mkdir()
    (bench.source / "lost+found/of the file system").write_text("stays here")
    bench.ready()
    bench.ask("precopy")
    (bench.target / "lost+found").mkdir()
    (bench.target / "lost+found/of the other").write_text("stays there")
    (bench.source / "3").write_text("y" * 1000)
    (bench.source / "4").unlink()
    result = passes.result(MOVE, facts.outcome(bench.ask("final", flags="final")), final=True, profile="root")
    assert (result.files_transferred, result.files_deleted) == (1, 1)
    assert result.bytes_transferred == 1000
    assert (bench.target / "3").read_text() == "y" * 1000
    assert not (bench.target / "4").exists()
    assert [path.name for path in (bench.target / "lost+found").iterdir()] == ["of the other"]


def test_user_excludes(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(excludes=("/cache/", "*.tmp"))
    for name in ("cache/x", "deep/cache/x", "a.tmp", "kept"):
        (bench.source / name).parent.mkdir(parents=True, exist_ok=True)
        (bench.source / name).write_text(name)
    bench.ready()
    bench.ask("precopy")
    assert {str(path.relative_to(bench.target)) for path in bench.target.rglob("*") if path.is_file()} == {
        "deep/cache/x",
        "kept",
    }
    verdict = bench.ask("verify", "check")
    assert (verdict["exit"], verdict["total"], verdict["checked"], verdict["excluded"]) == (0, 2, 2, 2)


def test_an_exclusion_is_a_pattern_and_never_a_command_or_an_option(make_bench: Callable[..., Bench]) -> None:
    proof = Path(tempfile.mkdtemp(dir=ON_DISK)) / "proof"
    patterns = (
        f"$(touch {proof})",
        f"`touch {proof}`",
        f"x; touch {proof}",
        f"' & touch {proof} & '",
        f"--rsh=touch {proof}",
        "--remove-source-files",
        "-e",
    )
    assert excludes.problems([{"patterns": list(patterns)}]) == []
    bench = make_bench(excludes=patterns)
    (bench.source / "-e").write_text("left out")
    (bench.source / "--remove-source-files").write_text("left out")
    (bench.source / "kept").write_text("x")
    bench.ready()
    assert bench.ask("final", flags="final")["exit"] == 0
    assert bench.ask("verify", "check")["exit"] == 0
    assert [path.name for path in bench.target.iterdir()] == ["kept"]
    assert sorted(path.name for path in bench.source.iterdir()) == ["--remove-source-files", "-e", "kept"]
    assert not proof.exists()
    proof.parent.rmdir()


def test_what_is_excluded_may_be_unreadable_and_differ(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(profile="restricted", excludes=("/private/", "*.key", "/outside"))
    bench.own(1000)
    for name in ("private/x", "a.key", "kept"):
        (bench.source / name).parent.mkdir(parents=True, exist_ok=True)
        (bench.source / name).write_text(name)
    (bench.source / "private").chmod(0o700)
    (bench.source / "a.key").chmod(0o600)
    (bench.source / "outside").symlink_to("/etc/passwd")
    bench.ready()
    assert bench.ask("precopy")["exit"] == 0
    (bench.target / "a.key").write_text("the destination's own")
    outcome = facts.outcome(bench.ask("verify", "check"))
    verdict = verdicts.verdict(MOVE, outcome, "restricted")
    assert (verdict.ok, verdict.excluded) == (True, 1), verdict
    assert (bench.target / "kept").read_text() == "kept"
    assert not (bench.target / "private").exists()
    assert not (bench.target / "outside").is_symlink()
    (bench.source / "b.secret").write_text("not excluded")
    (bench.source / "b.secret").chmod(0o600)
    refused = facts.outcome(bench.ask("final", flags="final"))
    assert (refused.exit_code, refused.text("unreadable")) == (facts.UNREADABLE, "b.secret\0")


def test_unmounted_source_is_refused(bench: Bench) -> None:
    (bench.source / "file").write_text("x")
    bench.ready()
    subprocess.run(["umount", bench.volume], check=True)
    bench.mounts.clear()
    outcome = bench.ask("final", flags="final")
    assert outcome["exit"] == facts.NOT_MOUNTED
    assert "not mounted" in judged(outcome).message


def test_emptied_source_never_empties_the_destination(bench: Bench) -> None:
    (bench.source / "file").write_text("x")
    bench.ready()
    assert bench.ask("precopy")["exit"] == 0
    (bench.source / "file").unlink()
    (bench.source / "lost+found").mkdir()
    outcome = bench.ask("final", flags="final")
    assert outcome["exit"] == facts.EMPTY_SOURCE
    assert (bench.target / "file").read_text() == "x"
    assert "delete the claim shop/data" in judged(outcome).mend


def test_empty_volume_is_copied(bench: Bench) -> None:
    bench.ready()
    assert bench.ask("final", flags="final")["exit"] == 0
    assert bench.ask("verify", "check")["exit"] == 0


def test_full_destination_fails_with_a_size(bench: Bench) -> None:
    bench.mount("-t", "tmpfs", "-o", "size=1m", "none", bench.target)
    (bench.source / "big").write_bytes(os.urandom(3 << 20))
    bench.ready()
    outcome = bench.ask("precopy")
    error = judged(outcome, final=False)
    assert outcome["attempts"] == 2, "one more in place, and no third one"
    assert error.files == ("big",)
    assert "is full" in error.reason
    assert "at least 4Mi" in error.mend


def test_what_a_failed_pass_has_left_does_not_keep_a_full_destination_full(bench: Bench) -> None:
    bench.mount("-t", "tmpfs", "-o", "size=2m", "none", bench.target)
    with pytest.raises(OSError, match="No space left"):
        (bench.target / "blob").write_bytes(bytes(4 << 20))
    (bench.source / "blob").write_bytes(os.urandom(1 << 20))
    bench.ready()
    outcome = bench.ask("precopy")
    assert (outcome["exit"], outcome["attempts"]) == (0, 2)
    assert (bench.target / "blob").read_bytes() == (bench.source / "blob").read_bytes()


def test_unreadable_files_stop_a_user_before_the_first_byte(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(profile="restricted")
    bench.own(65534)
    (bench.source / "open").write_text("x")
    (bench.source / "closed").write_text("x")
    (bench.source / "closed").chmod(0o600)
    (bench.source / "locked\nfolder").mkdir(0o700)
    (bench.source / "locked\nfolder/inside").write_text("x")
    os.symlink("nowhere", bench.source / "dangling")
    bench.ready()
    outcome = bench.ask("precopy")
    error = judged(outcome, final=False, profile="restricted")
    assert sorted(error.files) == ["closed", "locked\nfolder"]
    assert "cannot read 2 file(s)" in error.reason
    assert list(bench.target.iterdir()) == []


def test_restricted_user_copies_what_it_can_read(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(profile="restricted")
    bench.own(65534)
    (bench.source / "folder").mkdir()
    (bench.source / "folder/file").write_text("x")
    os.chown(bench.source / "folder/file", 4711, 4711)
    os.utime(bench.source / "folder/file", ns=(1, 1_111_111_111_123_456_789))
    bench.source.chmod(0o777)
    os.chown(bench.target, 0, 65534)
    bench.target.chmod(0o2775)
    bench.ready()
    result = passes.result(MOVE, facts.outcome(bench.ask("final", flags="final")), final=True, profile="restricted")
    copied = (bench.target / "folder/file").stat()
    assert (copied.st_uid, copied.st_mtime_ns) == (65534, 1_111_111_111_123_456_789)
    assert "owner, mode and time of the volume's root directory" in result.downgrades
    assert any("owners" in text for text in result.downgrades)


def test_file_system_without_attributes_is_a_downgrade(bench: Bench) -> None:
    bench.mount("-t", "ramfs", "none", bench.target)
    (bench.source / "file").write_text("x")
    os.setxattr(bench.source / "file", "user.colour", b"blue")
    os.setxattr(bench.source / "file", "system.posix_acl_access", ACL)
    bench.ready()
    outcome = facts.outcome(bench.ask("final", flags="final"))
    assert passes.result(MOVE, outcome, final=True, profile="root").exit_code == 0
    assert set(outcome.downgrades) == {"acls", "xattrs"}
    assert (bench.target / "file").read_text() == "x"
    assert bench.ask("verify", "check")["exit"] == 0


def test_devices_are_skipped_and_said(bench: Bench) -> None:
    os.mknod(bench.source / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    (bench.source / "file").write_text("x")
    bench.ready()
    outcome = facts.outcome(bench.ask("final", flags="final"))
    assert outcome.exit_code == 0
    assert outcome.downgrades == ("devices",)
    assert [path.name for path in bench.target.iterdir()] == ["file"]
    verdict = verdicts.verdict(MOVE, facts.outcome(bench.ask("verify", "check")), "root")
    assert (verdict.ok, verdict.files) == (True, 2)
    assert verdict.downgrades == ("device nodes are not copied",)


def test_broken_tunnel_is_mended_and_the_pass_goes_on(bench: Bench) -> None:
    (bench.source / "big").write_bytes(os.urandom(6 << 20))
    bench.ready()
    answer = bench.request("final", limit=2000, flags="final")
    assert answer.returncode == 0
    bench.wait_for("progress")
    os.kill(bench.processes_of("server", "stunnel4")[0], signal.SIGKILL)
    bench.wait_for("retry", seconds=15)
    bench.stop("server")
    bench.start("server")
    outcome = bench.ask("final", flags="final", limit=2000)
    assert outcome["exit"] == 0
    assert outcome["attempts"] >= 2
    assert (bench.target / "big").read_bytes() == (bench.source / "big").read_bytes()


def test_a_pass_that_gets_no_byte_through_ends_after_so_many_attempts(bench: Bench) -> None:
    (bench.source / "file").write_text("content")
    bench.attempts = 2
    bench.ready()
    bench.stop("server")
    outcome = bench.ask("final", flags="final")
    assert (outcome["exit"] in passes.TRANSPORT, outcome["attempts"]) == (True, 2)


def test_vanishing_files_are_normal_only_while_the_application_runs(bench: Bench) -> None:
    for number in range(2000):
        (bench.source / f"{number:04}").write_bytes(b"x" * 3000)
    bench.ready()
    assert bench.request("precopy", limit=1500).returncode == 0
    bench.wait_for("progress")
    for number in range(1000, 2000):
        (bench.source / f"{number:04}").unlink()
    outcome = facts.outcome(bench.ask("precopy"))
    result = passes.result(MOVE, outcome, final=False, profile="root")
    assert (result.exit_code, result.vanished) == (24, True)
    with pytest.raises(VolumeFailed, match="vanished although the application is stopped") as raised:
        passes.result(MOVE, outcome, final=True, profile="root")
    assert len(raised.value.files) > 0
    assert all(len(Path(name).name) == 4 for name in raised.value.files)


def test_term_ends_both_sides_at_once(bench: Bench) -> None:
    (bench.source / "big").write_bytes(os.urandom(6 << 20))
    bench.ready()
    bench.request("precopy", limit=500)
    bench.wait_for("progress")
    for side in ("client", "server"):
        process = bench.processes[side]
        began = time.monotonic()
        process.terminate()
        assert process.wait(timeout=2) == 143
        assert time.monotonic() - began < 0.5


def test_no_secret_in_arguments_environment_or_logs(bench: Bench) -> None:
    (bench.source / "big").write_bytes(os.urandom(4 << 20))
    bench.ready()
    bench.request("precopy", limit=1000)
    bench.wait_for("progress")
    secrets = [PASSWORD, bench.authority.clients["here"].key.splitlines()[1]]
    seen = 0
    for side in ("client", "server"):
        for program in ("dash", "sh", "rsync", "stunnel4"):
            for pid in bench.processes_of(side, program):
                for name in ("cmdline", "environ"):
                    try:
                        text = Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace")
                    except (FileNotFoundError, ProcessLookupError):
                        continue  # it has ended since it was listed
                    assert not any(secret in text for secret in secrets)
                    seen += bool(text)
        assert not any(secret in bench.log(side) for secret in secrets)
    assert seen >= 10
    assert MODULE in bench.log("server")
