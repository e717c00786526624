# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kept-alive connections of one login.

Short requests share a pool that opens connections on demand and never more than its size. Streams (watches, followed
logs) have a pool of their own, so that they cannot starve the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .credentials import Login
from .libraries import require_urllib3

POOL_SIZE = 32
_IDLE_STREAMS = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Pools:
    """urllib3's pools for a login, what precedes a path in a request line, and the headers of every request."""

    login: Login
    short: Any
    streams: Any
    prefix: str
    headers: Any

    def close(self) -> None:
        self.short.close()
        self.streams.close()


def make_pools(login: Login, user_agent: str) -> Pools:
    """Pools without a connection yet."""
    library = require_urllib3()
    settings: dict[str, Any] = {}
    if login.tls is not None:
        settings["ssl_context"] = login.tls
        settings["cert_reqs"] = "CERT_REQUIRED" if login.verified else "CERT_NONE"
        if login.tls_server_name:
            settings["server_hostname"] = login.tls_server_name
    headers = library.HTTPHeaderDict({"User-Agent": user_agent, "Accept-Encoding": "gzip"})
    for name, value in login.impersonation:
        headers.add(name, value)
    prefix = urlsplit(login.server).path.rstrip("/")
    if login.proxy is not None and login.tls is None:  # a request without TLS names the whole URL to the proxy
        prefix = login.server
        headers.extend(login.proxy.headers)
    return Pools(
        login=login,
        short=_pool(login, size=POOL_SIZE, block=True, settings=settings),
        streams=_pool(login, size=_IDLE_STREAMS, block=False, settings=settings),
        prefix=prefix,
        headers=headers,
    )


def _pool(login: Login, *, size: int, block: bool, settings: Mapping[str, Any]) -> Any:
    library = require_urllib3()
    if login.proxy is None:
        manager = library.PoolManager(num_pools=1, maxsize=size, block=block, **settings)
    else:
        proxy = {"proxy_url": login.proxy.url, "proxy_headers": dict(login.proxy.headers)}
        manager = library.ProxyManager(num_pools=1, maxsize=size, block=block, **proxy, **settings)
    return manager.connection_from_url(login.server)
