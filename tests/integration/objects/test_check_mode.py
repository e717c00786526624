# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What check mode predicts is what happens."""

from __future__ import annotations

from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.objects import predict
from ansible_collections.openmig.mtc.plugins.module_utils.objects.apply import (
    preview,
)
from ansible_collections.openmig.mtc.plugins.module_utils.objects.collect import collect
from ansible_collections.openmig.mtc.plugins.module_utils.objects.context import TransformContext
from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms import transform

from .sending import apply

Manifest = dict[str, Any]


def test_check_mode_predicts_what_happens_and_shows_no_secret(
    source: Cluster, destination: Cluster, deployed: list[Manifest], context: TransformContext, empty: str
) -> None:
    namespace = deployed[0]["metadata"]["namespace"]
    found = [transform(obj, context) for obj in collect(source, namespaces=[namespace])]
    objects = [item.object for item in found if item.object is not None]
    rows = predict.predict(found, preview(destination, objects))
    again = [transform(obj, context) for obj in collect(source, namespaces=[namespace], concurrency=1)]
    assert rows == predict.predict(
        again, preview(destination, [item.object for item in again if item.object is not None], concurrency=1)
    )
    text = str(rows)
    assert "hunter2" not in text
    assert "aHVudGVyMg" not in text
    assert "cG9zdGdyZXM6" not in text
    secret = next(row for row in rows if row["reference"] == f"Secret {empty}/database")
    assert secret["notes"] == ["data.url: left: holds the name of a Service in a namespace that gets another"]
    report = apply(destination, objects, context)
    assert sorted(row["reference"] for row in rows if row["action"] == "create") == sorted(report.created)
