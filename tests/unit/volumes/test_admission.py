# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a refused dry run of a pod means: only a matter of security is a reason to copy without root."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import Forbidden, Refused
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.admission import admitted

POD = {"metadata": {"name": "openmig-1-a", "namespace": "shop"}}
SECURITY = 'violates PodSecurity "restricted:latest": runAsNonRoot != true'
CONSTRAINT = "unable to validate against any security context constraint: [provider restricted-v2: not usable]"
LIMIT = "minimum cpu usage per Container is 100m, but request is 50m"
QUOTA = "exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4"
POLICY = 'admission webhook "validation.gatekeeper.sh" denied the request: no label team'


class Server:
    """Stands for a cluster whose server forbids every pod for that reason, in the words of a real one."""

    def __init__(self, reason: str) -> None:
        self.reason = f'pods "openmig-1-a-probe" is forbidden: {reason}'

    def create(self, _manifest: dict[str, Any], *, dry_run: bool) -> None:
        assert dry_run
        raise Forbidden(subject="Pod shop/openmig-1-a-probe", attempt="cannot be created", reason=self.reason)


def asked(reason: str) -> str | None:
    return admitted(cast(Cluster, Server(reason)), POD)


@pytest.mark.parametrize("reason", [SECURITY, CONSTRAINT])
def test_a_matter_of_security_is_told_and_another_profile_helps(reason: str) -> None:
    assert (asked(reason) or "").endswith(reason)


def test_a_quota_is_left_to_the_pod_itself() -> None:
    assert asked(QUOTA) is None


@pytest.mark.parametrize(
    ("reason", "mend"),
    [
        (LIMIT, "The pod requests 50m of cpu and 64Mi of memory and sets no limits: let the LimitRange admit that"),
        (POLICY, "Mend what forbids it"),
        ('User "mover" cannot create resource "pods"', "let another identity run the migration"),
    ],
    ids=["limit-range", "policy", "rights"],
)
def test_everything_else_is_refused(reason: str, mend: str) -> None:
    with pytest.raises(Refused) as refused:
        asked(reason)
    assert refused.value.message.startswith("Namespace shop: its transfer pod is not admitted: ")
    assert mend in refused.value.mend
    assert reason in refused.value.message
