"""Our own TLS protocol: input before login is paced, and output is not buffered twice."""

from typing import Any

from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure

from imd.engine.pacing import Pacing

HELD_BYTES = 4096
"""When so many bytes of one connection are held, reading pauses."""


class TlsConnection(TLSMemoryBIOProtocol):
    """TLS whose input is paced while no account is logged in.

    Unlike Twisted's own server side it does not buffer small writes, since ImdProtocol has joined them already.
    """

    log = Logger()

    pacing: Pacing
    transport: Any
    _held = b""
    _paused = False

    def dataReceived(self, data: bytes) -> None:
        """Receive bytes from the network. Before login they are held until the pacing allows it."""
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
        """Decrypt the held bytes, unless the connection has ended meanwhile."""
        data, self._held = self._held, b""
        try:
            if data and self.connected:
                super().dataReceived(data)
        except Exception:
            self.log.failure("input before login could not be processed")
            self.abortConnection()
        if len(data) > HELD_BYTES and not self._paused:
            self.transport.resumeProducing()

    def pauseProducing(self) -> None:
        """Pause reading."""
        self._paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Resume reading, unless too much is held."""
        self._paused = False
        if len(self._held) <= HELD_BYTES:
            self.transport.resumeProducing()

    def _tlsShutdownFinished(self, reason: Failure | None) -> None:
        """End the TLS session."""
        self.unregisterProducer()  # a paused producer would keep the transport from closing after its last write
        super()._tlsShutdownFinished(reason)
        getattr(self.wrappedProtocol, "peer_ended", lambda: None)()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End, after decrypting what came before the end."""
        if not self.disconnecting:
            self._take_held()
        self._held = b""
        super().connectionLost(reason)
