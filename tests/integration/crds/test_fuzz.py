# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A real API server takes every resource that comes of any options, and loses nothing of it. Dry runs: nothing stays.

The unit tests ask the same of a small reader of schemas, and more often; here it is shown that a server agrees.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from integration.crds.test_acceptance import resource
from unit.modules.contracts import CONTRACTS, nothing
from unit.modules.option_sets import Options, option_sets
from unit.modules.test_fuzz import resources

SETS = 200
"""In a whole run, of all modules together."""
MAKERS = sorted(module for module, contract in CONTRACTS.items() if contract.specs is not nothing)


@pytest.mark.parametrize("module", MAKERS)
def test_what_comes_of_any_options_is_taken_whole(control: Cluster, module: str) -> None:
    taken: list[str] = []

    @settings(max_examples=SETS // len(MAKERS) + 1, deadline=None, suppress_health_check=list(HealthCheck))
    @given(options=option_sets(module))
    def judge(options: Options) -> None:
        for kind, spec in resources(module, options):
            assert control.create(resource(kind, spec), dry_run=True)["spec"] == spec
            taken.append(kind)

    judge()
    assert taken != []
