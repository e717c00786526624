# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A library that is not installed is named, with the way to get it; those of other providers are not asked for."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.libraries import MissingLibrary
from ansible_collections.openmig.mtc.plugins.module_utils.resources.storage_credentials import (
    AwsCredentials,
    AzureCredentials,
    GcpCredentials,
)
from ansible_collections.openmig.mtc.plugins.module_utils.resources.storage_providers import PROVIDERS
from ansible_collections.openmig.mtc.plugins.module_utils.stores.libraries import require_azure_management
from ansible_collections.openmig.mtc.plugins.module_utils.stores.providers import STORES, opened, require

MODULES = {"aws": "botocore.session", "gcp": "google.cloud.storage", "azure": "azure.storage.blob"}
PACKAGES = {"aws": "boto3", "gcp": "google-cloud-storage", "azure": "azure-storage-blob"}
GIVEN: dict[str, tuple[dict[str, str], Any]] = {
    "aws": ({"awsBucketName": "b"}, AwsCredentials("a", "b")),
    "gcp": ({"gcpBucket": "b"}, GcpCredentials("{}")),
    "azure": ({"azureStorageAccount": "a", "azureStorageContainer": "c"}, AzureCredentials({})),
}


def test_every_provider_has_a_store() -> None:
    assert set(STORES) == set(PROVIDERS) == set(MODULES)


@pytest.mark.parametrize("provider", MODULES)
def test_a_missing_library_is_named(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULES[provider], None)
    with pytest.raises(MissingLibrary) as asked:
        require(provider)
    assert asked.value.library == PACKAGES[provider]
    assert f"-m pip install {PACKAGES[provider]}" in asked.value.mend
    with pytest.raises(MissingLibrary), opened(provider, *GIVEN[provider]):
        pass
    for other in set(MODULES) - {provider}:
        require(other)


@pytest.mark.parametrize(
    ("module", "package"), [("identity", "azure-identity"), ("mgmt.storage", "azure-mgmt-storage")]
)
def test_what_a_service_principal_needs_is_named(module: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, f"azure.{module}", None)
    require("azure")
    with pytest.raises(MissingLibrary) as asked:
        require_azure_management()
    assert asked.value.library == package
