"""The PROXY protocol, versions 1 and 2: before TLS, a load balancer sends the address of the client it forwards.

    PROXY TCP4 203.0.113.7 192.0.2.1 51034 7373\\r\\n          or its binary form

Connections from the networks in `proxies` must begin with a header. From any other address, a header is bad input.
https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt

Twisted's own, `twisted.protocols.haproxy.proxyEndpoint`, does not fit (26.10). It believes every peer. It builds the
protocol before it reads the header, so limits would count the balancer's address. It closes a connection whose header
arrives in pieces, waits for one without a time limit, and does not check addresses and ports.
"""

import ipaddress
import struct
from collections.abc import Callable, Sequence
from typing import Any

import attrs
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IProtocolFactory
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure

from imd.engine.server import Server

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LONGEST_LINE = 107
LONGEST_BODY = 1024
_ADDRESSES = {0x11: (4, "TCP4"), 0x21: (16, "TCP6")}


class NotAHeader(ValueError):
    """The connection does not begin with a PROXY header."""


@attrs.frozen
class Header:
    """A header: the client's address (None if the connection is the balancer's own), and the header's length."""

    source: IAddress | None
    length: int


def parse(data: bytes) -> Header | None:
    """Parse a header; None while more bytes are needed. Raises NotAHeader."""
    if SIGNATURE.startswith(data[: len(SIGNATURE)]):
        return _binary(data)
    if b"PROXY ".startswith(data[:6]):
        return _line(data)
    raise NotAHeader


def _line(data: bytes) -> Header | None:
    line, end, _ = data[:LONGEST_LINE].partition(b"\r\n")
    if not end:
        if len(data) >= LONGEST_LINE:
            raise NotAHeader
        return None
    words = line.split(b" ")
    length = len(line) + 2
    if words[1:2] == [b"UNKNOWN"]:
        return Header(None, length)
    if len(words) != 6 or words[1] not in (b"TCP4", b"TCP6"):
        raise NotAHeader
    return Header(_address(words[1].decode(), words[2].decode("ascii", "replace"), words[4]), length)


def _binary(data: bytes) -> Header | None:
    if len(data) < 16:
        return None
    command, family, size = struct.unpack_from("!BBH", data, 12)
    if command not in (0x20, 0x21) or size > LONGEST_BODY:
        raise NotAHeader
    if len(data) < 16 + size:
        return None
    if command == 0x20 or family not in _ADDRESSES:
        return Header(None, 16 + size)
    width, kind = _ADDRESSES[family]
    if size < 2 * width + 4:
        raise NotAHeader
    source = str(ipaddress.ip_address(data[16 : 16 + width]))
    (port,) = struct.unpack_from("!H", data, 16 + 2 * width)
    return Header(_address(kind, source, str(port).encode()), 16 + size)


def _address(kind: str, host: str, port: bytes) -> IAddress:
    if not port.isdigit() or int(port) > 65_535:
        raise NotAHeader
    try:
        if kind == "TCP4":
            return IPv4Address("TCP", str(ipaddress.IPv4Address(host)), int(port))
        return IPv6Address("TCP", str(ipaddress.IPv6Address(host)), int(port))
    except ValueError:
        raise NotAHeader from None


class HeaderProtocol(TimeoutMixin, Protocol):
    """Reads the header, then passes the connection to the protocol of the wrapped factory."""

    transport: Any

    def __init__(self, factory: "ProxiedFactory", address: IAddress | None) -> None:
        self._factory = factory
        self._address = address
        self._first = b""

    def callLater(self, period: float, func: Callable[[], None]) -> Any:
        """Give TimeoutMixin the server's reactor; it would use the global one."""
        return self._factory.server.reactor.callLater(period, func)

    def connectionMade(self) -> None:
        """Wait for the header, for as long as for a TLS handshake."""
        self.setTimeout(self._factory.server.limits.handshake_seconds)

    def timeoutConnection(self) -> None:
        """Close the connection: the header did not come in time."""
        self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        """Collect the header. Anything else closes the connection."""
        self._first += data
        try:
            header = parse(self._first)
        except NotAHeader:
            self.transport.abortConnection()
            return
        if header is not None:
            self._hand_over(header)

    def _hand_over(self, header: Header) -> None:
        self.setTimeout(None)
        real: Any = self._factory.build(header.source or self._address)
        if real is None:
            self.transport.abortConnection()
            return
        rest, self._first = self._first[header.length :], b""
        real.makeConnection(self.transport)
        self.dataReceived = real.dataReceived  # type: ignore[method-assign]  # the real protocol takes over
        self.connectionLost = real.connectionLost  # type: ignore[method-assign]  # the real protocol takes over
        if rest:
            real.dataReceived(rest)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Stop waiting."""
        self.setTimeout(None)


class ProxiedFactory(ServerFactory):
    """Wraps another factory. Connections from the proxies must begin with a header."""

    noisy = False

    def __init__(self, inner: IProtocolFactory, proxies: Sequence[Network], server: Server) -> None:
        self.inner = inner
        self.proxies = proxies
        self.server = server

    def doStart(self) -> None:
        """Start the wrapped factory."""
        super().doStart()
        self.inner.doStart()

    def doStop(self) -> None:
        """Stop the wrapped factory."""
        super().doStop()
        self.inner.doStop()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Build the protocol that reads the header, or for other addresses the wrapped factory's."""
        return HeaderProtocol(self, addr) if self._trusted(addr) else self.build(addr)

    def build(self, addr: IAddress | None) -> Any:
        """Build the wrapped factory's protocol."""
        return self.inner.buildProtocol(addr)  # type: ignore[arg-type]  # Twisted's own factories take None too

    def _trusted(self, addr: IAddress | None) -> bool:
        if not isinstance(addr, IPv4Address | IPv6Address):
            return False
        host = ipaddress.ip_address(addr.host.partition("%")[0])
        mapped = getattr(host, "ipv4_mapped", None)
        return any((mapped or host) in network for network in self.proxies)


def proxied(factory: Any, around: IProtocolFactory) -> IProtocolFactory:
    """Wrap `around` (the factory, or its TLS) in the PROXY protocol, if the factory names proxies."""
    proxies: Sequence[Network] = getattr(factory, "proxies", ())
    return ProxiedFactory(around, proxies, factory.server) if proxies else around
