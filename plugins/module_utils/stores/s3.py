# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Provider ``aws``: AWS S3, and every server that speaks its language.

With a URL the bucket is part of the path, without one part of the host name, as MTC has it; awsS3ForcePathStyle has the
last word. Proxies are those of the environment.
"""

from __future__ import annotations

import base64
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from ..resources.storage_credentials import AwsCredentials
from ..resources.storage_providers import DEFAULT_REGION
from . import failures
from .libraries import require_botocore
from .store import CONNECT_SECONDS, READ_SECONDS, Listed, StoreError

Result = TypeVar("Result")

_TRUST = "Give the authority that signed the store's certificate in backup_storage_config.s3_custom_ca_bundle"
_RIGHTS = "Grant these credentials s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket on the bucket"

# code or status -> reason, what to do
_ANSWERS: Mapping[str, tuple[str, str]] = {
    "InvalidAccessKeyId": ("the store does not know the access key", "Correct the access key's ID"),
    "SignatureDoesNotMatch": (
        "the secret key does not belong to the access key",
        "Correct the secret access key; where both are right, check aws_signature_version and the proxies on the way",
    ),
    "AccessDenied": ("these credentials may not do that", _RIGHTS),
    "403": ("these credentials may not do that", _RIGHTS),
    "NoSuchBucket": ("there is no such bucket", "Correct the bucket's name, or create it first"),
    "404": ("there is no such bucket", "Correct the bucket's name, or create it first"),
    "PermanentRedirect": ("the bucket is in another region", "Give its region in aws_region"),
    "301": ("the bucket is in another region", "Give its region in aws_region"),
    "AuthorizationHeaderMalformed": ("the region is not the bucket's", "Give the bucket's region in aws_region"),
    "RequestTimeTooSkewed": ("the clocks of store and client differ", "Set this machine's clock"),
    "ExpiredToken": ("the credentials have expired", "Give credentials that last"),
    "InvalidRequest": (
        "the store takes the request for invalid",
        "Check aws_signature_version, region and URL",
    ),
    "NotImplemented": ("the store cannot do that", "Leave aws_kms_key_id out if it is set, or use another store"),
}
_KMS = ("the store cannot encrypt with that key", "Correct aws_kms_key_id, or grant these credentials its use")


class S3:
    """A bucket. Opening it contacts nobody."""

    def __init__(self, config: Mapping[str, Any], credentials: AwsCredentials) -> None:
        self._botocore = require_botocore()
        self._bucket = str(config["awsBucketName"])
        self._key_id = str(config.get("awsKmsKeyId") or "")
        endpoint = str(config.get("awsS3Url") or config.get("awsPublicUrl") or "")
        region = str(config.get("awsRegion") or DEFAULT_REGION)
        self.address = f"bucket {self._bucket} at {endpoint or f'AWS S3 in {region}'}"
        self._bundle = _bundle(self._botocore, config)
        if endpoint and "://" not in endpoint:
            endpoint = f"http://{endpoint}"
        settings = self._settings(path_style=_path_style(config, endpoint))
        try:
            # What a file of this machine's user says about AWS is not meant here.
            nothing = dict.fromkeys(("profile", "config_file", "credentials_file"), (None, None, None, None))
            session = self._botocore.session.Session(session_vars=nothing)
            connect = partial(
                session.create_client,
                "s3",
                region_name=region,
                endpoint_url=endpoint or None,
                aws_access_key_id=credentials.access_key_id,
                aws_secret_access_key=credentials.secret_access_key,
                verify=False if config.get("insecure") else self._bundle,
            )
            self._client = self._reader = connect(config=settings)
            if config.get("awsSignatureVersion") == "1":
                # Velero writes and lists with version 4 in any case; what it hands out for reading is signed thus.
                self._reader = connect(config=settings.merge(self._botocore.client.Config(signature_version="s3")))
        except (self._botocore.exceptions.BotoCoreError, ValueError) as error:
            self.close()
            raise self._unusable("open it", error) from None

    def _settings(self, *, path_style: bool) -> Any:
        return self._botocore.client.Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if path_style else "virtual"},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 2},
            ignore_configured_endpoint_urls=True,
            # Many servers refuse checksums that were not asked for.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )

    def put(self, key: str, content: bytes) -> None:
        more = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._key_id} if self._key_id else {}
        self._call("write an object", lambda: self._client.put_object(Key=key, Body=content, **self._where, **more))

    def get(self, key: str) -> bytes:
        def read() -> bytes:
            answer = self._reader.get_object(Key=key, **self._where)
            content: bytes = answer["Body"].read()
            return content

        return self._call("read an object", read)

    def list(self, prefix: str) -> Sequence[Listed]:
        answer = self._call("list objects", lambda: self._client.list_objects_v2(Prefix=prefix, **self._where))
        return [Listed(item["Key"], item["LastModified"]) for item in answer.get("Contents") or ()]

    def delete(self, key: str) -> None:
        self._call("delete an object", lambda: self._client.delete_object(Key=key, **self._where))

    def close(self) -> None:
        if self._bundle is not None:
            os.unlink(self._bundle)
            self._bundle = None

    @property
    def _where(self) -> dict[str, str]:
        return {"Bucket": self._bucket}

    def _call(self, attempt: str, request: Callable[[], Result]) -> Result:
        raised = self._botocore.exceptions
        try:
            with warnings.catch_warnings():
                # That insecure is insecure was the user's word.
                warnings.filterwarnings("ignore", message="Unverified HTTPS request")
                return request()
        except raised.ClientError as error:
            raise self._refusal(attempt, error.response) from None
        except (raised.HTTPClientError, raised.ConnectionError, raised.IncompleteReadError, OSError) as error:
            raise failures.unreached(error, address=self.address, attempt=attempt, trust=_TRUST) from None
        except raised.BotoCoreError as error:
            raise self._unusable(attempt, error) from None

    def _unusable(self, attempt: str, error: Exception) -> StoreError:
        reason = f"its settings cannot be used ({type(error).__name__})"
        mend = "Check the bucket's name, the region and the URL"
        return StoreError(address=self.address, attempt=attempt, reason=reason, mend=mend, unreached=True)

    def _refusal(self, attempt: str, answer: Mapping[str, Any]) -> StoreError:
        """Only codes are repeated: messages of stores hold keys, signatures and numbers of requests."""
        code = str((answer.get("Error") or {}).get("Code") or "")
        status = str((answer.get("ResponseMetadata") or {}).get("HTTPStatusCode") or "")
        if code.startswith("KMS."):
            reason, mend = _KMS
        else:
            log = "Look into the store's log"
            unknown = ("the store refuses it", f"{log}, and whether it knows aws_kms_key_id" if self._key_id else log)
            reason, mend = _ANSWERS.get(code) or _ANSWERS.get(status) or unknown
        told = ", ".join(part for part in (code if code != status else "", f"HTTP {status}" if status else "") if part)
        return StoreError(address=self.address, attempt=attempt, reason=f"{reason} ({told})", mend=mend)


def _path_style(config: Mapping[str, Any], endpoint: str) -> bool:
    asked = config.get("awsS3ForcePathStyle")
    return bool(endpoint) if asked is None else bool(asked)


def _bundle(botocore: Any, config: Mapping[str, Any]) -> str | None:
    """A file of the given certificates and those that are trusted anyway; the library takes a file only."""
    given = str(config.get("s3CustomCABundle") or "")
    if not given or config.get("insecure"):
        return None
    with open(botocore.httpsession.get_cert_path(True), "rb") as file:
        usual = file.read()
    handle, path = tempfile.mkstemp(prefix="openmig-", suffix=".pem")
    with os.fdopen(handle, "wb") as file:
        file.write(base64.b64decode(given) + b"\n" + usual)
    return path
