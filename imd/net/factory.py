"""ImdFactory, the factory of a port, and the one of the operator's socket."""

from collections.abc import Mapping, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IOpenSSLServerConnectionCreator
from twisted.internet.protocol import ServerFactory

from imd.engine.encoded_event import EncodedEvent
from imd.engine.pacing import Listener
from imd.engine.server import Server
from imd.net.address import origin
from imd.net.connection import ImdProtocol
from imd.net.proxy import Network


class ImdFactory(ServerFactory):
    """Builds a protocol for each connection. The map of online accounts belongs to its server.

    An `imd:` endpoint encrypts with `tls`; other endpoints need none. `proxies` are the networks of load balancers
    that send the client's address by the PROXY protocol.
    """

    noisy = False

    def __init__(
        self, server: Server, tls: IOpenSSLServerConnectionCreator | None = None, proxies: Sequence[Network] = ()
    ) -> None:
        self.server = server
        self.tls = tls
        self.proxies = proxies

    def buildProtocol(self, addr: IAddress | None) -> ImdProtocol | None:
        """Build the protocol of a connection; None if it is refused."""
        if not self.server.admission.admits(origin(addr)):
            return None
        protocol = ImdProtocol(self.server, addr)
        protocol.factory = self
        return protocol

    @property
    def online(self) -> Mapping[int, Mapping[Listener, None]]:
        """The online map: account -> its sessions, oldest first."""
        return self.server.hub.online

    def tell(self, event: EncodedEvent) -> None:
        """Send an event to its addressees, to all their sessions."""
        self.server.hub.tell(event)

    def goodbye(self) -> "Deferred[None]":
        """Close every connection, and tell each why; fires when the last one is gone."""
        return self.server.admission.goodbye()


class OperatorFactory(ServerFactory):
    """Serves the operator's socket: sessions with an admin's rights and without an account."""

    noisy = False

    def __init__(self, server: Server) -> None:
        self.server = server

    def buildProtocol(self, addr: IAddress | None) -> ImdProtocol:
        """Build the protocol of one connection."""
        protocol = ImdProtocol(self.server, addr, operator=True)
        protocol.factory = self
        return protocol
