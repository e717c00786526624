# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a given namespace says about the engine: decided without a request, so there is no cluster here at all."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine import call, choice
from ansible_collections.openmig.mtc.plugins.module_utils.engine.call import Call
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import Refused

NO_CLUSTER: Any = None


def settle(**params: Any) -> Call:
    return choice.settle(call.begin(params, check=False, subject="MigCluster x", signals=False), NO_CLUSTER)


@pytest.mark.parametrize("asked", [None, "auto", "builtin"])
def test_a_namespace_of_the_users_own_is_the_builtin_engines(asked: str | None) -> None:
    settled = settle(engine=asked, namespace="shop")
    assert (settled.engine, settled.namespace) == ("builtin", "shop")


def test_the_builtin_engine_has_a_namespace_of_its_own() -> None:
    settled = settle(engine="builtin", namespace=None)
    assert (settled.engine, settled.namespace) == ("builtin", "openmig")


@pytest.mark.parametrize(
    ("asked", "namespace", "told"),
    [
        ("builtin", "openshift-migration", "one resource never has two masters"),
        ("controller", "openmig", "namespace openshift-migration only"),
    ],
)
def test_one_resource_never_has_two_masters(asked: str, namespace: str, told: str) -> None:
    with pytest.raises(Refused, match=told) as refused:
        settle(engine=asked, namespace=namespace)
    assert f"Namespace {namespace}: it cannot be used with engine {asked}" in refused.value.message
