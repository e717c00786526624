# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The providers' own libraries, each needed only by who uses that provider: imported here, when a store is opened."""

from __future__ import annotations

from typing import Any

from ..cluster.libraries import MissingLibrary

PURPOSES = {
    "aws": "reach a store of provider aws (any S3 server)",
    "gcp": "reach a store of provider gcp",
    "azure": "reach a store of provider azure",
}


def require_botocore() -> Any:
    """``botocore`` with its parts; it comes with boto3."""
    try:
        import botocore.client
        import botocore.exceptions
        import botocore.httpsession
        import botocore.session
    except ImportError as error:
        raise MissingLibrary("boto3", PURPOSES["aws"]) from error
    return botocore


def require_google() -> Any:
    """``google`` with cloud.storage, auth and oauth2."""
    try:
        import google.api_core.exceptions
        import google.auth.exceptions
        import google.auth.transport.requests
        import google.cloud.exceptions
        import google.cloud.storage
        import google.oauth2.service_account
    except ImportError as error:
        raise MissingLibrary("google-cloud-storage", PURPOSES["gcp"]) from error
    return google


def require_azure_blob() -> Any:
    """``azure`` with storage.blob and core."""
    try:
        import azure.core.exceptions
        import azure.storage.blob
    except ImportError as error:
        raise MissingLibrary("azure-storage-blob", PURPOSES["azure"]) from error
    return azure


def require_azure_management() -> Any:
    """``azure`` with identity and mgmt.storage: what turns a service principal into the account's key."""
    purpose = f"{PURPOSES['azure']} with a service principal"
    try:
        import azure.identity
    except ImportError as error:
        raise MissingLibrary("azure-identity", purpose) from error
    try:
        import azure.mgmt.storage
    except ImportError as error:
        raise MissingLibrary("azure-mgmt-storage", purpose) from error
    return azure
