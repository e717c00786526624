# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The comparison that the scripts of indirect volumes make themselves: nothing that was restored otherwise is called
equal. restic is played by a few lines of shell that copy a folder there and back, and may do it badly; the real one
works in the integration tests."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import VolumeFailed
from ansible_collections.openmig.mtc.plugins.module_utils.volumes import facts, restic_outcomes
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.configuration import excludes_file
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.repository import Repository, Snapshot
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.script_leave_out import MOST_PATTERNS
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.script_restic import RESTIC_SCRIPTS

from .builders import move

RESTIC = r"""#!/bin/sh
set -eu
if [ -s "$REPOSITORY/calls" ]; then
    store=$(head -n 1 "$REPOSITORY/calls")
    sed -i 1d "$REPOSITORY/calls"
    [ "$store" = there ] || { echo "Fatal: unable to open config file: connection refused" >&2; exit 1; }
fi
case $1 in
backup)
    case " $* " in
    *" shop/noise "*) seq 500 >&2; echo "Fatal: the last word" >&2; exit 1 ;;
    *" --stdin "*) cat >"$REPOSITORY/manifest" ;;
    *)
        excluded= before=
        for last; do [ "$before" != --exclude-file ] || excluded=$last; before=$last; done
        rm -rf "$REPOSITORY/volume"
        cp -a "$last" "$REPOSITORY/volume"
        if [ -n "$excluded" ]; then
            while IFS= read -r pattern; do
                find "$REPOSITORY/volume" -path "$REPOSITORY/volume${pattern#"$last"}" -prune -exec rm -rf {} +
            done <"$excluded"
            (cd "$last" && find . -type d -exec touch -c -r {} "$REPOSITORY/volume/{}" \;)
        fi
        ;;
    esac
    echo '{"message_type":"status","percent_done":0.5,"bytes_done":1,"current_files":["/volume/x"]}'
    echo '{"message_type":"summary","files_new":1,"total_files_processed":3,"data_added":7,"snapshot_id":"abc"}'
    ;;
restore) cp -a "$REPOSITORY/volume/." "$4/volume/"; eval "${TAMPER:-:}" ;;
dump) cat "$REPOSITORY/manifest" ;;
esac
"""
"""The stand-in. ``TAMPER`` is done to what has been restored, in the folder that holds the volume."""
REPOSITORY = Repository(address="s3:x", environment={}, files={"password": "secret-of-the-test"})


