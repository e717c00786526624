# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A storage's life as a task: made with its secret, left alone, changed, kept while a plan uses it, removed."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import migstorage, names
from integration.conditions.conftest import control, own_namespace
from integration.conditions.tasks import by_type, perform, played, written
from integration.stores import azure_cloud, servers
from integration.stores.front import Front
from integration.stores.servers import ADMIN, AZURE_ACCOUNT, AZURE_CONTAINER, BUCKET, READER, Keys
from lab import audit
from lab.topology import DESTINATION

__all__ = ["control"]

READY = {"Ready": ("Required", "True", "")}


@pytest.fixture(scope="module")
def namespace(control: Cluster) -> Iterator[str]:
    yield from own_namespace(control, "stores")


def bucket(port: int, keys: Keys = ADMIN, **changes: Any) -> dict[str, Any]:
    """The options of a storage on the S3 server."""
    return {
        "name": "backups",
        "backup_storage_provider": "aws",
        "backup_storage_config": {"aws_bucket_name": BUCKET, "aws_s3_url": f"http://127.0.0.1:{port}"},
        "credentials": {"aws_access_key_id": keys.access, "aws_secret_access_key": keys.secret},
        **changes,
    }


def secret_of(control: Cluster, namespace: str, name: str = "migstorage-backups") -> dict[str, str] | None:
    found = control.get("v1", "Secret", name, namespace)
    return found and {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


@pytest.mark.sample
def test_a_storages_life(control: Cluster, namespace: str, s3_port: int) -> None:
    mark = audit.mark("destination")
    (predicted,) = perform([("mig_storage", bucket(s3_port))], "--check", "--diff", namespace=namespace)
    assert written(namespace, mark) == []
    assert (predicted["changed"], predicted["tested"]) == (True, ["list"])
    made, again, other = perform(
        [
            ("mig_storage", bucket(s3_port)),
            ("mig_storage", bucket(s3_port)),
            ("mig_storage", bucket(s3_port, READER)),
        ],
        "--diff",
        namespace=namespace,
    )
    assert made["changes"] == predicted["changes"]
    assert made["resource"]["spec"] == predicted["resource"]["spec"]
    assert (made["changed"], made["engine"], made["tested"]) == (True, "builtin", ["write", "read", "list", "delete"])
    assert (again["changed"], again["diff"]) == (False, {"before": {}, "after": {}})
    assert other["failed"]
    assert "AccessDenied" in other["msg"]
    assert secret_of(control, namespace) == {
        "aws-access-key-id": READER.access,
        "aws-secret-access-key": READER.secret,
    }
    stored = control.get(names.API_VERSION, names.MIG_STORAGE, "backups", namespace)
    assert stored is not None
    assert "Ready" not in [item["type"] for item in stored["status"]["conditions"]]
    mended, kept, gone, absent = perform(
        [
            ("mig_storage", bucket(s3_port)),
            ("mig_storage", {"name": "backups"}),
            ("mig_storage", {"name": "backups", "state": "absent"}),
            ("mig_storage", {"name": "backups", "state": "absent"}),
        ],
        namespace=namespace,
    )
    assert (mended["changed"], kept["changed"], gone["changed"], absent["changed"]) == (True, False, True, False)
    assert by_type(kept) == READY
    assert secret_of(control, namespace) is None
    assert servers.s3_keys(s3_port) == []


def test_nothing_planted_shows(control: Cluster, namespace: str, s3_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the highest verbosity, with a diff, in a success, a failure and a refusal: not in a single line of output.

    Not from the playbook itself, whose lines Ansible shows when a task fails.
    """
    for name, value in {"GOOD": ADMIN.secret, "WRONG": "planted-wrong", "FILE": '{"a": "planted-key"}'}.items():
        monkeypatch.setenv(f"STORE_{name}", value)
    good, wrong = (
        bucket(s3_port, Keys(ADMIN.access, f"{{{{ lookup('env', 'STORE_{name}') }}}}"), name="secretive")
        for name in ("GOOD", "WRONG")
    )
    refused = {**good, "volume_snapshot_credentials": {"gcp_credentials": "{{ lookup('env', 'STORE_FILE') }}"}}
    calls = [("mig_storage", options) for options in (good, wrong, refused)]
    run = played(calls, "--diff", "-vvvv", namespace=namespace)
    assert [task["outcome"] == "failed" for task in run.tasks] == [False, True, True]
    assert "SignatureDoesNotMatch" in run.output
    assert [line for line in run.output.splitlines() if "planted" in line] == []
    stored = control.get(names.API_VERSION, names.MIG_STORAGE, "secretive", namespace)
    assert "planted" not in str(stored)
    perform([("mig_storage", {"name": "secretive", "state": "absent"})], namespace=namespace)


def test_secrets_of_others_are_neither_overwritten_nor_removed(control: Cluster, namespace: str, s3_port: int) -> None:
    name = migstorage.secret_names("foreign")[0]
    data = {"aws-access-key-id": base64.b64encode(b"theirs").decode()}
    metadata = {"name": name, "namespace": namespace}
    control.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
    refused, gone = perform(
        [
            ("mig_storage", bucket(s3_port, name="foreign")),
            ("mig_storage", {"name": "foreign", "state": "absent"}),
        ],
        namespace=namespace,
    )
    assert refused["failed"]
    assert f"Secret {namespace}/{name}: it is not overwritten" in refused["msg"]
    assert (gone["failed"], gone["changed"]) == (False, False)
    assert secret_of(control, namespace, name) == {"aws-access-key-id": "theirs"}
    assert control.get(names.API_VERSION, names.MIG_STORAGE, "foreign", namespace) is None


def test_a_secret_of_the_collection_that_is_for_something_else_is_kept(
    control: Cluster, namespace: str, s3_port: int
) -> None:
    """As the password of a plan's repository, or the token of a cluster: they bear the label, too."""
    metadata = {"name": "password", "namespace": namespace, "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY}}
    data = {"password": base64.b64encode(b"of a repository").decode()}
    control.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
    options = bucket(s3_port, name="curious")
    named = {**options, "backup_storage_config": {**options["backup_storage_config"], "creds_secret": "password"}}
    foretold, refused, gone = (
        *perform([("mig_storage", named)], "--check", namespace=namespace),
        *perform(
            [("mig_storage", named), ("mig_storage", {"name": "curious", "state": "absent"})], namespace=namespace
        ),
    )
    for told in (foretold, refused):
        assert told["failed"]
        assert f"Secret {namespace}/password: it is not overwritten" in told["msg"]
    assert (gone["failed"], gone["changed"]) == (False, False)
    assert secret_of(control, namespace, "password") == {"password": "of a repository"}


def test_a_secret_is_made_where_the_task_says_and_goes_when_it_is_named_no_more(
    control: Cluster, namespace: str, s3_port: int
) -> None:
    other = f"{namespace}-secrets"
    control.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}})
    try:
        options = bucket(s3_port, name="placed")

        def placed(**reference: Any) -> tuple[str, dict[str, Any]]:
            return "mig_storage", {
                **options,
                "backup_storage_config": {**options["backup_storage_config"], **reference},
            }

        there = placed(creds_secret_ref={"name": "keys", "namespace": other})
        (foretold,) = perform([there], "--check", namespace=namespace)
        made, again, alien = perform(
            [there, there, ("mig_storage", {**there[1], "name": "alien"})],
            namespace=namespace,
        )
        assert (
            made["changes"]
            == foretold["changes"]
            == [
                f"Secret {other}/keys created",
                f"MigStorage {namespace}/placed created",
            ]
        )
        assert by_type(made) == READY
        assert again["changed"] is False
        assert secret_of(control, other, "keys") is not None
        assert secret_of(control, namespace, "migstorage-placed") is None
        assert f"it holds the credentials of MigStorage {namespace}/placed" in alien["msg"]

        moved, gone = perform(
            [placed(creds_secret="keys"), ("mig_storage", {"name": "placed", "state": "absent"})],
            namespace=namespace,
        )
        assert moved["changes"] == [
            f"Secret {namespace}/keys created",
            f"MigStorage {namespace}/placed changed",
            f"Secret {other}/keys removed",
        ]
        assert secret_of(control, other, "keys") is None
        assert gone["changes"] == [f"MigStorage {namespace}/placed removed", f"Secret {namespace}/keys removed"]
        assert secret_of(control, namespace, "keys") is None
    finally:
        control.delete("v1", "Namespace", other)


