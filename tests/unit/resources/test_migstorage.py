# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options of a storage become its spec and its secrets; what does not fit together is told with every path."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import (
    argument_specs,
    migstorage,
    schema_setup,
    storage_credentials,
)
from ansible_collections.openmig.mtc.plugins.module_utils.resources.spec_fields import Field
from ansible_collections.openmig.mtc.plugins.module_utils.resources.storage_providers import (
    PROVIDERS,
    is_duration,
    is_http_url,
)

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
KEYS = {"aws_access_key_id": "id", "aws_secret_access_key": "planted"}
PRINCIPAL = {"subscription_id": "s", "tenant_id": "t", "client_id": "c", "client_secret": "planted"}
KEY_FILE = json.dumps({"client_email": "a@b", "private_key": "planted", "token_uri": "https://c"})


def paths(problems: list[Any]) -> list[str]:
    assert not [problem for problem in problems if "planted" in str(problem)]
    return [problem.path for problem in problems]


def encoded(data: dict[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}


# -- options and fields ----------------------------------------------------------------------------------------------


def test_every_field_of_the_definition_has_an_option_and_the_other_way_round() -> None:
    properties = schema_setup.mig_storage()[0]["properties"]
    options = argument_specs.storage_spec()
    assert {field.option for field in migstorage.FIELDS} == set(options)
    # Whether a test is asked for is no property of the storage: the module has an option of its own for it.
    assert {field.name for field in migstorage.FIELDS} == set(properties) - {"refresh"}
    for group in migstorage.GROUPS.values():
        secret = {"creds_secret", "creds_secret_ref"}
        plain = {field.option: field.name for field in group.fields if isinstance(field, Field)}
        assert set(plain) | secret == set(options[group.option]["options"])
        assert {*plain.values(), "credsSecretRef"} == set(properties[group.name]["properties"])


def test_every_provider_knows_its_fields() -> None:
    names = {
        option: {field.name for field in group.fields if isinstance(field, Field)}
        for option, group in migstorage.GROUPS.items()
    }
    for provider in PROVIDERS.values():
        assert set(provider.backup_required) <= set(provider.backup_fields) <= names[migstorage.BACKUP]
        assert set(provider.snapshot_required) <= set(provider.snapshot_fields) <= names[migstorage.SNAPSHOT]


def test_a_storage_in_its_users_words() -> None:
    spec = migstorage.build_spec(
        {
            "namespace": "openshift-migration",
            "secrets_namespace": "openshift-config",
            "backup_storage_provider": "aws",
            "backup_storage_config": {
                "aws_bucket_name": "backups",
                "s3_custom_ca_bundle": PEM,
                "insecure": None,
                "creds_secret": "keys",
            },
            "volume_snapshot_config": {"creds_secret_ref": {"name": "other", "namespace": "elsewhere"}},
        }
    )
    assert spec == {
        "backupStorageProvider": "aws",
        "backupStorageConfig": {
            "awsBucketName": "backups",
            "s3CustomCABundle": base64.b64encode(PEM.encode()).decode(),
            "credsSecretRef": {"name": "keys", "namespace": "openshift-config"},
        },
        "volumeSnapshotConfig": {"credsSecretRef": {"name": "other", "namespace": "elsewhere"}},
    }


STORED: dict[str, Any] = {
    "backupStorageProvider": "aws",
    "backupStorageConfig": {
        "awsBucketName": "backups",
        "awsRegion": "eu-west-1",
        "credsSecretRef": {"name": "keys", "namespace": "openmig", "kind": "Secret"},
    },
}


def test_what_is_not_named_stays_within_the_groups_too() -> None:
    wanted = migstorage.build_spec(
        {"namespace": "openmig", "backup_storage_config": {"aws_bucket_name": "other", "creds_secret": "keys"}}
    )
    merged = migstorage.merge_spec(STORED, wanted)
    assert merged["backupStorageConfig"] == {**STORED["backupStorageConfig"], "awsBucketName": "other"}
    assert migstorage.drift(STORED, wanted) == {
        "before": {"backupStorageConfig": {"awsBucketName": "backups"}},
        "after": {"backupStorageConfig": {"awsBucketName": "other"}},
    }
    assert migstorage.drift(merged, wanted) == {}
    assert STORED["backupStorageConfig"]["awsBucketName"] == "backups"


def test_snapshots_of_the_same_provider_share_the_credentials() -> None:
    shared = migstorage.merge_spec(STORED, {"volumeSnapshotProvider": "aws"})
    assert shared["volumeSnapshotConfig"] == {"credsSecretRef": STORED["backupStorageConfig"]["credsSecretRef"]}
    assert migstorage.merge_spec(STORED, {"volumeSnapshotProvider": "gcp"}).get("volumeSnapshotConfig") is None
    own = {"volumeSnapshotProvider": "aws", "volumeSnapshotConfig": {"credsSecretRef": {"name": "a", "namespace": "b"}}}
    assert migstorage.merge_spec(STORED, own)["volumeSnapshotConfig"] == own["volumeSnapshotConfig"]


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "config", "path"),
    [
        ("aws", {"gcp_bucket": "b"}, "gcp_bucket"),
        ("gcp", {"insecure": False}, "insecure"),
        ("azure", {"aws_region": "r"}, "aws_region"),
        ("aws", {"aws_s3_url": "store:9000"}, "aws_s3_url"),
        ("aws", {"aws_s3_url": "https://a:planted@store"}, "aws_s3_url"),
        ("aws", {"aws_public_url": "ftp://store"}, "aws_public_url"),
        ("aws", {"aws_signature_version": "2"}, "aws_signature_version"),
        ("aws", {"s3_custom_ca_bundle": "nonsense"}, "s3_custom_ca_bundle"),
        ("aws", {"s3_custom_ca_bundle": PEM, "insecure": True}, "s3_custom_ca_bundle"),
        ("aws", {"aws_bucket_name": "a/b"}, "aws_bucket_name"),
        ("aws", {"aws_bucket_name": ""}, "aws_bucket_name"),
        ("gcp", {"gcp_bucket": "a/b"}, "gcp_bucket"),
        ("azure", {"azure_storage_container": ""}, "azure_storage_container"),
        ("aws", {"creds_secret": "Not_A_Name"}, "creds_secret"),
        ("aws", {"creds_secret_ref": {"name": "a", "namespace": "B"}}, "creds_secret_ref.namespace"),
        ("aws", {"creds_secret": "a", "creds_secret_ref": {"name": "a"}}, "creds_secret_ref"),
    ],
)
def test_a_setting_that_cannot_be(provider: str, config: dict[str, Any], path: str) -> None:
    params = {"name": "store", "backup_storage_provider": provider, "backup_storage_config": config}
    assert paths(migstorage.validate(params)) == [f"backup_storage_config.{path}"]


