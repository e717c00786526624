# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A bucket of a test's own in the lab's S3 server, and what lies in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import botocore.config

from integration.crds.conftest import role_on
from integration.migration import calls
from integration.migration.conftest import World
from lab import s3
from lab.targets import targets


@contextmanager
def own_bucket(world: World) -> Iterator[None]:
    """The world's bucket, gone at the end with everything in it."""
    client = bucket_client()
    client.create_bucket(Bucket=world.name)
    try:
        yield
    finally:
        for key in bucket_keys(world, ""):
            client.delete_object(Bucket=world.name, Key=key)
        client.delete_bucket(Bucket=world.name)


def stored_in(world: World, *, endpoint: str = "") -> None:
    """The world's MigStorage: its bucket, by a way of the test's own if it has one."""
    definitions = role_on(targets().destination)(crds_namespace=world.resource_namespace)
    assert definitions.code == 0, definitions.output
    store = s3.storage()
    run = calls.call(
        world,
        "mig_storage",
        name="backups",
        backup_storage_provider="aws",
        backup_storage_config={"aws_bucket_name": world.name, "aws_s3_url": endpoint or store.endpoint},
        credentials={"aws_access_key_id": store.access_key, "aws_secret_access_key": store.secret_key},
    )
    assert run.code == 0, run.output


def bucket_keys(world: World, prefix: str) -> list[str]:
    """What the bucket holds below a prefix."""
    pages = bucket_client().get_paginator("list_objects_v2").paginate(Bucket=world.name, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents") or ()]


def bucket_client() -> Any:
    """A client that owes nothing to the code under test."""
    store = s3.storage()
    return boto3.client(
        "s3",
        endpoint_url=store.endpoint,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
        region_name=store.region,
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )


def bucket_object(world: World, key: str) -> bytes:
    content: bytes = bucket_client().get_object(Bucket=world.name, Key=key)["Body"].read()
    return content
