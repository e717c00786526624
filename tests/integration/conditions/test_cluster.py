# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each condition of a MigCluster on real clusters, and what keeps one from being removed.

The module refuses options that could only lead to a condition, so the clusters that deserve one are stored by somebody
else here, and the module is called to judge them.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.condition_names import (
    Category,
    ClusterCondition as Type,
    Reason,
)
from integration.conditions.tasks import by_type, perform
from integration.migration.waiting import until

Manifest = dict[str, Any]
THEN = "2026-01-01T00:00:00Z"
NOBODY = "https://127.0.0.1:1"
ACCOUNT = "weak"
READY = {Type.READY: (Category.REQUIRED, "True", "")}
ROWS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no-url": ({"url": ""}, Type.INVALID_URL, Reason.NOT_SET),
    "bad-url": ({"url": "https://[::1"}, Type.INVALID_URL, Reason.MALFORMED),
    "bad-scheme": ({"url": "ftp://127.0.0.1"}, Type.INVALID_URL, Reason.INVALID_SCHEME),
    "no-reference": ({"serviceAccountSecretRef": {}}, Type.INVALID_SECRET_REF, Reason.NOT_SET),
    "no-secret": ({"serviceAccountSecretRef": "nowhere"}, Type.INVALID_SECRET_REF, Reason.NOT_FOUND),
    "no-key": ({"serviceAccountSecretRef": "keyless"}, Type.INVALID_TOKEN, Reason.NOT_FOUND),
    "empty-token": ({"serviceAccountSecretRef": "empty"}, Type.INVALID_TOKEN, Reason.NOT_SET),
    "nobody": ({"url": NOBODY}, Type.CONNECT_FAILED, Reason.CONNECT_FAILED),
    "wrong-token": ({"serviceAccountSecretRef": "wrong"}, Type.CONNECT_FAILED, Reason.CONNECT_FAILED),
    "weak-account": ({}, Type.TOKEN_NOT_PRIVILEGED, Reason.UNAUTHORIZED),
}
"""What differs from a cluster whose account is known and may do nothing, and the condition that it deserves."""
TWO_FAULTS = "two-faults"
NOT_PRODUCED = {
    Type.INVALID_REGISTRY_ROUTE: "no image streams are copied, so no registry is asked",
    Type.OPERATOR_VERSION_MISMATCH: "there is no operator whose version could differ",
    Type.OPERATOR_VERSION_NOT_FOUND: "there is no operator whose version could be unknown",
    Type.RECONCILE_FAILED: "an unexpected error ends the call and is told there; nothing is stored",
}


def resource(kind: str, name: str, namespace: str, spec: dict[str, Any], **more: Any) -> Manifest:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": names.API_VERSION, "kind": kind, "metadata": metadata, "spec": spec, **more}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
def base(control: Cluster, namespace: str, source: Cluster, source_namespace: str) -> dict[str, Any]:
    """The spec of the source with an account that may do nothing, and the secrets of the rows."""
    metadata = {"name": ACCOUNT, "namespace": source_namespace}
    source.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    annotated = {**metadata, "annotations": {"kubernetes.io/service-account.name": ACCOUNT}}
    kind = "kubernetes.io/service-account-token"
    source.create({"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": annotated})

    def token() -> str:
        found = source.get("v1", "Secret", ACCOUNT, source_namespace) or {}
        return str((found.get("data") or {}).get("token", ""))

    until(lambda: bool(token()), "the account has a token")
    contents = {ACCOUNT: {"saToken": token()}, "keyless": {"token": "eA=="}, "empty": {"saToken": ""}}
    for name, data in {**contents, "wrong": {"saToken": encoded("planted-token")}}.items():
        where = {"name": name, "namespace": namespace}
        control.create({"apiVersion": "v1", "kind": "Secret", "metadata": where, "data": data})
    authorities = source.authorities()
    assert authorities is not None
    return {
        "isHostCluster": False,
        "url": source.server,
        "caBundle": base64.b64encode(authorities).decode(),
        "serviceAccountSecretRef": ACCOUNT,
    }


