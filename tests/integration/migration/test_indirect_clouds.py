# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Volumes that go through Google Cloud Storage and Azure Blob: the mover image's restic, under the public names of
both, with what its pods are given in earnest. Behind the names are the emulators that the communities of both test
with, and stand-ins for their logins: whether Google or Azure accept a key, no test here can show."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.volumes.indirect import PURPOSE
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.layout import PURPOSE_LABEL
from integration.crds.conftest import role_on
from integration.migration import applications, calls
from integration.migration.conftest import World
from integration.migration.injector import proxied_pods
from integration.migration.test_indirect import GROWTH, INDIRECT, password_of, volume_of
from integration.stores import azure_cloud, servers
from integration.stores.azure_cloud import LOGIN, MANAGEMENT
from integration.stores.conftest import use_proxy
from integration.stores.front import Authority, Front, proxy_front
from integration.stores.google_login import google_login, key_file
from lab.targets import targets
from lab.topology import DESTINATION, HOST_IP, SOURCE


@dataclass(frozen=True)
class Cloud:
    """A provider as this machine and the pods see it."""

    options: dict[str, Any]
    """Of mig_storage."""
    secrets: tuple[str, ...]
    held: Callable[[], list[str]]
    """What the bucket or container holds."""
    names: frozenset[str]
    """That have to be asked for."""
    front: Front
    authority: Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def google(authority: Authority, folder: Path, stack: ExitStack) -> Cloud:
    port, login = stack.enter_context(servers.google(folder)), stack.enter_context(google_login())
    backends = {"storage.googleapis.com": port, "oauth2.googleapis.com": login}
    key = key_file()
    return Cloud(
        options={
            "backup_storage_provider": "gcp",
            "backup_storage_config": {"gcp_bucket": servers.BUCKET},
            "credentials": {"gcp_credentials": key},
        },
        secrets=(json.loads(key)["private_key"].splitlines()[1], json.loads(key)["private_key_id"]),
        held=lambda: servers.google_keys(port),
        names=frozenset(backends),
        front=stack.enter_context(proxy_front(authority, backends, host=HOST_IP)),
        authority=authority,
    )


def azure(authority: Authority, folder: Path, stack: ExitStack) -> Cloud:
    """With a service principal: the key of the account is Azure's to tell."""
    port, cloud = stack.enter_context(servers.azurite(folder)), stack.enter_context(azure_cloud.azure_cloud())
    backends = {"*.blob.core.windows.net": port, LOGIN: cloud, MANAGEMENT: cloud}
    config = {
        "azure_resource_group": azure_cloud.RESOURCE_GROUP,
        "azure_storage_account": servers.AZURE_ACCOUNT,
        "azure_storage_container": servers.AZURE_CONTAINER,
    }
    principal = {
        "subscription_id": azure_cloud.SUBSCRIPTION,
        "tenant_id": azure_cloud.TENANT,
        "client_id": azure_cloud.CLIENT,
        "client_secret": azure_cloud.CLIENT_SECRET,
    }

    def held() -> list[str]:
        with servers.container() as found:
            return [str(blob.name) for blob in found.list_blobs()]

    return Cloud(
        options={
            "backup_storage_provider": "azure",
            "backup_storage_config": config,
            "credentials": {"azure_credentials": principal},
        },
        secrets=(azure_cloud.CLIENT_SECRET, servers.AZURE_KEY),
        held=held,
        names=frozenset({f"{servers.AZURE_ACCOUNT}.blob.core.windows.net", LOGIN, MANAGEMENT}),
        front=stack.enter_context(proxy_front(authority, backends, host=HOST_IP)),
        authority=authority,
    )


@pytest.fixture(params=[google, azure])
def cloud(
    request: pytest.FixtureRequest, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cloud]:
    folder = tmp_path / "store"
    folder.mkdir()
    with ExitStack() as stack:
        made: Cloud = request.param(authority, folder, stack)
        use_proxy(monkeypatch, made.front, authority)
        monkeypatch.setenv("NO_PROXY", f"{SOURCE.ip},{DESTINATION.ip}")
        if request.param is azure:
            servers.make_container()
        yield made


def stored_in(world: World, cloud: Cloud) -> None:
    definitions = role_on(targets().destination)(crds_namespace=world.resource_namespace)
    assert definitions.code == 0, definitions.output
    run = calls.call(world, "mig_storage", name="backups", **cloud.options)
    assert run.code == 0, run.output


def test_a_stage_run_and_a_cutover_through_the_cloud(world: World, cloud: Cloud) -> None:
    world.deploy(mebibytes=2, files=20)
    stored_in(world, cloud)
    clusters, spaces = (world.source, world.destination), (world.source_namespace, world.destination_namespace)
    with proxied_pods(
        clusters, spaces, {PURPOSE_LABEL: PURPOSE}, authority=cloud.authority, proxy=cloud.front.proxy
    ) as pods:
        staged = world.stage(**INDIRECT)
        assert staged.code == 0, staged.output
        applications.shell(
            world.source, world.source_namespace, f"cd /data && head -c {GROWTH} /dev/urandom > grown && rm deep/er/7"
        )
        files = applications.files(world.source, world.source_namespace)
        final = world.migrate(*calls.PLAN_TASK, **INDIRECT)
    assert final.code == 0, final.output
    assert applications.files(world.destination, world.destination_namespace) == files
    assert (volume_of(final)["proven"], volume_of(final)["differing"]) == (True, [])
    assert calls.record(world)["precopy"]["bytes"] < 3 * GROWTH, "what the stage run had sent was sent again"
    assert cloud.names <= set(cloud.front.visited)
    assert world.left_behind() == []

    assert len({pod["metadata"]["name"] for pod in pods}) >= 7
    shown = [json.dumps(pods), *(run.output + str(run.tasks) for run in (staged, final))]
    shown += [str(calls.record(world, name)) for name in calls.stored(world)]
    for secret in (password_of(world), *cloud.secrets):
        assert not [text for text in shown if secret in text]

    prefix = f"velero/restic/{world.resource_namespace}-app-"
    assert [key for key in cloud.held() if key.startswith(prefix)]
    gone = calls.call(world, "mig_plan", name="app", state="absent", delete_repository=True)
    assert (gone.code, gone.changed) == (0, 1), gone.output
    assert [key for key in cloud.held() if key.startswith(prefix)] == []
