"""TLS 1.2 or newer, with forward-secret AEAD ciphers only. Certificates are chosen by SNI and reloaded on change."""

import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs
from cryptography import x509
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
ALPN = (b"imd/1", b"http/1.1")
ACME_ALPN = b"acme-tls/1"
"""The ALPN name of an authority that verifies a host name (RFC 8737)."""

CHECK_SECONDS = 1.0

_RELEASE_BUFFERS = 0x10
"""SSL_MODE_RELEASE_BUFFERS, which pyOpenSSL does not name: an idle connection holds no buffers."""


def context(certificate: Path, key: Path) -> SSL.Context:
    """Make a context from PEM files, a certificate with its chain and its key. Raises SSL.Error and OSError."""
    made = _context()
    made.use_certificate_chain_file(os.fspath(certificate))
    made.use_privatekey_file(os.fspath(key))
    made.check_privatekey()
    return made


def _context() -> SSL.Context:
    """Make a context that has no certificate yet."""
    made = SSL.Context(SSL.TLS_SERVER_METHOD)
    made.set_min_proto_version(SSL.TLS1_2_VERSION)
    made.set_cipher_list(CIPHERS)
    made.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE)
    made.set_mode(_RELEASE_BUFFERS)
    made.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    made.set_alpn_select_callback(_select_alpn)
    return made


def _select_alpn(connection: SSL.Connection, offered: list[bytes]) -> Any:
    return next((name for name in ALPN if name in offered), SSL.NO_OVERLAPPING_PROTOCOLS)


def _name(connection: SSL.Connection) -> str:
    """Return the host name that the client asked for."""
    return (connection.get_servername() or b"").decode("ascii", "replace").lower()


def _names(certificate: x509.Certificate) -> set[str]:
    """Return the DNS names of a certificate."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return set()
    return {name.lower() for name in found.value.get_values_for_type(x509.DNSName)}


@attrs.define
class _Pair:
    """One certificate with its key, as last loaded."""

    certificate: Path
    key: Path
    names: set[str]
    until: datetime
    context: SSL.Context
    stamp: tuple[int, int]


def _stamp(certificate: Path, key: Path) -> tuple[int, int]:
    return certificate.stat().st_mtime_ns, key.stat().st_mtime_ns


def _load(certificate: Path, key: Path) -> _Pair:
    loaded, stamp = x509.load_pem_x509_certificate(certificate.read_bytes()), _stamp(certificate, key)
    return _Pair(certificate, key, _names(loaded), loaded.not_valid_after_utc, context(certificate, key), stamp)


@implementer(IOpenSSLServerConnectionCreator)
class ServerTLS:
    """Makes the TLS side of each connection. The first pair serves clients that name no host, or an unknown one."""

    log = Logger()

    def __init__(self, pairs: list[tuple[Path, Path]]) -> None:
        self._pairs = [self._load(certificate, key) for certificate, key in pairs]
        self._checked = time.monotonic()
        self.proofs: dict[str, SSL.Context] = {}
        """Host name -> the context that proves it to an ACME authority."""

    @property
    def until(self) -> datetime:
        """When the default certificate in use expires. Its file may hold a newer one."""
        return self._pairs[0].until

    def prove(self, name: str, certificate: x509.Certificate, key: Any) -> None:
        """Show this certificate to an ACME authority that verifies the name."""
        made = _context()
        made.use_certificate(certificate)
        made.use_privatekey(key)
        self.proofs[name] = made

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Return the TLS connection for a new transport."""
        self._check()
        return SSL.Connection(self._pairs[0].context, None)

    def _load(self, certificate: Path, key: Path) -> _Pair:
        """Load a pair. Its callbacks are set here, since pyOpenSSL forbids changes to a context in use."""
        pair = _load(certificate, key)
        pair.context.set_alpn_select_callback(self._select)
        pair.context.set_tlsext_servername_callback(self._by_name)
        return pair

    def _select(self, connection: SSL.Connection, offered: list[bytes]) -> Any:
        if ACME_ALPN not in offered:
            return _select_alpn(connection, offered)
        proof = self.proofs.get(_name(connection))
        if proof is None:
            return SSL.NO_OVERLAPPING_PROTOCOLS
        connection.set_context(proof)
        return ACME_ALPN

    def _by_name(self, connection: SSL.Connection) -> None:
        if len(self._pairs) == 1:
            return
        name = _name(connection)
        wild = "*." + name.partition(".")[2]
        for pair in self._pairs:
            if name in pair.names or wild in pair.names:
                connection.set_context(pair.context)
                return

    def use(self, pairs: list[tuple[Path, Path]]) -> None:
        """Use other pairs from now on. Raises SSL.Error, OSError and ValueError, and then keeps the old ones."""
        self._pairs = [self._load(certificate, key) for certificate, key in pairs]

    def _check(self) -> None:
        """Look for changed files, at most once in CHECK_SECONDS, when a connection comes."""
        if time.monotonic() - self._checked >= CHECK_SECONDS:
            self.look()

    def look(self) -> None:
        """Load pairs whose files changed. If that fails, it is logged, and the old pair stays in use."""
        self._checked = time.monotonic()
        for number, pair in enumerate(self._pairs):
            try:
                stamp = _stamp(pair.certificate, pair.key)
                if stamp != pair.stamp:
                    pair.stamp = stamp
                    self._pairs[number] = self._load(pair.certificate, pair.key)
                    self.log.info("certificate reloaded: {path}", path=os.fspath(pair.certificate))
            except (OSError, ValueError, SSL.Error) as error:
                self.log.error(
                    "certificate not reloaded, the old one stays: {path}: {error}",
                    path=os.fspath(pair.certificate),
                    error=error,
                )
