# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A command in a container, over a WebSocket: output, errors and the exit code on channels of their own.

Input needs its end to be told. Version 5 of the protocol can close the input channel; a server that speaks only
version 4 cannot, and a command that reads to the end would wait for ever, so there the input goes through ``head -c``
in the container, which knows how many bytes to expect.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from ..resources.errors import MtcError, PermanentError, TransientError
from .backoff import Backoff
from .credentials import Login
from .failures import RETRYABLE, error_of_answer, failure_of
from .libraries import require_websocket
from .resource_types import BUILT_IN
from .transport import CONNECT_SECONDS, FIRST_CONTACT_SECONDS, Call, Transport

_POD = BUILT_IN["v1", "Pod"]
_V4 = "v4.channel.k8s.io"
_V5 = "v5.channel.k8s.io"
_STDIN, _STDOUT, _STDERR, _STATUS, _CLOSE = 0, 1, 2, 3, 255
_FRAME = 32 * 1024
_HANDSHAKE_SECONDS = 30.0
"""The API server answers once the kubelet has, which waits for the container runtime."""
_COUNTED_INPUT = 'bytes=$1; shift; head -c "$bytes" | "$@"'


@dataclass(frozen=True, kw_only=True)
class ExecResult:
    """How a command ended; bytes that are not UTF-8 are replaced in the texts."""

    exit_code: int
    stdout: str
    stderr: str


def run_command(
    transport: Transport,
    namespace: str,
    pod: str,
    command: Sequence[str],
    *,
    container: str | None = None,
    stdin: bytes | None = None,
    timeout: float = 30,
) -> ExecResult:
    """Run ``command`` and wait for its end, at most ``timeout`` seconds after it was started.

    Connecting is retried; the command itself is not: ``TransientError`` when its end was not seen (the connection
    broke or the time was up), in which case it may still be running. The command's arguments are never in an error.
    """
    session = _Session(transport, namespace, pod, container)
    if stdin is None:
        return session.run(command, protocol=_V4, stdin=None, timeout=timeout)
    try:
        return session.run(command, protocol=_V5, stdin=stdin, timeout=timeout)
    except _ProtocolUnknown:
        counted = ["sh", "-c", _COUNTED_INPUT, "sh", str(len(stdin)), *command]
        return session.run(counted, protocol=_V4, stdin=stdin, timeout=timeout)


class _ProtocolUnknown(Exception):
    """The server speaks an older version of the protocol."""


