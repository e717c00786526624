# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nobody but the run's own client gets through to the daemon, and the client talks to nobody but the run's server."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.openmig.mtc.plugins.module_utils.volumes import certificates, facts, itemize

from .conftest import RUN_HOST, Bench


def stranger() -> certificates.Authority:
    return certificates.issue(name=RUN_HOST, addresses=[], servers=["there"], clients=["here"], lifetime_seconds=60)


def causes(bench: Bench) -> str:
    return " ".join(itemize.complaints(facts.text(fact, "errors")).cause for fact in bench.facts("waiting"))


def test_client_with_a_certificate_of_another_authority_is_refused(bench: Bench) -> None:
    bench.use_client(stranger())
    bench.start()
    bench.wait_for("waiting", count=3)
    assert not bench.facts("ready")
    assert "certificate verify failed" in bench.log("server") or "unknown ca" in causes(bench)
    assert "connect from" not in bench.log("server")


def test_server_under_another_name_is_refused(bench: Bench) -> None:
    bench.use_host("other.transfer.openmig")
    bench.start()
    bench.wait_for("waiting", count=2)
    time.sleep(0.3)
    assert not bench.facts("ready")
    assert "Subject checks failed" in causes(bench)


def test_plain_tcp_reaches_no_daemon(bench: Bench) -> None:
    bench.ready()
    with socket.create_connection(("127.0.0.1", bench.tunnel_port), timeout=5) as plain:
        plain.sendall(b"@RSYNCD: 31.0\n#list\n")
        answer = b""
        with contextlib.suppress(ConnectionError):
            while chunk := plain.recv(4096):
                answer += chunk
    assert b"@RSYNCD" not in answer


def test_tls_without_a_certificate_reaches_no_daemon(bench: Bench) -> None:
    bench.ready()
    context = ssl.create_default_context(cadata=bench.authority.certificate)
    answer = b""
    with socket.create_connection(("127.0.0.1", bench.tunnel_port), timeout=5) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=RUN_HOST) as tls:
                assert tls.version() == "TLSv1.3"
                tls.sendall(b"@RSYNCD: 31.0\n#list\n")
                while chunk := tls.recv(4096):
                    answer += chunk
        except (ssl.SSLError, ConnectionError) as error:
            answer += str(error).encode()
    assert b"@RSYNCD" not in answer


def test_older_tls_is_refused(bench: Bench) -> None:
    bench.ready()
    context = ssl.create_default_context(cadata=bench.authority.certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    refused = False
    with socket.create_connection(("127.0.0.1", bench.tunnel_port), timeout=5) as plain:
        try:
            context.wrap_socket(plain, server_hostname=RUN_HOST).close()
        except (ssl.SSLError, ConnectionError):
            refused = True
    assert refused


def test_certificates_hold_what_they_promise() -> None:
    made = certificates.issue(
        name=RUN_HOST,
        addresses=["10.0.0.1", "fd00::1", "node.example"],
        servers=["a", "b"],
        clients=["c"],
        lifetime_seconds=60,
    )
    server = x509.load_pem_x509_certificate(made.servers["a"].certificate.encode())
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [RUN_HOST, "node.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.1", "fd00::1"]
    key = server.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert len({made.servers["a"].key, made.servers["b"].key, made.clients["c"].key}) == 3
    lifetime = server.not_valid_after_utc - server.not_valid_before_utc
    assert lifetime.total_seconds() == 2 * 3600 + 60
    assert "PRIVATE" not in repr(made)
    root = x509.load_pem_x509_certificate(made.certificate.encode())
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    server.verify_directly_issued_by(root)
