# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One digest for all that is compared with what was there before: specs, manifests, frozen options."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(document: Any) -> str:
    """JSON that depends on the content alone, not on the order in which keys were written."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def observed_digest(document: Any) -> str:
    """SHA-256 hex of the canonical JSON; what the builtin engine writes as ``status.observedDigest``.

    Upstream hashes its own serialisation, so digests of the two engines are never compared with each other.
    """
    return hashlib.sha256(canonical(document).encode()).hexdigest()
