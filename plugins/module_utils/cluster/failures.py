# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From what a server or a socket says to an error type: which cluster, what failed, why, and what mends it.

Two sources: an HTTP answer (``error_of_answer``) and an exception on the way there (``failure_of``). The
transport decides about retries from ``Failure``; everything above sees only the types of resources/errors.py.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..resources.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    PermanentError,
    Unauthorized,
)

# Answers that may differ the next time.
RETRYABLE = frozenset({429, 500, 502, 503, 504})

_BY_STATUS: dict[int, tuple[type[ApiError], str]] = {
    400: (Invalid, "Correct the object or the option it was made from"),
    403: (Forbidden, "Grant this right to the user of this connection, or connect as another one"),
    404: (NotFound, ""),
    409: (Conflict, "Somebody else changed it at the same time: run the task again"),
    410: (Gone, "Run the task again"),
    422: (Invalid, "Correct the fields that it names"),
}

# (status, text in the server's message) -> what to do; the first that fits wins
_MENDS: tuple[tuple[int, str, str], ...] = (
    (403, "is being terminated", "Wait until the namespace is gone, then run the task again"),
    (
        403,
        "PodSecurity",
        "Use a profile that the namespace allows, or relax its pod-security.kubernetes.io/enforce label",
    ),
    (403, "exceeded quota", "Raise the quota of the namespace, or remove what uses it up"),
    (404, "namespaces ", "Create the namespace first"),
)

