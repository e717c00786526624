# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is kept of the source's objects between reading and sending them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine import source_objects
from unit.objects.manifests import live, sent

Manifest = dict[str, Any]
PORT = {"port": 80, "nodePort": 30080, "protocol": "TCP"}
FIELDS: Manifest = {"f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {"f:nodePort": {}}}}}
WRITTEN = [{"manager": "kubectl-create", "fieldsV1": FIELDS}]


def obj(kind: str, **spec: Any) -> Manifest:
    return live("v1", kind, metadata={"managedFields": WRITTEN}, spec=spec)


@pytest.mark.parametrize("whole", [True, False])
def test_a_node_port_that_a_user_has_set_stays_with_a_storage_and_without(whole: bool) -> None:
    (kept,) = source_objects._shelved([obj("Service", type="NodePort", ports=[PORT])], whole=whole)
    assert sent(kept)["spec"]["ports"] == [PORT]


def test_who_wrote_what_is_not_kept_of_anything_else() -> None:
    (claim,) = source_objects._shelved([obj("PersistentVolumeClaim")], whole=False)
    assert "managedFields" not in claim["metadata"]
