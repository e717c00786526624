# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Manifests as a server returns them, and the context of a run, for tests."""

from __future__ import annotations

from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.objects.context import TransformContext
from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms import Transformed, transform

Manifest = dict[str, Any]

CONTEXT = TransformContext(
    namespace_mapping={"shop": "store", "same": "same"}, migplan_uid="plan-uid", migmigration_uid="run-uid"
)
RUN_LABELS = {
    "migration.openshift.io/migrated-by-migmigration": "run-uid",
    "migration.openshift.io/migrated-by-migplan": "plan-uid",
}


def live(api_version: str, kind: str, *, name: str = "web", metadata: Manifest | None = None, **body: Any) -> Manifest:
    """An object of namespace shop with what a server adds."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": "11111111-2222",
            "resourceVersion": "7",
            "creationTimestamp": "2024-01-01T00:00:00Z",
            "generation": 3,
            **(metadata or {}),
        },
        **body,
    }


def sent(obj: Manifest, context: TransformContext = CONTEXT) -> Manifest:
    result = transform(obj, context).object
    assert result is not None
    return result


def notes(result: Transformed) -> list[str]:
    return [note.sentence for note in result.notes]


def pod_spec(**fields: Any) -> Manifest:
    return {"containers": [{"name": "main", "image": "app"}], **fields}


def deployment(*, metadata: Manifest | None = None, pod: Manifest | None = None, **spec: Any) -> Manifest:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod or pod_spec()}
    return live("apps/v1", "Deployment", metadata=metadata, spec={"replicas": 2, "template": template, **spec})