@pytest.mark.parametrize("value", ["soon", "10", "-10m", "0s", "1.h2", "10m ", "1d"])
def test_a_duration_that_is_none(value: str) -> None:
    config = {"snapshot_creation_timeout": value}
    params = {"name": "store", "volume_snapshot_provider": "gcp", "volume_snapshot_config": config}
    assert paths(migstorage.validate(params)) == ["volume_snapshot_config.snapshot_creation_timeout"]


@pytest.mark.parametrize("value", ["10m", "1h30m", "1.5h", ".5s", "90s", "100ms"])
def test_a_duration_of_go(value: str) -> None:
    assert is_duration(value)


@pytest.mark.parametrize(
    ("value", "is_one"), [("https://a:1/b", True), ("a:1", False), ("http://:1", False), ("", False)]
)
def test_an_address_of_a_store(value: str, is_one: bool) -> None:
    assert is_http_url(value) is is_one


@pytest.mark.parametrize(
    ("credentials", "path"),
    [
        ({}, ""),
        ({"aws_access_key_id": "id"}, ".aws_secret_access_key"),
        ({**KEYS, "aws_secret_access_key": ""}, ".aws_secret_access_key"),
        ({**KEYS, "gcp_credentials": KEY_FILE}, ""),
        ({"gcp_credentials": KEY_FILE}, ".gcp_credentials"),
    ],
)
def test_credentials_that_do_not_fit(credentials: dict[str, Any], path: str) -> None:
    params = {"name": "store", "backup_storage_provider": "aws", "credentials": credentials}
    assert paths(migstorage.validate(params)) == [f"credentials{path}"]