def test_a_storage_that_a_plan_uses_is_kept(control: Cluster, namespace: str, s3_port: int) -> None:
    plan = {
        "apiVersion": names.API_VERSION,
        "kind": names.MIG_PLAN,
        "metadata": {"name": "user", "namespace": namespace},
    }
    control.create({**plan, "spec": {"migStorageRef": {"name": "used", "namespace": namespace}}})
    made, kept = perform(
        [("mig_storage", bucket(s3_port, name="used")), ("mig_storage", {"name": "used", "state": "absent"})],
        namespace=namespace,
    )
    assert not made["failed"], made["msg"]
    assert f"it is used by MigPlan {namespace}/user" in kept["msg"]
    assert secret_of(control, namespace, "migstorage-used") is not None
    control.delete(names.API_VERSION, names.MIG_PLAN, "user", namespace)
    (gone,) = perform([("mig_storage", {"name": "used", "state": "absent"})], namespace=namespace)
    assert gone["changes"] == [
        f"MigStorage {namespace}/used removed",
        f"Secret {namespace}/migstorage-used removed",
    ]


def test_wrong_options_are_told_at_once_and_touch_nothing(namespace: str) -> None:
    mark = audit.mark("destination")
    wrong = {
        "name": "wrong",
        "backup_storage_provider": "gcp",
        "backup_storage_config": {"aws_s3_url": "store", "gcp_bucket": "a/b"},
        "credentials": {"aws_access_key_id": "a"},
    }
    lacking = {"name": "lacking", "backup_storage_provider": "aws"}
    told, missing = perform([("mig_storage", wrong), ("mig_storage", lacking)], namespace=namespace)
    assert [problem["path"] for problem in told["problems"]] == [
        "backup_storage_config.aws_s3_url",
        "backup_storage_config.aws_s3_url",
        "backup_storage_config.gcp_bucket",
        "credentials.aws_access_key_id",
    ]
    assert [problem["path"] for problem in missing["problems"]] == [
        "backup_storage_config.aws_bucket_name",
        "backup_storage_config.creds_secret_ref",
    ]
    assert written(namespace, mark) == []


