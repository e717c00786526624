# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Objects that changed after the inventory: the refusal names them and the way out for what an application writes."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.engine.phases_destination import changed_since
from ansible_collections.openmig.mtc.plugins.module_utils.objects.exclusions import excluded_object
from ansible_collections.openmig.mtc.plugins.module_utils.resources.argument_specs import plan_spec


def test_what_a_running_application_writes_can_be_left_out_as_the_refusal_says() -> None:
    refused = changed_since("MigMigration openmig/shop", ["ConfigMap shop/db-leader changed"])
    assert "ConfigMap shop/db-leader changed" in refused.message
    label = re.search(r"by label (\S+)=(\w+), or its kind with (\w+)", refused.mend)
    assert label
    leader: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "db-leader", "namespace": "shop"},
    }
    assert excluded_object(leader) is None
    leader["metadata"]["labels"] = {label[1]: label[2]}
    assert excluded_object(leader) is not None
    assert label[3] in plan_spec()
