"""ImdFactory: what a port listens with."""

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IOpenSSLServerConnectionCreator
from twisted.internet.protocol import ServerFactory

from imd.engine.encoded_event import EncodedEvent
from imd.engine.server import Server
from imd.engine.session import Session
from imd.net.admission import origin
from imd.net.hub import Hub
from imd.net.protocol import ImdProtocol
from imd.net.proxy import Network


class ImdFactory(ServerFactory):
    """Builds a protocol for each connection and holds the map of who is online.

    `tls` is what an `imd:` endpoint encrypts with; listen on other endpoints for connections that need none.
    `proxies` are balancers that say by the PROXY protocol whose connection they hand on.
    """

    noisy = False

    def __init__(
        self, server: Server, tls: IOpenSSLServerConnectionCreator | None = None, proxies: Sequence[Network] = ()
    ) -> None:
        self.server = server
        self.tls = tls
        self.proxies = proxies
        self.hub = Hub(server)

    def buildProtocol(self, addr: IAddress | None) -> ImdProtocol | None:
        """Build the protocol of one connection; None where there is no room for it."""
        if not self.hub.admission.admits(origin(addr)):
            return None
        protocol = ImdProtocol(self.hub, addr)
        protocol.factory = self
        return protocol

    @property
    def online(self) -> dict[int, dict[Session, None]]:
        """The online map: account -> its sessions, oldest first."""
        return self.hub.online

    def tell(self, encoded: EncodedEvent) -> None:
        """Tell accounts something, wherever they are online."""
        self.hub.tell(encoded)

    def goodbye(self) -> "Deferred[None]":
        """Close every connection, each told why."""
        return self.hub.goodbye()


class OperatorFactory(ServerFactory):
    """Serves the operator's own socket: sessions that have an admin's rights and are nobody's account."""

    noisy = False

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def buildProtocol(self, addr: IAddress | None) -> ImdProtocol:
        """Build the protocol of one connection."""
        protocol = ImdProtocol(self.hub, addr, operator=True)
        protocol.factory = self
        return protocol
