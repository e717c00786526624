# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Provider ``gcp``: Google Cloud Storage with a service account's key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..resources.storage_credentials import GcpCredentials
from . import failures
from .libraries import require_google
from .store import CONNECT_SECONDS, READ_SECONDS, Listed, StoreError

Result = TypeVar("Result")

_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_TIMEOUT = (CONNECT_SECONDS, READ_SECONDS)
_TRUST = "Name the authority of the proxy in between in the variable REQUESTS_CA_BUNDLE where the module runs"
_KEY_MEND = "Give the text of a service account's key file that is still valid"
_ANSWERS: Mapping[int, tuple[str, str]] = {
    401: ("the credentials are not accepted", _KEY_MEND),
    403: (
        "these credentials may not do that",
        "Grant the service account roles/storage.objectAdmin on the bucket, and see that billing is enabled",
    ),
    404: ("there is no such bucket", "Correct the bucket's name, or create it first"),
}


class Gcs:
    """A bucket. Opening it contacts nobody."""

    def __init__(self, config: Mapping[str, Any], credentials: GcpCredentials) -> None:
        self._google = require_google()
        name = str(config["gcpBucket"])
        self.address = f"bucket {name} at Google Cloud Storage"
        self._credentials = self._login(credentials)
        self._client = self._google.cloud.storage.Client(
            project=getattr(self._credentials, "project_id", None) or "", credentials=self._credentials
        )
        self._bucket = self._client.bucket(name)

    def put(self, key: str, content: bytes) -> None:
        blob = self._bucket.blob(key)
        self._call("write an object", lambda: blob.upload_from_string(content, timeout=_TIMEOUT, retry=None))

    def get(self, key: str) -> bytes:
        blob = self._bucket.blob(key)
        content: bytes = self._call("read an object", lambda: blob.download_as_bytes(timeout=_TIMEOUT, retry=None))
        return content

    def list(self, prefix: str) -> Sequence[Listed]:
        def first_page() -> list[Any]:
            found = self._client.list_blobs(self._bucket, prefix=prefix, timeout=_TIMEOUT, retry=None)
            return list(next(found.pages, ()))

        return [Listed(blob.name, blob.updated) for blob in self._call("list objects", first_page)]

    def delete(self, key: str) -> None:
        blob = self._bucket.blob(key)

        def remove() -> None:
            try:
                blob.delete(timeout=_TIMEOUT, retry=None)
            except self._google.api_core.exceptions.NotFound:
                # Absence was the aim; that the bucket exists, the verbs before have shown.
                return

        self._call("delete an object", remove)

    def close(self) -> None:
        self._client.close()

    def _login(self, credentials: GcpCredentials) -> Any:
        try:
            document = json.loads(credentials.text)
            return self._google.oauth2.service_account.Credentials.from_service_account_info(document, scopes=[_SCOPE])
        except (ValueError, TypeError, AttributeError, self._google.auth.exceptions.GoogleAuthError):
            # The library's message may quote the key.
            raise StoreError(
                address=self.address,
                attempt="read the credentials",
                reason="they are no service account's key file",
                mend=_KEY_MEND,
                unreached=True,
            ) from None

    def _call(self, attempt: str, request: Callable[[], Result]) -> Result:
        auth, calls = self._google.auth.exceptions, self._google.api_core.exceptions
        try:
            self._ensure_token()
            return request()
        except auth.RefreshError:
            reason, mend = "Google does not accept the service account's key", _KEY_MEND
            raise StoreError(address=self.address, attempt="log in", reason=reason, mend=mend, unreached=True) from None
        except calls.GoogleAPICallError as error:
            raise self._refusal(attempt, int(error.code or 0)) from None
        except (calls.GoogleAPIError, auth.GoogleAuthError, OSError) as error:
            raise failures.unreached(error, address=self.address, attempt=attempt, trust=_TRUST) from None

    def _ensure_token(self) -> None:
        """Log in within bounds: left to itself, the library waits two minutes for an answer."""
        if self._credentials.valid:
            return
        plain = self._google.auth.transport.requests.Request()

        def bounded(*arguments: Any, **more: Any) -> Any:
            return plain(*arguments, **{**more, "timeout": READ_SECONDS})

        self._credentials.refresh(bounded)

    def _refusal(self, attempt: str, status: int) -> StoreError:
        reason, mend = _ANSWERS.get(status) or ("the store refuses it", "Look into the project's audit log")
        return StoreError(address=self.address, attempt=attempt, reason=f"{reason} (HTTP {status})", mend=mend)
