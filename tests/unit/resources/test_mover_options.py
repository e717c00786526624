# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with image, endpoint and bandwidth of the pods that copy."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import mover_options
from ansible_collections.openmig.mtc.plugins.module_utils.resources.mover_options import ENDPOINTS, FOREIGN_ENDPOINTS


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"transfer_image": "registry.example.com/openmig/mover:0.1.0", "bandwidth": 1},
        *({"endpoint": endpoint} for endpoint in ENDPOINTS),
        *({"endpoint_address": address} for address in ("10.0.0.1", "fd00::1", "node1", "Node1.Example.com")),
    ],
)
def test_what_is_right(params: dict[str, Any]) -> None:
    assert mover_options.problems(params) == []


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("transfer_image", ["", "BAD IMAGE:", "a b"]),
        ("endpoint_address", ["", "https://node1:5/x", "node1:5", "a b;rm", "10.0.0.1\nconnect = 10.0.0.2:1"]),
        ("endpoint", FOREIGN_ENDPOINTS),
        ("bandwidth", [0, -1]),
    ],
)
def test_what_is_wrong(option: str, values: list[Any]) -> None:
    for value in values:
        (problem,) = mover_options.problems({option: value})
        assert problem.path == option
        assert problem.mend


def test_an_endpoint_that_mtc_knows_is_refused_in_words() -> None:
    (problem,) = mover_options.problems({"endpoint": "Route"})
    assert "the builtin engine cannot make one of type Route yet, only NodePort and ClusterIP" in problem.fault
    assert "Choose NodePort" in problem.mend
