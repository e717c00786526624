# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whose an existing object is, and what a platform's account lacks."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.objects.existing import State, judge
from ansible_collections.openmig.mtc.plugins.module_utils.objects.merge import lacking
from unit.objects.manifests import RUN_LABELS, live, sent

Manifest = dict[str, Any]
PLAN, RUN = "migration.openshift.io/migrated-by-migplan", "migration.openshift.io/migrated-by-migmigration"


def there(labels: Manifest, **data: str) -> Manifest:
    return live("v1", "ConfigMap", metadata={"namespace": "store", "labels": labels}, data=data)


@pytest.mark.parametrize(
    ("labels", "value", "state"),
    [
        (RUN_LABELS, "same", State.EQUAL),
        (RUN_LABELS, "other", State.OURS),
        ({**RUN_LABELS, RUN: "earlier"}, "same", State.OURS),
        ({**RUN_LABELS, PLAN: "another"}, "same", State.EQUAL),
        ({**RUN_LABELS, PLAN: "another"}, "other", State.FOREIGN),
        ({RUN: "run-uid"}, "other", State.FOREIGN),
        ({}, "same", State.EQUAL),
        ({}, "other", State.FOREIGN),
    ],
)
def test_whose_it_is(labels: Manifest, value: str, state: State) -> None:
    finding = judge(sent(live("v1", "ConfigMap", data={"a": "same"})), there(labels, a=value))
    assert finding.state is state
    assert finding.reference == "ConfigMap store/web"
    assert finding.differences == (() if value == "same" else ("data.a (another value)",))


def test_absent_and_leaving() -> None:
    mine = sent(live("v1", "ConfigMap"))
    assert judge(mine, None).state is State.ABSENT
    leaving = there({})
    leaving["metadata"]["deletionTimestamp"] = "2024"
    assert judge(mine, leaving).state is State.LEAVING


def test_an_object_without_labels_of_a_plan_is_nobodys() -> None:
    """Two missing labels are not the same plan."""
    mine = live("v1", "ConfigMap", data={"a": "1"})
    assert judge(mine, there({}, a="2")).state is State.FOREIGN


def account(**fields: Any) -> Manifest:
    return live("v1", "ServiceAccount", name="default", **fields)


def test_the_platforms_account_is_merged() -> None:
    assert judge(sent(account()), account()).state is State.MERGED


def test_what_is_lacking_is_added_and_nothing_taken() -> None:
    mine = account(
        metadata={"labels": {"a": "1", "b": "2", **RUN_LABELS}, "annotations": {"x": "1"}},
        imagePullSecrets=[{"name": "mine"}, {"name": "both"}],
        automountServiceAccountToken=False,
    )
    theirs = account(
        metadata={"labels": {"b": "other"}},
        imagePullSecrets=[{"name": "both"}, {"name": "theirs"}],
        secrets=[{"name": "token"}],
    )
    assert lacking(mine, theirs) == {
        "metadata": {"labels": {"a": "1"}, "annotations": {"x": "1"}},
        "imagePullSecrets": [{"name": "both"}, {"name": "theirs"}, {"name": "mine"}],
        "automountServiceAccountToken": False,
    }
    assert lacking(mine, {**mine, "automountServiceAccountToken": True}) == {}
