# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A certificate authority for one run, made in memory, used at once and forgotten.

Its key is never stored, so nobody, this collection included, can make another certificate that the two ends accept.
Each end gets a key of its own and never sees the other's.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..resources.errors import PermanentError

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError as error:
    _MISSING: str | None = str(error)
else:
    _MISSING = None

# Clocks of clusters differ; a certificate must be valid on both.
_SLACK: Final = dt.timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class KeyPair:
    """PEM texts; the key is not in the repr, lest it end in a log."""

    certificate: str
    key: str

    def __repr__(self) -> str:
        return "KeyPair(...)"


@dataclass(frozen=True, kw_only=True)
class Authority:
    """The run's CA certificate and what it has signed: one pair for each name asked for."""

    certificate: str
    servers: dict[str, KeyPair]
    clients: dict[str, KeyPair]


def issue(
    *, name: str, addresses: Sequence[str], servers: Sequence[str], clients: Sequence[str], lifetime_seconds: int
) -> Authority:
    """Make a CA, one server certificate for each of ``servers`` and one client certificate for each of ``clients``.

    ``servers`` and ``clients`` are labels of the caller's (namespaces). Server certificates carry ``name`` and the
    addresses; ECDSA on P-256; valid from an hour ago until an hour after the lifetime.
    Raises PermanentError when the library ``cryptography`` is missing.
    """
    if _MISSING is not None:
        raise PermanentError(
            subject="Python library cryptography",
            attempt="making the certificates of the volume transfer",
            reason=_MISSING,
            mend="Install it for the interpreter that runs the module (pip install cryptography)",
        )
    now = dt.datetime.now(dt.UTC)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    issuer = _subject(f"{name} CA")

    def builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SLACK)
            .not_valid_after(now + dt.timedelta(seconds=lifetime_seconds) + _SLACK)
        )

    def usage(*, signs: bool) -> x509.KeyUsage:
        return x509.KeyUsage(
            digital_signature=not signs,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=signs,
            crl_sign=signs,
            encipher_only=False,
            decipher_only=False,
        )

    def pair(label: str, purpose: x509.ObjectIdentifier, names: Sequence[x509.GeneralName]) -> KeyPair:
        key = ec.generate_private_key(ec.SECP256R1())
        building = (
            builder(_subject(label), key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
        )
        if names:
            building = building.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return KeyPair(
            certificate=_pem(building.sign(authority_key, hashes.SHA256())),
            key=key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode(),
        )

    root = (
        builder(issuer, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    alternatives = [x509.DNSName(name), *(_alternative(address) for address in addresses)]
    return Authority(
        certificate=_pem(root),
        servers={each: pair(f"{name} server", ExtendedKeyUsageOID.SERVER_AUTH, alternatives) for each in servers},
        clients={each: pair(f"{name} client", ExtendedKeyUsageOID.CLIENT_AUTH, ()) for each in clients},
    )


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _alternative(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
