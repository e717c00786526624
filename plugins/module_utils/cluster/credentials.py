# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who this process is to a cluster and whom it trusts there: one ``Login``, made from options and renewed on demand.

The package ``kubernetes`` reads kubeconfigs and a pod's own credentials, runs credential plugins and refreshes
tokens; what it finds is turned into one TLS context and one header. Options that are complete in themselves, and
tokens, do without it. Nothing here opens a connection.
"""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..resources.errors import PermanentError
from .kubeconfig import default_kubeconfig, in_cluster, load_in_cluster, load_kubeconfig
from .options import ConnectionOptions
from .proxies import Proxy, choose_proxy

# A library's own expiry check runs at most this often: it takes a lock and may start a plugin.
_LOGIN_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Login:
    """Everything a connection needs to know; immutable, so that a renewed one is another object."""

    server: str
    tls: ssl.SSLContext | None = field(repr=False)
    verified: bool
    tls_server_name: str | None
    authorization: Callable[[], str | None] = field(repr=False)
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
    """Credentials by the precedence of kubernetes.core: complete options, kubeconfig or context, in-cluster, default kubeconfig.

    Options win over what the kubeconfig says, one by one. Raises ``PermanentError`` for a missing or unusable file.
    """
    found = options.kubeconfig or options.context or in_cluster(environ) or default_kubeconfig(environ)
    if options.complete or (options.host and not found):
        return Credentials(lambda: _login_of(options, None, cluster=cluster, environ=environ), renewable=False)
    return Credentials(lambda: _login_loaded(options, cluster=cluster, environ=environ), renewable=True)


def token_credentials(
    *, url: str, token: str | None, ca_data: bytes | None, insecure: bool, proxy: Proxy | None, cluster: str
) -> Credentials:
    """Credentials of a bearer token, as MigCluster secrets hold them; ``ca_data`` is PEM."""
    server = url.rstrip("/")
    login = Login(
        server=server,
        tls=_tls(server, cluster=cluster, verify=not insecure, ca_data=ca_data) if server.startswith("https") else None,
        verified=not insecure,
        tls_server_name=None,
        authorization=_constant(f"Bearer {token.strip()}" if token else None),
        impersonation=(),
        proxy=proxy,
    )
    return Credentials(lambda: login, renewable=False)


def _login_loaded(options: ConnectionOptions, *, cluster: str, environ: Mapping[str, str]) -> Login:
    """A login from a kubeconfig or a pod's credentials. The library writes certificates that a kubeconfig carries as
    data to files; they lie in a directory of our own and only until they are loaded."""
    with tempfile.TemporaryDirectory(prefix="openmig-") as directory:
        if not options.kubeconfig and not options.context and in_cluster(environ):
            loaded = load_in_cluster(cluster=cluster)
        else:
            loaded = load_kubeconfig(options, cluster=cluster, environ=environ, directory=directory)
        return _login_of(options, loaded, cluster=cluster, environ=environ)


def _login_of(options: ConnectionOptions, loaded: Any, *, cluster: str, environ: Mapping[str, str]) -> Login:
    server = (options.host or loaded.host).rstrip("/")
    verify = options.validate_certs
    if verify is None:
        verify = bool(getattr(loaded, "verify_ssl", True))
    proxy = choose_proxy(
        server=server,
        proxy=options.proxy if options.proxy is not None else getattr(loaded, "proxy", None),
        no_proxy=options.no_proxy if options.no_proxy is not None else getattr(loaded, "no_proxy", None),
        headers=options.proxy_headers,
        environ=environ,
    )
    tls = None
    if server.startswith("https"):
        tls = _tls(
            server,
            cluster=cluster,
            verify=verify,
            ca_file=options.ca_cert or getattr(loaded, "ssl_ca_cert", None),
            cert_file=options.client_cert or getattr(loaded, "cert_file", None),
            key_file=options.client_key or getattr(loaded, "key_file", None),
        )
    return Login(
        server=server,
        tls=tls,
        verified=verify,
        tls_server_name=getattr(loaded, "tls_server_name", None),
        authorization=_authorization(options, loaded),
        impersonation=_impersonation(options),
        proxy=proxy,
    )


def _impersonation(options: ConnectionOptions) -> tuple[tuple[str, str], ...]:
    if not options.impersonate_user:
        return ()
    groups = tuple(("Impersonate-Group", group) for group in options.impersonate_groups)
    return (("Impersonate-User", options.impersonate_user), *groups)


def _authorization(options: ConnectionOptions, loaded: Any) -> Callable[[], str | None]:
    if options.api_key:
        return _constant(f"Bearer {options.api_key.strip()}")
    if options.username and options.password:
        login = base64.b64encode(f"{options.username}:{options.password}".encode()).decode()
        return _constant(f"Basic {login}")
    if loaded is None:
        return _constant(None)
    if getattr(loaded, "refresh_api_key_hook", None) is None:
        return _constant(_header(loaded))
    return _Expiring(loaded)


class _Expiring:
    """The header of a token that the library watches over: asked again now and then, by one thread at a time."""

    def __init__(self, loaded: Any) -> None:
        self._loaded = loaded
        self._lock = threading.Lock()
        self._asked = float("-inf")
        self._header: str | None = None

    def __call__(self) -> str | None:
        with self._lock:
            now = time.monotonic()
            if now - self._asked >= _LOGIN_SECONDS:
                self._header = _header(self._loaded)
                self._asked = now
            return self._header


def _header(loaded: Any) -> str | None:
    for setting in loaded.auth_settings().values():
        if setting["in"] == "header" and setting["value"]:
            return str(setting["value"]).strip()
    return None


def _constant(value: str | None) -> Callable[[], str | None]:
    return lambda: value


def _tls(
    server: str,
    *,
    cluster: str,
    verify: bool,
    ca_file: str | None = None,
    ca_data: bytes | None = None,
    cert_file: str | None = None,
    key_file: str | None = None,
) -> ssl.SSLContext:
    """One context for all connections of a cluster.

    An intermediate authority may be the anchor, as for every other Kubernetes client; the strict profile that newer
    Pythons add to their default context is left out, since certificates of older clusters do not meet it.
    """
    subject = f"Cluster {cluster} ({server})"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        try:
            if ca_data:
                context.load_verify_locations(cadata=ca_data.decode("ascii"))
            elif ca_file:
                context.load_verify_locations(cafile=os.path.expanduser(ca_file))
            else:
                context.load_default_certs()
        except (OSError, ValueError) as error:  # SSLError is an OSError
            raise PermanentError(
                subject=subject,
                attempt=f"certificate authority {ca_file or 'data'}",
                reason=_file_reason(error, "no certificate in it"),
                mend="Give a file of PEM certificates in ca_cert",
            ) from error
    if cert_file:
        try:
            # An empty password: OpenSSL would ask for one on the terminal otherwise.
            context.load_cert_chain(os.path.expanduser(cert_file), _expanded(key_file), password="")
        except OSError as error:
            raise PermanentError(
                subject=subject,
                attempt="client certificate",
                reason=_file_reason(error, "no certificate, no key without a password, or not a pair"),
                mend="Give a PEM certificate in client_cert and its key in client_key",
            ) from error
    return context


def _expanded(path: str | None) -> str | None:
    return os.path.expanduser(path) if path else None


def _file_reason(error: Exception, content: str) -> str:
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.strerror:
        return error.strerror.lower()
    return content
