"""The `imd:` endpoint: a port with our TLS, or our TLS around any other endpoint.

    imd:7373                              every IPv4 address
    imd:7373:interface=127.0.0.1          this machine only
    imd:unix\\:/run/imd.sock               around another endpoint, here a unix socket
    imd:systemd:domain=INET:index=0       colons may also stay as they are

The factory has the certificate in its attribute `tls`, and the networks of trusted load balancers in `proxies` (see
`proxy`).
"""

from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import quoteStringArgument, serverFromString
from twisted.internet.interfaces import (
    IListeningPort,
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from imd.engine.pacing import Pacing
from imd.net.proxy import proxied
from imd.net.tls_connection import TlsConnection

BACKLOG = "1024"
"""How many connections may wait to be accepted. A flood fills Twisted's default of 50, and others wait for seconds."""


class _Tls(TLSMemoryBIOFactory):
    """TLS around a factory that may refuse a connection; then there is no handshake."""

    noisy = False
    pacing: Pacing

    def buildProtocol(self, addr: Any) -> TlsConnection | None:  # type: ignore[override]  # Twisted's Factory may too
        inner = self.wrappedFactory.buildProtocol(addr)
        if inner is None:
            return None
        made = TlsConnection(self, inner)
        made.pacing = self.pacing
        return made


@implementer(IStreamServerEndpoint)
@attrs.define
class ImdServerEndpoint:
    """Listens on another endpoint, with TLS."""

    reactor: Any
    inner: IStreamServerEndpoint

    def listen(self, protocolFactory: IProtocolFactory) -> "Deferred[IListeningPort]":  # noqa: N803  # the interface names it
        """Listen, with the certificate of the factory. Raises ValueError if it has none."""
        factory: Any = protocolFactory
        tls: IOpenSSLServerConnectionCreator | None = getattr(factory, "tls", None)
        if tls is None:
            raise ValueError("an imd: endpoint needs a factory with a certificate, such as ImdFactory(server, tls=...)")
        wrapped = _Tls(tls, False, protocolFactory, self.reactor)
        wrapped.pacing = factory.server.pacing
        return self.inner.listen(proxied(protocolFactory, wrapped))


def parse(reactor: Any, *args: str, **options: str) -> ImdServerEndpoint:
    """Make the endpoint from the parts of its string."""
    if not args:
        raise ValueError("imd: needs a port, as in imd:7373, or another endpoint, as in imd:unix:/run/imd.sock")
    first, *others = args
    if first.isdigit():
        first, others = "tcp", [first, *others]
        options.setdefault("backlog", BACKLOG)
    parts = [first, *map(quoteStringArgument, others)] if others or options else [first]
    parts += [f"{name}={quoteStringArgument(value)}" for name, value in options.items()]
    return ImdServerEndpoint(reactor, serverFromString(reactor, ":".join(parts)))