@pytest.mark.parametrize(
    ("credentials", "wrong"),
    [
        ({"azure_credentials": {**PRINCIPAL, "tenant_id": None}}, ["azure_credentials.tenant_id"]),
        ({"azure_credentials": {**PRINCIPAL, "client_secret": "plan'ted"}}, ["azure_credentials.client_secret"]),
        ({"azure_credentials": {"storage_account_access_key": "planted"}}, []),
        ({"gcp_credentials": "planted"}, ["gcp_credentials"]),
        ({"gcp_credentials": '{"private_key": "planted"}'}, ["gcp_credentials"]),
        ({"gcp_credentials": "[1]"}, ["gcp_credentials"]),
    ],
)
def test_credentials_that_are_none(credentials: dict[str, Any], wrong: list[str]) -> None:
    found = migstorage.validate({"name": "store", "credentials": credentials})
    assert paths(found) == [f"credentials.{path}" for path in wrong]


def test_a_reference_beside_credentials_says_where_their_secret_is_made() -> None:
    params: dict[str, Any] = {"name": "store", "credentials": KEYS}
    assert migstorage.secrets_of(params, home="openmig") == {migstorage.BACKUP: ("openmig", "migstorage-store")}
    by_name = {**params, "backup_storage_config": {"creds_secret": "keys"}}
    assert migstorage.validate(by_name) == []
    assert migstorage.secrets_of(by_name, home="there") == {migstorage.BACKUP: ("there", "keys")}
    elsewhere = {"creds_secret_ref": {"name": "keys", "namespace": "vault"}}
    both = {
        **by_name,
        "volume_snapshot_provider": "aws",
        "volume_snapshot_credentials": KEYS,
        "volume_snapshot_config": elsewhere,
    }
    assert migstorage.validate(both) == []
    assert list(migstorage.secrets_of(both, home="there").values()) == [("there", "keys"), ("vault", "keys")]
    assert paths(migstorage.validate({**both, "volume_snapshot_config": {"creds_secret": "keys"}})) == [
        "volume_snapshot_credentials"
    ]
    assert paths(migstorage.validate({**params, "backup_storage_config": {"creds_secret": ""}})) == [
        "backup_storage_config.creds_secret"
    ]
    assert paths(migstorage.validate({"name": "a" * 250, "credentials": KEYS})) == ["name"]
    assert migstorage.validate({**by_name, "name": "a" * 250}) == []


def test_the_secrets_that_a_spec_refers_to() -> None:
    one, other = ({"name": name, "namespace": "openmig"} for name in ("one", "other"))
    spec = {"backupStorageConfig": {"credsSecretRef": one}, "volumeSnapshotConfig": {"credsSecretRef": one}}
    assert migstorage.referenced_secrets(spec) == [("openmig", "one")]
    spec["volumeSnapshotConfig"] = {"credsSecretRef": other}
    assert migstorage.referenced_secrets(spec) == [("openmig", "one"), ("openmig", "other")]
    assert migstorage.referenced_secrets({}) == []


def test_credentials_for_snapshots_need_their_provider_beside_them() -> None:
    options = {"name": "backups", "backup_storage_provider": "aws", "volume_snapshot_credentials": KEYS}
    assert paths(migstorage.validate(options)) == ["volume_snapshot_provider"]
    assert migstorage.validate({**options, "volume_snapshot_provider": "aws"}) == []


