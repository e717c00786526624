# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""TLS in front of servers that speak plain HTTP here, with certificates of an authority that lives as long as the test.

As a proxy it also leads the public names of AWS, Google and Azure to servers of this machine. So the code under test
uses the names, the TLS and the proxy variables that it uses in earnest, and has no switch for tests.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PROXY_USER, PROXY_PASSWORD = "ann", "planted-proxy-password"


class Authority:
    """Signs what it is asked to sign; ``bundle`` is the file that trusts it."""

    def __init__(self, folder: Path, name: str = "test stores") -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._builder(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.pem = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
        self.bundle = folder / "authority.pem"
        self.bundle.write_text(self.pem)

    def context(self, *names: str) -> ssl.SSLContext:
        """A server's TLS for these names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "store")])
        certificate = (
            self._builder(subject, key)
            .add_extension(x509.SubjectAlternativeName([_general(each) for each in names]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self._folder / "server.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass
class Front:
    """A listener. ``visited`` holds the names that clients asked for through it as a proxy."""

    port: int
    visited: list[str] = field(default_factory=list)
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}"

    @property
    def proxy(self) -> str:
        return f"http://{PROXY_USER}:{PROXY_PASSWORD}@{self.host}:{self.port}"


@contextlib.contextmanager
def tls_front(authority: Authority, backend: int, *names: str) -> Iterator[Front]:
    """TLS on a port of the loopback address, for the plain server on port ``backend``."""
    context = authority.context(*(names or ("127.0.0.1", "localhost")))

    def serve(client: socket.socket) -> None:
        with context.wrap_socket(client, server_side=True) as secured:
            _join(secured, backend)

    with _listening(serve) as port:
        yield Front(port)


@contextlib.contextmanager
def proxy_front(authority: Authority, backends: Mapping[str, int], *, host: str = "127.0.0.1") -> Iterator[Front]:
    """A proxy that wants a password and leads CONNECT to a name (or to one below ``*.``) to a plain server here."""
    context = authority.context(*backends)
    front = Front(0, host=host)
    expected = base64.b64encode(f"{PROXY_USER}:{PROXY_PASSWORD}".encode()).decode()

    def serve(client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(4096)
            if not piece:
                return
            head += piece
        lines = head.decode("latin-1").split("\r\n")
        name = lines[0].split()[1].rpartition(":")[0]
        if not any(line.lower().startswith("proxy-authorization:") and expected in line for line in lines):
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        backend = backends.get(name) or backends.get(f"*.{name.partition('.')[2]}")
        if not lines[0].startswith("CONNECT ") or backend is None:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        front.visited.append(name)
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(client, server_side=True) as secured:
            _join(secured, backend)

    with _listening(serve, host) as port:
        front.port = port
        yield front


@contextlib.contextmanager
def _listening(serve: object, host: str = "127.0.0.1") -> Iterator[int]:
    assert callable(serve)
    listener = socket.create_server((host, 0))

    def one(client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            serve(client)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = listener.accept()
                threading.Thread(target=one, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _join(client: ssl.SSLSocket, backend: int) -> None:
    """Pass bytes both ways until either side ends."""
    with socket.create_connection(("127.0.0.1", backend), timeout=10) as server:
        server.settimeout(None)

        def back() -> None:
            with contextlib.suppress(OSError, ValueError):
                while data := server.recv(65536):
                    client.sendall(data)
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

        threading.Thread(target=back, daemon=True).start()
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
