# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How restic is told of each provider's store: address, options, variables, and the secret files that its pods mount.

What restic 0.14 takes is less than what the stores here take: of Azure the account's key alone, and its public cloud.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..resources.storage_credentials import AwsCredentials, AzureCredentials, Credentials, GcpCredentials
from ..resources.storage_providers import DEFAULT_REGION
from ..stores.azure import PUBLIC_CLOUD, access_key
from ..volumes.configuration import SECRETS
from ..volumes.repository import PASSWORD, Repository

Config = Mapping[str, Any]

AZURE_KEY: Final = "AZURE_ACCOUNT_KEY"
"""restic's variable, and the file that its value comes from."""
TYPE: Final = "service_account"
KEY_FIELDS: Final = ("client_email", "private_key", "token_uri")
"""Of Google's key files."""


@dataclass(frozen=True)
class Obstacle:
    """Why restic cannot use a store, and what to do about it."""

    reason: str
    mend: str


@dataclass(frozen=True)
class Provider:
    """A row of ``PROVIDERS``."""

    repository: Callable[[Config, Any, str, str], Repository]
    """From settings, credentials, the prefix in the store and the password. May raise StoreError."""
    obstacle: Callable[[Any], Obstacle | None]
    """From the credentials, without asking anybody."""


def _s3(config: Config, keys: AwsCredentials, prefix: str, password: str) -> Repository:
    region = str(config.get("awsRegion") or DEFAULT_REGION)
    endpoint = str(config.get("awsS3Url") or config.get("awsPublicUrl") or "")
    by_path = config.get("awsS3ForcePathStyle")
    path_style = bool(endpoint) if by_path is None else bool(by_path)
    if not endpoint:
        endpoint = f"https://s3.{region}.amazonaws.com"
    elif "://" not in endpoint:
        endpoint = f"http://{endpoint}"
    files = {
        PASSWORD: password,
        "aws": f"[default]\naws_access_key_id={keys.access_key_id}\naws_secret_access_key={keys.secret_access_key}\n",
    }
    options = ["-o", f"s3.bucket-lookup={'path' if path_style else 'dns'}"]
    if config.get("insecure"):
        options.append("--insecure-tls")
    elif config.get("s3CustomCABundle"):
        files["ca.pem"] = base64.b64decode(str(config["s3CustomCABundle"])).decode()
        options += ["--cacert", f"{SECRETS}/ca.pem"]
    return Repository(
        address=f"s3:{endpoint.rstrip('/')}/{config['awsBucketName']}/{prefix}",
        environment={"AWS_SHARED_CREDENTIALS_FILE": f"{SECRETS}/aws", "AWS_DEFAULT_REGION": region},
        options=tuple(options),
        files=files,
    )


def _gcs(config: Config, key: GcpCredentials, prefix: str, password: str) -> Repository:
    # Google's library for Go wants to be told the type, the one for Python does not.
    document = {**json.loads(key.text), "type": TYPE}
    return Repository(
        address=f"gs:{config['gcpBucket']}:/{prefix}",
        environment={
            "GOOGLE_APPLICATION_CREDENTIALS": f"{SECRETS}/google.json",
            "GOOGLE_PROJECT_ID": str(document.get("project_id") or ""),
        },
        files={PASSWORD: password, "google.json": json.dumps(document)},
        hidden=(str(document["private_key"]), str(document.get("private_key_id") or "")),
    )


def _gcs_obstacle(key: GcpCredentials) -> Obstacle | None:
    with contextlib.suppress(ValueError):
        document = json.loads(key.text)
        if isinstance(document, dict) and document.get("type", TYPE) == TYPE and all(map(document.get, KEY_FIELDS)):
            return None
    return Obstacle(
        "restic logs in to Google with a service account's key file, and its secret holds none",
        "Give mig_storage the text of such a file in credentials.gcp_credentials",
    )


def _azure(config: Config, credentials: AzureCredentials, prefix: str, password: str) -> Repository:
    return Repository(
        address=f"azure:{config['azureStorageContainer']}:/{prefix}",
        environment={"AZURE_ACCOUNT_NAME": str(config["azureStorageAccount"])},
        files={PASSWORD: password, AZURE_KEY: access_key(config, credentials)},
        variables=(AZURE_KEY,),
    )


def _azure_obstacle(credentials: AzureCredentials) -> Obstacle | None:
    cloud = credentials.get("cloud_name")
    if not cloud or cloud.lower() == PUBLIC_CLOUD.lower():
        return None
    return Obstacle(
        f"restic 0.14 knows {PUBLIC_CLOUD} alone, and its secret names {cloud}",
        "Give the plan a MigStorage of another provider or cloud, or copy directly (indirect_volume_migration: false)",
    )


PROVIDERS: Final[Mapping[str, Provider]] = {
    "aws": Provider(_s3, lambda _keys: None),
    "azure": Provider(_azure, _azure_obstacle),
    "gcp": Provider(_gcs, _gcs_obstacle),
}
"""By provider of the MigStorage. A new one is two functions and a row."""


def obstacle(provider: str, credentials: Credentials) -> Obstacle | None:
    """Why restic cannot use a store of that provider with these credentials; None when it can."""
    row = PROVIDERS.get(provider)
    if row is None:
        return Obstacle(
            f"restic is told of these providers only: {', '.join(PROVIDERS)}",
            "Give the plan another MigStorage, or copy directly (indirect_volume_migration: false)",
        )
    return row.obstacle(credentials)
