"""Which certificates are trusted: those that an authority signed for the host's name, and those that are pinned.

An imd makes its own certificate at its first start, so most are signed by no authority. Such a certificate is trusted
on first use: its fingerprint is pinned, and any other one is refused from then on, as ssh does it.
"""

from typing import Any, Protocol
from weakref import WeakKeyDictionary

import attrs
from OpenSSL import SSL
from service_identity import VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import CertificateOptions, platformTrust
from zope.interface import implementer

from imd_client.address import Address

ALPN = b"imd/1"
"""The line protocol's name in TLS (PROTOCOL section 1)."""


class Pins(Protocol):
    """Where fingerprints are kept, by server."""

    def pin(self, server: str) -> str | None:
        """Return the fingerprint pinned for a server, or None."""

    def set_pin(self, server: str, fingerprint: str) -> None:
        """Pin a server's fingerprint."""


class CertificateChanged(Exception):
    """The server presents another certificate than the pinned one: it is another server, or has a new key."""

    def __init__(self, server: str, pinned: str, presented: str) -> None:
        super().__init__(f"the certificate of {server} was {pinned} and is now {presented}")
        self.server = server
        self.pinned = pinned
        self.presented = presented


def fingerprint(text: str) -> str:
    """Return a SHA-256 fingerprint in its normal spelling, `AB:CD:...`; ValueError if it is not one."""
    digits = text.replace(":", "").replace(" ", "").upper()
    if len(bytes.fromhex(digits)) != 32:
        raise ValueError(text)
    return ":".join(digits[index : index + 2] for index in range(0, 64, 2))


@implementer(IOpenSSLClientConnectionCreator)
@attrs.define
class TrustOnFirstUse:
    """Makes the TLS side of connections to one server, and checks the certificate after the handshake."""

    address: Address
    pins: Pins
    _errors: WeakKeyDictionary[SSL.Connection, list[int]] = attrs.Factory(WeakKeyDictionary)

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:  # noqa: N803  # the interface's name
        """Let every certificate through the handshake but record its errors; `verify` decides."""
        context = CertificateOptions(trustRoot=platformTrust(), acceptableProtocols=[ALPN]).getContext()
        errors: list[int] = []
        context.set_verify(SSL.VERIFY_PEER, lambda connection, certificate, error, depth, ok: _record(errors, error))
        connection = SSL.Connection(context, None)
        self._errors[connection] = errors
        if self.address.host and not _is_number(self.address.host):
            connection.set_tlsext_host_name(self.address.host.encode("idna"))
        return connection

    def verify(self, connection: SSL.Connection) -> str | None:
        """Check the certificate before anything is sent. Returns the fingerprint if it was trusted on first use.

        Raises CertificateChanged.
        """
        if not self._errors[connection] and self._matches_host(connection):
            return None
        certificate = connection.get_peer_certificate()
        assert certificate is not None
        presented = certificate.digest("sha256").decode()
        pinned = self.pins.pin(self.address.name)
        if pinned == presented:
            return None
        if pinned is not None:
            raise CertificateChanged(self.address.name, pinned, presented)
        self.pins.set_pin(self.address.name, presented)
        return presented

    def _matches_host(self, connection: SSL.Connection) -> bool:
        host = self.address.host
        if not host:
            return False
        try:
            (verify_ip_address if _is_number(host) else verify_hostname)(connection, host)
        except VerificationError:
            return False
        return True


def _record(errors: list[int], error: int) -> bool:
    if error:
        errors.append(error)
    return True


def _is_number(host: str) -> bool:
    return isIPAddress(host) or isIPv6Address(host)
