# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What of a call of mig_cluster can be refused before any cluster is asked."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine.ensure_cluster import validate
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import defaults, mig_cluster_spec

REMOTE = {"remote": {"kubeconfig": "/nowhere"}}
SECRET = {"service_account_secret": "mine"}
REFERENCE = {"service_account_secret_ref": {"name": "mine", "namespace": "there"}}


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ({**REMOTE, **SECRET}, ["service_account_secret"]),
        ({**REMOTE, **REFERENCE}, ["service_account_secret_ref"]),
        ({**REMOTE, **SECRET, "state": "absent"}, []),
        ({**REMOTE}, []),
        ({**SECRET}, []),
        ({**REMOTE, "is_host_cluster": True, "token_lifetime": 1}, ["remote", "token_lifetime"]),
    ],
)
def test_an_adopted_cluster_has_a_secret_of_its_own(given: dict[str, Any], paths: list[str]) -> None:
    params = {**defaults(mig_cluster_spec()), "name": "src", **given}
    assert [problem.path for problem in validate(params)] == paths
