"""A peer behind a transport that fills up, as a socket does, and that ends only when its last byte was read."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from imd.testing import MemoryServer

FULL = 65_536


class FillingTransport(StringTransport):
    """Tells its producer to pause when more than FULL bytes wait for the peer, and to go on when all were read."""

    def __init__(self, address: IAddress) -> None:
        super().__init__(peerAddress=address)
        self.unread = b""
        self.full = False
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.unread += data
        if len(self.unread) > FULL and not self.full and self.producer is not None:
            self.full = True
            self.producer.pauseProducing()

    def abortConnection(self) -> None:
        self.aborted = True
        self.disconnecting = True


class Peer:
    """One connection of a server in memory, read by hand."""

    def __init__(self, server: MemoryServer, address: IAddress | None = None) -> None:
        address = address or IPv4Address("TCP", "192.0.2.1", 4242)
        self.server = server
        self.transport = FillingTransport(address)
        self.protocol = server.factory.buildProtocol(address)
        self.protocol.makeConnection(self.transport)
        self.gone = False

    def send(self, data: bytes) -> None:
        self.protocol.dataReceived(data)
        self.server.settle()

    def read(self) -> bytes:
        """Read what is there, and let the transport notice."""
        self.server.settle()
        data, self.transport.unread = self.transport.unread, b""
        if self.transport.full:
            self.transport.full = False
            if self.transport.producer is not None:
                self.transport.producer.resumeProducing()
        self.server.settle()
        if self.transport.disconnecting and not self.transport.unread:
            self.end()
        return data

    def read_all(self) -> bytes:
        data = b""
        while more := self.read():
            data += more
        return data

    def end(self) -> None:
        """Be gone, as a socket that was closed."""
        if not self.gone:
            self.gone = True
            self.protocol.connectionLost(Failure(ConnectionDone()))
            self.server.settle()

    def fill(self) -> None:
        """Be behind in reading, however little was written."""
        self.transport.full = True
        producer: Any = self.transport.producer
        producer.pauseProducing()
