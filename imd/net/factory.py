"""ImdFactory: what a port listens with."""

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IOpenSSLServerConnectionCreator
from twisted.internet.protocol import ServerFactory

from imd.engine.announcement import Announcement
from imd.engine.house import House
from imd.engine.session import Session
from imd.net.audience import Audience
from imd.net.door import origin
from imd.net.protocol import ImdProtocol
from imd.net.proxy import Network


class ImdFactory(ServerFactory):
    """Builds a protocol for each connection and holds the map of who is online.

    `tls` is what an `imd:` endpoint encrypts with; listen on other endpoints for connections that need none.
    `proxies` are balancers that say by the PROXY protocol whose connection they hand on.
    """

    noisy = False

    def __init__(
        self, house: House, tls: IOpenSSLServerConnectionCreator | None = None, proxies: Sequence[Network] = ()
    ) -> None:
        self.house = house
        self.tls = tls
        self.proxies = proxies
        self.audience = Audience(house)

    def buildProtocol(self, addr: IAddress | None) -> ImdProtocol | None:
        """Build the protocol of one connection; None where there is no room for it."""
        if not self.audience.door.admits(origin(addr)):
            return None
        protocol = ImdProtocol(self.audience, addr)
        protocol.factory = self
        return protocol

    @property
    def online(self) -> dict[int, dict[Session, None]]:
        """The online map: account -> its sessions, oldest first."""
        return self.audience.online

    def tell(self, announcement: Announcement) -> None:
        """Tell accounts something, wherever they are online."""
        self.audience.tell(announcement)

    def goodbye(self) -> "Deferred[None]":
        """Close every connection, each told why."""
        return self.audience.goodbye()


class OperatorFactory(ServerFactory):
    """Serves the operator's own socket: sessions that have an admin's rights and are nobody's account."""

    noisy = False

    def __init__(self, audience: Audience) -> None:
        self.audience = audience

    def buildProtocol(self, addr: IAddress | None) -> ImdProtocol:
        """Build the protocol of one connection."""
        protocol = ImdProtocol(self.audience, addr, operator=True)
        protocol.factory = self
        return protocol
