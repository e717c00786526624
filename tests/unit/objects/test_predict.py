# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check mode: what is shown, in which order, and what never is."""

from __future__ import annotations

import base64
import json
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.objects.existing import Finding, State
from ansible_collections.openmig.mtc.plugins.module_utils.objects.inventory import reference
from ansible_collections.openmig.mtc.plugins.module_utils.objects.predict import predict
from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms import transform
from unit.objects.manifests import CONTEXT, deployment, live, pod_spec

Manifest = dict[str, Any]


def predicted(*objects: Manifest, state: State = State.ABSENT) -> list[Manifest]:
    transformed = [transform(obj, CONTEXT) for obj in objects]
    findings = [Finding(reference(item.object), state) for item in transformed if item.object is not None]
    return predict(transformed, findings)


def test_rows_are_in_the_order_of_creation() -> None:
    objects = [deployment(), live("v1", "Secret"), live("v1", "ConfigMap", name="b"), live("v1", "ConfigMap", name="a")]
    references = [row["reference"] for row in predicted(*objects)]
    assert references == ["ConfigMap store/a", "ConfigMap store/b", "Secret store/web", "Deployment.apps store/web"]
    assert references == [row["reference"] for row in predicted(*reversed(objects))]


def test_the_patch_says_what_changes_and_only_that() -> None:
    obj = live(
        "v1",
        "Service",
        metadata={"annotations": {"a/b~c": "kept"}, "finalizers": ["x/y"]},
        spec={"clusterIP": "10.0.0.1", "ports": [{"port": 80, "nodePort": 30080}], "externalName": "a.shop.svc"},
        status={"loadBalancer": {}},
    )
    (row,) = predicted(obj)
    assert row["source"] == "Service shop/web"
    assert row["action"] == "create"
    assert row["patch"] == [
        "remove /metadata/finalizers",
        "replace /metadata/namespace: store",
        "remove /spec/clusterIP",
        "replace /spec/externalName: a.store.svc",
        "remove /spec/ports/0/nodePort",
    ]
    assert row["notes"] == [
        "spec.externalName: rewritten: a.shop.svc is a.store.svc there",
        "metadata.finalizers: dropped: x/y",
    ]


def test_a_long_text_shows_its_changed_lines() -> None:
    text = "first line\nhost web.shop.svc\nlast line\n"
    (row,) = predicted(live("v1", "ConfigMap", data={"a.conf": text}))
    assert "replace /data/a.conf: -host web.shop.svc\n+host web.store.svc" in row["patch"]


def test_secrets_and_passwords_are_not_shown() -> None:
    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    applied = json.dumps({"metadata": {"namespace": "shop"}, "stringData": {"password": "hunter2"}})
    secret = live(
        "v1",
        "Secret",
        type="kubernetes.io/service-account-token",
        metadata={
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": applied,
                "kubernetes.io/service-account.name": "shop",
            }
        },
        data={"token": encoded("hunter2"), "url": encoded("http://u:hunter2@a.shop.svc")},
    )
    url = {"name": "URL", "value": "postgres://user:hunter2@db.shop.svc/x"}
    pod = pod_spec(containers=[{"name": "main", "env": [url], "args": ["http://u:hunter2@a.shop.svc"]}])
    config = live("v1", "ConfigMap", data={"a": "one\nhttp://u:hunter2@a.shop.svc\n"})
    text = json.dumps(predicted(secret, deployment(pod=pod), config))
    assert "hunter2" not in text
    assert encoded("hunter2") not in text
    assert encoded("http://u:hunter2@a.shop.svc")[:12] not in text
    assert "remove /data/token" in text
    assert "postgres://(masked)@db.store.svc/x" in text


def test_what_does_not_travel_has_no_row() -> None:
    outside = live("v1", "ConfigMap")
    outside["metadata"]["namespace"] = "elsewhere"
    assert predicted(outside) == []


def test_actions() -> None:
    actions = {state: predicted(live("v1", "ConfigMap"), state=state)[0]["action"] for state in State}
    assert actions == {
        State.ABSENT: "create",
        State.EQUAL: "equal",
        State.OURS: "adopt",
        State.FOREIGN: "foreign",
        State.MERGED: "merge",
        State.LEAVING: "create",
        State.UNSERVED: "unserved",
    }