def test_a_storage_of_google(namespace: str, gcp: Front, service_account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", DESTINATION.ip)
    options = {
        "name": "google",
        "backup_storage_provider": "gcp",
        "backup_storage_config": {"gcp_bucket": BUCKET},
        "credentials": {"gcp_credentials": service_account},
    }
    made, again = perform([("mig_storage", options)] * 2, namespace=namespace)
    assert (made["failed"], made["changed"], again["changed"]) == (False, True, False), made["msg"]
    assert "storage.googleapis.com" in gcp.visited


def test_a_storage_of_azure(namespace: str, azure: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", DESTINATION.ip)
    principal = {
        "subscription_id": azure_cloud.SUBSCRIPTION,
        "tenant_id": azure_cloud.TENANT,
        "client_id": azure_cloud.CLIENT,
        "client_secret": azure_cloud.CLIENT_SECRET,
    }
    options = {
        "name": "azure",
        "backup_storage_provider": "azure",
        "backup_storage_config": {
            "azure_resource_group": azure_cloud.RESOURCE_GROUP,
            "azure_storage_account": AZURE_ACCOUNT,
            "azure_storage_container": AZURE_CONTAINER,
        },
        "credentials": {"azure_credentials": principal},
    }
    made, again = perform([("mig_storage", options)] * 2, namespace=namespace)
    assert (made["failed"], made["changed"], again["changed"]) == (False, True, False), made["msg"]
    assert f"{AZURE_ACCOUNT}.blob.core.windows.net" in azure.visited
