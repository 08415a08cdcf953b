"""One connection: bytes in, lines cut and handed to the session; lines out, gathered into one write a turn.

ImdProtocol(LineReceiver) is what `ImdFactory` builds; it works on any transport, with TLS or without.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHandshakeListener,
    ISSLTransport,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from imd.engine.session import Session
from imd.net.admission import origin
from imd.net.flow import FlowControl
from imd.net.http import HttpProtocol
from imd.net.hub import Hub
from imd.net.line_buffer import LineBuffer
from imd.net.sniff import Face, face
from imd.wire.reader import LineReader
from imd.wire.refusals import RateLimited, Refusal, SlowConsumer

SILENCE_SECONDS = 0.5
"""After so long without a byte, somebody is likely looking at a terminal."""

WRITE_BYTES = 65_536
"""When so much is queued it is written before more is made, to see whether the peer can take it."""

FAREWELL_SECONDS = 4.0
"""How long a peer may take to read the last lines before the connection is cut."""

CUT_SECONDS = 0.75
"""How long it may, where its device was logged out."""

LINES_A_TURN = 32
"""So many lines of one connection are answered before others have their turn."""

HURRY_SECONDS = 1.0
"""How long whoever asks too fast is not listened to, after so many lines: refusing costs time as well."""

CROWDED_SECONDS = 5
"""When a stranger who had to make room may try again."""

KERNEL = {
    "TCP_NOTSENT_LOWAT": WRITE_BYTES,  # take no more than can soon be sent, not megabytes for a peer that does not read
    "TCP_KEEPIDLE": 60,  # after so many seconds of silence ask whether the peer is there,
    "TCP_KEEPINTVL": 20,  # so often,
    "TCP_KEEPCNT": 3,  # so many times
}
"""What the kernel is told about each connection, where it knows of it."""

VANISHED_SECONDS = 120
"""When a peer is gone of which the kernel hears nothing. In less than that takes, one lost question would do it."""


@implementer(IHandshakeListener)
class ImdProtocol(LineReceiver):
    """Speaks PROTOCOL.md's lines; the session decides what they mean."""

    delimiter = b"\n"
    transport: Any
    """A TCP, TLS or unix transport: all of them can be paused, and take a producer."""

    def __init__(self, hub: Hub, address: IAddress | None = None, *, operator: bool = False) -> None:
        self.hub = hub
        self.server = hub.server
        self.address = "" if operator else origin(address)
        self.operator = operator
        self.congested = False
        self.session = Session(self.server, self, address=self.address, operator=operator)
        self._reader = LineReader(self.server.limits.content_bytes)
        self._face: Face | None = None
        self.stranger = False
        self._welcome = True
        self._attentive = True
        self._first = b""
        self._lines = LineBuffer()
        self._taking = False
        self._taken = 0
        self._breath: IDelayedCall | None = None
        self._out: list[bytes] = []
        self._rest = b""
        self._written = 0
        self._queued = 0
        self._dirty = False
        self._timer: IDelayedCall | None = None
        self._farewell = FAREWELL_SECONDS
        self._begun = 0.0

    # -- the connection's life

    def connectionMade(self) -> None:
        """Begin: with TLS the handshake comes first, and it has a time limit."""
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
            self._instruct_the_kernel()
        self.transport.registerProducer(FlowControl(self), True)
        self.hub.connections.add(self)
        if not self.operator:
            self.stranger = True
            self._welcome = self.hub.admission.arrive(self, self.address)
        limits, self._begun = self.server.limits, self.server.reactor.seconds()
        if ISSLTransport.providedBy(self.transport):
            self._after(min(limits.handshake_seconds, limits.login_seconds), self._abort)
        else:
            self._await_first_bytes()
        self.session.begin()

    def _instruct_the_kernel(self) -> None:
        vanished = max(VANISHED_SECONDS, 2 * self.server.limits.stall_seconds)  # it ends who reads nothing as well
        for name, value in (KERNEL | {"TCP_USER_TIMEOUT": min(vanished * 1000, 2**31 - 1)}).items():
            with suppress(OSError, AttributeError):
                self.transport.socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def handshakeCompleted(self) -> None:
        """Learn what the client offered by ALPN."""
        self._stop_timer()
        self._await_first_bytes()
        if (alpn := self.transport.negotiatedProtocol) and (chosen := face(alpn, b"")):
            self._choose(chosen)

    def _await_first_bytes(self) -> None:
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
            self._become(HttpProtocol(0 if self._welcome else self.server.limits.login_seconds))
        elif not self._welcome and not self._first:
            self._turn_away()

    def _turn_away(self) -> None:
        self.session.close(RateLimited("connections", retry_after=self.server.limits.login_seconds))

    def _become(self, other: Protocol) -> None:
        """Hand the connection to another face, for what is left of a stranger's time."""
        self.session.ended()
        self.transport.unregisterProducer()
        left = self._begun + self.server.limits.login_seconds - self.server.reactor.seconds()
        self._after(max(0.0, left), self._abort)
        other.makeConnection(self.transport)
        self.dataReceived = other.dataReceived  # type: ignore[method-assign]  # from here on, its bytes

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the connection."""
        self._stop_timer()
        if self._breath is not None:
            self._breath.cancel()
            self._breath = None
        self.session.ended()
        self.known(True)
        self.hub.gone(self)

    def known(self, logged_in: bool) -> None:
        """Count the connection as a stranger's or not."""
        if logged_in and self.stranger:
            self.hub.admission.depart(self, self.address)
        elif not logged_in and not self.stranger:
            self.hub.admission.arrive(self, self.address)
        self.stranger = not logged_in

    # -- bytes in

    def dataReceived(self, data: bytes) -> None:
        """Cut the whole buffer into lines at once."""
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
        rest = self._lines.whole(data, self.server.limits.line_bytes)
        self._take()
        if rest and not self.transport.disconnecting:
            self._lines.part(rest, self._longest())
            self._take()
        self.flush()

    def _longest(self) -> int:
        """Give how long a line may be: a stranger's is short. What waits for a login's outcome is judged after it."""
        limits = self.server.limits
        short = self.stranger and self._attentive
        return min(limits.stranger_line_bytes, limits.line_bytes) if short else limits.line_bytes

    def _take(self) -> None:
        """Hand lines to the session while it listens; after so many others have their turn."""
        if self._taking:
            return
        self._taking = True
        try:
            while self._lines.lines and self._attentive and self._breath is None and self.ready():
                self._taken += 1
                if self._taken % LINES_A_TURN == 0:
                    wait = HURRY_SECONDS if self.session.hurried else 0
                    self._breath = self.server.reactor.callLater(wait, self._go_on)
                    self._throttle_reading()
                self.lineReceived(self._lines.lines.popleft())
        except Exception as error:  # a fault of ours, at whoever's turn: the peer is told, not left hanging
            self.session.close(self.server.excuse(error, "reading"))
        finally:
            self._taking = False

    def _go_on(self) -> None:
        self._breath = None
        self._throttle_reading()
        self.flush()

    def lineReceived(self, line: bytes) -> None:
        """Take one line."""
        limit = self._longest()
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
        if self._attentive and not self.congested and self._breath is None:
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
            if self._queued > self.server.limits.queue_bytes:
                self._too_slow()
        elif not self._dirty:
            self._dirty = True
            self.hub.flush_soon(self)

    def ready(self) -> bool:
        """Say whether the peer can take more; where much is queued, writing it is the way to know."""
        if self._queued > WRITE_BYTES:
            self.flush()
        return not self.congested

    def flush(self) -> None:
        """Write what is queued, a piece after the other: a peer that is slow has the whole time for each."""
        self._dirty = False
        while not self.congested and (self._out or self._rest):
            if not self._rest:
                self._out.append(b"")
                self._rest, self._written = b"\r\n".join(self._out), 0
                self._out.clear()
                self._queued = 0
            data = self._rest[self._written : self._written + WRITE_BYTES]
            self._written += len(data)
            if self._written == len(self._rest):
                self._rest = b""
            self.transport.write(data)

    def congest(self) -> None:
        """Hold lines back: the peer is behind. It reads on before it may ask on."""
        if not self.congested and not self.transport.disconnecting:
            self.congested = True
            self._after(self.server.limits.stall_seconds, self._too_slow)
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
            if self._rest:
                self._rest, self._written = b"\r\n", 0  # the line that is half written is not even finished

    def _drop(self) -> None:
        self._out.clear()
        self._queued = 0
        if self._rest:  # the line that is half written is finished
            self._rest = self._rest[: self._rest.index(b"\n", self._written) + 1]

    def _too_slow(self) -> None:
        self._drop()
        self.session.close(SlowConsumer())

    def hang_up(self) -> None:
        """Send what is queued and close; a peer that does not read is cut off after a while."""
        if self.transport.disconnecting:
            return
        self.transport.unregisterProducer()
        self.congested = False
        self.flush()
        self.transport.resumeProducing()  # TLS ends when the peer's own end has been read
        self.transport.loseConnection()
        self._after(self._farewell, self._abort)

    def peer_ended(self) -> None:
        """Wait for what is written to be read, though not for long: the peer has said that it sends no more."""
        if not self.transport.disconnecting:
            self._after(self._farewell, self._abort)

    def goodbye(self, refusal: Refusal) -> None:
        """Close; who speaks lines is told why, whoever still shakes hands or speaks HTTP is not waited for."""
        if self._face is Face.LINES:
            self.session.close(refusal)
        else:
            self._abort()

    def turn_out(self) -> bool:
        """Make room for another stranger. True when the connection takes a moment longer, to be told why."""
        if self._face is not Face.LINES or self.transport.disconnecting:
            self.cut_off()
            return False
        self.session.close(RateLimited("crowded", retry_after=CROWDED_SECONDS))
        return True

    def cut_off(self) -> None:
        """Be gone at once."""
        self._stop_timer()
        self.transport.abortConnection()

    def _abort(self) -> None:
        self._timer = None
        self.transport.abortConnection()

    # -- one timer at a time: handshake, silence, stall, farewell

    def _after(self, seconds: float, call: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self.server.reactor.callLater(seconds, call)

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