def stored_spec(spec: dict[str, Any], namespace: str) -> dict[str, Any]:
    """With the reference written out."""
    reference = spec["serviceAccountSecretRef"]
    named = {"name": reference, "namespace": namespace} if isinstance(reference, str) else reference
    return {**spec, "serviceAccountSecretRef": named}


def test_each_condition_is_found_and_stored(control: Cluster, namespace: str, base: dict[str, Any]) -> None:
    for name, (changes, _type, _reason) in ROWS.items():
        spec = stored_spec({**base, **changes}, namespace)
        control.create(resource(names.MIG_CLUSTER, name, namespace, spec))
    control.create(resource(names.MIG_CLUSTER, "host", namespace, {"isHostCluster": True}))
    both = stored_spec({**base, "url": "", "serviceAccountSecretRef": "nowhere"}, namespace)
    control.create(resource(names.MIG_CLUSTER, TWO_FAULTS, namespace, both))

    calls = [("mig_cluster", {"name": name}) for name in (*ROWS, "host", TWO_FAULTS)]
    *results, host, two = perform(calls, namespace=namespace)
    for (name, (_changes, type_, reason)), result in zip(ROWS.items(), results, strict=True):
        assert (result["failed"], by_type(result)) == (True, {type_: (Category.CRITICAL, "True", reason)}), name
        now = control.get(names.API_VERSION, names.MIG_CLUSTER, name, namespace) or {}
        assert {item["type"]: item for item in now["status"]["conditions"]} == result["conditions"]
        assert "planted-token" not in str(result)
    assert (host["failed"], by_type(host)) == (False, READY)
    assert set(by_type(two)) == {Type.INVALID_URL, Type.INVALID_SECRET_REF}

    again = perform(calls, namespace=namespace)
    assert [by_type(result) for result in again] == [by_type(result) for result in (*results, host, two)]
    assert [result["changed"] for result in again if not result["failed"]] == [False]


def test_no_condition_of_the_kind_is_left_out() -> None:
    produced = {type_ for _changes, type_, _reason in ROWS.values()} | {Type.READY}
    known = {value for name, value in vars(Type).items() if name.isupper()} | {Type.READY, Type.RECONCILE_FAILED}
    assert known == produced | set(NOT_PRODUCED)


COPIES = (names.DIRECT_VOLUME_MIGRATION, names.DIRECT_IMAGE_MIGRATION, names.DIRECT_IMAGE_STREAM_MIGRATION)


@pytest.mark.parametrize("kind", COPIES)
def test_a_cluster_that_is_copied_from_is_kept(control: Cluster, namespace: str, kind: str) -> None:
    """Until the copy has ended, however."""
    name = f"used-{kind.lower()}"
    control.create(resource(names.MIG_CLUSTER, name, namespace, {"isHostCluster": True}))
    running = {
        "type": "Running",
        "status": "True",
        "category": "Advisory",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    spec = {"srcMigClusterRef": {"name": name, "namespace": namespace}, "destMigClusterRef": {"name": "other"}}
    copying = {"phase": "CreateRsyncTransferPods", "conditions": [running]}
    if kind == names.DIRECT_VOLUME_MIGRATION:
        copying |= {"observedDigest": "1", "phaseDescription": ""}
    control.create(resource(kind, name, namespace, spec, status=copying))
    removal = ("mig_cluster", {"name": name, "state": "absent"})
    (kept,) = perform([removal], namespace=namespace)
    assert kept["failed"]
    assert f"MigCluster {namespace}/{name}: it is not removed: it is used by {kind} {namespace}/{name}" in kept["msg"]
    assert control.get(names.API_VERSION, names.MIG_CLUSTER, name, namespace) is not None
    control.patch(names.API_VERSION, kind, name, namespace, patch={"status": {"phase": "Completed"}})
    gone, again = perform([removal] * 2, namespace=namespace)
    assert [(result["failed"], result["changed"]) for result in (gone, again)] == [(False, True), (False, False)]
    assert control.get(names.API_VERSION, names.MIG_CLUSTER, name, namespace) is None
