# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ends of restic's jobs become figures, verdicts and errors; nothing partial becomes green, nothing secret is
told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import PermanentError, VolumeFailed
from ansible_collections.openmig.mtc.plugins.module_utils.volumes import restic_outcomes
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.repository import Repository, Snapshot

from .builders import move, outcome

REPOSITORY = Repository(
    address="s3:http://store/bucket/velero/restic/openmig-shop",
    environment={},
    files={
        "password": "the-password",
        "aws": "[default]\naws_access_key_id=AKIAPLANTED\naws_secret_access_key=hidden88\n",
    },
)
SUMMARY = json.dumps(
    {
        "message_type": "summary",
        "files_new": 2,
        "files_changed": 1,
        "total_files_processed": 9,
        "total_bytes_processed": 900,
        "data_added": 77,
        "snapshot_id": "0a1b2c3d",
    }
)
GOOD = Snapshot(volume="a", manifest="b", entries=4, files=3, bytes=10)


def unread(path: str, number: int) -> str:
    """As restic 0.14 says that it could not read a file."""
    error = {"Op": "open", "Path": path, "Err": number}
    return json.dumps({"message_type": "error", "error": error, "during": "archival", "item": path}) + "\n"


def test_a_good_backup_has_restics_figures_and_snapshots() -> None:
    second = json.dumps({"snapshot_id": "4d5e6f70"})
    ended = outcome(kind="backup", summary=SUMMARY, manifest=second, entries=12, files=9)
    result = restic_outcomes.backed_up(move(), ended, REPOSITORY, final=True)
    assert (result.files_total, result.files_transferred, result.bytes_transferred) == (9, 3, 77)
    made = restic_outcomes.snapshot(ended)
    assert made == Snapshot(volume="0a1b2c3d", manifest="4d5e6f70", entries=12, files=9, bytes=900)


@pytest.mark.parametrize("exit_code", [1, 3, 90, 91, 95, 137])
@pytest.mark.parametrize("final", [True, False])
def test_every_other_end_of_a_backup_is_a_failure(exit_code: int, final: bool) -> None:
    with pytest.raises(VolumeFailed) as raised:
        restic_outcomes.backed_up(move(), outcome(exit_code, summary=SUMMARY), REPOSITORY, final=final)
    assert raised.value.message.startswith("PersistentVolumeClaim shop/data: ")
    assert raised.value.mend


def test_files_that_went_are_good_while_the_application_runs_only() -> None:
    ended = outcome(3, errors=unread("/volume/gone", 2), summary=SUMMARY)
    assert restic_outcomes.backed_up(move(), ended, REPOSITORY, final=False).vanished
    with pytest.raises(VolumeFailed) as raised:
        restic_outcomes.backed_up(move(), ended, REPOSITORY, final=True)
    assert raised.value.files == ("gone",)


def test_a_file_that_may_not_be_read_is_never_passed_over() -> None:
    errors = unread("/volume/gone", 2) + unread("/volume/private", 13)
    with pytest.raises(VolumeFailed) as raised:
        restic_outcomes.backed_up(move(), outcome(3, errors=errors, summary=SUMMARY), REPOSITORY, final=False)
    assert "private" in raised.value.files


def test_errors_that_were_cut_off_are_not_taken_for_vanished_files() -> None:
    ended = outcome(3, errors=unread("/volume/gone", 2), error_lines=40, summary=SUMMARY)
    with pytest.raises(VolumeFailed):
        restic_outcomes.backed_up(move(), ended, REPOSITORY, final=False)


@pytest.mark.parametrize(
    ("exit_code", "fields", "ok"),
    [(0, {}, True), (93, {"content_count": 1, "content": "x"}, False), (93, {"unlike_count": 2, "unlike": "."}, False)],
)
def test_a_verdict_is_good_only_without_a_difference(exit_code: int, fields: dict[str, Any], ok: bool) -> None:
    verdict = restic_outcomes.verdict(move(), outcome(exit_code, **fields), GOOD, REPOSITORY, "root")
    assert (verdict.ok, bool(verdict.reason)) == (ok, not ok)


def test_without_a_list_there_is_no_good_verdict() -> None:
    unproven = Snapshot(volume="a")
    assert not restic_outcomes.verdict(move(), outcome(), unproven, REPOSITORY, "root").ok


def test_a_full_destination_is_named_with_the_way_out() -> None:
    ended = outcome(1, errors="write /restore/volume/blob: no space left on device\n")
    with pytest.raises(VolumeFailed) as raised:
        restic_outcomes.verdict(move(), ended, GOOD, REPOSITORY, "root")
    assert "is full" in raised.value.message
    assert "larger size" in raised.value.message


@pytest.mark.parametrize("secret", ["the-password", "AKIAPLANTED", "hidden88"])
def test_no_secret_is_told_even_if_restic_says_it(secret: str) -> None:
    with pytest.raises(PermanentError) as opened:
        restic_outcomes.require_open(outcome(1, errors=f"Fatal: {secret} is no good\n"), REPOSITORY)
    with pytest.raises(VolumeFailed) as failed:
        restic_outcomes.backed_up(move(), outcome(1, errors=f"Fatal: {secret}\n"), REPOSITORY, final=True)
    for told in (opened.value.message, failed.value.message, repr(REPOSITORY), REPOSITORY.ending):
        assert secret not in told
