"""Which certificates are trusted: one that the system's authorities vouch for under the host's name, or one we know.

An imd makes its own certificate at first start, so most are vouched for by nobody. Such a one is trusted on first use:
its fingerprint is pinned, and a different one is refused from then on, as ssh does it.
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
    """Where fingerprints are remembered, by a server's name."""

    def pin(self, server: str) -> str | None:
        """Give the fingerprint pinned for a server."""

    def set_pin(self, server: str, fingerprint: str) -> None:
        """Remember a server's fingerprint."""


class CertificateChanged(Exception):
    """The server shows another certificate than the one that was pinned: not the same server, or a new key."""

    def __init__(self, server: str, pinned: str, presented: str) -> None:
        super().__init__(f"the certificate of {server} was {pinned} and is now {presented}")
        self.server = server
        self.pinned = pinned
        self.presented = presented


def fingerprint(text: str) -> str:
    """Give the one spelling of a SHA-256 fingerprint, `AB:CD:...`; a ValueError if it is none."""
    digits = text.replace(":", "").replace(" ", "").upper()
    if len(bytes.fromhex(digits)) != 32:
        raise ValueError(text)
    return ":".join(digits[index : index + 2] for index in range(0, 64, 2))


@implementer(IOpenSSLClientConnectionCreator)
@attrs.define
class TrustOnFirstUse:
    """Makes the TLS side of connections to one server, and judges the certificate once the handshake is done."""

    address: Address
    pins: Pins
    _errors: WeakKeyDictionary[SSL.Connection, list[int]] = attrs.Factory(WeakKeyDictionary)

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:  # noqa: N803  # the interface's name
        """Let every certificate through the handshake, but note what is wrong with it; `verify` decides."""
        context = CertificateOptions(trustRoot=platformTrust(), acceptableProtocols=[ALPN]).getContext()
        errors: list[int] = []
        context.set_verify(SSL.VERIFY_PEER, lambda connection, certificate, error, depth, ok: _record(errors, error))
        connection = SSL.Connection(context, None)
        self._errors[connection] = errors
        if self.address.host and not _is_number(self.address.host):
            connection.set_tlsext_host_name(self.address.host.encode("idna"))
        return connection

    def verify(self, connection: SSL.Connection) -> str | None:
        """Decide, before anything is said. Gives the fingerprint if it was trusted on first use just now.

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