class _Session:
    def __init__(self, transport: Transport, namespace: str, pod: str, container: str | None) -> None:
        self._transport = transport
        self._pod_path = _POD.path(namespace, pod)
        self._path = _POD.path(namespace, pod, "exec")
        self._container = container
        self._subject = f"Pod {namespace}/{pod}"
        self._websocket = require_websocket()

    def run(self, command: Sequence[str], *, protocol: str, stdin: bytes | None, timeout: float) -> ExecResult:
        connection = self._connect(command, protocol, with_stdin=stdin is not None)
        try:
            return self._talk(connection, stdin, protocol, time.monotonic() + timeout, timeout)
        finally:
            connection.shutdown()

    def _connect(self, command: Sequence[str], protocol: str, *, with_stdin: bool) -> Any:
        transport, library = self._transport, self._websocket
        backoff = Backoff(transport.deadline)
        renewed = False
        while True:
            transport.admit()
            login = transport.login
            try:
                connection = library.create_connection(
                    self._url(login.server, command, with_stdin), **self._settings(login, protocol)
                )
            except library.WebSocketBadStatusException as error:
                status = int(error.status_code)
                if status == 401 and not renewed and transport.renew(login):
                    renewed = True
                    continue
                body = bytes(getattr(error, "resp_body", None) or b"")
                if protocol == _V5 and not body.lstrip().startswith(b"{") and status in (400, 403):
                    raise _ProtocolUnknown from error
                if status in RETRYABLE:
                    if self._container_ended():
                        raise self._ended() from error
                    if backoff.pause():
                        continue
                raise self._refused(status, body) from error
            except (library.WebSocketException, OSError, ssl.SSLError) as error:
                known = _connection_failure(error)
                failure = failure_of(known, proxied=login.proxy is not None)
                within = None if transport.contacted else FIRST_CONTACT_SECONDS
                if failure.permanent or not backoff.pause(within=within):
                    raise transport.failed(failure) from error
                continue
            transport.contacted = True
            if protocol == _V5 and connection.getsubprotocol() != _V5:
                connection.shutdown()
                raise _ProtocolUnknown
            return connection

    def _talk(self, connection: Any, stdin: bytes | None, protocol: str, end: float, timeout: float) -> ExecResult:
        library = self._websocket
        output: dict[int, list[bytes]] = {_STDOUT: [], _STDERR: [], _STATUS: []}
        try:
            if stdin is not None:
                connection.settimeout(max(0.1, end - time.monotonic()))
                for start in range(0, len(stdin), _FRAME):
                    connection.send_binary(bytes([_STDIN]) + stdin[start : start + _FRAME])
                if protocol == _V5:
                    connection.send_binary(bytes([_CLOSE, _STDIN]))
            while not output[_STATUS]:
                left = end - time.monotonic()
                if left <= 0:
                    raise self._unseen(f"it did not end within {timeout:.0f} s")
                connection.settimeout(left)
                opcode, data = connection.recv_data()
                if opcode == library.ABNF.OPCODE_CLOSE:
                    break
                if data and data[0] in output:
                    output[data[0]].append(data[1:])
        except library.WebSocketTimeoutException as error:
            raise self._unseen(f"it did not end within {timeout:.0f} s") from error
        except (library.WebSocketException, OSError) as error:
            raise self._unseen("the connection broke before it ended") from error
        if not output[_STATUS]:
            raise self._unseen("the connection was closed before its exit code came")
        return ExecResult(
            exit_code=self._exit_code(b"".join(output[_STATUS])),
            stdout=b"".join(output[_STDOUT]).decode("utf-8", "replace"),
            stderr=b"".join(output[_STDERR]).decode("utf-8", "replace"),
        )

    def _exit_code(self, body: bytes) -> int:
        try:
            status = json.loads(body)
        except ValueError as error:
            raise self._unseen("its end was told in a way that cannot be read") from error
        if status.get("status") == "Success":
            return 0
        for cause in (status.get("details") or {}).get("causes") or ():
            if cause.get("reason") == "ExitCode":
                return int(cause["message"])
        raise PermanentError(
            subject=self._subject,
            attempt="run a command",
            reason=str(status.get("message")),
            mend="Check that the container runs and has this program",
        )

    def _url(self, server: str, command: Sequence[str], with_stdin: bool) -> str:
        query = [("command", part) for part in command] + [("stdout", "true"), ("stderr", "true")]
        if with_stdin:
            query.append(("stdin", "true"))
        if self._container:
            query.append(("container", self._container))
        return f"ws{server.removeprefix('http')}{self._path}?{urlencode(query)}"

    def _settings(self, login: Login, protocol: str) -> dict[str, Any]:
        headers = [f"User-Agent: {self._transport.user_agent}"]
        headers += [f"{name}: {value}" for name, value in login.impersonation]
        authorization = login.authorization()
        if authorization:
            headers.append(f"Authorization: {authorization}")
        settings: dict[str, Any] = {
            "subprotocols": [protocol],
            "header": headers,
            "timeout": _HANDSHAKE_SECONDS,
            "suppress_origin": True,
            "skip_utf8_validation": True,
        }
        if login.proxy is None:
            # A socket of our own: the library would look for a proxy in the environment even where none is wanted.
            settings["socket"] = _dial(login)
            return settings
        settings |= {
            "http_proxy_host": login.proxy.host,
            "http_proxy_port": login.proxy.port,
            "http_proxy_auth": login.proxy.basic_auth,
            "proxy_type": "http",
            "http_no_proxy": ["no-host.invalid"],  # decided already; the library has exceptions of its own
        }
        if login.tls is not None:
            settings["sslopt"] = {
                "context": login.tls,
                "cert_reqs": login.tls.verify_mode,
                "check_hostname": login.tls.check_hostname,
            }
            if login.tls_server_name:
                settings["sslopt"]["server_hostname"] = login.tls_server_name
        return settings

    def _container_ended(self) -> bool:
        """Whether no try can help: the kubelet answers 500 for a container that has ended, as for any other trouble."""
        found = self._transport.send(
            Call(
                method="GET",
                path=self._pod_path,
                subject=self._subject,
                attempt="look whether it runs",
                answers=frozenset({403, 404}),
            )
        )
        if found.status == 403:
            return False
        if found.status == 404:
            return True
        status = found.document.get("status") or {}
        if status.get("phase") in ("Succeeded", "Failed"):
            return True
        told = status.get("containerStatuses") or []
        asked = [item for item in told if item.get("name") == self._container] if self._container else told[:1]
        return any("terminated" in (item.get("state") or {}) for item in asked)

    def _ended(self) -> PermanentError:
        return PermanentError(
            subject=self._subject,
            attempt=f"run a command on cluster {self._transport.name}",
            reason=f"{f'its container {self._container}' if self._container else 'it'} has ended",
            mend="Look at its log, and run the task again with a pod that runs",
        )

    def _refused(self, status: int, body: bytes) -> MtcError:
        transport = self._transport
        told = error_of_answer(
            status=status,
            body=body,
            subject=self._subject,
            attempt=f"run a command on cluster {transport.name}",
            cluster=transport.subject,
        )
        if status not in RETRYABLE:
            return told
        return TransientError(
            subject=told.subject,
            attempt=told.attempt,
            reason=told.reason,
            mend="Check the pod's node, then run the task again",
        )

    def _unseen(self, reason: str) -> TransientError:
        return TransientError(
            subject=self._subject,
            attempt=f"run a command on cluster {self._transport.name}",
            reason=reason,
            mend="It may still be running there: look at the pod, then run the task again",
        )


def _dial(login: Login) -> socket.socket:
    """A connection to the API server itself, with TLS where its URL says so."""
    server = urlsplit(login.server)
    host = server.hostname or ""
    plain = socket.create_connection((host, server.port or (443 if login.tls else 80)), timeout=CONNECT_SECONDS)
    try:
        secured = login.tls.wrap_socket(plain, server_hostname=login.tls_server_name or host) if login.tls else plain
    except OSError:
        plain.close()
        raise
    secured.settimeout(_HANDSHAKE_SECONDS)
    return secured


def _connection_failure(error: Exception) -> Exception:
    """The same in the terms of ``failure_of``: the server has seen no command yet."""
    if isinstance(error, (ssl.SSLError, socket.gaierror)):
        return error
    if type(error).__name__ == "WebSocketProxyException":
        return ProxyError(f"Tunnel connection failed: {str(error).rpartition(' ')[2]}")
    return NewConnectionError(error)


class NewConnectionError(Exception):
    """Named as urllib3's, since failures are told apart by these names."""


class ProxyError(Exception):
    """Named as urllib3's."""
