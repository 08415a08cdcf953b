"""The self-signed certificate that imd makes at its first start, so that every connection is encrypted.

Clients verify it by its fingerprint. A certificate of the operator's own is used as it is.
"""

import os
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from imd.run.config import Config
from imd.run.directory import DataDirectory, sync

VALIDITY = timedelta(days=3652)
RENEW_BEFORE = timedelta(days=30)
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "imd self-made")])

_DOCUMENTATION_ADDRESSES = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses reserved for documentation: the route to one tells which of our addresses would be used."""


def active_pair(directory: DataDirectory, config: Config) -> tuple[Path, Path]:
    """Give certificate and key to serve; make self-signed ones if needed. Raises OSError and ValueError."""
    certificate, key = directory.certificate_pair(config)
    if certificate == directory.certificate:
        ensure(certificate, key, utc_now())
    return certificate, key


def ensure(certificate: Path, key: Path, now: datetime) -> None:
    """Make the certificate and its key if they are missing; renew a self-signed one that expires soon.

    A renewal keeps the key. Raises OSError, and ValueError for a file that is not PEM.
    """
    if certificate.exists():
        present = load(certificate)
        if present.subject != NAME:
            return  # the operator's own
        if key.exists() and present.not_valid_after_utc - now > RENEW_BEFORE:
            return
    if not key.exists():
        private = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_atomically(key, private, 0o600)
    signer = serialization.load_pem_private_key(key.read_bytes(), None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{key.name} is not the key imd made")
    write_atomically(certificate, _signed(signer, now).public_bytes(serialization.Encoding.PEM), 0o644)


def load(certificate: Path) -> x509.Certificate:
    """Read the first certificate of a PEM file. Raises OSError, and ValueError if there is none."""
    return x509.load_pem_x509_certificate(certificate.read_bytes())


def fingerprint(certificate: x509.Certificate) -> str:
    """Give the SHA-256 fingerprint of a certificate, as people compare it: `AB:CD:...`."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def write_atomically(path: Path, data: bytes, mode: int) -> None:
    """Write a file atomically and durably. It never exists with a wider mode than `mode`."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
    sync(path.parent)


def _signed(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in own_names()]
    names += [x509.IPAddress(address) for address in own_addresses()]
    builder = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clients' clocks may be behind
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return builder.sign(key, hashes.SHA256())


def own_names() -> list[str]:
    """List this machine's names that may stand in a certificate."""
    names = dict.fromkeys(["localhost", socket.gethostname(), socket.getfqdn()])
    return [name for name in names if name and name.isascii()]


def own_addresses() -> list[IPv4Address | IPv6Address]:
    """List loopback and this machine's own addresses. Sends nothing."""
    found = ["127.0.0.1", "::1"]
    for family, elsewhere in _DOCUMENTATION_ADDRESSES:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))  # a datagram socket only looks up the route
            found.append(probe.getsockname()[0])
    with suppress(OSError):
        found += [str(each[4][0]) for each in socket.getaddrinfo(socket.gethostname(), None)]
    return [ip_address(address) for address in dict.fromkeys(each.split("%")[0] for each in found)]


def utc_now() -> datetime:
    """Give the current time, in UTC."""
    return datetime.now(UTC)