def test_everything_wrong_is_told_at_once() -> None:
    params = {
        "name": "Store",
        "backup_storage_provider": "s3",
        "backup_storage_config": {"aws_s3_url": "x", "creds_secret": "X"},
        "credentials": {},
        "volume_snapshot_provider": "azure",
        "volume_snapshot_config": {"aws_region": "r", "azure_api_timeout": "soon"},
    }
    assert paths(migstorage.validate(params)) == [
        "name",
        "backup_storage_provider",
        "backup_storage_config.aws_s3_url",
        "backup_storage_config.creds_secret",
        "credentials",
        "volume_snapshot_config.aws_region",
        "volume_snapshot_config.azure_api_timeout",
    ]
    assert paths(migstorage.validate({**params, "name": "store", "state": "absent"})) == []


@pytest.mark.parametrize(
    ("spec", "missing"),
    [
        ({}, ["backup_storage_provider"]),
        (
            {"backupStorageProvider": "aws", "backupStorageConfig": {}},
            ["backup_storage_config.aws_bucket_name", "backup_storage_config.creds_secret_ref"],
        ),
        ({**STORED, "volumeSnapshotProvider": "gcp"}, ["volume_snapshot_config.creds_secret_ref"]),
        # Somebody has said these, wrongly: the conditions tell it.
        ({"backupStorageProvider": "", "backupStorageConfig": {}}, []),
        ({"backupStorageProvider": "aws", "backupStorageConfig": {"awsBucketName": "", "credsSecretRef": {}}}, []),
    ],
)
def test_what_nobody_has_said(spec: dict[str, Any], missing: list[str]) -> None:
    assert paths(migstorage.incomplete(spec)) == missing


# -- secrets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "given"),
    [
        ("aws", KEYS),
        ("azure", {"azure_credentials": {**PRINCIPAL, "client_secret": 'a"b$c#d = e'}}),
        ("azure", {"azure_credentials": {"storage_account_access_key": "a=="}}),
        ("gcp", {"gcp_credentials": KEY_FILE}),
    ],
)
def test_what_is_written_into_a_secret_is_read_out_of_it(provider: str, given: dict[str, Any]) -> None:
    read = PROVIDERS[provider].read(encoded(storage_credentials.secret_data(given)))
    assert read.items == ()
    for secret in ("planted", 'a"b$c#d = e'):
        assert secret not in repr(read.credentials)
    if isinstance(read.credentials, storage_credentials.AzureCredentials):
        values = given["azure_credentials"]
        assert {name: read.credentials.get(name) for name in values} == values
    elif isinstance(read.credentials, storage_credentials.AwsCredentials):
        assert (read.credentials.access_key_id, read.credentials.secret_access_key) == ("id", "planted")
    else:
        assert isinstance(read.credentials, storage_credentials.GcpCredentials)
        assert read.credentials.text == KEY_FILE


@pytest.mark.parametrize(
    ("provider", "data", "items"),
    [
        ("aws", {}, ("Secret(content)",)),
        ("aws", {"aws-access-key-id": "a", "aws-secret-access-key": ""}, ("Secret(content)",)),
        ("gcp", {"gcp-credentials": " \n"}, ("Secret(content)",)),
        ("azure", {"azure-credentials": "no variables"}, ("Secret(content)",)),
        ("azure", {"azure-credentials": "A B=1"}, ("Secret(content)",)),
        (
            "azure",
            {"azure-credentials": "# mine\nexport AZURE_TENANT_ID=t # here\nAZURE_CLIENT_ID='c'\n"},
            ("AZURE_SUBSCRIPTION_ID", "AZURE_CLIENT_SECRET"),
        ),
    ],
)
def test_a_secret_that_lacks_something(provider: str, data: dict[str, str], items: tuple[str, ...]) -> None:
    read = PROVIDERS[provider].read(encoded(data))
    assert (read.credentials, read.items) == (None, items)


def test_bytes_that_are_no_text_are_no_credentials() -> None:
    data = {"aws-access-key-id": "////", "aws-secret-access-key": "not base64!"}
    assert PROVIDERS["aws"].read(data).items == ("Secret(content)",)
