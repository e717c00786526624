# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Provider ``azure``: a container of a storage account.

The blobs are reached with the account's access key. A service principal is a way to that key, as with MTC: it logs in
and lets Azure list the keys. Where the secret holds the key itself, nobody is asked for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from ..resources.storage_credentials import AzureCredentials
from . import failures
from .libraries import require_azure_blob, require_azure_management
from .store import CONNECT_SECONDS, READ_SECONDS, Listed, StoreError

Result = TypeVar("Result")


@dataclass(frozen=True)
class Cloud:
    """The addresses of one of Azure's clouds."""

    authority: str
    management: str
    storage_suffix: str


PUBLIC_CLOUD: Final = "AzurePublicCloud"
CLOUDS: Final[Mapping[str, Cloud]] = {
    "azurepubliccloud": Cloud("login.microsoftonline.com", "https://management.azure.com", "core.windows.net"),
    "azureusgovernmentcloud": Cloud(
        "login.microsoftonline.us", "https://management.usgovcloudapi.net", "core.usgovcloudapi.net"
    ),
    "azurechinacloud": Cloud("login.chinacloudapi.cn", "https://management.chinacloudapi.cn", "core.chinacloudapi.cn"),
}
"""By AZURE_CLOUD_NAME, in lower case."""

_BOUNDS = {
    "connection_timeout": CONNECT_SECONDS,
    "read_timeout": READ_SECONDS,
    "retry_total": 1,
    "retry_backoff_factor": 0.2,
}
_TRUST = "Name the authority of the proxy in between in the variable REQUESTS_CA_BUNDLE where the module runs"
_ANSWERS: Mapping[str, tuple[str, str]] = {
    "AuthenticationFailed": ("the account does not accept its access key", "Correct storage_account_access_key"),
    "AuthorizationFailure": (
        "the account does not let this machine in",
        "Allow this machine's network in the storage account's firewall",
    ),
    "ContainerNotFound": ("there is no such container", "Correct azure_storage_container, or create it first"),
    "KeyBasedAuthenticationNotPermitted": (
        "the account does not allow access keys",
        "Allow storage account key access: Velero and this collection need it",
    ),
    "403": ("these credentials may not do that", "Grant them the right to read, write, list and delete blobs"),
    "404": ("there is no such container", "Correct azure_storage_container, or create it first"),
}


