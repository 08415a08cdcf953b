"""The anteroom: what strangers send waits here, so that a crowd of them takes a share of the processor, not all of it.

A handshake costs a millisecond or two, and a crowd can make a thousand connections readable at once. Of each turn of
the reactor strangers have SHARE_SECONDS; what is left of theirs comes in the next turn, and in between those who are
logged in are served.
"""

import time
from collections import deque
from typing import Any

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure

SHARE_SECONDS = 0.003
"""How much of a turn of the reactor is for strangers."""

HELD_BYTES = 4096
"""So much may wait of one connection before it is not read any more."""


@attrs.define(eq=False)
class PreauthQueue:
    """Lets strangers be heard in turns."""

    log = Logger()

    reactor: IReactorTime
    _waiting: deque["TlsConnection"] = attrs.field(factory=deque, init=False)
    _spent: float = attrs.field(default=0.0, init=False)
    _due: bool = attrs.field(default=False, init=False)

    def admits(self) -> bool:
        """Say whether there is time left in this turn for one more; while somebody waits there is none."""
        self._come_back()
        return self._spent < SHARE_SECONDS

    def hear(self, connection: "TlsConnection", data: bytes) -> None:
        """Hear a connection now."""
        begun = time.perf_counter()
        try:
            connection.take(data)
        finally:
            self._spent += time.perf_counter() - begun

    def queue(self, connection: "TlsConnection") -> None:
        """Hear what a connection holds when it is its turn."""
        self._waiting.append(connection)

    def _come_back(self) -> None:
        if not self._due:
            self._due = True
            self.reactor.callLater(0, self._turn)

    def _turn(self) -> None:
        self._due, self._spent = False, 0.0
        while self._waiting and self._spent < SHARE_SECONDS:
            connection = self._waiting.popleft()
            try:
                self.hear(connection, connection.held())
            except Exception:  # as the reactor would where it had called
                self.log.failure("a stranger could not be heard")
                connection.abortConnection()
        if self._waiting:
            self._come_back()


class TlsConnection(TLSMemoryBIOProtocol):
    """TLS whose bytes go through the anteroom for as long as nobody has logged in.

    Writes are not gathered, as Twisted's own server side does: ImdProtocol has gathered them.
    """

    preauth: PreauthQueue
    transport: Any
    _held = b""
    _paused = False

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the network in: now, or in a stranger's turn."""
        if self._held:
            self._hold(self._held + data)
        elif not getattr(self.wrappedProtocol, "stranger", False):
            super().dataReceived(data)
        elif self.preauth.admits():
            self.preauth.hear(self, data)
        else:
            self.preauth.queue(self)
            self._hold(data)

    def _hold(self, data: bytes) -> None:
        self._held = data
        if len(data) > HELD_BYTES and not self._paused:
            self.transport.pauseProducing()

    def held(self) -> bytes:
        """Give what is held back, and hold it no more."""
        data, self._held = self._held, b""
        if len(data) > HELD_BYTES and not self._paused:
            self.transport.resumeProducing()
        return data

    def take(self, data: bytes) -> None:
        """Take bytes in; nothing, where the connection has ended meanwhile."""
        if data and self.connected:
            super().dataReceived(data)

    def pauseProducing(self) -> None:
        """Be read no more."""
        self._paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Be read again."""
        self._paused = False
        if len(self._held) <= HELD_BYTES:
            self.transport.resumeProducing()

    def _tlsShutdownFinished(self, reason: Failure | None) -> None:
        """End. A producer that the peer has halted would keep the transport from closing once it has written all."""
        self.unregisterProducer()
        super()._tlsShutdownFinished(reason)
        getattr(self.wrappedProtocol, "peer_ended", lambda: None)()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End, once what came before the end is heard."""
        if not self.disconnecting:
            self.take(self._held)
        self._held = b""
        super().connectionLost(reason)
