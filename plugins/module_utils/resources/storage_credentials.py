# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The credentials of a store: as the user gives them, as its secret holds them, and as the store is asked with them.

The secrets' keys are MTC's, so that a secret of one engine serves the other.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .errors import Problem

AWS_ID_KEY: Final = "aws-access-key-id"
AWS_SECRET_KEY: Final = "aws-secret-access-key"
AZURE_KEY: Final = "azure-credentials"
GCP_KEY: Final = "gcp-credentials"

CONTENT: Final = "Secret(content)"
"""How MTC names a secret without the provider's key."""

AZURE_VARIABLES: Final[Mapping[str, str]] = {
    "subscription_id": "AZURE_SUBSCRIPTION_ID",
    "tenant_id": "AZURE_TENANT_ID",
    "client_id": "AZURE_CLIENT_ID",
    "client_secret": "AZURE_CLIENT_SECRET",
    "resource_group": "AZURE_RESOURCE_GROUP",
    "cloud_name": "AZURE_CLOUD_NAME",
    "storage_account_access_key": "AZURE_STORAGE_ACCOUNT_ACCESS_KEY",
}
"""From suboptions to the variables of the secret's text."""
AZURE_MANDATORY: Final = ("subscription_id", "tenant_id", "client_id", "client_secret")


class Credentials:
    """Of one provider. Nothing secret is in its representation."""


@dataclass(frozen=True)
class AwsCredentials(Credentials):
    """A pair of keys."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True)
class AzureCredentials(Credentials):
    """A service principal, or the access key of the storage account, which makes the rest needless."""

    variables: Mapping[str, str] = field(repr=False)

    def get(self, suboption: str) -> str:
        return self.variables.get(AZURE_VARIABLES[suboption], "")


@dataclass(frozen=True)
class GcpCredentials(Credentials):
    """The text of a service account's key file."""

    text: str = field(repr=False)


@dataclass(frozen=True)
class Read:
    """What a secret says: the credentials, or the names of what is wrong with it."""

    credentials: Credentials | None
    items: tuple[str, ...] = ()


def read_aws(data: Mapping[str, str]) -> Read:
    """Both keys, each with a value."""
    identity, secret = _text(data, AWS_ID_KEY), _text(data, AWS_SECRET_KEY)
    if not identity or not secret:
        return Read(None, (CONTENT,))
    return Read(AwsCredentials(identity, secret))


def read_azure(data: Mapping[str, str]) -> Read:
    """The text of variables; what is missing in it is named by variable."""
    text = _text(data, AZURE_KEY)
    variables = dotenv(text) if text else None
    if variables is None:
        return Read(None, (CONTENT,))
    found = AzureCredentials(variables)
    missing = tuple(AZURE_VARIABLES[name] for name in AZURE_MANDATORY if not found.get(name))
    if missing and not found.get("storage_account_access_key"):
        return Read(None, missing)
    return Read(found)


def read_gcp(data: Mapping[str, str]) -> Read:
    """The text as it is: what is wrong inside it shows when it is used, as with MTC."""
    text = _text(data, GCP_KEY)
    return Read(GcpCredentials(text)) if text else Read(None, (CONTENT,))


