# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A hook's options, its playbook in whatever form it comes, and the conditions that its spec alone deserves."""

from __future__ import annotations

import base64
import binascii
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from ansible_collections.openmig.mtc.plugins.module_utils.engine import ensure_hook, hook_reconciler
from ansible_collections.openmig.mtc.plugins.module_utils.resources import mighook
from ansible_collections.openmig.mtc.plugins.module_utils.resources.image_reference import is_image_reference

TEXT = "- hosts: localhost\n"
ENCODED = base64.b64encode(TEXT.encode()).decode()
HOOK: dict[str, Any] = {"name": "h", "image": "runner:1", "target_cluster": "source", "playbook": TEXT}

GOOD_IMAGES = (
    "busybox",
    "busybox:1.36",
    "localhost:5000/team/app",
    "Registry.Example.com:5000/a/b__c/d-e.f_g--h:V1_2-3.4",
    "quay.io/konveyor/hook-runner@sha256:" + "a" * 64,
    "app:tag@sha256+b64u:" + "0" * 32,
)
BAD_IMAGES = (
    "",
    "App",
    "app:",
    "app:-tag",
    "app:" + "t" * 129,
    "app@sha256:" + "a" * 31,
    "a//b",
    "-a/b",
    "a_/b",
    "a___b",
    "https://quay.io/a",
    "app ",
    "app\n",
    "\u0661pp",
    "registry.example.com:port/app",
)


def paths(problems: list[Any]) -> list[str]:
    return [problem.path for problem in problems]


@pytest.mark.parametrize("image", GOOD_IMAGES)
def test_these_are_images(image: str) -> None:
    assert is_image_reference(image)


@pytest.mark.parametrize("image", BAD_IMAGES)
def test_these_are_not(image: str) -> None:
    assert not is_image_reference(image)
    assert paths(mighook.validate({**HOOK, "image": image})) == ["image"]


@pytest.mark.parametrize("piece", ["a", "a-", "a.", "a_", "a__", "-", "a/", "A", "a:", "a@", "a@b+", "a-b.", "0"])
def test_a_wrong_image_of_any_length_is_refused_at_once(piece: str) -> None:
    began = time.monotonic()
    assert not is_image_reference(piece * 20000 + "!")
    assert time.monotonic() - began < 5  # the pattern that backtracks needs longer than the universe has


def test_a_playbook_is_stored_alike_whichever_way_it_comes(tmp_path: Path) -> None:
    file = tmp_path / "hook.yml"
    file.write_text(TEXT)
    folded = f"{ENCODED[:5]}\n{ENCODED[5:]}\n"
    forms = ({"playbook": TEXT}, {"playbook_base64": folded}, {"playbook_file": str(file)})
    read = [ensure_hook.with_playbook(form) for form in forms]
    assert [problems for _params, problems in read] == [[], [], []]
    assert {mighook.build_spec(params)["playbook"] for params, _problems in read} == {ENCODED}


@pytest.mark.parametrize("content", [None, b" \n"])
def test_a_playbook_file_that_holds_none_is_told_with_its_path(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "hook.yml"
    if content is not None:
        file.write_bytes(content)
    _params, problems = ensure_hook.with_playbook({"playbook_file": str(file)})
    assert paths(problems) == ["playbook_file"]
    assert str(file) in problems[0].fault


def test_a_new_hook_runs_a_playbook_unless_told_otherwise() -> None:
    spec = mighook.merge_spec(None, mighook.build_spec(HOOK))
    assert spec == {"custom": False, "image": "runner:1", "targetCluster": "source", "playbook": ENCODED}
    assert mighook.incomplete(spec) == []


def test_what_a_new_hook_lacks_is_told_at_once() -> None:
    assert paths(mighook.incomplete(mighook.merge_spec(None, {}))) == ["image", "target_cluster", "playbook"]


def test_a_stored_playbook_that_says_the_same_stays_as_it_is_folded() -> None:
    stored = {**mighook.merge_spec(None, mighook.build_spec(HOOK)), "playbook": f"{ENCODED[:8]}\n{ENCODED[8:]}"}
    assert mighook.drift(stored, mighook.build_spec({"playbook": TEXT})) == {}


def test_a_changed_playbook_is_shown_in_clear() -> None:
    stored = mighook.merge_spec(None, mighook.build_spec(HOOK))
    wanted = mighook.build_spec({"playbook": "- hosts: all\n"})
    assert mighook.drift(stored, wanted) == {"before": {"playbook": TEXT}, "after": {"playbook": "- hosts: all\n"}}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"playbook_base64": ENCODED}, ["playbook_base64"]),
        ({"playbook": None, "playbook_base64": "YQ"}, ["playbook_base64"]),
        ({"custom": True}, ["playbook"]),
        ({"custom": False, "playbook": ""}, ["playbook"]),
        ({"active_deadline_seconds": -1}, ["active_deadline_seconds"]),
        ({"active_deadline_seconds": 2**63}, ["active_deadline_seconds"]),
        ({"playbook": "x" * 1_000_001}, ["playbook"]),
        ({"image": "A", "target_cluster": "both", "custom": True}, ["image", "target_cluster", "playbook"]),
        ({"name": "A_", "state": "absent"}, ["name"]),
    ],
)
def test_faults_of_the_options(changes: dict[str, Any], found: list[str]) -> None:
    assert paths(mighook.validate({**HOOK, **changes})) == found


@given(st.text(alphabet="AZaz09+/=\r\n -_", max_size=24))
@example("0000=")
def test_base64_is_what_a_strict_decoder_takes(text: str) -> None:
    joined = text.replace("\r", "").replace("\n", "")
    try:
        wanted: bytes | None = binascii.a2b_base64(joined, strict_mode=True)
    except binascii.Error:
        wanted = None
    # Python lets more padding pass than there can be.
    assert mighook.playbook_of({"playbook": text}) == (None if len(joined) % 4 else wanted)


SPEC = {"custom": False, "image": "runner:1", "targetCluster": "source", "playbook": ENCODED}
CASES = [
    ({}, []),
    ({"image": "Runner:1"}, ["InvalidImage"]),
    ({"targetCluster": "both"}, ["InvalidTarget"]),
    ({"playbook": "!"}, ["InvalidPlaybookData"]),
    ({"custom": True}, ["InvalidCustomHook"]),
    ({"playbook": ""}, ["InvalidAnsibleHook"]),
    ({"custom": True, "playbook": ""}, []),
    (
        {"image": "", "targetCluster": "", "playbook": "!", "custom": True},
        ["InvalidImage", "InvalidTarget", "InvalidPlaybookData", "InvalidCustomHook"],
    ),
]


@pytest.mark.parametrize(("changes", "types"), CASES)
def test_every_check_runs_and_in_upstreams_order(changes: dict[str, Any], types: list[str]) -> None:
    status = hook_reconciler.check_hook(spec={**SPEC, **changes}, status={})
    conditions = status["conditions"]
    assert [item["type"] for item in conditions] == (types or ["Ready"])
    if types:
        assert {(item["category"], item["reason"], item["status"]) for item in conditions} == {
            ("Critical", "NotSet", "True")
        }
