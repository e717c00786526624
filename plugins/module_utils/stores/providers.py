# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The stores by provider. A new one is a file with a ``Store`` in it and a row here, and a row in
resources/storage_providers.py."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from ..resources.storage_credentials import Credentials
from .azure import Azure
from .gcs import Gcs
from .libraries import require_azure_blob, require_botocore, require_google
from .s3 import S3
from .store import Store

STORES: Final[Mapping[str, Callable[[Mapping[str, Any], Any], Store]]] = {"aws": S3, "azure": Azure, "gcp": Gcs}
_LIBRARIES: Final[Mapping[str, Callable[[], Any]]] = {
    "aws": require_botocore,
    "azure": require_azure_blob,
    "gcp": require_google,
}


@contextmanager
def opened(provider: str, config: Mapping[str, Any], credentials: Credentials) -> Generator[Store]:
    """The store that a MigStorage's settings describe. ``config`` has passed the provider's field checks.

    Raises StoreError when it cannot be opened, MissingLibrary when the provider's library is not installed.
    """
    store = STORES[provider](config, credentials)
    try:
        yield store
    finally:
        store.close()


def require(provider: str) -> None:
    """Raises MissingLibrary when the provider's library is not installed where the module runs."""
    _LIBRARIES[provider]()
