# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who this process is to a cluster and whom it trusts there: one ``Login``, made from options and renewed on demand.

Nothing here opens a connection to the cluster; a credential plugin may open its own.
"""

from __future__ import annotations

import base64
import dataclasses
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..resources.errors import PermanentError
from .kubeconfig import Found, Pem, default_kubeconfig, found_in_cluster, found_in_kubeconfig, in_cluster
from .options import ConnectionOptions
from .plugins import fetch_credentials
from .proxies import Proxy, choose_proxy
from .tls import tls_context

# A token file or a library's own expiry check is looked at this often at most.
_LOGIN_SECONDS = 30.0

Authorization: TypeAlias = "Callable[[], str | None]"


@dataclass(frozen=True, kw_only=True)
class Login:
    """Everything a connection needs to know; immutable, so that a renewed one is another object."""

    server: str
    tls: ssl.SSLContext | None = field(repr=False)
    verified: bool
    tls_server_name: str | None
    authorization: Authorization = field(repr=False)
    """The Authorization header of this moment; refreshes an expiring token by itself."""
    impersonation: tuple[tuple[str, str], ...]
    proxy: Proxy | None


class Credentials:
    """Holds the current ``Login`` and makes a new one when the server says that it is no longer valid."""

    def __init__(self, load: Callable[[], Login], *, renewable: bool) -> None:
        self._load = load
        self._renewable = renewable
        self._lock = threading.Lock()
        self.login = load()

    def renew(self, rejected: Login) -> bool:
        """Whether another login than ``rejected`` can be tried now. Of many threads rejected at once, one renews."""
        if not self._renewable:
            return False
        with self._lock:
            if self.login is rejected:
                self.login = self._load()
            return True


def credentials_of(options: ConnectionOptions, *, cluster: str, environ: Mapping[str, str]) -> Credentials:
    """By the precedence of kubernetes.core: complete options, kubeconfig or context, in-cluster, default kubeconfig.

    Options win over what the kubeconfig says, one by one. A host without anything to log in with is tried as it is when
    there is no kubeconfig (a local kubectl proxy). Raises ``PermanentError`` for a missing or unusable file.
    """
    default = default_kubeconfig(environ)
    if options.complete or (
        options.host and not (options.kubeconfig or options.context or in_cluster(environ) or default)
    ):
        return Credentials(lambda: _login(options, Found(), None, cluster=cluster, environ=environ), renewable=False)
    if not (options.kubeconfig or options.context) and in_cluster(environ):
        return Credentials(
            lambda: _login(options, found_in_cluster(environ), None, cluster=cluster, environ=environ), renewable=True
        )
    source = options.kubeconfig or default or environ.get("KUBECONFIG") or "~/.kube/config"

    def load() -> Login:
        found = found_in_kubeconfig(source, context=options.context, cluster=cluster)
        fetched = None
        if found.plugin and not options.api_key:
            fetched = fetch_credentials(source, found, persist=bool(options.persist_config), cluster=cluster)
        return _login(options, found, fetched, cluster=cluster, environ=environ)

    return Credentials(load, renewable=True)


def token_credentials(
    *,
    url: str,
    token: str | None,
    ca_data: bytes | None,
    insecure: bool,
    proxy: Proxy | None,
    cluster: str,
    renewed: Callable[[], str] | None = None,
) -> Credentials:
    """Credentials of a bearer token, as MigCluster secrets hold them; ``ca_data`` is PEM.

    ``renewed`` gives the token of that moment when the server no longer accepts the one before.
    """
    server = url.rstrip("/")
    authority = Pem(data=ca_data) if ca_data else None
    tls = None
    if server.startswith("https"):
        tls = tls_context(
            cluster=cluster, server=server, verify=not insecure, authority=authority, certificate=None, key=None
        )
    first = Login(
        server=server,
        tls=tls,
        verified=not insecure,
        tls_server_name=None,
        authorization=_constant(_bearer(token)),
        impersonation=(),
        proxy=proxy,
    )
    if renewed is None:
        return Credentials(lambda: first, renewable=False)
    known = iter([first])

    def load() -> Login:
        login = next(known, None)
        return login or dataclasses.replace(first, authorization=_constant(_bearer(renewed())))

    return Credentials(load, renewable=True)


def _login(
    options: ConnectionOptions, found: Found, fetched: Any, *, cluster: str, environ: Mapping[str, str]
) -> Login:
    server = (options.host or found.server).rstrip("/")
    verify = found.verify if options.validate_certs is None else options.validate_certs
    certificate, key = found.certificate, found.key
    if options.client_cert:
        certificate, key = Pem(file=options.client_cert), Pem(file=options.client_key) if options.client_key else None
    elif getattr(fetched, "cert_file", None):
        certificate, key = Pem(file=fetched.cert_file), Pem(file=fetched.key_file)
    tls = None
    if server.startswith("https"):
        tls = tls_context(
            cluster=cluster,
            server=server,
            verify=verify,
            authority=Pem(file=options.ca_cert) if options.ca_cert else found.authority,
            certificate=certificate,
            key=key,
        )
    proxy = choose_proxy(
        server=server,
        proxy=found.proxy if options.proxy is None else options.proxy,
        no_proxy=options.no_proxy,
        headers=options.proxy_headers,
        environ=environ,
    )
    return Login(
        server=server,
        tls=tls,
        verified=verify,
        tls_server_name=found.tls_server_name,
        authorization=_authorization(options, found, fetched, cluster=cluster),
        impersonation=_impersonation(options, found),
        proxy=proxy,
    )


def _impersonation(options: ConnectionOptions, found: Found) -> tuple[tuple[str, str], ...]:
    user, groups = options.impersonate_user, options.impersonate_groups
    if not user:
        user, groups = found.impersonate_user, found.impersonate_groups
    if not user:
        return ()
    return (("Impersonate-User", user), *(("Impersonate-Group", group) for group in groups))


def _authorization(options: ConnectionOptions, found: Found, fetched: Any, *, cluster: str) -> Authorization:
    if options.api_key:
        return _constant(_bearer(options.api_key))
    if options.username and options.password:
        return _constant(_basic(options.username, options.password))
    if fetched is not None:
        return _Current(lambda: _fetched_header(fetched))
    if found.token_file:
        path = found.token_file
        return _Current(lambda: _bearer(_read_token(path, cluster=cluster)))
    if found.token:
        return _constant(_bearer(found.token))
    if found.username and found.password:
        return _constant(_basic(found.username, found.password))
    return _constant(None)


class _Current:
    """A header that may change: looked up again now and then, by one thread at a time."""

    def __init__(self, look_up: Authorization) -> None:
        self._look_up = look_up
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._header: str | None = None

    def __call__(self) -> str | None:
        with self._lock:
            now = time.monotonic()
            if now - self._looked >= _LOGIN_SECONDS:
                self._header = self._look_up()
                self._looked = now
            return self._header


def _fetched_header(fetched: Any) -> str | None:
    """What the library would send; asking it refreshes a token that has expired."""
    for setting in fetched.auth_settings().values():
        if setting["in"] == "header" and setting["value"]:
            return str(setting["value"]).strip()
    return None


def _read_token(path: str, *, cluster: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise PermanentError(
            subject=f"Cluster {cluster}",
            attempt=f"token file {path}",
            reason=(error.strerror or "cannot be read").lower(),
            mend="Make it readable for the user that runs the module, or give api_key",
        ) from error


def _bearer(token: str | None) -> str | None:
    token = (token or "").strip()
    if not token:
        return None
    if not token.isascii() or not token.isprintable() or " " in token:
        raise PermanentError(
            subject="Bearer token",
            attempt="unusable",
            reason="there is white space or a character in it that no token has",
            mend="Give the token alone, as it was issued",
        )
    return f"Bearer {token}"


def _basic(username: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def _constant(value: str | None) -> Authorization:
    return lambda: value
