# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stores of all providers for one session, reached by their public names through a proxy of this machine."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from integration.stores import servers
from integration.stores.azure_cloud import LOGIN, MANAGEMENT, azure_cloud
from integration.stores.front import Authority, Front, proxy_front, tls_front
from integration.stores.google_login import google_login, key_file


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def s3_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with servers.seaweed(tmp_path_factory.mktemp("seaweed")) as port:
        servers.make_bucket(port)
        yield port


@pytest.fixture(scope="session")
def s3_front(authority: Authority, s3_port: int) -> Iterator[Front]:
    """The S3 server behind TLS of an authority that nobody knows."""
    with tls_front(authority, s3_port) as front:
        yield front


@pytest.fixture
def aws(authority: Authority, s3_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """A proxy behind which the S3 server has AWS's names."""
    names = ["s3.amazonaws.com", "*.s3.amazonaws.com", "s3.eu-west-1.amazonaws.com", "*.s3.eu-west-1.amazonaws.com"]
    with proxy_front(authority, dict.fromkeys(names, s3_port)) as front:
        use_proxy(monkeypatch, front, authority)
        yield front


@pytest.fixture(scope="session")
def google_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with servers.google(tmp_path_factory.mktemp("google")) as port:
        yield port


@pytest.fixture
def gcp(authority: Authority, google_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """A proxy behind which the emulator and a login have Google's names."""
    with ExitStack() as stack:
        login = stack.enter_context(google_login())
        backends = {"storage.googleapis.com": google_port, "oauth2.googleapis.com": login}
        front = stack.enter_context(proxy_front(authority, backends))
        use_proxy(monkeypatch, front, authority)
        yield front


@pytest.fixture(scope="session")
def service_account() -> str:
    return key_file()


@pytest.fixture(scope="session")
def azurite_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with servers.azurite(tmp_path_factory.mktemp("azurite")) as port:
        yield port


@pytest.fixture
def azure(authority: Authority, azurite_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """A proxy behind which the emulator and the stand-in for login and management have Azure's names."""
    with ExitStack() as stack:
        cloud = stack.enter_context(azure_cloud())
        backends = {"*.blob.core.windows.net": azurite_port, LOGIN: cloud, MANAGEMENT: cloud}
        front = stack.enter_context(proxy_front(authority, backends))
        use_proxy(monkeypatch, front, authority)
        servers.make_container()
        yield front


def use_proxy(monkeypatch: pytest.MonkeyPatch, front: Front, authority: Authority) -> None:
    """The environment in which a user behind a proxy that opens TLS runs a module."""
    for name in ("HTTP_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "NO_PROXY", "no_proxy", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", front.proxy)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def unused(folder: Path) -> str:
    """A URL that nobody listens for."""
    return f"http://127.0.0.1:{servers.free_port()}"
