# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What restic's pods are given for each provider: secrets in files alone, and refusals for what restic cannot use."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine import preflight, restic_access
from ansible_collections.openmig.mtc.plugins.module_utils.engine.preflight import Situation
from ansible_collections.openmig.mtc.plugins.module_utils.resources.storage_credentials import (
    AwsCredentials,
    AzureCredentials,
    Credentials,
    GcpCredentials,
)
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.repository import Repository

KEY_FILE = {
    "client_email": "backup@example.iam.gserviceaccount.com",
    "private_key": "-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n",
    "private_key_id": "planted-key-id",
    "project_id": "example",
    "token_uri": "https://oauth2.googleapis.com/token",
}
AZURE_CONFIG = {"azureResourceGroup": "g", "azureStorageAccount": "account", "azureStorageContainer": "box"}
ROWS: dict[str, tuple[dict[str, Any], Credentials]] = {
    "aws": ({"awsBucketName": "box"}, AwsCredentials("planted-identity", "planted-secret")),
    "gcp": ({"gcpBucket": "box"}, GcpCredentials(json.dumps(KEY_FILE))),
    "azure": (AZURE_CONFIG, AzureCredentials({"AZURE_STORAGE_ACCOUNT_ACCESS_KEY": "cGxhbnRlZA=="})),
}


def made(provider: str) -> Repository:
    config, credentials = ROWS[provider]
    return restic_access.PROVIDERS[provider].repository(config, credentials, "velero/restic/x", "planted-password")


def test_each_provider_has_its_address() -> None:
    assert {provider: made(provider).address for provider in restic_access.PROVIDERS} == {
        "aws": "s3:https://s3.us-east-1.amazonaws.com/box/velero/restic/x",
        "azure": "azure:box:/velero/restic/x",
        "gcp": "gs:box:/velero/restic/x",
    }


@pytest.mark.parametrize("provider", list(restic_access.PROVIDERS))
def test_what_stands_in_pods_is_not_secret(provider: str) -> None:
    repository = made(provider)
    shown = f"{repository!r} {repository.address} {repository.environment} {repository.options}"
    assert "planted" not in shown
    assert "cGxhbnRlZA==" not in shown
    assert set(repository.variables) <= set(repository.files)


def test_the_accounts_key_reaches_restic_in_a_variable_that_comes_from_a_file() -> None:
    repository = made("azure")
    assert repository.variables == ("AZURE_ACCOUNT_KEY",)
    assert repository.files["AZURE_ACCOUNT_KEY"] == "cGxhbnRlZA=="
    assert repository.environment == {"AZURE_ACCOUNT_NAME": "account"}


def test_googles_key_file_says_what_it_is() -> None:
    assert json.loads(made("gcp").files["google.json"]) == {**KEY_FILE, "type": "service_account"}


def test_a_part_of_a_key_file_is_not_told() -> None:
    told = made("gcp").told(f"cannot parse {KEY_FILE['private_key']} of planted-key-id")
    assert "planted" not in told


@pytest.mark.parametrize(
    ("provider", "credentials", "told"),
    [
        ("azure", AzureCredentials({"AZURE_CLOUD_NAME": "AzureChinaCloud"}), "AzureChinaCloud"),
        ("gcp", GcpCredentials("planted, no JSON"), "service account's key file"),
        ("gcp", GcpCredentials('["planted"]'), "service account's key file"),
        ("gcp", GcpCredentials(json.dumps({**KEY_FILE, "type": "external_account"})), "service account's key file"),
        ("gcp", GcpCredentials(json.dumps({**KEY_FILE, "private_key": ""})), "service account's key file"),
        ("swift", AwsCredentials("planted", "planted"), "aws, azure, gcp"),
    ],
)
def test_what_restic_cannot_use_is_refused_by_name_before_the_start(
    provider: str, credentials: Credentials, told: str
) -> None:
    found = restic_access.obstacle(provider, credentials)
    assert found is not None
    plan = {"metadata": {"name": "shop", "namespace": "openmig"}, "spec": {"indirectVolumeMigration": True}}
    situation = SimpleNamespace(plan=plan, repository_obstacle=found, moves=[])
    (error,) = preflight._indirect(cast(Situation, situation))
    assert error.message.startswith("MigPlan openmig/shop: its volumes cannot go through its MigStorage: ")
    assert told in error.message
    assert "planted" not in error.message


@pytest.mark.parametrize("provider", list(restic_access.PROVIDERS))
def test_what_restic_can_use_is_not(provider: str) -> None:
    assert restic_access.obstacle(provider, ROWS[provider][1]) is None


@pytest.mark.parametrize("cloud", ["", "AzurePublicCloud", "AZUREPUBLICCLOUD"])
def test_azures_public_cloud_may_be_named(cloud: str) -> None:
    assert restic_access.obstacle("azure", AzureCredentials({"AZURE_CLOUD_NAME": cloud})) is None
