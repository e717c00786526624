# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When a direct migration of MTC's has ended, and whether everything has arrived."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import directimage
from ansible_collections.openmig.mtc.plugins.module_utils.resources.direct_course import errors_of, standing


def resource(phase: str = "", *conditions: tuple[str, str], **status: Any) -> dict[str, Any]:
    listed = [
        {"type": name, "category": category, "status": "True", "message": "why."} for name, category in conditions
    ]
    return {"status": {"phase": phase, "conditions": listed, **status}}


@pytest.mark.parametrize(
    ("found", "state", "failed"),
    [
        ({}, "new", False),
        (resource("Prepare", ("Running", "Advisory")), "running", False),
        (resource("", ("InvalidSourceClusterRef", "Critical")), "blocked", False),
        (resource("Completed", ("Succeeded", "Advisory")), "ended", False),
        # MTC calls it succeeded and the streams that failed a warning of the migration's.
        (resource("Completed", ("Succeeded", "Advisory"), failedISs=[{"name": "a", "namespace": "b"}]), "ended", True),
        (resource("Completed", ("Failed", "Advisory"), errors=["no"]), "ended", True),
        # A DirectVolumeMigration whose copy failed stays there for ever.
        (resource("MigrationFailed", ("Failed", "Critical")), "ended", True),
    ],
)
def test_where_it_stands(found: dict[str, Any], state: str, failed: bool) -> None:
    seen = standing(found)
    assert (seen.state, seen.failed) == (state, failed)


def test_a_blocked_one_says_by_what() -> None:
    assert standing(resource("", ("NamespaceListEmpty", "Critical"))).fact == "NamespaceListEmpty: why"


def test_each_stream_is_a_row_and_each_that_did_not_arrive_an_error() -> None:
    found = resource(
        "Completed",
        newISs=[],
        successfulISs=[{"name": "front", "namespace": "shop", "destNamespace": "shop-new"}],
        failedISs=[{"name": "back", "namespace": "shop", "errors": ["denied", "again"]}],
        deletedISs=[{"name": "away", "namespace": "shop"}],
    )
    assert directimage.streams(found) == [
        {"source": "shop/away", "target": "shop/away", "state": "deleted", "errors": []},
        {"source": "shop/back", "target": "shop/back", "state": "failed", "errors": ["denied", "again"]},
        {"source": "shop/front", "target": "shop-new/front", "state": "copied", "errors": []},
    ]
    assert errors_of(found) == [
        "image stream shop/back was not copied: denied; again",
        "image stream shop/away was deleted while it was copied",
    ]


@pytest.mark.parametrize(
    ("params", "where"),
    [
        ({"source_cluster": "a", "destination_cluster": "a"}, ["destination_cluster"]),
        (
            {"source_cluster": "a", "dest_mig_cluster_ref": {"name": "a", "namespace": "openmig"}},
            ["destination_cluster"],
        ),
        ({"namespaces": []}, ["namespaces"]),
        ({"namespaces": ["shop", "Shop"]}, ["namespaces[1]"]),
        (
            {"label_selector": {"match_expressions": [{"key": "a", "operator": "In"}]}},
            ["label_selector.match_expressions[0].values"],
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_path(params: dict[str, Any], where: list[str]) -> None:
    assert [problem.path for problem in directimage.validate({"name": "copy", **params})] == where
