# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Volumes that go through a replication repository, by a real restic and a real S3 server that both clusters reach."""

from __future__ import annotations

import base64
from typing import Any

import boto3
import botocore.config
import pytest

from integration.crds.conftest import role_on
from integration.migration import applications, calls, evidence
from integration.migration.conftest import World
from integration.migration.playbooks import Run
from lab import s3
from lab.targets import targets

PLAN_TASK = calls.PLAN_TASK
GROWTH = 100_000
INDIRECT = {"mtc_storage": "backups", "mtc_indirect_volumes": True}


def stored_in(world: World) -> None:
    """The world's MigStorage: the lab's bucket."""
    definitions = role_on(targets().destination)(crds_namespace=world.resource_namespace)
    assert definitions.code == 0, definitions.output
    store = s3.storage()
    run = calls.call(
        world,
        "mig_storage",
        name="backups",
        backup_storage_provider="aws",
        backup_storage_config={"aws_bucket_name": store.bucket, "aws_s3_url": store.endpoint},
        credentials={"aws_access_key_id": store.access_key, "aws_secret_access_key": store.secret_key},
    )
    assert run.code == 0, run.output


def bucket_keys(prefix: str) -> list[str]:
    """What the bucket holds below a prefix, by a client that owes nothing to the code under test."""
    store = s3.storage()
    client = boto3.client(
        "s3",
        endpoint_url=store.endpoint,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
        region_name=store.region,
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=store.bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents") or ()]


def password_of(world: World) -> str:
    secret = world.destination.get("v1", "Secret", "app-repository", world.resource_namespace)
    assert secret is not None
    return base64.b64decode(secret["data"]["password"]).decode()


def must_not_show_secrets(world: World, *runs: Run) -> None:
    """Neither the repository's password nor the store's keys are in what a user sees of the runs."""
    written = [str(calls.record(world, name)) for name in calls.stored(world)]
    for secret in (password_of(world), s3.storage().secret_key, s3.storage().access_key):
        for text in (*(run.output + str(run.tasks) for run in runs), *written):
            assert secret not in text


def volume_of(run: Run) -> dict[str, Any]:
    (volume,) = run.migration["volumes"]
    return dict(volume)


@pytest.mark.sample
def test_stages_add_the_difference_and_the_cutover_proves_all(world: World) -> None:
    world.deploy(mebibytes=4, files=50)
    stored_in(world)

    first = world.stage(**INDIRECT)
    assert first.code == 0, first.output
    assert volume_of(first)["bytes_moved"] > 4 * 1024 * 1024
    there = evidence.restored(world.destination, world.destination_namespace)
    assert list(there) == ["PersistentVolumeClaim data"]
    assert world.left_behind() == []

    applications.shell(
        world.source,
        world.source_namespace,
        f"cd /data && head -c {GROWTH} /dev/urandom > grown && rm deep/er/7 && mv empty moved && chmod 0700 deep",
    )
    second = world.stage(*PLAN_TASK, **INDIRECT)
    assert second.code == 0, second.output
    assert GROWTH < volume_of(second)["bytes_moved"] < 3 * GROWTH

    files = applications.files(world.source, world.source_namespace)
    final = world.migrate(*PLAN_TASK, **INDIRECT)
    assert final.code == 0, final.output
    assert applications.files(world.destination, world.destination_namespace) == files
    assert volume_of(final)["proven"] is True
    assert volume_of(final)["differing"] == []
    assert world.left_behind() == []
    must_not_show_secrets(world, first, second, final)

    again = world.migrate(*PLAN_TASK, **INDIRECT)
    assert (again.code, again.changed) == (0, 0), again.output
