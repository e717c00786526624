# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a library's exception on the way to a store means, in the same words for every provider."""

from __future__ import annotations

from dataclasses import replace

from ..cluster.failures import failure_of
from .store import StoreError

_MENDS = {
    "name not resolved": "Check the store's name and this machine's DNS",
    "not reachable": "Check the store's address, that it runs, and firewalls and proxies on the way",
    "proxy refused": "Give the proxy's user and password in the URL of HTTPS_PROXY or HTTP_PROXY",
    "proxy failed": "Check HTTPS_PROXY and HTTP_PROXY, or name the store in NO_PROXY",
    "TLS failed": "Check the scheme and port of the store's address: it does not seem to speak TLS there",
}
_DISTRUST = "TLS certificate not trusted"


def unreached(error: Exception, *, address: str, attempt: str, trust: str) -> StoreError:
    """For an exception that is no answer of the store. ``trust`` says how this provider's certificates are trusted."""
    # Azure's library keeps what it wraps where nobody else does.
    inner = getattr(error, "inner_exception", None)
    found = failure_of(inner if isinstance(inner, Exception) else error, proxied=False)
    if "CertificateError" in found.reason:
        # Of urllib3, where it compares names itself.
        found = replace(found, what=_DISTRUST, reason="it is for another name", executed=False)
    mend = trust if found.what == _DISTRUST else _MENDS.get(found.what, "Check the network path and the store's load")
    return StoreError(
        address=address,
        attempt=attempt,
        reason=f"{found.what}: {found.reason}",
        mend=mend,
        unreached=not found.executed,
    )
