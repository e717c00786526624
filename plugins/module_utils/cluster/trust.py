# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What another process needs to reach the same cluster as somebody else: a token of its own, and whom to trust.

Also which cluster this is: a URL may change or lead to two clusters in turn, the UID of ``kube-system`` does not.
"""

from __future__ import annotations

import ssl

from ..resources.errors import PermanentError, subject_of
from .resource_types import BUILT_IN
from .transport import Call, Transport
from .writes import encoded

MACHINE_STORE_FROM = 16
"""More authorities than this are a machine's own store, not those of one cluster."""
IDENTITY_NAMESPACE = "kube-system"


def issue_token(transport: Transport, namespace: str, account: str, seconds: int) -> tuple[str, str]:
    """A token of the service account and when it expires (RFC 3339). The server may grant another life than asked for.

    Needs TokenRequest (Kubernetes 1.22, see capabilities). ``NotFound`` when there is no such account.
    """
    call = Call(
        method="POST",
        path=BUILT_IN["v1", "ServiceAccount"].path(namespace, account, "token"),
        subject=subject_of("ServiceAccount", account, namespace),
        attempt="issue a token",
        body=encoded(
            {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {"expirationSeconds": seconds},
            }
        ),
    )
    status = transport.send(call).document["status"]
    return str(status["token"]), str(status["expirationTimestamp"])


def authorities(transport: Transport) -> bytes | None:
    """The PEM certificates that this connection trusts; None when it relies on the machine's own store."""
    context = transport.login.tls
    if context is None or context.verify_mode == ssl.CERT_NONE:
        return None
    found = context.get_ca_certs(binary_form=True)
    if not found or len(found) > MACHINE_STORE_FROM:
        return None
    return "".join(ssl.DER_cert_to_PEM_cert(certificate) for certificate in found).encode("ascii")


def identity(transport: Transport) -> str:
    """The UID of the cluster's ``kube-system`` namespace."""
    call = Call(
        method="GET",
        path=BUILT_IN["v1", "Namespace"].path(name=IDENTITY_NAMESPACE),
        subject=subject_of("Namespace", IDENTITY_NAMESPACE),
        attempt="tell which cluster this is",
    )
    uid = transport.send(call).document.get("metadata", {}).get("uid")
    if not uid:
        raise PermanentError(
            subject=transport.subject,
            attempt="it cannot be told from other clusters",
            reason=f"its namespace {IDENTITY_NAMESPACE} has no UID",
            mend="Look whether this address really leads to a Kubernetes API server",
        )
    return str(uid)
