# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A run goes on with what it began with; a call that asks for something else is told so field by field."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine.intent import CHANGEABLE, Intent
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import mig_migration_spec
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import InvalidInput
from ansible_collections.openmig.mtc.plugins.module_utils.resources.excludes import Exclusion

GIVEN: dict[str, Any] = {
    "transfer_image": "mover:1",
    "excludes": [{"pvc": None, "patterns": ["/cache/"]}],
    "accept_warnings": ["UnhealthyNamespaces"],
}
PARAMS: dict[str, Any] = {name: GIVEN.get(name, option.get("default")) for name, option in mig_migration_spec().items()}
OTHER: dict[str, Any] = {"excludes": (Exclusion(patterns=("/logs/",)),), "accept_warnings": ("shop/data",)}
BEGUN = Intent.from_params(PARAMS)


def test_it_survives_being_recorded() -> None:
    assert Intent.from_record(json.loads(json.dumps(BEGUN.to_record()))) == BEGUN


def test_the_order_of_accepted_warnings_means_nothing() -> None:
    names = ["shop/data", "UnhealthyNamespaces", "shop/data"]
    first, second = (Intent.from_params({**PARAMS, "accept_warnings": order}) for order in (names, names[::-1]))
    assert first == second


def test_the_same_options_go_on() -> None:
    assert BEGUN.continued_by(BEGUN, subject="MigMigration openmig/app") == BEGUN


@pytest.mark.parametrize("name", sorted({field.name for field in fields(Intent)} - CHANGEABLE))
def test_every_other_field_is_frozen(name: str) -> None:
    changed: dict[str, Any] = {name: OTHER.get(name, "something else")}
    other = replace(BEGUN, **changed)
    with pytest.raises(InvalidInput) as refused:
        BEGUN.continued_by(other, subject="MigMigration openmig/app")
    assert [problem.path for problem in refused.value.problems] == [name]


@pytest.mark.parametrize("name", sorted(CHANGEABLE))
def test_some_may_change_in_mid_run(name: str) -> None:
    changed: dict[str, Any] = {name: 77}
    other = replace(BEGUN, **changed)
    assert BEGUN.continued_by(other, subject="MigMigration openmig/app") == other


def test_all_differences_are_told_at_once() -> None:
    other = replace(BEGUN, verify=False, endpoint="ClusterIP", bandwidth=5)
    with pytest.raises(InvalidInput) as refused:
        BEGUN.continued_by(other, subject="MigMigration openmig/app")
    assert sorted(problem.path for problem in refused.value.problems) == ["endpoint", "verify"]
    assert "verify: the run began with True and this call asks for False" in refused.value.message
