# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whatever a task says: a clear error that names the option, or a resource that an API server takes and in which the
reconciler finds nothing Critical that the client could have known. Never a traceback.

The way of the options is the module's: Ansible's own validation, the connections, the client's validation, the spec.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from hypothesis import HealthCheck, given, settings

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.argument_spec import connection_spec
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import InvalidInput, MtcError
from unit.modules import contracts, documents
from unit.modules.contracts import CONTRACTS
from unit.modules.option_sets import Options, option_sets
from unit.resources import crd_schema

SETS = 2000
"""In a whole run, of all modules together."""
MAKERS = [module for module in documents.MODULES if not module.endswith("_info")]
PART = re.compile(r"^(\w+)((?:\[.*?\])*)(?:\.|$)", re.DOTALL)


def resources(module: str, options: Options) -> list[tuple[str, dict[str, Any]]]:
    """The specs that the module would send; [] when it says what is wrong with the options instead."""
    spec = documents.spec(module)
    checked = ArgumentSpecValidator(spec).validate(options)
    if checked.error_messages:
        assert all(isinstance(message, str) and message for message in checked.error_messages)
        return []
    params = checked.validated_parameters
    contract = CONTRACTS[module]
    try:
        contracts.begin(module, params)
        problems = contract.validate(params)
        made = [] if problems else contract.specs(params)
    except MtcError as error:
        must_be_clear(error, spec)
        return []
    if problems:
        must_be_clear(InvalidInput(subject=module, problems=problems), spec)
    for kind, each in made:
        assert crd_schema.complaints(kind, each) == []
        assert contract.critical(kind, each) == []
        if contract.room is not None:
            again = contract.room.build_spec({**params, "namespace": contracts.namespace_of(params)})
            assert contract.room.drift(each, again) == {}
    return made


def must_be_clear(error: MtcError, spec: Mapping[str, Any]) -> None:
    """It names options that exist and says what is wrong with each; or it refuses, and says what to do instead."""
    told = json.loads(json.dumps(error.as_result()))
    if not isinstance(error, InvalidInput):
        assert error.attempt
        assert error.mend
        return
    assert error.problems
    assert len(told["problems"]) == len(error.problems)
    for problem in error.problems:
        assert problem.fault.strip()
        assert lost_part(problem.path, spec) is None, problem


def lost_part(path: str, spec: Mapping[str, Any]) -> str | None:
    """The part of an option's path that the spec does not have; None when all of it can be found."""
    found = PART.match(path)
    if found is None or found[1] not in spec:
        return path
    rest, below = path[found.end() :], spec[found[1]].get("options")
    # What a user puts into a dictionary of his own is named in brackets, and may be any text.
    return lost_part(rest, below) if rest and below is not None else None


@pytest.mark.parametrize("module", documents.MODULES)
def test_any_options(module: str) -> None:
    others = len(documents.MODULES) - len(MAKERS)
    share = SETS * 3 // 4 // len(MAKERS) if module in MAKERS else SETS // 4 // others
    made: list[int] = []

    @settings(max_examples=share, deadline=None, suppress_health_check=list(HealthCheck))
    @given(options=option_sets(module))
    def judge(options: Options) -> None:
        made.append(len(resources(module, options)))

    judge()
    # Otherwise nothing but the first checks would be reached.
    assert CONTRACTS[module].room is None or sum(map(bool, made)) > share // 10


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(options=option_sets("mig_gc", only=frozenset(connection_spec())))
def test_any_connection(options: Options) -> None:
    """Connecting contacts nobody, but kubeconfigs and certificates are read."""
    checked = ArgumentSpecValidator(documents.spec("mig_gc")).validate(options)
    if checked.error_messages:
        return
    try:
        connect(checked.validated_parameters, name="control", environ={}).close()
    except MtcError as error:
        must_be_clear(error, documents.spec("mig_gc"))


def test_every_module_has_a_contract() -> None:
    assert sorted(CONTRACTS) == documents.MODULES
