# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Provider azure against the blob emulator, under Azure's own names and through a proxy; a stand-in plays login and
management."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources.storage_credentials import (
    AZURE_VARIABLES,
    AzureCredentials,
)
from ansible_collections.openmig.mtc.plugins.module_utils.stores.probe import look
from ansible_collections.openmig.mtc.plugins.module_utils.stores.providers import opened
from integration.stores import azure_cloud, servers
from integration.stores.front import Front
from integration.stores.proving import prove, refused
from integration.stores.servers import AZURE_ACCOUNT, AZURE_CONTAINER, AZURE_KEY

CONFIG = {
    "azureResourceGroup": azure_cloud.RESOURCE_GROUP,
    "azureStorageAccount": AZURE_ACCOUNT,
    "azureStorageContainer": AZURE_CONTAINER,
}
BLOBS = f"{AZURE_ACCOUNT}.blob.core.windows.net"


def credentials(**changes: str) -> AzureCredentials:
    """A service principal, with changes."""
    principal = {
        "subscription_id": azure_cloud.SUBSCRIPTION,
        "tenant_id": azure_cloud.TENANT,
        "client_id": azure_cloud.CLIENT,
        "client_secret": azure_cloud.CLIENT_SECRET,
    }
    return AzureCredentials({AZURE_VARIABLES[name]: value for name, value in {**principal, **changes}.items()})


@pytest.fixture(autouse=True)
def nothing_left(azure: Front) -> Iterator[None]:
    yield
    with servers.container() as container:
        assert list(container.list_blob_names()) == []


def test_a_service_principal_leads_to_the_key(azure: Front) -> None:
    azure.visited.clear()
    prove("azure", CONFIG, credentials())
    assert set(azure.visited) == {azure_cloud.LOGIN, azure_cloud.MANAGEMENT, BLOBS}


def test_a_given_key_needs_no_login(azure: Front) -> None:
    azure.visited.clear()
    prove("azure", CONFIG, credentials(storage_account_access_key=AZURE_KEY))
    assert set(azure.visited) == {BLOBS}


def test_looking_writes_nothing(azure: Front) -> None:
    with opened("azure", CONFIG, credentials()) as store:
        look(store)


def test_a_container_that_is_not_there(azure: Front) -> None:
    error = refused("azure", {**CONFIG, "azureStorageContainer": "absent"}, credentials())
    assert (error.attempt, error.reason) == (
        "write a blob",
        "there is no such container (ContainerNotFound, HTTP 404)",
    )


def test_a_client_secret_that_azure_refuses(azure: Front) -> None:
    error = refused("azure", CONFIG, credentials(client_secret="planted~wrong"))
    assert (error.attempt, error.reason) == ("log in", "Azure does not accept the service principal")


def test_a_resource_group_that_is_not_there(azure: Front) -> None:
    error = refused("azure", {**CONFIG, "azureResourceGroup": "absent"}, credentials())
    assert error.attempt == "ask for the account's access key"
    assert "ResourceGroupNotFound" in error.reason


@pytest.mark.parametrize("key", ["cGxhbnRlZC13cm9uZw==", "planted, no base64"])
def test_a_key_that_is_wrong(azure: Front, key: str) -> None:
    refused("azure", CONFIG, credentials(storage_account_access_key=key))


def test_a_cloud_that_nobody_knows(azure: Front) -> None:
    error = refused("azure", CONFIG, credentials(cloud_name="planted"))
    assert "AZURE_CLOUD_NAME" in error.reason
    assert "AzureUSGovernmentCloud" in error.mend


@pytest.mark.parametrize("more", [{}, {"storage_account_access_key": AZURE_KEY}], ids=["login", "blobs"])
def test_azure_that_cannot_be_reached(azure: Front, more: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as changed:
        changed.setenv("HTTPS_PROXY", f"http://127.0.0.1:{servers.free_port()}")
        error = refused("azure", CONFIG, credentials(**more))
    assert "proxy failed: connection refused" in error.reason


def test_azure_behind_a_proxy_that_nobody_trusts(azure: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as changed:
        changed.delenv("REQUESTS_CA_BUNDLE")
        changed.delenv("CURL_CA_BUNDLE", raising=False)
        error = refused("azure", CONFIG, credentials(storage_account_access_key=AZURE_KEY))
    assert "TLS certificate not trusted" in error.reason