_LONGEST_REASON = 600


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a request got no answer."""

    what: str
    reason: str
    mend: str
    permanent: bool = False
    """Trying again is useless even right away: distrust, a wrong protocol, a proxy that refuses."""
    executed: bool = True
    """The server may have carried the request out; ``False`` when it cannot have seen it."""
    settled_by_contact: bool = False
    """Permanent unless this server has answered before: a name that has never been resolved is a typing error."""
    passing: bool = False
    """Worth a few tries even then: the resolver itself did not answer."""


def error_of_answer(
    *, status: int, body: bytes, subject: str, attempt: str, cluster: str, secrets: tuple[str, ...] = ()
) -> PermanentError:
    """The typed error of an HTTP answer that is no success; ``secrets`` are masked should the server repeat them."""
    document = status_document(body)
    if document is None and (300 <= status < 400 or not plain_answer(body)):
        return not_kubernetes(cluster=cluster, attempt=attempt, status=status, body=body)
    api_reason = str((document or {}).get("reason") or "")
    message = str((document or {}).get("message") or body.decode("utf-8", "replace")).strip()
    for secret in secrets:
        message = message.replace(secret, "********")
    if len(message) > _LONGEST_REASON:
        message = f"{message[:_LONGEST_REASON]}..."
    reason = f"{message} (HTTP {status})"
    if status == 401:
        return Unauthorized(
            subject=cluster,
            attempt="credentials rejected",
            reason=reason,
            mend="Give a token, client certificate or kubeconfig that this cluster accepts; a token may have expired",
            status=status,
            api_reason=api_reason,
        )
    if status == 409 and api_reason == "AlreadyExists":
        kind: type[ApiError] = AlreadyExists
        mend = "Remove it or give the new object another name"
    else:
        kind, mend = _BY_STATUS.get(status, (ApiError, ""))
    mend = next((text for code, part, text in _MENDS if code == status and part in message), mend)
    return kind(subject=subject, attempt=attempt, reason=reason, mend=mend, status=status, api_reason=api_reason)


def status_document(body: bytes) -> dict[str, Any] | None:
    """The Status object of an answer; ``None`` when the body is something else."""
    if body.lstrip()[:1] != b"{":
        return None
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) and document.get("kind") == "Status" else None


def plain_answer(body: bytes) -> bool:
    """Whether a body is one of the short plain texts that an API server sends outside its API: no markup, no JSON."""
    return len(body) < 2048 and body.lstrip()[:1] not in (b"<", b"{", b"[")


def not_kubernetes(*, cluster: str, attempt: str, status: int, body: bytes) -> PermanentError:
    """What answers there is some other server, or a login page in front of the right one."""
    start = " ".join(body[:80].decode("utf-8", "replace").split())
    return PermanentError(
        subject=cluster,
        attempt=attempt,
        reason=f"what answers there is not a Kubernetes API server (HTTP {status}, starts with {start!r})",
        mend="Give the URL of the cluster's API server, not that of its console or of a proxy's login page",
    )


def failure_of(error: Exception, *, proxied: bool) -> Failure:
    """What an exception of urllib3 or of the socket below it means."""
    causes = list(_causes(error))
    names = {type(cause).__name__ for cause in causes}
    if "ProxyError" in names:
        return _proxy_failure(causes)
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return _tls_failure(cause)
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return Failure(
                what="name not resolved",
                reason=str(cause.strerror or cause),
                mend="Check the server's name in the kubeconfig or option host, and this machine's DNS",
                executed=False,
                settled_by_contact=True,
                passing=cause.errno == socket.EAI_AGAIN,
            )
    executed = not names & {"NewConnectionError", "ConnectTimeoutError"}
    if executed:
        reason = "no answer in time" if "ReadTimeoutError" in names else f"connection lost: {_innermost(causes)}"
        return Failure(what="no answer", reason=reason, mend="Check the network path and the API server's load")
    through = "Check the address, that the API server runs, and firewalls on the way"
    timed_out = "ConnectTimeoutError" in names
    return Failure(
        what="not reachable",
        reason="nothing answered the connection attempt" if timed_out else _innermost(causes),
        mend=f"{through}; the connection goes through a proxy" if proxied else through,
        executed=False,
    )


def _tls_failure(error: ssl.SSLError) -> Failure:
    if isinstance(error, ssl.SSLCertVerificationError):
        if "ostname mismatch" in str(error) or "IP address mismatch" in str(error):
            mend = (
                "Connect under a name that the server's certificate carries, or set tls-server-name in the kubeconfig"
            )
        elif "expired" in str(error) or "not yet valid" in str(error):
            mend = "Renew the server's certificate, or set this machine's clock"
        else:
            mend = "Give the authority that signed the server's certificate in ca_cert or the kubeconfig"
        return Failure(
            what="TLS certificate not trusted", reason=error.verify_message, mend=mend, permanent=True, executed=False
        )
    reason = str(error.reason or "") or type(error).__name__
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) or "EOF" in reason:
        return Failure(
            what="no answer", reason="connection lost during TLS", mend="Check the network path and its proxies"
        )
    if "ALERT" in reason or "CERTIFICATE_REQUIRED" in reason:
        mend = "Give a client certificate and key that belong together and that this cluster accepts"
        return Failure(
            what="TLS refused by the server", reason=reason.lower().replace("_", " "), mend=mend, permanent=True
        )
    mend = "Check the scheme and port of the server's URL: it does not seem to speak TLS there"
    return Failure(
        what="TLS failed", reason=reason.lower().replace("_", " "), mend=mend, permanent=True, executed=False
    )


def _proxy_failure(causes: list[BaseException]) -> Failure:
    text = next((str(cause) for cause in causes if "Tunnel connection failed" in str(cause)), "")
    if "407" in text:
        return Failure(
            what="proxy refused",
            reason="it wants a user and password (HTTP 407)",
            mend="Give them in proxy_headers.proxy_basic_auth as user:password",
            permanent=True,
            executed=False,
        )
    answer = text.partition("Tunnel connection failed:")[2].strip(" ')\"")
    unresolved = any(isinstance(cause, socket.gaierror) for cause in causes)
    return Failure(
        what="proxy failed",
        reason=f"it answered {answer}" if answer else _innermost(causes),
        mend="Check option proxy, or name the server in no_proxy",
        executed=False,
        settled_by_contact=unresolved,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and whatever it wraps: libraries keep it as cause, context, argument or attribute."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        item = waiting.pop(0)
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        waiting += [getattr(item, "reason", None), getattr(item, "original_error", None), *item.args]
        waiting += [item.__cause__, item.__context__]


def _innermost(causes: list[BaseException]) -> str:
    """The operating system's own words where there are any; never a library's repr, which may carry URLs."""
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
    return type(causes[-1]).__name__


def masked(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """The values of a Secret's manifest, to be masked in what a server says about it; nothing for other kinds."""
    if manifest.get("kind") != "Secret":
        return ()
    values = [*(manifest.get("data") or {}).values(), *(manifest.get("stringData") or {}).values()]
    return tuple(sorted({str(value) for value in values if value}, key=len, reverse=True))
