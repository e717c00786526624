# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a connection goes through a proxy, and how that proxy is asked.

Order: the connection's own options, the kubeconfig's ``proxy-url``, then the environment (HTTPS_PROXY, HTTP_PROXY,
ALL_PROXY, NO_PROXY in either case), as kubectl does. Credentials of a proxy travel in a header to that proxy only and
are never part of a URL that could be shown.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from ..resources import urls
from ..resources.errors import PermanentError
from .libraries import require_urllib3


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """One HTTP proxy: its URL without credentials, and the headers that it gets."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    basic_auth: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)


def choose_proxy(
    *,
    server: str,
    proxy: str | None,
    no_proxy: str | None,
    headers: Mapping[str, str],
    environ: Mapping[str, str],
) -> Proxy | None:
    """The proxy for ``server``; ``None`` for a direct connection, which an empty ``proxy`` asks for.

    ``headers`` are the suboptions of proxy_headers (proxy_basic_auth, basic_auth, user_agent).
    Raises ``PermanentError`` for a proxy that is no HTTP proxy.
    """
    target = urls.parsed(server)
    if target is None:
        raise PermanentError(
            subject="API server",
            attempt=f"{server!r} cannot be reached",
            reason="it is no URL",
            mend="Give it with its scheme and port: https://api.example.com:6443",
        )
    if proxy is None:
        proxy = _variable(environ, f"{target.scheme}_proxy") or _variable(environ, "all_proxy")
    if no_proxy is None:
        no_proxy = _variable(environ, "no_proxy")
    if not proxy or bypassed(target, no_proxy or ""):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    parts = urls.parsed(proxy)
    if parts is None or not parts.hostname or parts.scheme not in ("http", "https"):
        raise PermanentError(
            subject=f"Proxy {parts.hostname or '' if parts else ''}".rstrip(),
            attempt=f"cannot be used for {server}",
            reason=f"its scheme is {parts.scheme}" if parts and parts.hostname else "it is no URL",
            mend="Give an HTTP proxy in option proxy, or an empty string for a direct connection",
        )
    login = _login(parts, headers.get("proxy_basic_auth"))
    made: dict[str, str] = require_urllib3().make_headers(
        proxy_basic_auth=":".join(login) if login else None,
        basic_auth=headers.get("basic_auth"),
        user_agent=headers.get("user_agent"),
    )
    address = parts.netloc.rpartition("@")[2]
    return Proxy(url=f"{parts.scheme}://{address}", headers=made, basic_auth=login)


def bypassed(target: SplitResult, no_proxy: str) -> bool:
    """Whether a comma-separated no_proxy list names the target: host, domain suffix, address, network, or ``*``."""
    host = (target.hostname or "").lower()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    for entry in (part.strip().lower() for part in no_proxy.split(",")):
        if not entry:
            continue
        if entry == "*" or entry in (host, f"{host}:{target.port}"):
            return True
        if host.endswith(f".{entry.lstrip('.')}"):
            return True
        if address is not None and "/" in entry:
            try:
                if address in ipaddress.ip_network(entry, strict=False):
                    return True
            except ValueError:
                continue
    return False


def _login(parts: SplitResult, option: str | None) -> tuple[str, str] | None:
    if option:
        user, _colon, password = option.partition(":")
        return user, password
    if parts.username:
        return unquote(parts.username), unquote(parts.password or "")
    return None


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    return environ.get(name) or environ.get(name.upper())
