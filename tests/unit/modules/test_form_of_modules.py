# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who knows one module knows all: what each takes, returns and refers to."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.argument_spec import connection_spec
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from unit.modules import documents

LOOKING = [module for module in documents.MODULES if module.endswith("_info")]
WITHOUT_RESOURCE = {"mig_gc": "removes scaffolding of any migration"}
MAKING = [module for module in documents.MODULES if module not in {*LOOKING, *WITHOUT_RESOURCE}]


@functools.cache
def read() -> dict[str, Any]:
    """What ansible-doc reads of all modules."""
    told = documents.ansible("ansible-doc", "--json", *(f"openmig.mtc.{module}" for module in documents.MODULES)).stdout
    return {name.rpartition(".")[2]: each for name, each in json.loads(told).items()}


def module_of(kind: str) -> str:
    """``direct_volume_migration`` of DirectVolumeMigration."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind).removeprefix("_")


def test_every_kind_has_a_module_that_looks_and_all_but_one_have_one_that_makes() -> None:
    kinds = {module_of(kind) for kind in names.KINDS}
    assert sorted(f"{kind}_info" for kind in kinds) == LOOKING
    # Progress is made by whoever copies.
    assert sorted(kinds - {"direct_volume_migration_progress"}) == MAKING


@pytest.mark.parametrize("module", documents.MODULES)
def test_every_module_takes_a_connection_and_an_engine_and_can_be_tried_in_check_mode(module: str) -> None:
    doc = read()[module]["doc"]
    assert set(doc["options"]) >= {*connection_spec(), "engine", "namespace"}
    assert doc["attributes"]["check_mode"]["support"] == "full"
    assert doc["attributes"]["diff_mode"]["support"] == ("none" if module in LOOKING else "full")
    assert doc["requirements"]
    assert documents.examples(module)


@pytest.mark.parametrize("module", documents.MODULES)
def test_every_module_says_what_it_returns(module: str) -> None:
    returned = read()[module]["return"]
    assert set(returned) >= {"engine", "duration", "error"}
    if module in LOOKING:
        assert set(returned) >= {"api_found", "resources", "summaries", "problems"}
    if module in MAKING:
        assert set(returned) >= {"resource", "conditions", "problems"}


@pytest.mark.parametrize("module", [*LOOKING, *MAKING])
def test_the_module_that_makes_and_the_one_that_looks_refer_to_each_other(module: str) -> None:
    sibling = module.removesuffix("_info") if module in LOOKING else f"{module}_info"
    if sibling in documents.MODULES:
        referred = {each.get("module") for each in read()[module]["doc"]["seealso"]}
        assert f"openmig.mtc.{sibling}" in referred
