"""One connection: the transport, the flow of bytes both ways, and the phase it is in.

ImdProtocol(LineReceiver) is what `ImdFactory` builds; it works on any transport, with TLS or without. What is spoken
on it is its face; the session pulls requests from it and sends lines to it.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from typing import Any

from twisted.internet.interfaces import IAddress, IDelayedCall, IHandshakeListener, ISSLTransport, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from imd.engine.encoded_event import EncodedEvent
from imd.engine.server import Server
from imd.engine.session import Session
from imd.net.address import origin
from imd.net.face import Face
from imd.net.flow import WRITE_BYTES, Producer, WriteQueue
from imd.net.http import HttpFace
from imd.net.lines import LinesFace
from imd.net.sniff import Spoken, spoken
from imd.wire.base import Reply, Request
from imd.wire.reader import LineReader
from imd.wire.refusals import RateLimited, SlowConsumer, Unavailable

SILENCE_SECONDS = 0.5
"""A client that has sent nothing for so long is likely a person at a terminal."""

FAREWELL_SECONDS = 4.0
"""How long a peer may take to read the last lines before the connection is cut."""

REVOKED_SECONDS = 0.75
"""How long it may, where its device was logged out."""

LINES_A_TURN = 32
"""So many lines of one connection are read before others have their turn."""

TOO_FAST_SECONDS = 1.0
"""How long a client that asks too fast is not read, after so many lines: refusing costs time as well."""

CROWDED_SECONDS = 5
"""When a client that had to make room may try again."""

KERNEL = {
    "TCP_NOTSENT_LOWAT": WRITE_BYTES,  # else the kernel takes megabytes for a peer that does not read
    "TCP_KEEPIDLE": 60,  # after so many seconds of silence ask whether the peer is there,
    "TCP_KEEPINTVL": 20,  # so often,
    "TCP_KEEPCNT": 3,  # so many times
}
"""What the kernel is told about each connection, where it knows of it."""

VANISHED_SECONDS = 120
"""When a peer is gone of which the kernel hears nothing. In less than keepalive takes, one lost packet would do it."""


class Phase(Enum):
    """Where a connection is in its life. CONGESTED comes and goes; FAREWELL is the last."""

    HANDSHAKE = auto()
    """TLS is being agreed on."""

    WAITING = auto()
    """What the peer speaks is not known yet."""

    OPEN = auto()

    CONGESTED = auto()
    """The peer is behind in reading: what is for it is held back, and nothing is read from it."""

    FAREWELL = auto()
    """The last bytes are on their way."""


@implementer(IHandshakeListener)
class ImdProtocol(LineReceiver):
    """A peer's connection."""

    delimiter = b"\n"
    transport: Any
    """A TCP, TLS or unix transport: all of them can be paused, and take a producer."""

    def __init__(self, server: Server, address: IAddress | None = None, *, operator: bool = False) -> None:
        self.server = server
        self.address = "" if operator else origin(address)
        self.operator = operator
        self.phase = Phase.WAITING
        self.face: Face | None = None
        self.session = Session(server, self, address=self.address, operator=operator)
        self.stranger = False
        self._unwelcome: RateLimited | None = None
        self._first = b""
        self._in_input = False
        self._rest: IDelayedCall | None = None
        self._queue = WriteQueue()
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
        self.transport.registerProducer(Producer(self._congested, self._relieved), True)
        self.server.admission.connections.add(self)
        limits, self._begun = self.server.limits, self.server.reactor.seconds()
        if not self.operator:
            self.stranger = True
            if not self.server.admission.arrive(self, self.address):
                self._unwelcome = RateLimited("connections", retry_after=limits.login_seconds)
        if ISSLTransport.providedBy(self.transport):
            self._enter(Phase.HANDSHAKE, min(limits.handshake_seconds, limits.login_seconds), self._abort)
        else:
            self._await_first_bytes()
        self.session.begin()

    def _instruct_the_kernel(self) -> None:
        vanished = max(VANISHED_SECONDS, 2 * self.server.limits.stall_seconds)  # it also ends a peer that never reads
        for name, value in (KERNEL | {"TCP_USER_TIMEOUT": min(vanished * 1000, 2**31 - 1)}).items():
            with suppress(OSError, AttributeError):
                self.transport.socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def handshakeCompleted(self) -> None:
        """Learn what the client offered by ALPN."""
        self._await_first_bytes()
        if (alpn := self.transport.negotiatedProtocol) and (offered := spoken(alpn, b"")):
            self._speak(offered)

    def _await_first_bytes(self) -> None:
        if self.operator:
            self._enter(Phase.WAITING)
        else:
            self._enter(Phase.WAITING, SILENCE_SECONDS, self._silent)

    def _silent(self) -> None:
        self._speak(Spoken.LINES)
        if not self._unwelcome:
            self.session.greet()
            self.flush()

    def _speak(self, language: Spoken) -> None:
        """Go on in what the peer speaks."""
        limits = self.server.limits
        if language is Spoken.HTTP:
            self.session.ended()
            left = self._begun + limits.login_seconds - self.server.reactor.seconds()
            self._enter(Phase.OPEN, max(0.0, left), self._abort)
            self.face = HttpFace(self._answer, limits.login_seconds if self._unwelcome else 0)
            return
        self._enter(Phase.OPEN)
        self.face = LinesFace(LineReader(limits.content_bytes), limits.line_bytes, self._longest_line)
        if self._unwelcome and not self._first:
            self.session.close(self._unwelcome)

    def _longest_line(self) -> int:
        """Give how long a line may be: less before login. What waits for a login's outcome is judged after it."""
        limits = self.server.limits
        short = self.stranger and not self.session.entering
        return min(limits.stranger_line_bytes, limits.line_bytes) if short else limits.line_bytes

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the connection."""
        self._enter(Phase.FAREWELL)
        self._stop_rest()
        self.session.ended()
        self.identified(True)
        self.server.pacing.gone(self)
        self.server.admission.gone(self)

    def identified(self, logged_in: bool) -> None:
        """Count the connection as one before login or not."""
        if logged_in and self.stranger:
            self.server.admission.depart(self, self.address)
        elif not logged_in and not self.stranger:
            self.server.admission.arrive(self, self.address)
        self.stranger = not logged_in
        if not logged_in and self.face is not None:
            self.face.logged_out()

    def _enter(self, phase: Phase, seconds: float | None = None, then: Callable[[], None] | None = None) -> None:
        """Go into a phase; a time limit of the one before it ends."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self.phase = phase
        self._timer = None if then is None else self.server.reactor.callLater(seconds, then)

    # -- bytes in

    def dataReceived(self, data: bytes) -> None:
        """Take bytes in, and let the session pull what it may start."""
        if self.phase is Phase.FAREWELL:
            return
        self._in_input = True
        try:
            if self.face is None:
                data = self._recognize(data)
            if data and self.face is not None:
                self.face.receive(data)
                self.session.pull()
        finally:
            self._in_input = False
        self._regulate_reading()
        self.flush()

    def _recognize(self, data: bytes) -> bytes:
        """Find out what is spoken. Gives what was received so far, or nothing while more is needed."""
        self._enter(Phase.WAITING)  # a client that sends something needs no greeting
        self._first += data
        language = spoken(None, self._first)
        if language is None:
            return b""
        self._speak(language)
        data, self._first = self._first, b""
        return data

    def peek(self) -> Request | None:
        """Give the next request, unless others have their turn first."""
        request = None
        try:
            while self.face is not None and request is None and not (self._rest or self.session.entering):
                reads = self.face.reads
                request = self.face.peek()
                if self.face.reads == reads:
                    break
                self._rest_after(self.face.reads)
        except Exception as error:  # a fault of ours: the peer is told, not left hanging
            self.session.close(self.server.excuse(error, "reading"))
        if request is not None and self._unwelcome:
            self.session.close(self._unwelcome)
            return None
        if request is None and not self._in_input:
            self._regulate_reading()
        return request

    def take(self) -> None:
        """Take the request that was peeked at."""
        assert self.face is not None
        self.face.take()

    def _rest_after(self, lines: int) -> None:
        """Let others have their turn after so many lines."""
        if lines % LINES_A_TURN == 0:
            seconds = TOO_FAST_SECONDS if self.session.too_fast else 0
            self._rest = self.server.reactor.callLater(seconds, self._rested)

    def _rested(self) -> None:
        self._rest = None
        self._go_on()

    def _stop_rest(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    def _go_on(self) -> None:
        """Let the session go on, outside a read event."""
        self.session.drained()
        self._regulate_reading()
        self.flush()

    def _regulate_reading(self) -> None:
        """Read no more while lines wait, the peer is behind, others have their turn, or a login is under way."""
        if self.phase is Phase.FAREWELL:
            return
        held = self.face is not None and self.face.waiting
        if held or self.phase is Phase.CONGESTED or self._rest is not None or self.session.entering:
            self.transport.pauseProducing()
        else:
            self.transport.resumeProducing()

    # -- bytes out

    def send(self, line: bytes) -> None:
        """Queue a line; it goes out with the others of this turn."""
        assert self.face is not None
        self._queue.add(self.face.frame(line))
        if self.phase is Phase.CONGESTED:
            if self._queue.size > self.server.limits.queue_bytes:
                self._too_slow()
        elif not self._in_input:
            self.server.pacing.flush_soon(self)

    def tell(self, event: EncodedEvent, language: str) -> None:
        """Queue an event, if it says something to this peer. One that has not shown what it speaks is told in text."""
        if self.face is None:
            self._speak(Spoken.LINES)
        if self.face is not None and (line := self.face.event(event, language)):
            self.send(line)

    def replied(self, request: Request, reply: Reply) -> None:
        """Let the face learn what was replied."""
        if self.face is not None:
            self.face.replied(request, reply)

    def ready(self) -> bool:
        """Say whether the peer can take more; where much is queued, writing it is the way to know."""
        if self._queue.size > WRITE_BYTES:
            self.flush()
        return self.phase is Phase.OPEN

    def flush(self) -> None:
        """Write what is queued, a piece after the other: a peer that is slow has the whole time for each."""
        while self._queue and self.phase is not Phase.CONGESTED:
            self.transport.write(self._queue.piece())

    def _congested(self) -> None:
        """Hold lines back: the peer is behind. It reads on before it may ask on."""
        if self.phase is not Phase.FAREWELL and self.phase is not Phase.CONGESTED:
            self._enter(Phase.CONGESTED, self.server.limits.stall_seconds, self._too_slow)
            self._regulate_reading()

    def _relieved(self) -> None:
        """Go on: the peer has caught up."""
        if self.phase is Phase.CONGESTED:
            self._enter(Phase.OPEN)
            self.flush()
            if self.ready():
                self._go_on()

    def drop(self) -> None:
        """Discard what is held back for a peer that is behind, and do not wait long for it to read the rest."""
        self._farewell = REVOKED_SECONDS
        if self.phase is Phase.FAREWELL:
            self._leave()
        elif self.phase is Phase.CONGESTED and self.face is not None:
            self._queue.break_off(self.face.broken)

    def _too_slow(self) -> None:
        self._queue.drop()
        self.session.close(SlowConsumer())

    # -- the end

    def hang_up(self) -> None:
        """Send what is queued and close; a peer that does not read is cut off after a while."""
        if self.phase is Phase.FAREWELL:
            return
        self.transport.unregisterProducer()
        self._leave()
        self.flush()
        self.transport.resumeProducing()  # TLS ends when the peer's own end has been read
        self.transport.loseConnection()

    def _leave(self) -> None:
        self._enter(Phase.FAREWELL, self._farewell, self._abort)

    def _answer(self, data: bytes) -> None:
        """Write an answer that is the last."""
        self.send(data)
        self.hang_up()

    def peer_ended(self) -> None:
        """Wait for what is written to be read, though not for long: the peer has said that it sends no more."""
        if self.phase is not Phase.FAREWELL:
            self._enter(self.phase, self._farewell, self._abort)

    def goodbye(self) -> None:
        """Close since the server stops. A peer that cannot be told is not waited for."""
        if self.face is not None and self.face.tells:
            self.session.close(Unavailable("stopping"))
        else:
            self.cut_off()

    def evict(self) -> bool:
        """Close to make room for another connection. True if it stays for a moment to be told why."""
        if self.face is None or not self.face.tells or self.phase is Phase.FAREWELL:
            self.cut_off()
            return False
        self.session.close(RateLimited("crowded", retry_after=CROWDED_SECONDS))
        return True

    def cut_off(self) -> None:
        """Close at once, without sending what is queued."""
        self._enter(Phase.FAREWELL)
        self.transport.abortConnection()

    def _abort(self) -> None:
        self._timer = None
        self.transport.abortConnection()
