"""TLS of our own: what comes before login is decrypted when the pacing says so, and writes are not gathered twice."""

from typing import Any

from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure

from imd.engine.pacing import Pacing

HELD_BYTES = 4096
"""So much may wait of one connection before it is not read any more."""


class TlsConnection(TLSMemoryBIOProtocol):
    """TLS whose input is paced for as long as no account is logged in.

    Writes are not gathered, as Twisted's own server side does: ImdProtocol has gathered them.
    """

    log = Logger()

    pacing: Pacing
    transport: Any
    _held = b""
    _paused = False

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the network in: now, or when it is the turn of connections before login."""
        if self._held:
            self._held += data
        elif getattr(self.wrappedProtocol, "stranger", False):
            self._held = data
            self.pacing.preauth(self._take_held)
        else:
            super().dataReceived(data)
        if len(self._held) > HELD_BYTES and not self._paused:
            self.transport.pauseProducing()

    def _take_held(self) -> None:
        """Decrypt what is held; nothing, where the connection has ended meanwhile."""
        data, self._held = self._held, b""
        try:
            if data and self.connected:
                super().dataReceived(data)
        except Exception:
            self.log.failure("input before login could not be taken")
            self.abortConnection()
        if not self._paused and self.connected:
            self.transport.resumeProducing()

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
        """End, once what came before the end is taken."""
        if not self.disconnecting:
            self._take_held()
        self._held = b""
        super().connectionLost(reason)
