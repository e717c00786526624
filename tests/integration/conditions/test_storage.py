# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each condition of a MigStorage on a real cluster and real stores.

The module refuses options that could only lead to a condition, so most storages that deserve one are stored by somebody
else here, and the module is called to judge them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.condition_names import StorageCondition as Type
from integration.conditions.tasks import by_type, perform
from integration.stores import servers
from integration.stores.servers import ADMIN, BUCKET, READER

READY = {"Ready": ("Required", "True", "")}
PRINCIPAL = "AZURE_SUBSCRIPTION_ID=s\nAZURE_TENANT_ID=t\nAZURE_CLIENT_ID=c\nAZURE_CLIENT_SECRET=planted\n"
SECRETS: dict[str, dict[str, str]] = {
    "admin": {"aws-access-key-id": ADMIN.access, "aws-secret-access-key": ADMIN.secret},
    "reader": {"aws-access-key-id": READER.access, "aws-secret-access-key": READER.secret},
    "stranger": {"aws-access-key-id": "planted-nobody", "aws-secret-access-key": "planted-nothing"},
    "mistaken": {"aws-access-key-id": ADMIN.access, "aws-secret-access-key": "planted-nothing"},
    "half": {"aws-access-key-id": ADMIN.access},
    "principal": {"azure-credentials": PRINCIPAL},
    "half-principal": {"azure-credentials": "AZURE_TENANT_ID=t\nAZURE_CLIENT_ID=c\n"},
    "google": {"gcp-credentials": '{"type": "service_account"}'},
}
"""What somebody has laid down in the namespace."""


@dataclass(frozen=True)
class Row:
    """A spec whose ``credsSecretRef`` is the name of a secret, what is found, and words of the messages."""

    backup: dict[str, Any]
    found: tuple[tuple[str, str], ...]
    told: tuple[str, ...] = ()
    provider: str = "aws"
    snapshots: str | None = None
    snapshot: dict[str, Any] | None = None


URL = "http://the-store"
"""Stands in the rows for the address that the server gets."""
GOOD = {"awsBucketName": BUCKET, "awsS3Url": URL, "credsSecretRef": "admin"}
AZURE = {"azureResourceGroup": "g", "azureStorageAccount": "a", "azureStorageContainer": "c"}
FAILED = ((Type.BACKUP_TEST_FAILED, "TestFailed"),)
SETTINGS = ((Type.INVALID_BACKUP_SETTINGS, "NotSupported"),)
SNAPSHOT_SETTINGS = ((Type.INVALID_SNAPSHOT_SETTINGS, "NotSupported"),)

