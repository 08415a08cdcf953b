"""One connection: bytes in, lines cut and handed to the session; lines out, gathered into one write a turn.

ImdProtocol(LineReceiver) is what `ImdFactory` builds; it works on any transport, with TLS or without.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHandshakeListener,
    IPushProducer,
    ISSLTransport,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from imd.engine.session import Session
from imd.net.audience import Audience
from imd.net.http import HttpProtocol
from imd.net.sniff import Face, face
from imd.wire.reader import LineReader
from imd.wire.refusals import RateLimited, Refusal, SlowConsumer

SILENCE_SECONDS = 0.5
"""After so long without a byte, somebody is likely looking at a terminal."""

WRITE_BYTES = 65_536
"""When so much is queued it is written before more is made, to see whether the peer can take it."""

FAREWELL_SECONDS = 5.0
"""How long a peer may take to read the last lines before the connection is cut."""

CUT_SECONDS = 0.75
"""How long it may, where its device was logged out."""


@implementer(IPushProducer)
class Valve:
    """Told by the transport when the peer is behind in reading, and when it has caught up."""

    def __init__(self, protocol: "ImdProtocol") -> None:
        self.protocol = protocol

    def pauseProducing(self) -> None:
        """Hold the lines back."""
        self.protocol.congest()

    def resumeProducing(self) -> None:
        """Let them go."""
        self.protocol.relieve()

    def stopProducing(self) -> None:
        """Have nothing more to do: the connection is gone."""


@implementer(IHandshakeListener)
class ImdProtocol(LineReceiver):
    """Speaks PROTOCOL.md's lines; the session decides what they mean."""

    delimiter = b"\n"
    transport: Any
    """A TCP, TLS or unix transport: all of them can be paused, and take a producer."""

    def __init__(self, audience: Audience, address: IAddress | None = None, *, operator: bool = False) -> None:
        self.audience = audience
        self.house = audience.house
        self.address = "" if operator else audience.origin(address)
        self.operator = operator
        self.congested = False
        self.session = Session(self.house, self, address=self.address, operator=operator)
        self._reader = LineReader(self.house.limits.content_bytes)
        self._face: Face | None = None
        self._stranger = False
        self._welcome = True
        self._attentive = True
        self._first = b""
        self._partial = bytearray()
        self._skipping = False
        self._cut: deque[bytes] = deque()
        self._taking = False
        self._out: list[bytes] = []
        self._queued = 0
        self._dirty = False
        self._timer: IDelayedCall | None = None
        self._farewell = FAREWELL_SECONDS

    # -- the connection's life

    def connectionMade(self) -> None:
        """Begin: with TLS the handshake comes first, and it has a time limit."""
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
        self.transport.registerProducer(Valve(self), True)
        self.audience.connections.add(self)
        if not self.operator:
            self._stranger = True
            self._welcome = self.audience.arrive(self.address)
        if ISSLTransport.providedBy(self.transport):
            self._after(self.house.limits.handshake_seconds, self._abort)
        else:
            self._await_first_bytes()

    def handshakeCompleted(self) -> None:
        """Learn what the client offered by ALPN."""
        self._stop_timer()
        self._await_first_bytes()
        if (alpn := self.transport.negotiatedProtocol) and (chosen := face(alpn, b"")):
            self._choose(chosen)

    def _await_first_bytes(self) -> None:
        self.session.begin()
        if not self.operator:
            self._after(SILENCE_SECONDS, self._silent)

    def _silent(self) -> None:
        self._timer = None
        self._choose(Face.LINES)
        if self._welcome:
            self.session.greet()

    def _choose(self, chosen: Face) -> None:
        self._stop_timer()
        self._face = chosen
        if chosen is Face.HTTP:
            self._become(HttpProtocol())
        elif not self._welcome and not self._first:
            self._turn_away()

    def _turn_away(self) -> None:
        self.session.close(RateLimited("connections", retry_after=self.house.limits.login_seconds))

    def _become(self, other: Protocol) -> None:
        """Hand the connection to another face."""
        self.session.ended()
        self.transport.unregisterProducer()
        self._after(self.house.limits.login_seconds, self._abort)
        other.makeConnection(self.transport)
        self.dataReceived = other.dataReceived  # type: ignore[method-assign]  # from here on, its bytes

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the connection."""
        self._stop_timer()
        self.session.ended()
        self.known(True)
        self.audience.gone(self)

    def known(self, logged_in: bool) -> None:
        """Count the connection as a stranger's or not."""
        if logged_in and self._stranger:
            self.audience.depart(self.address)
        elif not logged_in and not self._stranger:
            self.audience.arrive(self.address)
        self._stranger = not logged_in

    # -- bytes in

    def dataReceived(self, data: bytes) -> None:
        """Cut the whole buffer into lines at once: LineReceiver's own loop copies the rest for each line."""
        if self.transport.disconnecting:
            return
        if self._face is None:
            self._stop_timer()  # who sends something needs no greeting
            self._first += data
            chosen = face(None, self._first)
            if chosen is None:
                return
            self._choose(chosen)
            data, self._first = self._first, b""
            if chosen is Face.HTTP:
                self.dataReceived(data)
                return
        head, *others = data.split(b"\n")
        self._add(head)
        for piece in others:
            self._end_line()
            self._add(piece)
        self._take()
        self.flush()

    def _add(self, piece: bytes) -> None:
        """Keep a piece of an unfinished line; one that is too long is answered at once, and its rest skipped."""
        if self._skipping:
            return
        self._partial += piece
        if len(self._partial) > self.house.limits.line_bytes + 1:
            self._end_line()
            self._skipping = True

    def _end_line(self) -> None:
        if self._skipping:
            self._skipping = False
            return
        line = bytes(self._partial)
        self._partial.clear()
        self._cut.append(line[:-1] if line.endswith(b"\r") else line)

    def _take(self) -> None:
        """Hand lines to the session while it listens."""
        if self._taking:
            return
        self._taking = True
        try:
            while self._cut and self._attentive and self.ready():
                self.lineReceived(self._cut.popleft())
        finally:
            self._taking = False

    def lineReceived(self, line: bytes) -> None:
        """Take one line."""
        limit = self.house.limits.line_bytes
        request = self._reader.too_long(line, limit) if len(line) > limit else self._reader.feed(line)
        if request is None:
            return
        if not self._welcome:
            self.session.dialect = request.dialect
            self._turn_away()
            return
        self.session.receive(request)

    def listen(self, attentive: bool) -> None:
        """Go on or stop handing lines to the session."""
        self._attentive = attentive
        self._throttle_reading()

    def _throttle_reading(self) -> None:
        if self.transport.disconnecting:
            return
        if self._attentive and not self.congested:
            self.transport.resumeProducing()
            self._take()
        else:
            self.transport.pauseProducing()

    # -- bytes out

    def send(self, line: bytes) -> None:
        """Queue a line; it goes out with the others of this turn."""
        self._out.append(line)
        self._queued += len(line) + 2
        if self.congested:
            if self._queued > self.house.limits.queue_bytes:
                self._too_slow()
        elif not self._dirty:
            self._dirty = True
            self.audience.flush_soon(self)

    def ready(self) -> bool:
        """Say whether the peer can take more; where much is queued, writing it is the way to know."""
        if self._queued > WRITE_BYTES:
            self.flush()
        return not self.congested

    def flush(self) -> None:
        """Write what is queued."""
        self._dirty = False
        if self._out and not self.congested:
            self._out.append(b"")
            data = b"\r\n".join(self._out)
            self._out.clear()
            self._queued = 0
            self.transport.write(data)

    def congest(self) -> None:
        """Hold lines back: the peer is behind. It reads on before it may ask on."""
        if not self.congested and not self.transport.disconnecting:
            self.congested = True
            self._after(self.house.limits.stall_seconds, self._too_slow)
            self._throttle_reading()

    def relieve(self) -> None:
        """Go on: the peer has caught up."""
        if self.congested:
            self.congested = False
            self._stop_timer()
            self.flush()
            if not self.congested:
                self._throttle_reading()
                self.session.drained()
                self.flush()

    def forget(self) -> None:
        """Drop what is held back for a peer that is behind, and do not wait long for it to read the rest."""
        self._farewell = CUT_SECONDS
        if self.transport.disconnecting:
            self._after(self._farewell, self._abort)
        elif self.congested:
            self._drop()

    def _drop(self) -> None:
        self._out.clear()
        self._queued = 0

    def _too_slow(self) -> None:
        self._drop()
        self.session.close(SlowConsumer())

    def hang_up(self) -> None:
        """Send what is queued and close; a peer that does not read is cut off after a while."""
        if self.transport.disconnecting:
            return
        self.congested = False
        self.flush()
        self.transport.unregisterProducer()
        self.transport.resumeProducing()  # TLS ends when the peer's own end has been read
        self.transport.loseConnection()
        self._after(self._farewell, self._abort)

    def goodbye(self, refusal: Refusal) -> None:
        """Close; who speaks lines is told why, whoever still shakes hands or speaks HTTP is not waited for."""
        if self._face is Face.LINES:
            self.session.close(refusal)
        else:
            self._abort()

    def _abort(self) -> None:
        self._timer = None
        self.transport.abortConnection()

    # -- one timer at a time: handshake, silence, stall, farewell

    def _after(self, seconds: float, call: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self.house.reactor.callLater(seconds, call)

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
