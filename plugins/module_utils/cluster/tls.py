# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whom a connection trusts and what it shows of itself, as one TLS context for all connections of a cluster."""

from __future__ import annotations

import os
import ssl
import tempfile

from ..resources.errors import PermanentError
from .kubeconfig import Pem


def tls_context(
    *, cluster: str, server: str, verify: bool, authority: Pem | None, certificate: Pem | None, key: Pem | None
) -> ssl.SSLContext:
    """Without an authority the machine's own are trusted. Raises ``PermanentError`` for unusable files.

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
        _trust(context, authority, subject)
    if certificate is not None:
        _show(context, certificate, key, subject)
    return context


def _trust(context: ssl.SSLContext, authority: Pem | None, subject: str) -> None:
    try:
        if authority is None:
            context.load_default_certs()
        elif authority.data is not None:
            context.load_verify_locations(cadata=authority.data.decode("ascii"))
        else:
            context.load_verify_locations(cafile=os.path.expanduser(authority.file or ""))
    except (OSError, ValueError) as error:
        raise PermanentError(
            subject=subject,
            attempt=f"certificate authority {(authority and authority.file) or 'data'}",
            reason=_reason(error, "there is no certificate in it"),
            mend="Give a file of PEM certificates in ca_cert",
        ) from error


def _show(context: ssl.SSLContext, certificate: Pem, key: Pem | None, subject: str) -> None:
    """OpenSSL takes a client's certificate from files only: data lies in a directory of our own while it is loaded."""
    with tempfile.TemporaryDirectory(prefix="openmig-") as directory:
        try:
            # An empty password: OpenSSL would ask for one on the terminal otherwise.
            context.load_cert_chain(
                _as_file(certificate, directory, "certificate"),
                _as_file(key, directory, "key") if key else None,
                password="",
            )
        except OSError as error:
            raise PermanentError(
                subject=subject,
                attempt=f"client certificate {certificate.file or 'data'}",
                reason=_reason(error, "no certificate, a key with a password, or not a pair"),
                mend="Give a PEM certificate in client_cert and its key in client_key",
            ) from error


def _as_file(pem: Pem, directory: str, name: str) -> str:
    if pem.data is None:
        return os.path.expanduser(pem.file or "")
    path = os.path.join(directory, name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem.data)
    return path


def _reason(error: Exception, content: str) -> str:
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.strerror:
        return error.strerror.lower()
    return content
