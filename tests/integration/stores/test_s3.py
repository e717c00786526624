# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Provider aws against a real S3 server: what works is proven, what does not is told, and nothing stays behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources.storage_credentials import AwsCredentials
from ansible_collections.openmig.mtc.plugins.module_utils.stores.probe import PREFIX, look
from ansible_collections.openmig.mtc.plugins.module_utils.stores.providers import opened
from integration.stores import servers
from integration.stores.conftest import encoded
from integration.stores.front import Authority, Front, tls_front
from integration.stores.proving import prove, refused
from integration.stores.servers import ADMIN, BUCKET, READER, WRITER, Keys


def keys(of: Keys) -> AwsCredentials:
    return AwsCredentials(of.access, of.secret)


@pytest.fixture(autouse=True)
def nothing_left(s3_port: int) -> Iterator[None]:
    """Whatever the test does, the bucket is empty again after it."""
    yield
    assert servers.s3_keys(s3_port) == []


@pytest.fixture
def plain(s3_port: int) -> dict[str, Any]:
    """A bucket by a URL, which makes it part of the path."""
    return {"awsBucketName": BUCKET, "awsS3Url": f"http://127.0.0.1:{s3_port}"}


@pytest.mark.parametrize("version", ["", "1", "4"])
def test_a_server_by_its_url_and_each_signature(plain: dict[str, Any], version: str) -> None:
    prove("aws", {**plain, "awsSignatureVersion": version, "awsRegion": "eu-west-1"}, keys(ADMIN))


def test_the_public_url_serves_when_there_is_no_other(plain: dict[str, Any]) -> None:
    prove("aws", {"awsBucketName": BUCKET, "awsPublicUrl": plain["awsS3Url"]}, keys(ADMIN))


@pytest.mark.parametrize(
    ("region", "name"),
    [("", f"{BUCKET}.s3.amazonaws.com"), ("eu-west-1", f"{BUCKET}.s3.eu-west-1.amazonaws.com")],
)
def test_aws_by_the_buckets_own_host_name_through_a_proxy(aws: Front, region: str, name: str) -> None:
    prove("aws", {"awsBucketName": BUCKET, "awsRegion": region}, keys(ADMIN))
    assert set(aws.visited) == {name}


def test_the_path_can_be_asked_for_without_a_url(aws: Front) -> None:
    prove("aws", {"awsBucketName": BUCKET, "awsS3ForcePathStyle": True}, keys(ADMIN))
    assert set(aws.visited) == {"s3.amazonaws.com"}


def test_the_host_name_can_be_asked_for_with_a_url(aws: Front) -> None:
    config = {"awsBucketName": BUCKET, "awsS3Url": "https://s3.amazonaws.com", "awsS3ForcePathStyle": False}
    prove("aws", config, keys(ADMIN))
    assert set(aws.visited) == {f"{BUCKET}.s3.amazonaws.com"}