ROWS: dict[str, Row] = {
    "provider-empty": Row({}, ((Type.INVALID_BACKUP_PROVIDER, "NotSet"),), provider=""),
    "provider-unknown": Row({}, ((Type.INVALID_BACKUP_PROVIDER, "NotSupported"),), provider="swift"),
    "secret-unnamed": Row({**GOOD, "credsSecretRef": {}}, ((Type.INVALID_BACKUP_SECRET_REF, "NotSet"),)),
    "secret-half-named": Row(
        {**GOOD, "credsSecretRef": {"name": "admin"}}, ((Type.INVALID_BACKUP_SECRET_REF, "NotSet"),)
    ),
    "secret-absent": Row({**GOOD, "credsSecretRef": "absent"}, ((Type.INVALID_BACKUP_SECRET_REF, "NotFound"),)),
    "secret-content": Row({**GOOD, "credsSecretRef": "half"}, SETTINGS, ("[Secret(content)]",)),
    "s3-settings": Row(
        {
            "awsBucketName": "",
            "awsSignatureVersion": "2",
            "awsS3Url": "store:9000",
            "awsPublicUrl": "ftp://store",
            "credsSecretRef": "half",
        },
        SETTINGS,
        ("[Secret(content),Bucket,SignatureVersion,S3URL,PublicURL]",),
    ),
    "azure-settings": Row(
        {"azureResourceGroup": "", "azureStorageAccount": "", "azureStorageContainer": "", "credsSecretRef": "admin"},
        SETTINGS,
        ("[Secret(content),ResourceGroup,StorageAccount,StorageContainer]",),
        provider="azure",
    ),
    "azure-secret": Row(
        {**AZURE, "credsSecretRef": "half-principal"},
        SETTINGS,
        ("[AZURE_SUBSCRIPTION_ID,AZURE_CLIENT_SECRET]",),
        provider="azure",
    ),
    "gcp-settings": Row(
        {"gcpBucket": "", "credsSecretRef": "admin"}, SETTINGS, ("[Secret(content),Bucket]",), provider="gcp"
    ),
    "gcp-key": Row({"gcpBucket": "b", "credsSecretRef": "google"}, FAILED, ("service account",), provider="gcp"),
    "test-stranger": Row({**GOOD, "credsSecretRef": "stranger"}, FAILED, ("InvalidAccessKeyId",)),
    "test-mistaken": Row({**GOOD, "credsSecretRef": "mistaken"}, FAILED, ("SignatureDoesNotMatch",)),
    "test-reader": Row({**GOOD, "credsSecretRef": "reader"}, FAILED, ("write an object", "AccessDenied")),
    "test-bucket": Row({**GOOD, "awsBucketName": "absent"}, FAILED, ("no such bucket",)),
    "test-nobody": Row({**GOOD, "awsS3Url": "http://127.0.0.1:1"}, FAILED, ("connection refused",)),
    "snapshot-unknown": Row(GOOD, ((Type.INVALID_SNAPSHOT_PROVIDER, "NotSupported"),), snapshots="swift", snapshot={}),
    "snapshot-unnamed": Row(
        GOOD, ((Type.INVALID_SNAPSHOT_SECRET_REF, "NotSet"),), snapshots="aws", snapshot={"credsSecretRef": {}}
    ),
    "snapshot-absent": Row(
        GOOD, ((Type.INVALID_SNAPSHOT_SECRET_REF, "NotFound"),), snapshots="gcp", snapshot={"credsSecretRef": "absent"}
    ),
    "snapshot-s3": Row(
        GOOD,
        SNAPSHOT_SETTINGS,
        ("[Secret(content),SnapshotCreationTimeout]",),
        snapshots="aws",
        snapshot={"credsSecretRef": "half", "snapshotCreationTimeout": "soon"},
    ),
    "snapshot-azure": Row(
        GOOD,
        SNAPSHOT_SETTINGS,
        ("[ResourceGroup,APITimeout,SnapshotCreationTimeout]",),
        snapshots="azure",
        snapshot={
            "credsSecretRef": "principal",
            "azureResourceGroup": "",
            "azureApiTimeout": "",
            "snapshotCreationTimeout": "1",
        },
    ),
    "snapshot-gcp": Row(
        GOOD,
        SNAPSHOT_SETTINGS,
        ("[Secret(content)]",),
        snapshots="gcp",
        snapshot={"credsSecretRef": "admin", "snapshotCreationTimeout": "10m"},
    ),
    "both": Row(
        {**GOOD, "credsSecretRef": "absent"},
        (
            (Type.INVALID_BACKUP_SECRET_REF, "NotFound"),
            (Type.INVALID_SNAPSHOT_PROVIDER, "NotSupported"),
        ),
        snapshots="swift",
        snapshot={},
    ),
    "ready": Row(GOOD, ()),
    "ready-snapshots": Row(
        GOOD, (), snapshots="gcp", snapshot={"credsSecretRef": "google", "snapshotCreationTimeout": "1h30m"}
    ),
}
NOT_PRODUCED = {
    Type.SNAPSHOT_TEST_FAILED: "there is no test of snapshots, with MTC neither",
    Type.RECONCILE_FAILED: "an unexpected error ends the call and is told there; nothing is stored",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an S3 server with keys of several rights."""
    with servers.seaweed(tmp_path_factory.mktemp("seaweed")) as port:
        servers.make_bucket(port)
        yield port


@pytest.fixture(scope="module")
def laid_down(control: Cluster, namespace: str) -> None:
    for name, data in SECRETS.items():
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        metadata = {"name": name, "namespace": namespace}
        control.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded})


def config(given: dict[str, Any], namespace: str, port: int) -> dict[str, Any]:
    made = {key: f"http://127.0.0.1:{port}" if value == URL else value for key, value in given.items()}
    if isinstance(made.get("credsSecretRef"), str):
        made["credsSecretRef"] = {"name": made["credsSecretRef"], "namespace": namespace}
    return made


def spec(row: Row, namespace: str, port: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "backupStorageProvider": row.provider,
        "backupStorageConfig": config(row.backup, namespace, port),
    }
    if row.snapshots is not None:
        made["volumeSnapshotProvider"] = row.snapshots
        made["volumeSnapshotConfig"] = config(row.snapshot or {}, namespace, port)
    return made


def test_each_condition_is_found_and_stored(control: Cluster, namespace: str, store: int, laid_down: None) -> None:
    for name, row in ROWS.items():
        metadata = {"name": name, "namespace": namespace}
        body = {"apiVersion": names.API_VERSION, "kind": names.MIG_STORAGE, "metadata": metadata}
        control.create({**body, "spec": spec(row, namespace, store)})
    results = perform([("mig_storage", {"name": name}) for name in ROWS], namespace=namespace)
    for (name, row), result in zip(ROWS.items(), results, strict=True):
        wanted = {kind: ("Critical", "True", reason) for kind, reason in row.found} or READY
        assert (result["failed"], by_type(result)) == (bool(row.found), wanted), name
        told = " ".join(item.get("message", "") for item in result["conditions"].values())
        assert [words for words in row.told if words not in told] == [], name
        assert "planted" not in str(result)
        assert (name, result["failed"] and result["msg"]) != (name, "")
        now = control.get(names.API_VERSION, names.MIG_STORAGE, name, namespace)
        assert now is not None
        assert now["spec"] == spec(row, namespace, store)
        assert {item["type"]: item for item in now["status"]["conditions"]} == result["conditions"]
        assert now["status"]["observedDigest"]
    versions = {name: version(control, namespace, name) for name in ROWS}
    again = perform([("mig_storage", {"name": name}) for name in ROWS], namespace=namespace)
    assert [by_type(result) for result in again] == [by_type(result) for result in results]
    assert {name: version(control, namespace, name) for name in ROWS} == versions
    assert servers.s3_keys(store) == []


def version(control: Cluster, namespace: str, name: str) -> str:
    found = control.get(names.API_VERSION, names.MIG_STORAGE, name, namespace)
    assert found is not None
    return str(found["metadata"]["resourceVersion"])


def test_no_condition_of_the_kind_is_left_out() -> None:
    produced = {kind for row in ROWS.values() for kind, _reason in row.found} | {Type.READY}
    known = {value for name, value in vars(Type).items() if name.isupper()} | {Type.READY, Type.RECONCILE_FAILED}
    assert known == produced | set(NOT_PRODUCED)