def dotenv(text: str) -> dict[str, str] | None:
    """The variables of ``NAME=value`` lines, with comments, ``export`` and quotes as in shells; None for other text."""
    found: dict[str, str] = {}
    for line in (raw.strip() for raw in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        name, separator, value = line.removeprefix("export ").partition("=")
        if not separator or not name.strip().isidentifier():
            return None
        found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    quote = value[:1]
    if quote in ("'", '"') and (end := value.find(quote, 1)) > 0:
        return value[1:end]
    return value.partition(" #")[0].rstrip()


def _text(data: Mapping[str, str], key: str) -> str:
    """The value of a secret's key in clear; "" when there is none or it is no text."""
    try:
        return base64.b64decode(data.get(key) or "", validate=True).decode("utf-8").strip()
    except (binascii.Error, UnicodeDecodeError):
        return ""


# -- from options ----------------------------------------------------------------------------------------------------

PROVIDERS_OF: Final[Mapping[str, str]] = {
    "aws_access_key_id": "aws",
    "aws_secret_access_key": "aws",
    "azure_credentials": "azure",
    "gcp_credentials": "gcp",
}
"""Which provider a suboption belongs to."""


def secret_data(given: Mapping[str, Any]) -> dict[str, str]:
    """What the secret holds, in clear, for options that ``problems`` has found nothing wrong with."""
    if given.get("azure_credentials"):
        values = given["azure_credentials"]
        # Single quotes: Velero's reader expands dollar signs within double ones.
        lines = [f"{variable}='{values[name]}'" for name, variable in AZURE_VARIABLES.items() if values.get(name)]
        return {AZURE_KEY: "\n".join(lines) + "\n"}
    if given.get("gcp_credentials"):
        return {GCP_KEY: str(given["gcp_credentials"])}
    return {AWS_ID_KEY: str(given["aws_access_key_id"]), AWS_SECRET_KEY: str(given["aws_secret_access_key"])}


def problems(given: Mapping[str, Any] | None, provider: str | None, path: str) -> list[Problem]:
    """What is wrong with credentials given to the module. Their values appear in no problem."""
    if given is None:
        return []
    named = [name for name in PROVIDERS_OF if given.get(name) is not None]
    providers = list(dict.fromkeys(PROVIDERS_OF[name] for name in named))
    if not named:
        mend = f"Give those of one provider: {', '.join(PROVIDERS_OF)}"
        return [Problem(path=path, fault="holds no credentials", mend=mend)]
    if len(providers) > 1:
        fault = f"mixes credentials of {' and '.join(providers)}"
        return [Problem(path=path, fault=fault, mend="Give those of one provider")]
    if provider and providers != [provider]:
        fault = f"is of provider {providers[0]}, and the provider is {provider}"
        return [Problem(path=f"{path}.{named[0]}", fault=fault, mend="Give the credentials of that provider")]
    check = {"aws": _aws_problems, "azure": _azure_problems, "gcp": _gcp_problems}[providers[0]]
    return check(given, path)


def _aws_problems(given: Mapping[str, Any], path: str) -> list[Problem]:
    return [
        Problem(path=f"{path}.{name}", fault="is missing or empty", mend="Give both keys of the pair")
        for name in ("aws_access_key_id", "aws_secret_access_key")
        if not str(given.get(name) or "").strip()
    ]


def _azure_problems(given: Mapping[str, Any], path: str) -> list[Problem]:
    values, path = given["azure_credentials"], f"{path}.azure_credentials"
    found = [
        Problem(path=f"{path}.{name}", fault="contains a quote or a line break", mend="Give the bare value")
        for name in AZURE_VARIABLES
        if any(mark in str(values.get(name) or "") for mark in ("'", "\n"))
    ]
    if not values.get("storage_account_access_key"):
        mend = "Give the service principal, or storage_account_access_key"
        found += [
            Problem(path=f"{path}.{name}", fault="is missing", mend=mend)
            for name in AZURE_MANDATORY
            if not values.get(name)
        ]
    return found


def _gcp_problems(given: Mapping[str, Any], path: str) -> list[Problem]:
    path = f"{path}.gcp_credentials"
    try:
        document = json.loads(given["gcp_credentials"])
    except ValueError:
        return [Problem(path=path, fault="is no JSON", mend="Give the text of the service account's key file")]
    wanted = ("client_email", "private_key", "token_uri")
    if isinstance(document, dict) and all(isinstance(document.get(name), str) for name in wanted):
        return []
    fault = f"is no service account's key file: it lacks {' or '.join(wanted)}"
    return [Problem(path=path, fault=fault, mend="Give the text of the service account's key file")]