def test_a_proxy_that_wants_another_password(aws: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://ann:planted-wrong@127.0.0.1:{aws.port}")
    error = refused("aws", {"awsBucketName": BUCKET}, keys(ADMIN))
    assert "HTTP 407" in error.reason
    assert "HTTPS_PROXY" in error.mend


def test_what_this_machine_says_about_aws_is_not_meant(
    plain: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(
        "[default]\nregion = nowhere\n[profile other]\nendpoint_url = http://127.0.0.1:1\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "absent")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "planted")
    prove("aws", plain, keys(ADMIN))


# -- TLS -------------------------------------------------------------------------------------------------------------


def test_an_authority_of_its_own_is_trusted_when_given(s3_front: Front, authority: Authority) -> None:
    config = {"awsBucketName": BUCKET, "awsS3Url": s3_front.url, "s3CustomCABundle": encoded(authority.pem)}
    prove("aws", config, keys(ADMIN))


def test_insecure_checks_no_certificate(s3_front: Front) -> None:
    prove("aws", {"awsBucketName": BUCKET, "awsS3Url": s3_front.url, "insecure": True}, keys(ADMIN))


def test_an_authority_that_is_not_given(s3_front: Front) -> None:
    error = refused("aws", {"awsBucketName": BUCKET, "awsS3Url": s3_front.url}, keys(ADMIN))
    assert "TLS certificate not trusted" in error.reason
    assert "s3_custom_ca_bundle" in error.mend


def test_another_authority(s3_front: Front, tmp_path: Path) -> None:
    other = encoded(Authority(tmp_path, "others").pem)
    config = {"awsBucketName": BUCKET, "awsS3Url": s3_front.url, "s3CustomCABundle": other}
    assert "TLS certificate not trusted" in refused("aws", config, keys(ADMIN)).reason


def test_a_certificate_for_another_name(s3_port: int, authority: Authority) -> None:
    with tls_front(authority, s3_port, "elsewhere.example") as front:
        config = {"awsBucketName": BUCKET, "awsS3Url": front.url, "s3CustomCABundle": encoded(authority.pem)}
        assert "TLS certificate not trusted" in refused("aws", config, keys(ADMIN)).reason


def test_a_server_that_speaks_no_tls(s3_port: int) -> None:
    error = refused("aws", {"awsBucketName": BUCKET, "awsS3Url": f"https://127.0.0.1:{s3_port}"}, keys(ADMIN))
    assert "TLS" in error.reason


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        (AwsCredentials("planted-nobody", "planted-nothing"), "InvalidAccessKeyId"),
        (AwsCredentials(ADMIN.access, "planted-wrong"), "SignatureDoesNotMatch"),
        (keys(READER), "AccessDenied"),
    ],
    ids=["unknown key", "wrong secret", "may only read"],
)
def test_credentials_that_do_not_do(plain: dict[str, Any], credentials: AwsCredentials, code: str) -> None:
    error = refused("aws", plain, credentials)
    assert error.attempt == "write an object"
    assert code in error.reason


def test_a_bucket_that_is_not_there(plain: dict[str, Any]) -> None:
    error = refused("aws", {**plain, "awsBucketName": "absent"}, keys(ADMIN))
    assert "there is no such bucket (NoSuchBucket" in error.reason
    assert error.subject.startswith("Bucket absent at http://127.0.0.1")


@pytest.mark.parametrize("name", ["Not_A_Bucket!", "a b", ".."])
def test_a_bucket_that_cannot_be(plain: dict[str, Any], name: str) -> None:
    refused("aws", {**plain, "awsBucketName": name}, keys(ADMIN))


def test_a_server_that_is_not_there() -> None:
    config = {"awsBucketName": BUCKET, "awsS3Url": f"http://127.0.0.1:{servers.free_port()}"}
    error = refused("aws", config, keys(ADMIN))
    assert "not reachable: connection refused" in error.reason
    assert error.unreached


def test_a_name_that_does_not_resolve() -> None:
    error = refused("aws", {"awsBucketName": BUCKET, "awsS3Url": "http://store.invalid"}, keys(ADMIN))
    assert "name not resolved" in error.reason


def test_objects_are_encrypted_with_the_key(plain: dict[str, Any], s3_port: int) -> None:
    with opened("aws", {**plain, "awsKmsKeyId": "alias/backups"}, keys(ADMIN)) as store:
        store.put("encrypted", b"content")
        described = servers.s3_client(s3_port).head_object(Bucket=BUCKET, Key="encrypted")
        assert (described["ServerSideEncryption"], store.get("encrypted")) == ("aws:kms", b"content")
        store.delete("encrypted")


def test_a_server_that_cannot_encrypt(tmp_path: Path) -> None:
    with servers.seaweed(tmp_path, encrypting=False) as port:
        servers.make_bucket(port)
        config = {"awsBucketName": BUCKET, "awsS3Url": f"http://127.0.0.1:{port}"}
        prove("aws", config, keys(ADMIN))
        error = refused("aws", {**config, "awsKmsKeyId": "alias/backups"}, keys(ADMIN))
        assert "aws_kms_key_id" in error.mend
        assert servers.s3_keys(port) == []


def test_what_cannot_be_deleted_is_told(plain: dict[str, Any], s3_port: int) -> None:
    """Also the one case in which something stays: who may not delete cannot clear up."""
    error = refused("aws", plain, keys(WRITER))
    assert (error.attempt, "AccessDenied" in error.reason) == ("list objects", True)
    left = servers.s3_keys(s3_port)
    assert all(key.startswith(PREFIX) for key in left)
    client = servers.s3_client(s3_port)
    for key in left:
        client.delete_object(Bucket=BUCKET, Key=key)


def test_looking_writes_nothing(plain: dict[str, Any]) -> None:
    with opened("aws", plain, keys(READER)) as store:
        look(store)
