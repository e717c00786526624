# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What tests that send objects share."""

from __future__ import annotations

from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.objects.apply import (
    ApplyReport,
    apply_all,
)
from ansible_collections.openmig.mtc.plugins.module_utils.objects.context import TransformContext
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names

Manifest = dict[str, Any]


def apply(destination: Cluster, objects: list[Manifest], context: TransformContext, **options: Any) -> ApplyReport:
    return apply_all(
        destination,
        objects,
        migplan_uid=context.migplan_uid,
        migmigration_uid=context.migmigration_uid,
        **options,
    )


def config_map(namespace: str, name: str, **data: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }


def there(destination: Cluster, namespace: str, name: str, kind: str = "ConfigMap") -> Manifest:
    found = destination.get("v1", kind, name, namespace)
    assert found is not None, f"{kind} {namespace}/{name} is missing"
    return found


def labelled(obj: Manifest, context: TransformContext) -> Manifest:
    """As transform() would send it, for objects that need no source."""
    labels = {
        names.MIGRATED_BY_MIGMIGRATION_LABEL: context.migmigration_uid,
        names.MIGRATED_BY_MIGPLAN_LABEL: context.migplan_uid,
    }
    return {**obj, "metadata": {**obj["metadata"], "labels": labels}}