class Azure:
    """A container. Opening it asks for the account's key where the credentials are a service principal."""

    def __init__(self, config: Mapping[str, Any], credentials: AzureCredentials) -> None:
        self._azure = require_azure_blob()
        account, container = str(config["azureStorageAccount"]), str(config["azureStorageContainer"])
        self.address = f"container {container} of Azure storage account {account}"
        cloud = CLOUDS.get((credentials.get("cloud_name") or PUBLIC_CLOUD).lower())
        if cloud is None:
            raise StoreError(
                address=self.address,
                attempt="open it",
                reason="AZURE_CLOUD_NAME in its secret names no cloud that is known here",
                mend="Write AzurePublicCloud, AzureUSGovernmentCloud or AzureChinaCloud",
                unreached=True,
            )
        self.key = credentials.get("storage_account_access_key") or self._call(
            "ask for the account's access key",
            lambda: account_key(credentials, cloud, resource_group=str(config["azureResourceGroup"]), account=account),
        )
        self._service = self._azure.storage.blob.BlobServiceClient(
            account_url=f"https://{account}.blob.{cloud.storage_suffix}",
            credential={"account_name": account, "account_key": self.key},
            connection_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retry_policy=self._azure.storage.blob.LinearRetry(backoff=1, retry_total=1, random_jitter_range=0),
        )
        self._container = self._service.get_container_client(container)

    def put(self, key: str, content: bytes) -> None:
        self._call("write a blob", lambda: self._container.upload_blob(key, content, overwrite=True))

    def get(self, key: str) -> bytes:
        content: bytes = self._call("read a blob", lambda: self._container.download_blob(key).readall())
        return content

    def list(self, prefix: str) -> Sequence[Listed]:
        def first_page() -> list[Any]:
            pages = self._container.list_blobs(name_starts_with=prefix).by_page()
            return list(next(pages, ()))

        return [Listed(blob.name, blob.last_modified) for blob in self._call("list blobs", first_page)]

    def delete(self, key: str) -> None:
        def remove() -> None:
            try:
                self._container.delete_blob(key)
            except self._azure.core.exceptions.ResourceNotFoundError:
                # Absence was the aim; that the container exists, the verbs before have shown.
                return

        self._call("delete a blob", remove)

    def close(self) -> None:
        self._service.close()

    def _call(self, attempt: str, request: Callable[[], Result]) -> Result:
        raised = self._azure.core.exceptions
        try:
            return request()
        except raised.ClientAuthenticationError as error:
            if attempt.endswith(("blob", "blobs")):
                raise self._refusal(attempt, error) from None
            on_the_way = (raised.ServiceRequestError, raised.ServiceResponseError, OSError)
            if (lost := _beneath(error, on_the_way)) is not None:
                raise failures.unreached(lost, address=self.address, attempt="log in", trust=_TRUST) from None
            # What Azure says here repeats tenant and client, and tells times and traces.
            raise StoreError(
                address=self.address,
                attempt="log in",
                reason="Azure does not accept the service principal",
                mend="Correct tenant_id, client_id and client_secret; the secret may have expired",
                unreached=True,
            ) from None
        except raised.HttpResponseError as error:
            raise self._refusal(attempt, error) from None
        except (raised.AzureError, OSError) as error:
            raise failures.unreached(error, address=self.address, attempt=attempt, trust=_TRUST) from None
        except ValueError as error:
            # A key that is no base64, a tenant that is no name: the library's words may quote it.
            raise StoreError(
                address=self.address,
                attempt=attempt,
                reason=f"its settings or credentials cannot be used ({type(error).__name__})",
                mend="Check the account's name, and the credentials in the secret",
                unreached=True,
            ) from None

    def _refusal(self, attempt: str, error: Any) -> StoreError:
        told_by_management = getattr(getattr(error, "error", None), "code", None)
        code = str(getattr(error, "error_code", None) or told_by_management or "")
        status = str(error.status_code or "")
        if not attempt.endswith(("blob", "blobs")):
            reason = "Azure does not list the account's keys"
            mend = "Correct the account, its resource group and subscription, or grant listKeys on it"
        else:
            unknown = ("the store refuses it", "Look into the storage account's log")
            reason, mend = _ANSWERS.get(code) or _ANSWERS.get(status) or unknown
        told = ", ".join(part for part in (code, f"HTTP {status}" if status else "") if part)
        return StoreError(address=self.address, attempt=attempt, reason=f"{reason} ({told})", mend=mend)


def access_key(config: Mapping[str, Any], credentials: AzureCredentials) -> str:
    """The key of the storage account, for who reaches the container by other means. Raises StoreError."""
    with contextlib.closing(Azure(config, credentials)) as store:
        return store.key


def _beneath(error: BaseException, kinds: tuple[type[Exception], ...]) -> Exception | None:
    """The first exception of these kinds that led to this one: a failed login may be a failed connection."""
    seen = error.__cause__ or error.__context__
    while seen is not None:
        if isinstance(seen, kinds):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def account_key(credentials: AzureCredentials, cloud: Cloud, *, resource_group: str, account: str) -> str:
    """The first access key of the account that may do everything, listed as MTC lists it.

    Tested against a stand-in for Azure's login and management that runs beside the tests: the real ones are to be had
    with an account at Azure only.
    """
    azure = require_azure_management()
    login = azure.identity.ClientSecretCredential(
        credentials.get("tenant_id"),
        credentials.get("client_id"),
        credentials.get("client_secret"),
        authority=cloud.authority,
        **_BOUNDS,
    )
    management = azure.mgmt.storage.StorageManagementClient(
        login,
        credentials.get("subscription_id"),
        base_url=cloud.management,
        credential_scopes=[f"{cloud.management}/.default"],
        **_BOUNDS,
    )
    with login, management:
        listed = management.storage_accounts.list_keys(resource_group, account)
    for key in listed["keys"] or ():
        if str(key["permissions"]).rpartition(".")[2].lower() == "full":
            return str(key["value"])
    raise ValueError("no key with full permission")
