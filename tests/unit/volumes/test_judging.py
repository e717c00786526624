# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Outcomes become results, verdicts and errors; nothing partial becomes green."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import VolumeFailed
from ansible_collections.openmig.mtc.plugins.module_utils.volumes import facts, passes, verdicts
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.model import SettledProfile, Verdict, VolumeMove

from .builders import move, outcome
from .test_itemize import STATISTICS

COUNTED = STATISTICS
FEWER = STATISTICS.replace("50,003", "50,002")


@pytest.mark.parametrize("exit_code", [1, 2, 5, 10, 11, 12, 20, 22, 23, 25, 30, 35, 90, 91, 92, 94, 137])
@pytest.mark.parametrize("final", [True, False])
def test_every_other_exit_is_a_failure(exit_code: int, final: bool) -> None:
    with pytest.raises(VolumeFailed) as raised:
        passes.result(move(), outcome(exit_code), final=final, profile="root")
    assert raised.value.message.startswith("PersistentVolumeClaim shop/data: ")
    assert raised.value.mend


def test_vanished_files_are_good_in_a_pre_copy_only() -> None:
    ended = outcome(24, errors='file has vanished: "/volume/x"\n', stats=STATISTICS)
    result = passes.result(move(), ended, final=False, profile="root")
    assert (result.vanished, result.files_total, result.seconds) == (True, 50003, 1.5)
    with pytest.raises(VolumeFailed) as raised:
        passes.result(move(), ended, final=True, profile="root")
    assert raised.value.files == ("x",)


@pytest.mark.parametrize(("profile", "good"), [("restricted", True), ("root", False)])
def test_root_directory_of_others_is_excused_without_root_only(profile: SettledProfile, good: bool) -> None:
    ended = outcome(
        23, errors='rsync: [generator] failed to set permissions on "/." (in v1): Operation not permitted (1)\n'
    )
    if good:
        assert "root directory" in passes.result(move(), ended, final=True, profile=profile).downgrades[-1]
    else:
        with pytest.raises(VolumeFailed):
            passes.result(move(), ended, final=True, profile=profile)


def test_root_directory_excuses_nothing_else() -> None:
    errors = (
        'rsync: [generator] failed to set permissions on "/." (in v1): Operation not permitted (1)\n'
        'rsync: [sender] send_files failed to open "/volume/x": Permission denied (13)\n'
    )
    with pytest.raises(VolumeFailed) as raised:
        passes.result(move(), outcome(23, errors=errors), final=True, profile="restricted")
    assert "x" in raised.value.files


def test_proposed_size_holds_the_source_and_is_more_than_now() -> None:
    size = STATISTICS.replace("866665", str(5 << 30))
    assert passes.proposed_size(move(), outcome(11, size=size)) == 6 << 30
    assert passes.proposed_size(move(size=8 << 30), outcome(11, size=size)) == 10 << 30


def check(exit_code: int = 0, **fields: Any) -> Verdict:
    counted = {"stats": COUNTED, "there": COUNTED, "total": 10, "checked": 4, **fields}
    return verdicts.verdict(move(), outcome(exit_code, kind="check", **counted), "root")


def test_good_verdict() -> None:
    verdict = check()
    assert verdict.ok
    assert (verdict.files, verdict.bytes, verdict.proven_earlier, verdict.checked_now) == (50003, 866665, 6, 4)
    assert Verdict.from_dict(json.loads(json.dumps(verdict.to_dict()))) == verdict


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"exit_code": 93, "content_count": 2, "content": "a\nb\n"}, "content of 2 file"),
        ({"exit_code": 93, "unlike_count": 1, "unlike": ".f...p..... a\n"}, "1 entry differ"),
        (
            {"exit_code": 23, "errors": 'rsync: read errors mapping "/volume/a": Input/output error (5)\n'},
            "could not be compared",
        ),
        ({"exit_code": 24}, "could not be compared"),
        ({"there": FEWER}, "the destination 50002"),
        ({"there": ""}, "could not be counted"),
        ({"stats": ""}, "could not be counted"),
    ],
)
def test_bad_verdicts(fields: dict[str, Any], reason: str) -> None:
    verdict = check(**fields)
    assert not verdict.ok
    assert reason in verdict.reason


@pytest.mark.parametrize("exit_code", [1, 5, 12, 20, 90, 91, 94])
def test_a_check_that_was_not_made_is_no_verdict(exit_code: int) -> None:
    with pytest.raises(VolumeFailed):
        check(exit_code)


def test_files_are_the_same_move_after_a_round_trip() -> None:
    original = move(labels={"a": "b"})
    again = VolumeMove.from_dict(json.loads(json.dumps(original.to_dict())))
    assert again == original
    assert hash(again) == hash(original)


def test_facts_skip_what_is_no_fact() -> None:
    lines = [
        "rsync: something in clear",
        '{"fact":"progress","pass":"p","line":"x"}',
        '{"fact":"done","pass":',
        '["fact"]',
        "{}",
        '{"fact":"done","pass":"p","exit":0}',
    ]
    assert [fact["fact"] for fact in facts.facts(lines)] == ["progress", "done"]