class Carrier:
    """A source and a destination that are mounted, and the scripts of both pods."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.source, self.target = root / "a/volume", root / "b/volume"
        for name in ("scripts", "config", "bin", "repository", "state", "a/volume", "b/volume"):
            (root / name).mkdir(parents=True)
        for name, text in RESTIC_SCRIPTS.items():
            (root / "scripts" / name).write_text(text)
        program = root / "bin/restic"
        program.write_text(RESTIC)
        program.chmod(0o755)
        for path in (self.source, self.target):
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", path], check=True)

    def close(self) -> None:
        for path in (self.source, self.target):
            subprocess.run(["umount", "--lazy", path], check=True)

    def run(self, script: str, **environment: str) -> facts.Outcome:
        subprocess.run(["rm", "-rf", self.root / "state"], check=True)
        (self.root / "state").mkdir()
        end = self.root / "end"
        done = subprocess.run(
            ["dash", self.root / "scripts" / script],
            env={
                "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
                "REPOSITORY": str(self.root / "repository"),
                "OPENMIG_SCRIPTS": str(self.root / "scripts"),
                "OPENMIG_STATE": str(self.root / "state"),
                "OPENMIG_END": str(end),
                "OPENMIG_VARIABLES": "",
                "OPENMIG_OPTIONS": "",
                "OPENMIG_PASS": "final",
                "OPENMIG_FINAL": "yes",
                "OPENMIG_FORCE": "no",
                "OPENMIG_EXCLUDING": "no",
                "OPENMIG_CONFIG": str(self.root / "config"),
                "OPENMIG_HOST": "shop/data",
                "OPENMIG_TAG": "t",
                "OPENMIG_PROFILE": "root",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        fact: dict[str, Any] = json.loads(end.read_text())
        assert len(end.read_text()) <= 4096
        assert (done.returncode == 0) == (fact["exit"] == 0), done.stderr
        return facts.outcome(fact)

    def backup(self, **environment: str) -> Snapshot:
        ended = self.run("backup.sh", OPENMIG_VOLUME=str(self.source), **environment)
        restic_outcomes.backed_up(move(), ended, REPOSITORY, final=True)
        return restic_outcomes.snapshot(ended)

    def restore(self, made: Snapshot, **environment: str) -> facts.Outcome:
        return self.run(
            "restore.sh",
            OPENMIG_VOLUME=str(self.target),
            OPENMIG_SNAPSHOT=made.volume,
            OPENMIG_MANIFEST=made.manifest,
            OPENMIG_ENTRIES=str(made.entries),
            **environment,
        )


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[Carrier]:
    made = Carrier(tmp_path)
    volume = made.source
    (volume / "deep/er").mkdir(parents=True)
    (volume / "plain").write_text("plain")
    (volume / 'deep/ odd\n"name"\'').write_text("odd")
    (volume / "deep/er/empty").touch()
    (volume / "private").write_text("private")
    os.chown(volume / "private", 1234, 2345)
    (volume / "private").chmod(0o600)
    os.link(volume / "plain", volume / "hard")
    os.symlink("/nowhere", volume / "dangling")
    os.mkfifo(volume / "pipe")
    os.utime(volume / "deep", (981173106, 981173106))
    volume.chmod(0o2750)
    yield made
    made.close()


def test_what_was_restored_well_is_proven_and_what_was_there_before_is_gone(carrier: Carrier) -> None:
    (carrier.target / "stale").mkdir()
    (carrier.target / "stale/file").write_text("of an earlier run")
    made = carrier.backup()
    assert (made.volume, made.manifest, made.entries, made.files) == ("abc", "abc", 9, 5)
    verdict = restic_outcomes.verdict(move(), carrier.restore(made), made, REPOSITORY, "root")
    assert (verdict.ok, verdict.reason, verdict.files, verdict.checked_now) == (True, "", 9, 5)
    assert not (carrier.target / "stale").exists()


@pytest.mark.parametrize("calls", ["away", "there away"])
def test_a_store_that_is_away_when_restic_begins_is_waited_for(carrier: Carrier, calls: str) -> None:
    told = carrier.root / "repository/calls"
    told.write_text(calls.replace(" ", "\n") + "\n")
    made = carrier.backup()
    assert told.read_text() == ""
    told.write_text(calls.replace(" ", "\n") + "\n")
    verdict = restic_outcomes.verdict(move(), carrier.restore(made), made, REPOSITORY, "root")
    assert told.read_text() == ""
    assert verdict.ok


def test_a_store_that_stays_away_is_told_when_the_patience_is_over(carrier: Carrier) -> None:
    made = carrier.backup()
    (carrier.root / "repository/calls").write_text("away\n" * 9)
    with pytest.raises(VolumeFailed, match="unable to open config file"):
        restic_outcomes.verdict(move(), carrier.restore(made, OPENMIG_PATIENCE="1"), made, REPOSITORY, "root")


BAD: dict[str, tuple[str, tuple[str, ...]]] = {
    "content": ("printf PLAIN >$4/volume/plain; touch -r $REPOSITORY/volume/plain $4/volume/plain", ("hard", "plain")),
    "missing": (
        "rm $4/volume/deep/er/empty; touch -r $REPOSITORY/volume/deep/er $4/volume/deep/er",
        ("deep/er/empty",),
    ),
    "surplus": ("touch $4/volume/more; touch -r $REPOSITORY/volume $4/volume", ("more",)),
    "owner": ("chown 0:0 $4/volume/private", ("private",)),
    "mode": ("chmod 0644 $4/volume/private", ("private",)),
    "time": ("touch -d 2020-01-01 $4/volume/private", ("private",)),
    "root": ("chmod 0700 $4/volume", (".",)),
    "link": ("ln -sfn /elsewhere $4/volume/dangling; touch -r $REPOSITORY/volume $4/volume", ("dangling",)),
    "kind": ("rm $4/volume/pipe; : >$4/volume/pipe; touch -r $REPOSITORY/volume $4/volume", ("pipe",)),
}


@pytest.mark.parametrize("what", sorted(BAD))
def test_whatever_differs_is_found_and_named(carrier: Carrier, what: str) -> None:
    tamper, files = BAD[what]
    made = carrier.backup()
    verdict = restic_outcomes.verdict(move(), carrier.restore(made, TAMPER=tamper), made, REPOSITORY, "root")
    assert not verdict.ok
    assert verdict.reason
    assert set(files) <= {name.partition(" -> ")[0] for name in verdict.differing}


def test_without_root_owners_and_the_root_directory_are_not_compared_and_everything_else_is(carrier: Carrier) -> None:
    made = carrier.backup()
    changes = "chown -hR 65534 $4/volume; chmod 00700 $4/volume"
    good = carrier.restore(made, OPENMIG_PROFILE="restricted", TAMPER=changes)
    verdict = restic_outcomes.verdict(move(), good, made, REPOSITORY, "restricted")
    assert verdict.ok
    assert any("owner" in line for line in verdict.downgrades)
    bad = carrier.restore(made, OPENMIG_PROFILE="restricted", TAMPER=f"{changes}; chmod 0644 $4/volume/private")
    verdict = restic_outcomes.verdict(move(), bad, made, REPOSITORY, "restricted")
    assert (verdict.ok, verdict.differing) == (False, ("private",))


def leaving_out(carrier: Carrier, *patterns: str) -> Snapshot:
    (carrier.root / "config/excludes").write_text(excludes_file(patterns))
    return carrier.backup(OPENMIG_EXCLUDING="yes")


def test_what_is_left_out_is_neither_carried_nor_proven_and_the_rest_is(carrier: Carrier) -> None:
    for name in ("star*", "a [b]", "back\\slash", "new\nline", "end "):
        (carrier.source / f"deep/{name}.d").mkdir()
        (carrier.source / f"deep/{name}.d/file").touch()
        (carrier.source / f"deep/{name}.kept").touch()
        (carrier.source / f"temporary.{name}").touch()
    # Of two links to one file one is left out; the other is a file with one link then.
    made = leaving_out(carrier, "*.d/", "temporary.*", "/hard", "er")
    assert (made.excluded, made.entries, made.files) == (12, 11, 8)
    verdict = restic_outcomes.verdict(move(), carrier.restore(made), made, REPOSITORY, "root")
    assert (verdict.ok, verdict.reason, verdict.excluded) == (True, "", 12)
    assert sorted(path.name for path in carrier.target.iterdir()) == ["dangling", "deep", "pipe", "plain", "private"]
    assert len(list((carrier.target / "deep").iterdir())) == 6


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        ("printf PLAIN >$4/volume/plain; touch -r $REPOSITORY/volume/plain $4/volume/plain", "plain"),
        ("mkdir $4/volume/deep/er; touch -r $REPOSITORY/volume/deep $4/volume/deep", "deep/er"),
    ],
    ids=["content", "carried-all-the-same"],
)
def test_where_something_is_left_out_whatever_differs_is_found(carrier: Carrier, tamper: str, named: str) -> None:
    made = leaving_out(carrier, "er/")
    verdict = restic_outcomes.verdict(move(), carrier.restore(made, TAMPER=tamper), made, REPOSITORY, "root")
    assert not verdict.ok
    assert named in verdict.differing


def test_everything_that_is_left_out_may_be_unreadable_or_a_device(carrier: Carrier) -> None:
    os.mknod(carrier.source / "null", 0o600 | 0o020000, os.makedev(1, 3))
    assert leaving_out(carrier, "null").excluded == 0
    ended = carrier.run("backup.sh", OPENMIG_VOLUME=str(carrier.source), OPENMIG_EXCLUDING="yes", OPENMIG_FINAL="no")
    assert ended.exit_code == 0


def test_when_nobody_can_say_what_is_left_out_nothing_is(carrier: Carrier) -> None:
    ended = carrier.run("backup.sh", OPENMIG_VOLUME=str(carrier.source), OPENMIG_EXCLUDING="yes")
    assert ended.exit_code == facts.UNREADABLE
    assert "excludes" in ended.errors
    assert not (carrier.root / "repository/volume").exists()


def test_more_than_restic_can_compare_is_refused_with_the_way_round(carrier: Carrier) -> None:
    for number in range(MOST_PATTERNS + 1):
        (carrier.source / f"{number}.tmp").touch()
    (carrier.root / "config/excludes").write_text(excludes_file(["*.tmp"]))
    ended = carrier.run("backup.sh", OPENMIG_VOLUME=str(carrier.source), OPENMIG_EXCLUDING="yes")
    with pytest.raises(VolumeFailed) as raised:
        restic_outcomes.backed_up(move(), ended, REPOSITORY, final=True)
    assert f"excludes match {MOST_PATTERNS + 1} separate entries" in raised.value.message
    assert "Exclude whole folders" in raised.value.message


def test_an_empty_volume_stays_empty(carrier: Carrier) -> None:
    subprocess.run(["find", carrier.source, "-mindepth", "1", "-delete"], check=True)
    (carrier.target / "old").touch()
    made = carrier.backup()
    assert (made.entries, made.files) == (0, 0)
    assert restic_outcomes.verdict(move(), carrier.restore(made), made, REPOSITORY, "root").ok
    assert list(carrier.target.iterdir()) == []


def test_a_volume_that_is_not_mounted_is_never_taken_for_an_empty_one(carrier: Carrier, tmp_path: Path) -> None:
    (tmp_path / "c/volume").mkdir(parents=True)
    for script in ("backup.sh", "restore.sh"):
        ended = carrier.run(script, OPENMIG_VOLUME=str(tmp_path / "c/volume"), OPENMIG_MANIFEST="")
        assert ended.exit_code == facts.NOT_MOUNTED


def test_of_a_long_complaint_the_last_word_is_told(carrier: Carrier) -> None:
    ended = carrier.run("backup.sh", OPENMIG_VOLUME=str(carrier.source), OPENMIG_HOST="shop/noise")
    with pytest.raises(VolumeFailed) as raised:
        restic_outcomes.backed_up(move(), ended, REPOSITORY, final=True)
    assert "Fatal: the last word" in raised.value.message


def test_a_device_node_is_named(carrier: Carrier) -> None:
    os.mknod(carrier.source / "null", 0o600 | 0o020000, os.makedev(1, 3))
    ended = carrier.run("backup.sh", OPENMIG_VOLUME=str(carrier.source))
    assert ended.exit_code == restic_outcomes.DEVICE
    assert ended.errors.strip().endswith("volume/null")


def test_what_is_under_way_is_told_without_names_of_files(carrier: Carrier) -> None:
    follow: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run
    script = f'OPENMIG_SCRIPTS={carrier.root / "scripts"}; . "$OPENMIG_SCRIPTS/restic.sh"; follow {carrier.root / "s"}'
    told = follow(
        ["dash", "-c", script],
        env={"PATH": os.environ["PATH"], "OPENMIG_STATE": str(carrier.root / "state"), "OPENMIG_VARIABLES": ""},
        input='{"message_type":"status","percent_done":0.5,"current_files":["/volume/x"]}\nnoise\n',
        capture_output=True,
        text=True,
        check=True,
    )
    assert [json.loads(line) for line in told.stdout.splitlines()] == [{"message_type": "status", "percent_done": 0.5}]
