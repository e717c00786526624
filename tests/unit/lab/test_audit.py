# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What counts as a write in an audit log, and how the log is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab import audit


def event(**changes: Any) -> dict[str, Any]:
    return {
        "verb": "create",
        "user": {"username": "somebody"},
        "objectRef": {"resource": "configmaps"},
        "requestURI": "/api/v1/namespaces/shop/configmaps",
        "responseStatus": {"code": 201},
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"verb": "deletecollection", "responseStatus": {"code": 200}}, True),
        ({"verb": "list", "responseStatus": {"code": 200}}, False),
        ({"requestURI": "/api/v1/namespaces?fieldManager=x&dryRun=All"}, False),
        ({"requestURI": "/api/v1/namespaces?dryRun="}, True),
        ({"objectRef": {"resource": "selfsubjectaccessreviews"}}, False),
        ({"responseStatus": {"code": 403}}, False),
    ],
)
def test_what_counts_as_a_write(changes: dict[str, Any], expected: bool) -> None:
    assert audit.is_write(event(**changes)) is expected


def test_a_deletion_asked_for_as_dry_run_in_the_address_is_none() -> None:
    assert audit.is_dry_run(event(verb="delete", requestURI="/apis/apps/v1/x/y?dryRun=All&timeout=1s"))


def test_events_begin_at_the_mark_and_leave_a_half_written_line(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    file.write_text(json.dumps(event(verb="get")) + "\n", encoding="utf-8")
    mark = file.stat().st_size
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(event(verb="patch")) + "\n" + '{"verb": "upd')
    assert [each["verb"] for each in audit.read(file, mark)] == ["patch"]
