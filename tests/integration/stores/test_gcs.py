# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Provider gcp against the storage emulator, under Google's own names and through a proxy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources.storage_credentials import GcpCredentials
from ansible_collections.openmig.mtc.plugins.module_utils.stores.probe import look
from ansible_collections.openmig.mtc.plugins.module_utils.stores.providers import opened
from integration.stores import servers
from integration.stores.front import Front
from integration.stores.proving import prove, refused
from integration.stores.servers import BUCKET

CONFIG = {"gcpBucket": BUCKET}


@pytest.fixture(autouse=True)
def nothing_left(google_port: int) -> Iterator[None]:
    yield
    assert servers.google_keys(google_port) == []


def changed(service_account: str, **fields: Any) -> GcpCredentials:
    return GcpCredentials(json.dumps({**json.loads(service_account), **fields}))


def test_a_bucket_of_google(gcp: Front, service_account: str) -> None:
    prove("gcp", CONFIG, GcpCredentials(service_account))
    assert set(gcp.visited) == {"oauth2.googleapis.com", "storage.googleapis.com"}


def test_looking_writes_nothing(gcp: Front, service_account: str) -> None:
    with opened("gcp", CONFIG, GcpCredentials(service_account)) as store:
        look(store)


def test_a_bucket_that_is_not_there(gcp: Front, service_account: str) -> None:
    error = refused("gcp", {"gcpBucket": "absent"}, GcpCredentials(service_account))
    assert (error.subject, error.attempt) == ("Bucket absent at Google Cloud Storage", "write an object")
    assert error.reason == "there is no such bucket (HTTP 404)"


def test_an_account_that_google_does_not_know(gcp: Front, service_account: str) -> None:
    credentials = changed(service_account, client_email="planted@elsewhere.iam.gserviceaccount.com")
    error = refused("gcp", CONFIG, credentials)
    assert (error.attempt, error.reason) == ("log in", "Google does not accept the service account's key")
    assert "storage.googleapis.com" not in gcp.visited


@pytest.mark.parametrize(
    "text", ["planted, no JSON", "[]", '{"type": "service_account"}', '{"private_key": "planted", "client_email": "x"}']
)
def test_a_key_file_that_is_none(google_port: int, text: str) -> None:
    error = refused("gcp", CONFIG, GcpCredentials(text))
    assert error.attempt == "read the credentials"


def test_a_key_that_is_broken(google_port: int, service_account: str) -> None:
    broken = json.loads(service_account)["private_key"].replace("M", "planted", 3)
    assert refused("gcp", CONFIG, changed(service_account, private_key=broken)).attempt == "read the credentials"


def test_google_behind_a_proxy_that_nobody_trusts(
    gcp: Front, service_account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    error = refused("gcp", CONFIG, GcpCredentials(service_account))
    assert "TLS certificate not trusted" in error.reason
    assert "REQUESTS_CA_BUNDLE" in error.mend


def test_google_that_cannot_be_reached(google_port: int, service_account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://ann:planted@127.0.0.1:{servers.free_port()}")
    error = refused("gcp", CONFIG, GcpCredentials(service_account))
    assert "proxy failed: connection refused" in error.reason
    assert error.unreached
