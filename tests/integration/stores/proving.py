# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A store proven or refused, as the engine does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources.storage_credentials import Credentials
from ansible_collections.openmig.mtc.plugins.module_utils.stores.probe import probe
from ansible_collections.openmig.mtc.plugins.module_utils.stores.providers import opened
from ansible_collections.openmig.mtc.plugins.module_utils.stores.store import StoreError


def prove(provider: str, config: Mapping[str, Any], credentials: Credentials) -> None:
    with opened(provider, config, credentials) as store:
        probe(store)


def refused(provider: str, config: Mapping[str, Any], credentials: Credentials) -> StoreError:
    """The error of a store that must not be taken for good; nothing planted is in it, and it is told alike twice."""
    with pytest.raises(StoreError) as caught:
        prove(provider, config, credentials)
    with pytest.raises(StoreError) as again:
        prove(provider, config, credentials)
    assert caught.value.message == again.value.message
    assert "planted" not in caught.value.message
    assert caught.value.mend
    return caught.value
